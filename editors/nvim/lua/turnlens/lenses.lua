-- Our own drawing of the lenses. `vim.lsp.codelens.refresh()` of 0.10 and 0.11 would switch on every server's; 0.12
-- draws ours where a person has switched lenses on for our client, and then this module does not.
local client = require('turnlens.client')
local config = require('turnlens.config')
local util = require('turnlens.util')
require('turnlens.colour')

local M = {}

local space = vim.api.nvim_create_namespace('turnlens.lenses')

-- Rows come and go only while nobody types (the marks move with the text by themselves).
local QUIET, TYPING = 200, 1000

---@class turnlens.LensState
---@field lenses table[] as the server gave them, resolved where they were seen
---@field asked table<integer, true> indices of lenses whose resolution was asked for

---@type table<integer, turnlens.LensState>
local states = {}

M.enabled = true

local function core_draws(buf)
  local running = client.get()
  local is_enabled = vim.lsp.codelens.is_enabled
  return running and is_enabled and is_enabled({ client_id = running.id, bufnr = buf }) or false
end

-- `Claude? · make gen · 3 Nov`: the question mark says that it is inferred.
local function group_of(title) return title:find('^[^·]*%? · ') and 'TurnlensInferred' or 'TurnlensLens' end

-- The line's lenses as chunks of virtual text.
local function chunks_of(titles)
  local chunks = {}
  for index, title in ipairs(titles) do
    if index > 1 then chunks[#chunks + 1] = { ' | ', 'TurnlensLens' } end
    chunks[#chunks + 1] = { title, group_of(title) }
  end
  return chunks
end

local function indent_of(buf, row)
  local line = vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ''
  return line:match('^%s*')
end

local function draw_row(buf, row, titles)
  local chunks = chunks_of(titles)
  -- Neovim does not show what stands above the first line of a window.
  if config.get().lens.position == 'above' and row > 0 then
    table.insert(chunks, 1, { indent_of(buf, row), 'TurnlensLens' })
    vim.api.nvim_buf_set_extmark(buf, space, row, 0, { virt_lines = { chunks }, virt_lines_above = true })
  else
    table.insert(chunks, 1, { '  ', 'TurnlensLens' })
    vim.api.nvim_buf_set_extmark(buf, space, row, 0, { virt_text = chunks, hl_mode = 'combine' })
  end
end

local function draw(buf)
  if not vim.api.nvim_buf_is_loaded(buf) then return end
  vim.api.nvim_buf_clear_namespace(buf, space, 0, -1)
  if not M.enabled or core_draws(buf) then return end
  local titles_of, rows = {}, {}
  for _, lens in ipairs(states[buf].lenses) do
    local row = lens.range.start.line
    if lens.command and row < vim.api.nvim_buf_line_count(buf) then
      if not titles_of[row] then
        titles_of[row] = {}
        rows[#rows + 1] = row
      end
      table.insert(titles_of[row], lens.command.title)
    end
  end
  for _, row in ipairs(rows) do
    draw_row(buf, row, titles_of[row])
  end
end

local function visible(buf, row)
  for _, win in ipairs(util.windows(buf)) do
    if row + 1 >= vim.fn.line('w0', win) and row < vim.fn.line('w$', win) then return true end
  end
  return false
end

-- Asks for the titles of lenses that are in sight and have none yet.
local function resolve(buf)
  local state = states[buf]
  local lenses = state.lenses
  for index, lens in ipairs(lenses) do
    if not lens.command and not state.asked[index] and visible(buf, lens.range.start.line) then
      state.asked[index] = true
      client.request_quietly('codeLens/resolve', lens, buf, function(resolved)
        -- Newer lenses may have taken their place in the meantime.
        if not resolved or not states[buf] or states[buf].lenses ~= lenses then return end
        lens.command = resolved.command
        draw(buf)
      end)
    end
  end
end

local function request(buf)
  local state = states[buf]
  if not state or not vim.api.nvim_buf_is_loaded(buf) then return end
  if not M.enabled or core_draws(buf) then return draw(buf) end
  -- Asked again when it comes into a window.
  if #util.windows(buf) == 0 then return end
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  client.request_quietly('textDocument/codeLens', { textDocument = util.text_document(buf) }, buf, function(lenses)
    if not states[buf] or not vim.api.nvim_buf_is_valid(buf) then return end
    -- The text has changed since; its own request is on the way.
    if vim.api.nvim_buf_get_changedtick(buf) ~= tick then return end
    state.lenses, state.asked = lenses or {}, {}
    draw(buf)
    resolve(buf)
  end)
end

--- Draws the lenses of a buffer from now on.
---@param buf integer
function M.attach(buf)
  if states[buf] then return request(buf) end
  states[buf] = { lenses = {}, asked = {} }
  local later = util.debounce(
    function() return vim.fn.mode():find('^[iR]') and TYPING or QUIET end,
    function() request(buf) end
  )
  local scrolled = util.debounce(50, function()
    if states[buf] then resolve(buf) end
  end)
  vim.api.nvim_buf_attach(buf, false, {
    on_lines = function()
      if not states[buf] then return true end
      later()
    end,
    on_reload = later,
    on_detach = function() states[buf] = nil end,
  })
  local group = vim.api.nvim_create_augroup('turnlens.lenses.' .. buf, {})
  vim.api.nvim_create_autocmd(
    { 'BufWinEnter', 'BufWritePost', 'InsertLeave' },
    { group = group, buffer = buf, callback = later }
  )
  vim.api.nvim_create_autocmd('WinScrolled', { group = group, buffer = buf, callback = scrolled })
  request(buf)
end

--- Asks anew for the lenses of every buffer in sight; of the others when they come into sight.
function M.refresh_all()
  for buf in pairs(states) do
    request(buf)
  end
end

--- The lenses that belong to a line: its own, in a document else those of the heading that it stands under.
---@param buf integer
---@param line integer from 0
---@return table[]
function M.at(buf, line)
  local state = states[buf]
  if not state then return {} end
  local best
  for _, lens in ipairs(state.lenses) do
    local row = lens.range.start.line
    if row == line or util.is_document(buf) and row < line then best = math.max(best or row, row) end
  end
  return vim.tbl_filter(function(lens) return lens.command and lens.range.start.line == best end, state.lenses)
end

--- Shows or hides the lenses everywhere.
---@return boolean enabled
function M.toggle()
  M.enabled = not M.enabled
  M.refresh_all()
  return M.enabled
end

return M
