-- The server: where its program is, how it is started, which buffers it sees, how it is asked.
local config = require('turnlens.config')
local util = require('turnlens.util')

local M = {}

local modern = vim.fn.has('nvim-0.11') == 1

-- How long a command waits for a server that is just starting, and a document for its text.
M.TIMEOUT = 5000

-- Larger files are not sent to the server, which would not look at them either.
local MAX_BYTES = 8 * 1024 * 1024

-- What the server answers for its own documents only. A client that says it can do these everywhere makes Neovim
-- ask for them in every buffer, and 0.10 then reports each empty answer.
local documents_only = {
  ['textDocument/documentSymbol'] = true,
  ['textDocument/documentLink'] = true,
  ['textDocument/foldingRange'] = true,
  ['textDocument/references'] = true,
  ['textDocument/semanticTokens/full'] = true,
  ['textDocument/semanticTokens/full/delta'] = true,
  ['textDocument/semanticTokens/range'] = true,
}

-- Asked without a buffer, these decide whether Neovim sets `K` and 'tagfunc' in a buffer that we attach to. Those
-- belong to the language's server, or to nobody.
local no_defaults = { ['textDocument/hover'] = true, ['textDocument/definition'] = true }

--- Where the server's program is, or nil. The second value says what was looked at.
---@return string? path
---@return string[] tried
function M.find_server()
  local tried = {}
  local function executable(path, name)
    tried[#tried + 1] = name or path
    local found = vim.fn.exepath(path)
    return found ~= '' and found or nil
  end
  local set = config.get().server.path
  if set ~= '' then return executable(vim.fs.normalize(set)), tried end
  local exe = vim.fn.has('win32') == 1 and 'turnlens.exe' or 'turnlens'
  return executable(exe, 'PATH') or executable(vim.fs.joinpath(vim.fn.stdpath('data'), 'turnlens', 'bin', exe)), tried
end

local function say_missing()
  local set = config.get().server.path
  local where = set == '' and 'on PATH' or ('at ' .. set)
  return ('turnlens was not found %s. Set turnlens.server.path or install it: cargo install turnlens.'):format(where)
end

---@param buf? integer
---@return string
local function root_of(buf)
  local root = buf and vim.fs.root(buf, '.git')
  return root or assert(vim.uv.cwd())
end

local function capabilities()
  local caps = vim.lsp.protocol.make_client_capabilities()
  return vim.tbl_deep_extend('force', caps, { workspace = { codeLens = { refreshSupport = true } } })
end

local function init_options()
  local options = config.server_settings()
  if options.virtualDocuments ~= 'files' then
    options.virtualDocuments = not require('turnlens.documents').core_reads_them()
  end
  options.hoverLinks = 'none'
  options.commands = require('turnlens.actions').names()
  return options
end

local function handlers()
  return {
    ['workspace/codeLens/refresh'] = function(err, result, ctx)
      require('turnlens.lenses').refresh_all()
      -- 0.12 draws lenses itself where a person has switched that on.
      local core = vim.fn.has('nvim-0.12') == 1 and vim.lsp.handlers['workspace/codeLens/refresh']
      if core then core(err, result, ctx) end
      return vim.NIL
    end,
    ['turnlens/textDocumentContent/refresh'] = function(_, params) require('turnlens.documents').refresh(params.uri) end,
    ['turnlens/didChangeSessions'] = function(_, params) require('turnlens.status').sessions_changed(params) end,
    ['turnlens/liveChanged'] = function(_, params) require('turnlens.status').live_changed(params) end,
    -- nil from 0.11 on, where Neovim itself joins the answers of several servers.
    ['textDocument/hover'] = not modern and require('turnlens.compat').hover or nil,
    ['workspace/symbol'] = not modern and require('turnlens.compat').symbols or nil,
  }
end

-- 0.10 and 0.11 have no switch for the lenses of one server: asked for all, ours would be drawn twice.
local draws_lenses = vim.fn.has('nvim-0.12') == 1

-- Keeps Neovim from asking in code for what the server has for its own documents only.
local function narrow(client)
  local supports = client.supports_method
  local function withheld(method, options)
    local buf = type(options) == 'table' and options.bufnr or options
    if method == 'textDocument/codeLens' and not draws_lenses then return true end
    if buf == nil then return no_defaults[method] end
    return documents_only[method] and not util.is_document(buf)
  end
  if modern then
    client.supports_method = function(self, method, options)
      -- Called with a dot, as before 0.11.
      if self ~= client then
        method, options = self, method
      end
      return not withheld(method, options) and supports(client, method, options)
    end
  else
    client.supports_method = function(method, options)
      return not withheld(method, options) and supports(method, options)
    end
  end
end

-- One process for all folders: it reads every log anyway. A new folder is told to it.
local function reuse(client, wanted)
  if client.name ~= 'turnlens' or M.method(client, 'is_stopped') then return false end
  if wanted.root_dir and client.initialized then M.add_folder(client, wanted.root_dir) end
  return true
end

--- Tells the server about a further folder of this Neovim.
function M.add_folder(client, root)
  local uri = vim.uri_from_fname(root)
  client.workspace_folders = client.workspace_folders or {}
  for _, folder in ipairs(client.workspace_folders) do
    if folder.uri == uri then return end
  end
  local folder = { uri = uri, name = root }
  table.insert(client.workspace_folders, folder)
  if vim.tbl_get(client, 'server_capabilities', 'workspace', 'workspaceFolders', 'supported') then
    M.method(client, 'notify', 'workspace/didChangeWorkspaceFolders', { event = { added = { folder }, removed = {} } })
  end
end

-- A server that keeps on ending is not started for each file that is opened; a command still starts it.
local MAX_CRASHES = 5
local crashes = 0

local function count_crash(code, signal)
  if code ~= 0 or signal ~= 0 then crashes = crashes + 1 end
end

--- The client's configuration, as `vim.lsp.start` and `vim.lsp.config` take it.
---@param buf? integer
---@return table
function M.config(buf)
  local cmd = { M.find_server() or 'turnlens', 'lsp' }
  vim.list_extend(cmd, config.get().server.extra_args)
  return {
    name = 'turnlens',
    cmd = cmd,
    root_dir = root_of(buf),
    capabilities = capabilities(),
    init_options = init_options(),
    settings = { turnlens = config.server_settings() },
    handlers = handlers(),
    commands = require('turnlens.actions').handlers(),
    reuse_client = reuse,
    on_init = narrow,
    on_attach = M.on_attach,
    on_exit = count_crash,
    flags = { debounce_text_changes = 50 },
  }
end

-- Folders that were met while the server was still starting.
local function catch_up_folders(client)
  for buf in pairs(client.attached_buffers or {}) do
    if vim.api.nvim_buf_is_valid(buf) and not util.is_document(buf) then M.add_folder(client, root_of(buf)) end
  end
end

function M.on_attach(client, buf)
  catch_up_folders(client)
  require('turnlens.lenses').attach(buf)
  require('turnlens.status').attach(buf)
end

---@param buf integer
local function is_file(buf)
  if not vim.api.nvim_buf_is_loaded(buf) or vim.bo[buf].buftype ~= '' then return false end
  local name = vim.api.nvim_buf_get_name(buf)
  if name == '' or name:find('^%a[%w+.-]+://') then return false end
  return vim.api.nvim_buf_get_offset(buf, vim.api.nvim_buf_line_count(buf)) <= MAX_BYTES
end

-- Whoever has said `vim.lsp.enable('turnlens')` gets what their `vim.lsp.config` says; all others what `setup{}` says.
local function wanted_config(buf)
  if not (vim.lsp.is_enabled and vim.lsp.is_enabled('turnlens')) then return M.config(buf) end
  return vim.tbl_extend('force', vim.lsp.config.turnlens, { root_dir = root_of(buf) })
end

-- The client started last: `vim.lsp.get_clients` leaves out one that is still starting.
local last_id

--- Attaches the server to a buffer, starting it if need be. Gives the client's id, or nil.
---@param buf integer
---@return integer?
function M.attach(buf)
  if not config.get().enable then return end
  if not M.find_server() then
    vim.notify_once(say_missing(), vim.log.levels.WARN)
    return
  end
  local wanted = wanted_config(buf)
  last_id = vim.lsp.start(wanted, { bufnr = buf, reuse_client = wanted.reuse_client }) or last_id
  return last_id
end

--- Attaches the server to a buffer of a file, after the events of opening it are over.
---@param buf integer
function M.attach_soon(buf)
  vim.schedule(function()
    if crashes < MAX_CRASHES and vim.api.nvim_buf_is_valid(buf) and is_file(buf) then M.attach(buf) end
  end)
end

--- The running client, if any.
---@return vim.lsp.Client?
function M.get()
  for _, client in ipairs(vim.lsp.get_clients({ name = 'turnlens' })) do
    if not M.method(client, 'is_stopped') then return client end
  end
end

--- Calls a client's method in the form of this Neovim.
function M.method(client, name, ...)
  if modern then return client[name](client, ...) end
  return client[name](...)
end

--- Whether a server has been started and has not answered yet.
---@return boolean
function M.starting()
  local client = last_id and vim.lsp.get_client_by_id(last_id)
  return client ~= nil and not client.initialized and not M.method(client, 'is_stopped')
end

--- The client, started and ready; else nil, and the person has been told why.
---@return vim.lsp.Client?
function M.ready()
  if not M.get() and not M.starting() then
    if not config.get().enable then return util.notify('Turnlens is switched off (enable = false).') end
    if not M.find_server() then return util.notify(say_missing(), vim.log.levels.WARN) end
    M.attach(vim.api.nvim_get_current_buf())
  end
  vim.wait(M.TIMEOUT, function() return M.get() ~= nil or not M.starting() end, 10)
  local client = M.get()
  if client and client.initialized then return client end
  util.notify('The Turnlens server did not start. :checkhealth turnlens says more.', vim.log.levels.WARN)
end

--- Asks the server; `on_result` gets the result, nil for null. Errors are told in one line.
---@param method string
---@param params table
---@param on_result fun(result: any, client: vim.lsp.Client)
function M.request(method, params, on_result)
  local client = M.ready()
  if not client then return end
  M.method(client, 'request', method, params, function(err, result)
    if err then return util.notify(err.message or vim.inspect(err), vim.log.levels.WARN) end
    on_result(util.without_nulls(result), client)
  end, vim.api.nvim_get_current_buf())
end

--- Asks the server without a word to the person: for what is drawn, not for what was asked. Does nothing where no
--- server runs.
---@param method string
---@param params table
---@param buf integer
---@param on_result fun(result: any, client: vim.lsp.Client)
---@param on_error? fun(why: string)
function M.request_quietly(method, params, buf, on_result, on_error)
  local client = M.get()
  if not client or not client.initialized then return end
  M.method(client, 'request', method, params, function(err, result)
    if not err then return on_result(util.without_nulls(result), client) end
    if on_error then on_error(err.message or vim.inspect(err)) end
  end, buf)
end

--- Asks the server and waits.
---@param method string
---@param params table
---@param timeout? integer milliseconds
---@return any result
---@return string? error
function M.request_sync(method, params, timeout)
  local client = M.ready()
  if not client then return nil, 'The Turnlens server is not running.' end
  local answer, why = M.method(client, 'request_sync', method, params, timeout or M.TIMEOUT)
  if not answer then return nil, ('The Turnlens server did not answer (%s).'):format(why or 'timeout') end
  if answer.err then return nil, answer.err.message end
  return util.without_nulls(answer.result)
end

--- Runs a command of the server.
---@param name string
---@param argument table
function M.execute(name, argument)
  M.request('workspace/executeCommand', { command = name, arguments = { argument } }, function() end)
end

--- Settings have changed: tells the server and draws anew.
function M.settings_changed()
  local client = M.get()
  if not client then return end
  client.settings = { turnlens = config.server_settings() }
  M.method(client, 'notify', 'workspace/didChangeConfiguration', { settings = client.settings })
  require('turnlens.lenses').refresh_all()
end

--- Stops the server and starts it again for the buffers that it had.
function M.restart()
  crashes = 0
  local client = M.get()
  local buffers = client and vim.tbl_keys(client.attached_buffers) or vim.api.nvim_list_bufs()
  if client then
    M.method(client, 'stop')
    if not vim.wait(2000, function() return M.method(client, 'is_stopped') end, 20) then
      M.method(client, 'stop', true)
      vim.wait(500, function() return M.method(client, 'is_stopped') end, 20)
    end
  end
  for _, buf in ipairs(buffers) do
    if vim.api.nvim_buf_is_valid(buf) and (is_file(buf) or util.is_document(buf)) then M.attach(buf) end
  end
end

return M
