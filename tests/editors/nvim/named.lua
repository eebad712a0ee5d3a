-- A document named on the command line, before any file: `nvim turnlens://…`.
local t = dofile(vim.env.TURNLENS_TESTS .. '/harness.lua')
local check, wait = t.check, t.wait

t.run(function()
  local newest = t.sessions()
  if not check('named: the server knows sessions', newest) then return end
  local uri = newest[1].document
  require('turnlens.client').method(t.client(), 'stop', true)
  wait(function() return t.client() == nil end)
  vim.cmd.edit(uri)
  check('named: opened with its text', #t.lines() > 1 and t.lines()[1]:find('^# '), t.lines()[1])
  check('named: filetype', vim.bo.filetype == 'turnlens')
  check(
    'named: attached once',
    #vim.lsp.get_clients({ bufnr = 0, name = 'turnlens' }) == 1 and #vim.lsp.get_clients() == 1
  )
  local thought = vim.fn.search([[^\*\d[0-9.]* Thought]], 'n')
  if thought > 0 and vim.fn.getline(thought + 1) ~= '' then
    check('named: thoughts are closed at first', wait(function() return vim.fn.foldclosed(thought) == thought end), thought)
  end
  check('named: its keys are there', vim.fn.maparg('gd', 'n') ~= '')
  check('named: nothing is said', #_G.said == 0, _G.said)
end)
