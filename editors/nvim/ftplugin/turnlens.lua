-- A trace is Markdown to look at. Its keys and folds come with the server (lua/turnlens/trace.lua).
if vim.b.did_ftplugin then return end
vim.b.did_ftplugin = 1
require('turnlens.trace').filetype(vim.api.nvim_get_current_buf())
