-- Turnlens for Neovim: from any line of code to the agent turn that wrote it, and back.
--
-- No call of `setup` is needed. What stands here is for configurations and other plugins; the functions wait for the
-- server's answer (at most five seconds) and give nil where there is none.
local client = require('turnlens.client')
local util = require('turnlens.util')

local M = {}

--- Sets options (`:help turnlens-options`). May be called again; a running server is told.
---@param options? table
function M.setup(options)
  require('turnlens.config').set(options)
  client.settings_changed()
end

--- Who wrote a line.
---@param buf? integer 0 or nil: the current buffer
---@param line? integer from 1; nil: the cursor's
---@return table? origin with agent, session, turn, step, address, at, title, evidence, document
function M.turn_at(buf, line)
  buf = (buf == nil or buf == 0) and vim.api.nvim_get_current_buf() or buf
  local position = util.position(line and line - 1 or util.cursor_line())
  local info = client.request_sync('turnlens/line', { textDocument = util.text_document(buf), position = position })
  return info and info.origin
end

--- The changes of a turn, file by file.
---@param address? string `SESSION:TURN`; nil: the last turn that edited here
---@return table? with title, address, document, files
function M.changes(address) return (client.request_sync('turnlens/turnChanges', { address = address or '@:last' })) end

--- Sessions, newest first.
---@param filter? { buf?: integer, query?: string, all?: boolean } buf: those that edited its file
---@return table[]?
function M.sessions(filter)
  filter = filter or {}
  local params = vim.empty_dict()
  params.query, params.all = filter.query, filter.all
  if filter.buf then params.textDocument = util.text_document(filter.buf) end
  local answer = client.request_sync('turnlens/sessions', params)
  return answer and answer.sessions
end

return M
