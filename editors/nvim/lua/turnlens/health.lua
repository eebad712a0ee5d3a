-- :checkhealth turnlens
local client = require('turnlens.client')

local M = {}

local health = vim.health

local function check_neovim()
  local version = vim.version()
  local text = ('Neovim %d.%d.%d'):format(version.major, version.minor, version.patch)
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok(text)
  else
    health.error(text .. ' is too old: 0.10 or newer is needed')
  end
end

local function check_server()
  local path, tried = client.find_server()
  if not path then
    health.error('turnlens was not found. Looked at: ' .. table.concat(tried, ', '), {
      'Install it: cargo install turnlens',
      "or name it: require('turnlens').setup{ server = { path = '/path/to/turnlens' } }",
    })
    return false
  end
  local done = vim.system({ path, '--version' }, { text = true }):wait(5000)
  if done.code ~= 0 then
    health.error(('%s --version: exit %d'):format(path, done.code))
    return false
  end
  health.ok(('%s (%s)'):format(vim.trim(done.stdout), path))
  return true
end

local function names_of(list)
  return table.concat(
    vim.tbl_map(
      function(item) return type(item) == 'table' and (item.path or item.name or item.id) or item end,
      list or {}
    ),
    ', '
  )
end

local function check_logs()
  local running = client.get()
  if not running then return health.info('The server is not running; it starts with the first file.') end
  local status, why = client.request_sync('turnlens/status', vim.empty_dict())
  if not status then return health.error(why or 'The server did not answer.') end
  health.ok('server running, ' .. (status.version or 'version unknown'))
  if status.reading then
    health.info(('still reading: %d of %d sessions'):format(status.reading.done, status.reading.total))
  end
  if (status.sessions or 0) > 0 then
    local word = status.sessions == 1 and 'session' or 'sessions'
    health.ok(('%d %s by %s, %d here'):format(status.sessions, word, names_of(status.agents), status.here or 0))
  else
    health.warn(
      'No agent sessions found. Looked in ' .. names_of(status.folders),
      { ':Turnlens demo shows what it looks like' }
    )
  end
end

local function check_features()
  local documents = require('turnlens.documents').core_reads_them() and 'by Neovim itself' or 'by this plugin'
  health.info('documents (turnlens://): ' .. documents)
  health.info(
    'lenses: ' .. (require('turnlens.lenses').enabled and 'drawn by this plugin' or 'hidden (:Turnlens toggle)')
  )
end

local suggested = { gro = 'turn', grO = 'peek', grh = 'history' }

local function check_maps()
  for lhs, sub in vim.spairs(suggested) do
    local rhs = vim.fn.maparg(lhs, 'n')
    if rhs:find('turnlens%-' .. sub) or rhs:find('Turnlens ' .. sub) then
      health.ok(('%s is mapped to :Turnlens %s'):format(lhs, sub))
    elseif rhs == '' and vim.fn.maparg(lhs, 'n', false, true).lhs == nil then
      health.info(("%s is free: vim.keymap.set('n', '%s', '<Plug>(turnlens-%s)')"):format(lhs, lhs, sub))
    else
      health.info(('%s is taken; :Turnlens %s can have any other'):format(lhs, sub))
    end
  end
end

function M.check()
  health.start('turnlens: program')
  check_neovim()
  local found = check_server()
  if found then
    health.start('turnlens: sessions')
    check_logs()
  end
  health.start('turnlens: editor')
  check_features()
  health.start('turnlens: suggested maps')
  check_maps()
end

return M
