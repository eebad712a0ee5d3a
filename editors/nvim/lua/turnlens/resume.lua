-- Goes on with a session in a terminal; where that cannot be, copies the command that does.
local client = require('turnlens.client')
local util = require('turnlens.util')

local M = {}

local function copy(command, why)
  vim.fn.setreg('"', command)
  if vim.fn.has('clipboard') == 1 then pcall(vim.fn.setreg, '+', command) end
  util.notify(('%s Copied: %s'):format(why, command))
end

local function run(command, folder, mods)
  local wants = mods and (mods.vertical or mods.horizontal or (mods.tab or -1) >= 0 or (mods.split or '') ~= '')
  vim.cmd({ cmd = 'new', mods = wants and mods or { split = 'botright' } })
  if vim.fn.has('nvim-0.11') == 1 then
    vim.fn.jobstart(command, { term = true, cwd = folder })
  else
    vim.fn.termopen(command, { cwd = folder })
  end
  vim.cmd.startinsert()
end

--- The session of an address, in a terminal of its folder. Never a second one beside a session that runs.
---@param address string
---@param mods? table
function M.resume(address, mods)
  local session = address:match('^[^:]+')
  client.request('turnlens/copy', { address = session, form = 'resume' }, function(copied)
    if not copied then return util.notify('This session cannot be resumed.') end
    client.request('turnlens/sessions', { all = true }, function(answer)
      local known = vim.iter(answer and answer.sessions or {}):find(function(it) return it.address == session end)
      if known and known.live then return copy(copied.text, 'This session is running in another terminal.') end
      if copied.cwd and vim.fn.isdirectory(copied.cwd) == 0 then
        return copy(copied.text, ('The folder %s of this session is gone.'):format(copied.cwd))
      end
      run(copied.text, copied.cwd, mods)
    end)
  end)
end

--- Copies the command that takes up the session of an address.
---@param address string
function M.copy(address)
  client.request('turnlens/copy', { address = address:match('^[^:]+'), form = 'resume' }, function(copied)
    if not copied then return util.notify('This session cannot be resumed.') end
    copy(copied.text, copied.cwd and ('In %s.'):format(copied.cwd) or '')
  end)
end

return M
