-- A server that ends at once.
local t = dofile(vim.env.TURNLENS_TESTS .. '/harness.lua')
local check = t.check

t.run(function()
  for number = 1, 10 do
    vim.cmd.edit(number .. '.txt')
    t.sleep(150)
  end
  local starts = #vim.fn.readfile(vim.env.STARTS)
  check('crash: started five times, not for each file', starts == 5, starts)
  t.said()
  vim.cmd('Turnlens turn')
  check('crash: a command says so', (table.concat(t.said(), ' ')):find('did not start'), _G.said)
  check('crash: :edit goes on', vim.fn.bufname() == '10.txt')
end)
