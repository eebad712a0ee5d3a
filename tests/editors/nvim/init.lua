-- The configuration of the tests: the plugin as a person would have it, without setup, and nothing else.
local root = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h:h:h:h')
vim.opt.runtimepath:prepend(root .. '/editors/nvim')
vim.opt.swapfile = false
vim.opt.shadafile = 'NONE'
vim.g.mapleader = ' '
-- What is said is recorded, not shown.
_G.said = {}
vim.notify = function(text, level) table.insert(_G.said, { text = text, level = level }) end
vim.notify_once = (function()
  local before = {}
  return function(text, level)
    if before[text] then return end
    before[text] = true
    vim.notify(text, level)
  end
end)()
vim.cmd('filetype plugin indent on')
