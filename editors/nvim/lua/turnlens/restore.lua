-- Puts a text that a file once had into its buffer, unsaved: one undo takes it back.
local client = require('turnlens.client')
local ui = require('turnlens.ui')
local util = require('turnlens.util')

local M = {}

local function put(buf, state, what)
  client.request('turnlens/textDocumentContent', { uri = state.text }, function(document)
    if not document then return util.notify('This text is not known any more.') end
    vim.api.nvim_buf_set_lines(buf, 0, -1, false, util.lines(document.text))
    vim.bo[buf].endofline = vim.endswith(document.text, '\n')
    util.notify(('Restored %s, not saved.'):format(what))
  end)
end

--- One of the known states of a buffer's file.
---@param buf integer
function M.state(buf)
  client.request('turnlens/fileHistory', { textDocument = util.text_document(buf) }, function(history)
    local entries = vim.tbl_filter(function(entry) return entry.text ~= nil end, history and history.entries or {})
    if #entries == 0 then return util.notify('No state of this file is known.') end
    ui.select(entries, 'Restore which state?', function(entry) put(buf, entry, entry.label) end)
  end)
end

--- A file that is gone, in a buffer of its name.
---@param mods table
function M.deleted(mods)
  client.request('turnlens/deletedFiles', vim.empty_dict(), function(answer, asked)
    local entries = vim.tbl_map(
      function(entry) return vim.tbl_extend('force', entry, { label = entry.path, description = entry.label }) end,
      answer and answer.entries or {}
    )
    if #entries == 0 then return util.notify('No deleted file is known whose text can be restored.') end
    ui.select(entries, 'Restore which deleted file?', function(entry)
      if ui.open({ uri = entry.uri }, asked.offset_encoding, mods) then
        put(vim.api.nvim_get_current_buf(), entry, entry.label)
      end
    end)
  end)
end

return M
