-- Quickfix and location lists.
local client = require('turnlens.client')
local ui = require('turnlens.ui')
local util = require('turnlens.util')

local M = {}

--- An entry of a list. The column is left at the line's beginning: lists are read, not typed at.
---@param location { uri: string, range?: table }
---@param text string
function M.item(location, text)
  local line = location.range and location.range.start.line or 0
  return { filename = util.short_path(location.uri), lnum = line + 1, col = 1, text = text }
end

--- Fills the quickfix list, or the location list of this window, and opens it.
---@param items table[]
---@param title string
---@param loclist? boolean
function M.show(items, title, loclist)
  if #items == 0 then return util.notify('Nothing found.') end
  local what = { title = title, items = items }
  if loclist then
    vim.fn.setloclist(0, {}, ' ', what)
    vim.cmd('lopen')
  else
    vim.fn.setqflist({}, ' ', what)
    vim.cmd('botright copen')
  end
end

local function words(entry) return vim.trim(entry.label .. '  ' .. (entry.description or '')) end

--- Who changed these lines, newest first, as a location list.
---@param params { textDocument: table, range: table }
function M.history(params)
  client.request('turnlens/history', params, function(history)
    local items = vim.tbl_map(function(entry)
      -- An entry that nobody recorded has no place of its own: the line as it is now.
      return M.item(entry.location or { uri = params.textDocument.uri, range = params.range }, words(entry))
    end, history and history.entries or {})
    if #items == 0 then
      return require('turnlens.commands').say_unknown({
        textDocument = params.textDocument,
        position = params.range.start,
      })
    end
    M.show(items, 'Line history', true)
  end)
end

--- Every known state of a file: pick one to see it beside the file as it is now; with `loclist` a list of them.
---@param buf integer
---@param loclist boolean
function M.file_history(buf, loclist)
  local file = util.text_document(buf)
  client.request('turnlens/fileHistory', { textDocument = file }, function(history)
    local entries = history and history.entries or {}
    if #entries == 0 then return util.notify('No state of this file is known.') end
    if not loclist then
      return ui.select(
        entries,
        'File history',
        function(entry) require('turnlens.diff').state(entry.text, file.uri) end
      )
    end
    M.show(
      vim.tbl_map(function(entry) return M.item({ uri = entry.text }, words(entry)) end, entries),
      'File history',
      true
    )
  end)
end

--- Hits of a search in all sessions.
---@param query string
---@param loclist boolean
function M.search(query, loclist)
  client.request('turnlens/search', { query = query }, function(found)
    local items = vim.tbl_map(function(hit)
      local text = ('%s %s  %s'):format(hit.address, hit.field, vim.trim((hit.text or ''):gsub('%s+', ' ')))
      return M.item(hit.location, text)
    end, found and found.hits or {})
    if #items == 0 then return util.notify(('No session has “%s”.'):format(query)) end
    M.show(items, ('%d hits in %d sessions: %s'):format(found.total, found.sessions, query), loclist)
  end)
end

return M
