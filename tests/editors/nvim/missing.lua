-- The server's program is not there.
local t = dofile(vim.env.TURNLENS_TESTS .. '/harness.lua')
local check, wait = t.check, t.wait

t.run(function()
  vim.cmd.edit('alone.txt')
  wait(function() return #_G.said > 0 end, 2000)
  vim.cmd.edit('another.txt')
  t.sleep(200)
  local texts = t.said()
  check('no server: told once', #texts == 1, texts)
  local words = 'turnlens was not found on PATH. Set turnlens.server.path or install it: cargo install turnlens.'
  check('no server: the words', texts[1] == words, texts)
  vim.cmd('Turnlens turn')
  check(
    'no server: told again when asked',
    wait(function() return _G.said[1] and _G.said[1].text == words end, 2000),
    _G.said
  )
  vim.cmd('checkhealth turnlens')
  check('no server: checkhealth says what to do', table.concat(t.lines(), '\n'):find('cargo install turnlens'))
end)
