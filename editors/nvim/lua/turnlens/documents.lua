-- Buffers of `turnlens://` documents: filled from the server, kept up to date without moving what is looked at.
local client = require('turnlens.client')
local colour = require('turnlens.colour')
local config = require('turnlens.config')
local util = require('turnlens.util')

local M = {}

--- Whether this Neovim implements `workspace/textDocumentContent` itself. Then the server uses that door.
---@return boolean
function M.core_reads_them()
  return vim.tbl_get(vim.lsp.protocol.make_client_capabilities(), 'workspace', 'textDocumentContent') ~= nil
end

-- `vim.diff` until 0.12.
local diff = vim.text and vim.text.diff or vim.diff

-- Only what differs, so that marks, folds and the view stay: a live session changes in its head and at its end.
local function replace_text(buf, new)
  local old = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  local hunks = diff(table.concat(old, '\n') .. '\n', table.concat(new, '\n') .. '\n', { result_type = 'indices' })
  vim.bo[buf].modifiable = true
  for index = #hunks, 1, -1 do
    local from, removed, start, added = unpack(hunks[index])
    -- Where nothing goes, the new lines come after `from`.
    local first = removed == 0 and from or from - 1
    vim.api.nvim_buf_set_lines(buf, first, first + removed, false, vim.list_slice(new, start, start + added - 1))
  end
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
end

-- Windows whose cursor stands on the last line: they follow the end of a document that grows.
local function following_windows(buf)
  if not config.get().document.follow_end then return {} end
  local last = vim.api.nvim_buf_line_count(buf)
  return vim.tbl_filter(function(win) return vim.api.nvim_win_get_cursor(win)[1] == last end, util.windows(buf))
end

local function paint(buf)
  if vim.bo[buf].filetype == 'turnlens' then colour.markdown(buf) end
end

-- A newer text of a buffer that is being looked at.
local function update(buf, text)
  local following = following_windows(buf)
  replace_text(buf, util.lines(text))
  paint(buf)
  for _, win in ipairs(following) do
    vim.api.nvim_win_set_cursor(win, { vim.api.nvim_buf_line_count(buf), 0 })
  end
  require('turnlens.trace').text_changed(buf)
end

local function filetype_of(uri, buf)
  if uri:find('%.md$') then return 'turnlens' end
  return vim.filetype.match({ filename = vim.fs.basename(uri), buf = buf }) or ''
end

--- Fills a buffer that is just being read. The text must be there before the caller sets the cursor, so this waits.
---@param buf integer
function M.read(buf)
  local uri = vim.api.nvim_buf_get_name(buf)
  vim.bo[buf].buftype = 'nofile'
  vim.bo[buf].swapfile = false
  vim.bo[buf].undolevels = -1
  vim.bo[buf].bufhidden = 'hide'
  local result, why = client.request_sync('turnlens/textDocumentContent', { uri = uri })
  vim.bo[buf].filetype = filetype_of(uri, buf)
  local text = result and result.text or why or 'The server has no such document.'
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, util.lines(text))
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  paint(buf)
  -- Not by `vim.lsp.enable`, which leaves buffers with a 'buftype' alone.
  local running = client.get()
  if running then vim.lsp.buf_attach_client(buf, running.id) end
  require('turnlens.trace').attach(buf)
end

--- The server says that an open document has changed.
---@param uri string
function M.refresh(uri)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_get_name(buf) == uri then
      client.request_quietly('turnlens/textDocumentContent', { uri = uri }, buf, function(result)
        if result and vim.api.nvim_buf_is_loaded(buf) then update(buf, result.text) end
      end, function(why)
        -- A text that was once there is kept.
        local is_awaited = vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_line_count(buf) == 1
        if is_awaited then update(buf, why) end
      end)
    end
  end
end

return M
