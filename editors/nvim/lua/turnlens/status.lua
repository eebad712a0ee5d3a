-- The status of the cursor's line, as buffer variables and events for whatever draws a status line.
local client = require('turnlens.client')
local config = require('turnlens.config')
local util = require('turnlens.util')

local M = {}

local live_text = ''

-- The line (and text) that the variables of a buffer speak of.
local known = {}

local function announce(event) vim.api.nvim_exec_autocmds('User', { pattern = event, modeline = false }) end

local function set(buf, status, dict)
  if vim.b[buf].turnlens_status == status and vim.deep_equal(vim.b[buf].turnlens_status_dict, dict) then return end
  vim.b[buf].turnlens_status = status
  vim.b[buf].turnlens_status_dict = dict
  announce('TurnlensUpdate')
end

local function show(buf, info)
  local origin = info and info.origin
  if origin then
    local dict = {}
    for _, key in ipairs({ 'agent', 'session', 'turn', 'step', 'title', 'at', 'evidence' }) do
      dict[key] = origin[key]
    end
    return set(buf, origin.status or '', dict)
  end
  local reading = info and info.reading
  set(buf, reading and ('Turnlens %d/%d'):format(reading.done, reading.total) or '', vim.empty_dict())
end

local function update(buf, force)
  if not vim.api.nvim_buf_is_valid(buf) or vim.api.nvim_get_current_buf() ~= buf or not known[buf] then return end
  local line = util.cursor_line()
  local place = line .. ':' .. vim.api.nvim_buf_get_changedtick(buf)
  if known[buf] == place and not force then return end
  known[buf] = place
  client.request_quietly(
    'turnlens/line',
    { textDocument = util.text_document(buf), position = util.position(line) },
    buf,
    function(info)
      if vim.api.nvim_buf_is_valid(buf) and known[buf] == place then show(buf, info) end
    end
  )
end

--- Keeps the variables of a buffer up to date from now on.
---@param buf integer
function M.attach(buf)
  vim.b[buf].turnlens_live = live_text
  if known[buf] then return update(buf, true) end
  known[buf] = ''
  set(buf, '', vim.empty_dict())
  if util.is_document(buf) then return end
  local later = util.debounce(100, function() update(buf) end)
  local group = vim.api.nvim_create_augroup('turnlens.status.' .. buf, {})
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorHold', 'BufEnter', 'InsertLeave', 'BufWritePost' }, {
    group = group,
    buffer = buf,
    callback = later,
  })
  vim.api.nvim_buf_attach(buf, false, { on_detach = function() known[buf] = nil end })
  later()
end

local words = { working = 'working', waits = 'waits' }

-- `Claude working`; with several sessions `2 working, 1 waits`.
local function live_words(live)
  if #live == 0 then return '' end
  if #live == 1 then return ('%s %s'):format(live[1].agentName, words[live[1].state] or live[1].state) end
  local counts = { working = 0, waits = 0 }
  for _, session in ipairs(live) do
    counts[session.state] = (counts[session.state] or 0) + 1
  end
  local parts = {}
  for _, state in ipairs({ 'working', 'waits' }) do
    if counts[state] > 0 then parts[#parts + 1] = ('%d %s'):format(counts[state], words[state]) end
  end
  return table.concat(parts, ', ')
end

-- Reads files again that an agent may have written, where no typing can be lost.
local checktime = util.debounce(200, function()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.bo[buf].buftype == '' and not vim.bo[buf].modified then
      if vim.api.nvim_buf_get_name(buf) ~= '' then vim.cmd.checktime(buf) end
    end
  end
end)

--- `turnlens/didChangeSessions`: logs were read, so the cursor's line may have an origin now.
function M.sessions_changed()
  if config.get().checktime then checktime() end
  update(vim.api.nvim_get_current_buf(), true)
end

--- `turnlens/liveChanged`
function M.live_changed(params)
  live_text = live_words(params.live or {})
  for buf in pairs(known) do
    if vim.api.nvim_buf_is_valid(buf) then vim.b[buf].turnlens_live = live_text end
  end
  announce('TurnlensLive')
end

return M
