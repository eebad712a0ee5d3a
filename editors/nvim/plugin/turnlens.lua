-- Defines :Turnlens and the <Plug> maps, and starts the server for buffers of files. Nothing else happens here;
-- `require('turnlens').setup{}` is only for options.
if vim.g.loaded_turnlens then return end
vim.g.loaded_turnlens = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify_once('turnlens needs Neovim 0.10 or newer.', vim.log.levels.WARN)
  return
end

vim.filetype.add({ pattern = { ['.*%.trace%.md'] = 'turnlens' } })
vim.treesitter.language.register('markdown', 'turnlens')

vim.api.nvim_create_user_command('Turnlens', function(call) require('turnlens.commands').run(call) end, {
  nargs = '*',
  bang = true,
  range = true,
  desc = 'From a line to the agent turn that wrote it, and back',
  complete = function(lead, line) return require('turnlens.commands').complete(lead, line) end,
})

for _, sub in ipairs({ 'turn', 'peek', 'diff', 'history', 'next', 'prev' }) do
  -- A command line, not a function, so that a count and a selection arrive as a range.
  vim.keymap.set('n', ('<Plug>(turnlens-%s)'):format(sub), ('<Cmd>Turnlens %s<CR>'):format(sub))
end
vim.keymap.set('x', '<Plug>(turnlens-history)', ':Turnlens history<CR>', { silent = true })

local group = vim.api.nvim_create_augroup('turnlens', {})

vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'BufFilePost' }, {
  group = group,
  desc = 'Start the Turnlens server for a buffer of a file',
  callback = function(event) require('turnlens.client').attach_soon(event.buf) end,
})

-- The pattern needs its slashes: without one it is held against the last part of the name only.
vim.api.nvim_create_autocmd('BufReadCmd', {
  group = group,
  pattern = 'turnlens://*',
  desc = 'Fill a buffer with a Turnlens document',
  callback = function(event) require('turnlens.documents').read(event.buf) end,
})

-- Buffers that were there before this plugin (a lazy plugin manager).
for _, buf in ipairs(vim.api.nvim_list_bufs()) do
  if vim.api.nvim_buf_is_loaded(buf) then require('turnlens.client').attach_soon(buf) end
end
