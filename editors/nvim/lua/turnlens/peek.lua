-- A float with a turn's step, or any other text, in colours.
local client = require('turnlens.client')
local colour = require('turnlens.colour')
local ui = require('turnlens.ui')
local util = require('turnlens.util')

local M = {}

local function size(lines)
  local width = 20
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  return math.min(width, math.max(20, vim.o.columns - 6)), math.min(#lines, math.max(1, math.floor(vim.o.lines * 0.6)))
end

-- Above the cursor where there is more room than below.
local function placement(height)
  local below = vim.o.lines - vim.o.cmdheight - vim.fn.screenrow() - 2
  if below >= height or below >= vim.fn.screenrow() - 3 then return 'NW', 1, math.max(1, math.min(height, below)) end
  return 'SW', 0, math.max(1, math.min(height, vim.fn.screenrow() - 3))
end

local function border()
  if vim.fn.exists('+winborder') == 1 and vim.o.winborder ~= '' then return nil end
  return 'rounded'
end

-- From 0.11 on the fences of code blocks are no rows on the screen; which lines those are is known once it is drawn.
local function fit(win, height)
  vim.cmd.redraw()
  local rows = vim.api.nvim_win_text_height(win, {}).all
  vim.api.nvim_win_set_height(win, math.max(1, math.min(rows, height)))
end

--- Shows lines in a float at the cursor, and goes into it. `q` and leaving it close it, `<CR>` calls `on_enter`.
---@param lines string[]
---@param on_enter? fun()
---@return integer win
function M.float(lines, on_enter)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  vim.bo[buf].bufhidden = 'wipe'
  colour.start_markdown(buf)
  colour.markdown(buf)
  local width, wanted = size(lines)
  local anchor, row, height = placement(wanted)
  local win = vim.api.nvim_open_win(buf, true, {
    relative = 'cursor',
    anchor = anchor,
    row = row,
    col = 0,
    width = width,
    height = height,
    style = 'minimal',
    border = border(),
  })
  vim.wo[win].wrap = true
  vim.wo[win].conceallevel = 2
  vim.wo[win].concealcursor = 'n'
  fit(win, height)
  local function close()
    if vim.api.nvim_win_is_valid(win) then vim.api.nvim_win_close(win, true) end
  end
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, close, { buffer = buf, nowait = true, desc = 'Close' })
  end
  if on_enter then
    vim.keymap.set('n', '<CR>', function()
      close()
      on_enter()
    end, { buffer = buf, nowait = true, desc = 'Open' })
  end
  vim.api.nvim_create_autocmd('WinLeave', { buffer = buf, once = true, callback = vim.schedule_wrap(close) })
  return win
end

--- The step that wrote the cursor's line, in a float; `<CR>` opens its turn.
---@param mods? table
function M.peek(mods)
  local win, line = vim.api.nvim_get_current_win(), util.cursor_line()
  local params = { textDocument = util.text_document(0), position = util.position(line) }
  client.request('turnlens/peek', params, function(step, asked)
    if not step or not step.text then return require('turnlens.commands').say_unknown(params) end
    -- The answer to a question asked elsewhere is not worth a float here.
    if vim.api.nvim_get_current_win() ~= win or util.cursor_line() ~= line then return end
    M.float(
      util.lines(step.text),
      function() ui.open({ uri = step.document, range = step.range }, asked.offset_encoding, mods) end
    )
  end)
end

--- Why a line is said to be somebody's, or nobody's; `<CR>` opens it as a document.
---@param params { textDocument: table, position: table }
---@param mods? table
function M.explain(params, mods)
  client.request('turnlens/explain', params, function(answer, asked)
    if not answer then return util.notify('Nothing is known about this line.') end
    local open = answer.document and function() ui.open({ uri = answer.document }, asked.offset_encoding, mods) end
    M.float(util.lines(answer.text), open)
  end)
end

return M
