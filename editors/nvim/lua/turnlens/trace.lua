-- Buffers of our documents: keys, folds, from the trace to the code.
local client = require('turnlens.client')
local colour = require('turnlens.colour')
local ui = require('turnlens.ui')
local util = require('turnlens.util')

local M = {}

local function matches_any(line, patterns)
  for _, pattern in ipairs(patterns) do
    if line:find(pattern) then return true end
  end
  return false
end

local failures = { ' · exit %-?[1-9]', ' · failed', ' · refused by', ' · interrupted by' }

local function is_failed(line) return matches_any(line, { '^### %d', '^%- %d' }) and matches_any(line, failures) end

-- Whether what stands under the heading at `row` has a diff: commands that wrote files have one, too.
local function has_diff(lines, row)
  for below = row + 1, #lines do
    if lines[below]:find('^#+ ') then return false end
    if lines[below]:find('^```+diff') then return true end
  end
  return false
end

-- What the lines of a document are, as they are written there.
local kinds = {
  turn = function(lines, row) return lines[row]:find('^##? Turn %d') ~= nil end,
  edit = function(lines, row)
    local line = lines[row]
    if not line:find('^### %d') or is_failed(line) and not has_diff(lines, row) then return false end
    -- The diff of an edit whose log is gone cannot be shown.
    return matches_any(line, { '^### [%d.]+ Edit ', '^### [%d.]+ Write ', '^### [%d.]+ Delete ' })
      or has_diff(lines, row)
  end,
  failed = function(lines, row) return is_failed(lines[row]) end,
}

local function jump(kind, step)
  return function()
    local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
    local row, left = util.cursor_line() + 1, vim.v.count1
    local target
    while left > 0 do
      row = row + step
      if not lines[row] then break end
      if kinds[kind](lines, row) then
        target, left = row, left - 1
      end
    end
    if not target then return end
    vim.cmd("normal! m'")
    vim.api.nvim_win_set_cursor(0, { target, 0 })
    vim.cmd('normal! zv')
  end
end

-- Opens what a link names: `file:` and `turnlens:` with `#L12`, else by the system.
local function open_target(target, encoding)
  local uri, line = target:match('^([^#]*)#L(%d+)')
  uri = uri or target:match('^[^#]*')
  if not uri:find('^file:') and not uri:find('^turnlens:') then return vim.ui.open(target) end
  local at = line and util.position(tonumber(line) - 1)
  ui.open({ uri = uri, range = at and { start = at, ['end'] = at } }, encoding)
end

local function link_under_cursor(links, encoding)
  local line, column = util.cursor_line(), vim.api.nvim_win_get_cursor(0)[2]
  local text = vim.api.nvim_get_current_line()
  for _, link in ipairs(links or {}) do
    local from, to = link.range.start, link.range['end']
    if from.line == line and to.line == line then
      local inside = column >= util.byte_column(text, from.character, encoding)
        and column < util.byte_column(text, to.character, encoding)
      if inside then return link end
    end
  end
end

--- From a line of a document to the code as it is now.
---@param mods? table
function M.code(mods)
  local params = { textDocument = util.text_document(0), position = util.position(util.cursor_line()), ask = true }
  client.request('turnlens/line', params, function(info, asked)
    if info and info.message then util.notify(info.message) end
    if info and info.code then return ui.open(info.code, asked.offset_encoding, mods) end
    if not (info and info.message) then util.notify('No code belongs to this line.') end
  end)
end

-- `<CR>` and `gd`: a link leads to what it names, any other line to its code.
local function follow()
  client.request('textDocument/documentLink', { textDocument = util.text_document(0) }, function(links, asked)
    local link = link_under_cursor(links, asked.offset_encoding)
    if not link then return M.code() end
    if link.target then return open_target(link.target, asked.offset_encoding) end
    client.request('documentLink/resolve', link, function(resolved)
      if resolved and resolved.target then open_target(resolved.target, asked.offset_encoding) end
    end)
  end)
end

local keys = {
  { '<CR>', follow, 'Go to the code as it is now, or follow the link' },
  { 'gd', follow, 'The same' },
  { ']]', jump('turn', 1), 'Next turn' },
  { '[[', jump('turn', -1), 'Previous turn' },
  { ']e', jump('edit', 1), 'Next edit' },
  { '[e', jump('edit', -1), 'Previous edit' },
  { ']x', jump('failed', 1), 'Next failed step' },
  { '[x', jump('failed', -1), 'Previous failed step' },
  { 'K', function() vim.lsp.buf.hover() end, 'What is known about this line' },
  { 'gO', function() vim.lsp.buf.document_symbol({ loclist = true }) end, 'Outline' },
  { 'g?', function() M.show_keys() end, 'These keys' },
}

-- Neovim's own; listed for whoever asks.
local core_keys =
  { { 'gF', 'File under the cursor, at its line' }, { 'za', 'Open or close the fold' }, { 'Ctrl-O', 'Back' } }

--- The keys of these buffers, in a float that `q` closes.
function M.show_keys()
  local lines = {}
  for _, key in ipairs(keys) do
    lines[#lines + 1] = ('%-8s%s'):format(key[1], key[3])
  end
  for _, key in ipairs(core_keys) do
    lines[#lines + 1] = ('%-8s%s'):format(key[1], key[2])
  end
  lines[#lines + 1] = ''
  lines[#lines + 1] = ':Turnlens lists what can be done on this line.'
  require('turnlens.peek').float(lines)
end

local function map_keys(buf)
  for _, key in ipairs(keys) do
    vim.keymap.set('n', key[1], key[2], { buffer = buf, nowait = true, desc = 'Turnlens: ' .. key[3] })
  end
end

-- Made by hand, the inner ones first: 0.10 has no folds by a server, those of 0.11 raise errors when the window goes on to
-- another buffer before the answer is there, and those of 0.12 are there at no known moment, so that none can be closed.
local function make_folds(ranges)
  table.sort(ranges, function(a, b) return a.endLine - a.startLine < b.endLine - b.startLine end)
  vim.cmd('normal! zE')
  for _, range in ipairs(ranges) do
    vim.cmd(('%d,%dfold'):format(range.startLine + 1, range.endLine + 1))
  end
  vim.cmd('normal! zR')
end

-- Makes the folds of the current window anew. Thoughts are closed at first; later what is closed stays so.
local function fold_by_hand(ranges, first_time)
  local last = vim.api.nvim_buf_line_count(0) - 1
  ranges = vim.tbl_filter(function(range) return range.startLine < range.endLine and range.endLine <= last end, ranges)
  local close = {}
  for _, range in ipairs(ranges) do
    local line = range.startLine + 1
    local closed = vim.fn.foldclosed(line) == line
    if first_time and range.kind == 'comment' or not first_time and closed then close[#close + 1] = line end
  end
  make_folds(ranges)
  for _, line in ipairs(close) do
    vim.cmd(('silent! %dfoldclose'):format(line))
  end
  vim.cmd('normal! zv')
end

local function request_folds(buf, win, first_time)
  local params = { textDocument = util.text_document(buf) }
  client.request_quietly('textDocument/foldingRange', params, buf, function(ranges)
    if not vim.api.nvim_win_is_valid(win) or vim.api.nvim_win_get_buf(win) ~= buf then return end
    vim.api.nvim_win_call(win, function() fold_by_hand(ranges or {}, first_time) end)
  end)
end

-- Options that belong to a window hold only while it shows this buffer.
local function set_window(buf, win)
  local options = vim.wo[win][0]
  options.foldlevel = 99
  options.foldtext = ''
  options.linebreak = true
  options.breakindent = true
  options.foldmethod = 'manual'
  request_folds(buf, win, true)
end

local function fold_windows(buf)
  for _, win in ipairs(util.windows(buf)) do
    -- Once for a window: folds that a person has opened stay open.
    if vim.w[win].turnlens_folds ~= buf then
      vim.w[win].turnlens_folds = buf
      set_window(buf, win)
    end
  end
end

--- The text has grown.
---@param buf integer
function M.text_changed(buf)
  for _, win in ipairs(util.windows(buf)) do
    request_folds(buf, win, false)
  end
end

-- `gF` looks for `src/a.rs:12` in the folder that the paths of the document start from.
local function set_path(buf)
  local running = client.get()
  if running and running.config.root_dir then
    vim.bo[buf].path = '.,' .. vim.fn.escape(running.config.root_dir, ' ,') .. ',,'
  end
end

--- Makes a document's buffer ours: keys, folds.
---@param buf integer
function M.attach(buf)
  local uri = vim.api.nvim_buf_get_name(buf)
  local is_trace = vim.bo[buf].filetype == 'turnlens'
  -- Files before and after a step keep their language's keys.
  if not is_trace and not uri:find('%.diff$') then return end
  map_keys(buf)
  set_path(buf)
  if not is_trace then return end
  local group = vim.api.nvim_create_augroup('turnlens.trace.' .. buf, {})
  vim.api.nvim_create_autocmd(
    'BufWinEnter',
    { group = group, buffer = buf, callback = function() fold_windows(buf) end }
  )
  vim.schedule(function()
    if vim.api.nvim_buf_is_valid(buf) then fold_windows(buf) end
  end)
end

--- Options and colours of the filetype `turnlens`, also for documents that are files.
---@param buf integer
function M.filetype(buf)
  colour.start_markdown(buf)
  vim.bo[buf].textwidth = 0
end

return M
