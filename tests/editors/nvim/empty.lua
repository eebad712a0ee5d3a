-- No logs, no git, no home: nothing is said until a person asks.
local t = dofile(vim.env.TURNLENS_TESTS .. '/harness.lua')
local check, wait = t.check, t.wait

t.run(function()
  vim.cmd.edit('alone.txt')
  check('no logs: the server runs', wait(function() return t.client() and t.client().initialized end))
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'one', 'two' })
  t.type('j')
  t.sleep(600)
  check('no logs: nothing is said', #_G.said == 0, _G.said)
  check('no logs: the status is empty', vim.b.turnlens_status == '', vim.b.turnlens_status)
  for _, command in ipairs({ 'turn', 'newest', 'sessions', 'search anything', 'changes', 'history' }) do
    t.said()
    vim.cmd('Turnlens ' .. command)
    local texts = wait(function() return #_G.said > 0 and t.said() end, 3000) or {}
    local text = texts[1] or ''
    local words = #texts == 1 and text:find('^No ') and not text:find('\n') and not text:find('[Mm]ethod')
    check('no logs: ' .. command .. ' says one line', words, texts)
    if command == 'newest' or command == 'sessions' then
      check(
        'no logs: ' .. command .. ' says where was looked',
        text:find(vim.env.HOME and '^No agent sessions found%. Looked in .+%.$' or '^No agent sessions found%.$'),
        text
      )
    end
  end
end)
