-- Colours for Turnlens' Markdown: headings, and the lines of fenced diffs. Neovim ships no parser for `diff`, so a
-- fence has no colours by itself.
local M = {}

local space = vim.api.nvim_create_namespace('turnlens.colour')

local links = {
  TurnlensLens = 'Comment',
  TurnlensCurrentLine = 'Comment',
  TurnlensInferred = 'DiagnosticHint',
  TurnlensHeading = 'Title',
  TurnlensAdded = 'Added',
  TurnlensRemoved = 'Removed',
}

--- Defines our groups where the person or the colour scheme has not.
function M.define()
  for name, link in pairs(links) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

local signs = { ['+'] = 'TurnlensAdded', ['-'] = 'TurnlensRemoved', ['@'] = 'TurnlensLens' }

-- Calls `on_line(row, group)` for each line that has a colour.
local function each_coloured(lines, on_line)
  local fence, is_diff
  for row, line in ipairs(lines) do
    local ticks, language = line:match('^%s*(```+)(%w*)')
    if fence and ticks and #ticks >= #fence and language == '' then
      fence = nil
    elseif not fence and ticks then
      fence, is_diff = ticks, language == 'diff'
    elseif fence then
      local group = is_diff and signs[line:match('^%s*(.)') or '']
      if group then on_line(row - 1, group) end
    elseif line:find('^#+ ') then
      on_line(row - 1, 'TurnlensHeading')
    end
  end
end

--- Colours a buffer of Markdown anew.
---@param buf integer
function M.markdown(buf)
  vim.api.nvim_buf_clear_namespace(buf, space, 0, -1)
  local lines = vim.api.nvim_buf_get_lines(buf, 0, -1, false)
  each_coloured(lines, function(row, group)
    vim.api.nvim_buf_set_extmark(buf, space, row, 0, {
      end_row = row + 1,
      hl_group = group,
      hl_eol = true,
      -- Above the tree-sitter capture of the whole fence.
      priority = 150,
      strict = false,
    })
  end)
end

--- Starts Neovim's own Markdown highlighting, by tree-sitter or by syntax file.
---@param buf integer
function M.start_markdown(buf)
  if not pcall(vim.treesitter.start, buf, 'markdown') then vim.bo[buf].syntax = 'markdown' end
end

M.define()
vim.api.nvim_create_autocmd('ColorScheme', {
  group = vim.api.nvim_create_augroup('turnlens.colour', {}),
  callback = M.define,
})

return M
