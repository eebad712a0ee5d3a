-- Small things that several modules need.
local M = {}

--- A function that calls `callback` once, `ms` (a number, or a function that gives one) after its last call.
---@param ms integer|fun(): integer
---@param callback fun()
function M.debounce(ms, callback)
  local timer
  return function()
    if timer and not timer:is_closing() then
      timer:stop()
      timer:close()
    end
    timer = vim.defer_fn(callback, type(ms) == 'function' and ms() or ms)
  end
end

--- The byte column of an LSP character in a line of text. Past the end counts as the end.
---@param text string
---@param character integer
---@param encoding string
---@return integer
function M.byte_column(text, character, encoding)
  if encoding == 'utf-8' then return math.min(character, #text) end
  if vim.fn.has('nvim-0.11') == 1 then return vim.str_byteindex(text, encoding, character, false) end
  local utf32, utf16 = vim.str_utfindex(text)
  local utf16_wanted = encoding == 'utf-16'
  return vim.str_byteindex(text, math.min(character, utf16_wanted and utf16 or utf32), utf16_wanted)
end

--- The path of a file's URI as Neovim shows it: below the working folder without that. Other URIs stay as they are.
---@param uri string
---@return string
function M.short_path(uri)
  if not uri:find('^file:') then return uri end
  return vim.fn.fnamemodify(vim.uri_to_fname(uri), ':.')
end

-- What a client gives back to the server as it came.
local opaque = { data = true, arguments = true }

--- A result of the server with its nulls as nil; 0.12 leaves them in as `vim.NIL`.
---@param value any
---@return any
function M.without_nulls(value)
  if value == vim.NIL then return nil end
  if type(value) ~= 'table' then return value end
  for key, inner in pairs(value) do
    if not opaque[key] then value[key] = M.without_nulls(inner) end
  end
  return value
end

--- The line (from 0) as an LSP position. Turnlens' own requests ask about lines, so the column is always 0.
---@param line integer
function M.position(line) return { line = line, character = 0 } end

--- The line of the cursor in the current window, from 0.
function M.cursor_line() return vim.api.nvim_win_get_cursor(0)[1] - 1 end

---@param buf integer
function M.text_document(buf) return { uri = vim.uri_from_bufnr(buf) } end

---@param buf integer
function M.is_document(buf) return vim.startswith(vim.api.nvim_buf_get_name(buf), 'turnlens://') end

---@param text string
---@return string[]
function M.lines(text) return vim.split((text:gsub('\r\n', '\n'):gsub('\n$', '')), '\n') end

---@param buf integer
---@return integer[] the windows that show this buffer, on every tab page
function M.windows(buf) return vim.fn.win_findbuf(buf) end

--- One line in the message area; never a prompt to press Enter.
---@param text string
---@param level? integer
function M.notify(text, level) vim.notify((text:gsub('%s*\n%s*', ' ')), level or vim.log.levels.INFO) end

return M
