-- For Neovim 0.11 and newer: what `vim.lsp.config('turnlens', {…})` builds on. The plugin starts the server by
-- itself; `vim.lsp.enable('turnlens')` is not needed and does no harm, for both share one client.
return require('turnlens.client').config()
