-- Runs checks one after the other in a coroutine, so that Neovim's own loop (events, keys, timers) runs between
-- their steps as it does under a person's hands.
local M = { failed = 0, passed = 0 }

local TIMEOUT = 8000

local function brief(value)
  local text = type(value) == 'string' and value or vim.inspect(value, { newline = ' ', indent = '' })
  text = text:gsub('\n', ' ↵ ')
  return #text > 300 and text:sub(1, 300) .. '…' or text
end

--- Prints one line; what was found is shown where the check failed.
function M.check(name, ok, found)
  if ok then
    M.passed = M.passed + 1
    io.write('PASS ' .. name .. '\n')
  else
    M.failed = M.failed + 1
    io.write('FAIL ' .. name .. (found ~= nil and '  found: ' .. brief(found) or '') .. '\n')
  end
  io.flush()
  return ok
end

function M.sleep(ms)
  local me = coroutine.running()
  vim.defer_fn(function() M.resume(me) end, ms)
  coroutine.yield()
end

--- Waits until `condition` gives something true, and gives that; nil after the timeout. Errors count as false.
function M.wait(condition, timeout)
  local ends = vim.uv.now() + (timeout or TIMEOUT)
  while true do
    local ok, value = pcall(condition)
    if ok and value then return value end
    if vim.uv.now() > ends then return nil end
    M.sleep(20)
  end
end

--- Types keys as a person does, maps included, and lets Neovim work them off.
function M.type(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'mt', false)
  M.sleep(30)
end

function M.lines(buf) return vim.api.nvim_buf_get_lines(buf or 0, 0, -1, false) end

function M.line() return vim.api.nvim_get_current_line() end

function M.name() return vim.api.nvim_buf_get_name(0) end

function M.floats()
  return vim.tbl_filter(
    function(win) return vim.api.nvim_win_get_config(win).relative ~= '' end,
    vim.api.nvim_list_wins()
  )
end

function M.client() return vim.lsp.get_clients({ name = 'turnlens' })[1] end

--- Asks the server directly and waits for the result.
function M.ask(method, params)
  local done, result, failure
  require('turnlens.client').method(M.client(), 'request', method, params, function(err, answer)
    done, result, failure = true, answer, err
  end, vim.api.nvim_get_current_buf())
  M.wait(function() return done end)
  return result, failure
end

--- All sessions, newest first, once the server has read them.
function M.sessions()
  return M.wait(function()
    local sessions = require('turnlens').sessions({ all = true })
    return #sessions > 0 and sessions
  end)
end

--- The texts that were said since the last call.
function M.said()
  local texts = vim.tbl_map(function(message) return message.text end, _G.said)
  _G.said = {}
  return texts
end

local function finish()
  io.write(('%d passed, %d failed\n'):format(M.passed, M.failed))
  io.flush()
  vim.cmd(M.failed == 0 and 'qall!' or 'cquit 1')
end

function M.resume(thread)
  local ok, why = coroutine.resume(thread)
  if not ok then
    M.check('no error in the test itself', false, debug.traceback(thread, tostring(why)))
    return finish()
  end
  if coroutine.status(thread) == 'dead' then finish() end
end

function M.run(checks)
  -- Once Neovim waits for keys.
  vim.schedule(function() M.resume(coroutine.create(checks)) end)
end

return M
