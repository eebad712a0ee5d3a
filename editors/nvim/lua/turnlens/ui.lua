-- Opening places and asking the person.
local util = require('turnlens.util')

local M = {}

local flash = vim.api.nvim_create_namespace('turnlens.flash')

local function wants_window(mods)
  return mods and ((mods.tab or -1) >= 0 or mods.vertical or mods.horizontal or (mods.split or '') ~= '')
end

-- The lines that were asked for, marked until the cursor moves.
local function mark_lines(buf, first, last)
  vim.api.nvim_buf_clear_namespace(buf, flash, 0, -1)
  for line = first, last do
    vim.api.nvim_buf_set_extmark(buf, flash, line, 0, { line_hl_group = 'Visual' })
  end
  -- The event of the jump itself is still to come.
  vim.schedule(function()
    vim.api.nvim_create_autocmd({ 'CursorMoved', 'BufLeave' }, {
      buffer = buf,
      once = true,
      callback = function() vim.api.nvim_buf_clear_namespace(buf, flash, 0, -1) end,
    })
  end)
end

-- The buffer of a document. A file in the working folder is named as `:edit` would: without that folder.
local function buffer_of(uri)
  if not uri:find('^file:') then return vim.uri_to_bufnr(uri) end
  return vim.fn.bufadd(util.short_path(uri))
end

--- Opens a `Location` in this window, or where `:vert`, `:tab` and the like say. `Ctrl-O` leads back.
---@param location { uri: string, range?: table }
---@param encoding string
---@param mods? table as in the argument of a user command
---@return boolean opened
function M.open(location, encoding, mods)
  vim.cmd("normal! m'")
  if wants_window(mods) then vim.cmd({ cmd = 'split', mods = mods }) end
  local buf = buffer_of(location.uri)
  if vim.api.nvim_get_current_buf() ~= buf then
    if not util.is_document(buf) then vim.bo[buf].buflisted = true end
    local ok, why = pcall(vim.api.nvim_win_set_buf, 0, buf)
    if not ok and vim.api.nvim_get_current_buf() ~= buf then
      util.notify(tostring(why):gsub('^.-(E%d+:)', '%1'), vim.log.levels.WARN)
      return false
    end
  end
  if location.range then M.go_to(buf, location.range, encoding) end
  return true
end

--- Puts the cursor of the current window on the start of a range, in sight, its lines marked.
function M.go_to(buf, range, encoding)
  local last = vim.api.nvim_buf_line_count(buf) - 1
  local line = math.min(range.start.line, last)
  local text = vim.api.nvim_buf_get_lines(buf, line, line + 1, false)[1] or ''
  vim.api.nvim_win_set_cursor(0, { line + 1, util.byte_column(text, range.start.character, encoding) })
  vim.cmd('normal! zv')
  if line + 1 < vim.fn.line('w0') or line + 1 > vim.fn.line('w$') then vim.cmd('normal! zz') end
  local final = range['end'].character == 0 and range['end'].line - 1 or range['end'].line
  mark_lines(buf, line, math.max(line, math.min(final, last)))
end

--- `vim.ui.select` over entries with `label` and, for some, `description`.
---@param entries table[]
---@param prompt string
---@param on_choice fun(entry: table)
function M.select(entries, prompt, on_choice)
  local width = 0
  for _, entry in ipairs(entries) do
    width = math.max(width, vim.fn.strdisplaywidth(entry.label))
  end
  vim.ui.select(entries, {
    prompt = prompt,
    kind = 'turnlens',
    format_item = function(entry)
      local gap = (' '):rep(width - vim.fn.strdisplaywidth(entry.label) + 2)
      return (entry.description or '') ~= '' and entry.label .. gap .. entry.description or entry.label
    end,
  }, function(entry)
    if entry then on_choice(entry) end
  end)
end

--- A text of our own in a window below (or where the modifiers say); `q` closes it.
---@param name string
---@param text string
---@param mods? table
function M.show_text(name, text, mods)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, util.lines(text))
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].modifiable = false
  pcall(vim.api.nvim_buf_set_name, buf, name)
  vim.cmd({ cmd = 'split', mods = wants_window(mods) and mods or { split = 'botright' } })
  vim.api.nvim_win_set_buf(0, buf)
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buf, desc = 'Close' })
end

return M
