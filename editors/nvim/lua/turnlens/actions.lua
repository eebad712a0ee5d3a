-- The commands behind lenses and code actions that the client itself implements.
local M = {}

local function execute(name)
  return function(argument) require('turnlens.client').execute(name, argument) end
end

local function line_of(argument) return { textDocument = { uri = argument.uri }, position = argument.range.start } end

local turn_of = function(address) return address:match('^[^:]+:%d+') or address end

-- Each takes the one object of PROTOCOL.md.
local actions = {
  ['turnlens.openTurn'] = execute('turnlens.server.show'),
  ['turnlens.openCode'] = execute('turnlens.server.show'),
  ['turnlens.openSession'] = execute('turnlens.server.show'),
  ['turnlens.showStepDiff'] = function(argument)
    require('turnlens.diff').step(argument.address and { address = argument.address } or line_of(argument))
  end,
  ['turnlens.showTurnChanges'] = function(argument) require('turnlens.diff').turn(turn_of(argument.address), {}) end,
  ['turnlens.showLineHistory'] = function(argument)
    require('turnlens.lists').history({ textDocument = { uri = argument.uri }, range = argument.range })
  end,
  ['turnlens.explainLine'] = function(argument) require('turnlens.peek').explain(line_of(argument)) end,
  ['turnlens.copyResumeCommand'] = function(argument) require('turnlens.resume').copy(argument.address) end,
  ['turnlens.resumeSession'] = function(argument) require('turnlens.resume').resume(argument.address) end,
  ['turnlens.undoTurn'] = function(argument) require('turnlens.undo').undo(turn_of(argument.address)) end,
  ['turnlens.undoStep'] = function(argument) require('turnlens.undo').undo(argument.address) end,
}

---@return string[]
function M.names()
  local names = vim.tbl_keys(actions)
  table.sort(names)
  return names
end

--- For the client's `commands`.
function M.handlers()
  return vim.tbl_map(function(action)
    return function(command) action(command.arguments and command.arguments[1] or {}) end
  end, actions)
end

--- Runs what stands behind a lens.
function M.run(command, buf)
  local client = require('turnlens.client').get()
  if not client then return end
  local context = { bufnr = buf }
  if client.exec_cmd then return client:exec_cmd(command, context) end
  client:_exec_cmd(command, context)
end

return M
