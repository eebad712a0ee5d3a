-- :Turnlens and its sub-commands.
local client = require('turnlens.client')
local ui = require('turnlens.ui')
local util = require('turnlens.util')

local M = {}

---@class turnlens.Call
---@field buf integer
---@field args string[] what stands after the sub-command
---@field rest string the same as one string
---@field bang boolean
---@field mods table
---@field first integer first line of the range, from 0
---@field last integer last line of the range, from 0

local function here(call) return { textDocument = util.text_document(call.buf), position = util.position(call.first) } end

--- Says in the server's words why nobody is named for a line.
---@param params { textDocument?: table, position?: table }
function M.say_unknown(params)
  if not params.textDocument then return util.notify('Nothing is known of it.') end
  local ask = { textDocument = params.textDocument, position = params.position, ask = true }
  client.request(
    'turnlens/line',
    ask,
    function(info) util.notify(info and info.message or 'No recorded turn wrote this line.') end
  )
end

-- The address that a line speaks of: in code that of its origin, in a document its own.
local function with_address(call, on_address)
  local params = vim.tbl_extend('error', here(call), { ask = true })
  client.request('turnlens/line', params, function(info)
    local address = info and (info.address or info.origin and info.origin.address)
    if address then return on_address(address) end
    util.notify(info and info.message or 'No recorded turn wrote this line.')
  end)
end

local function turn(call)
  if util.is_document(call.buf) then return require('turnlens.trace').code(call.mods) end
  client.request('turnlens/line', vim.tbl_extend('error', here(call), { ask = true }), function(info, asked)
    if info and info.origin then return ui.open(info.origin.document, asked.offset_encoding, call.mods) end
    util.notify(info and info.message or 'No recorded turn wrote this line.')
  end)
end

local function code(call)
  if util.is_document(call.buf) then return require('turnlens.trace').code(call.mods) end
  util.notify('This is code. :Turnlens turn opens the turn of a line.')
end

local function changes(call)
  local words, list = {}, call.bang
  for _, word in ipairs(call.args) do
    if word == 'qf' then
      list = true
    else
      words[#words + 1] = word
    end
  end
  local options = { mods = call.mods, list = list, loclist = call.bang }
  local show = function(address) require('turnlens.diff').turn(address, options) end
  if words[1] then return show(words[1]) end
  if not util.is_document(call.buf) then return show('@:last') end
  with_address(call, function(address) show(address:match('^[^:]+:%d+') or address) end)
end

local function go_next(direction)
  return function(call)
    local params = vim.tbl_extend('error', here(call), {
      direction = direction,
      uncommitted = call.args[1] == 'uncommitted' or nil,
    })
    client.request('turnlens/next', params, function(location, asked)
      if location then return ui.open(location, asked.offset_encoding, call.mods) end
      util.notify(direction == 'next' and 'No agent change follows.' or 'No agent change comes before.')
    end)
  end
end

-- Tells where was looked, when a person asks and there is nothing; `otherwise` where there are sessions.
local function say_nothing(status, otherwise)
  if not status or (status.sessions or 0) > 0 then return util.notify(otherwise) end
  local folders = status.folders or {}
  local text = 'No agent sessions found.'
  -- Two folders are named, all are counted.
  if #folders > 0 then text = text .. ' Looked in ' .. table.concat(vim.list_slice(folders, 1, 2), ', ') end
  if #folders > 2 then text = ('%s, … (%d places)'):format(text, #folders) end
  util.notify(#folders > 0 and text .. '.' or text)
end

local function newest(call)
  client.request('turnlens/status', vim.empty_dict(), function(status, asked)
    if status and status.newest then return ui.open(status.newest, asked.offset_encoding, call.mods) end
    if status and status.reading then
      return util.notify(('Still reading: %d of %d sessions.'):format(status.reading.done, status.reading.total))
    end
    say_nothing(status, 'No agent has written a line here that is known.')
  end)
end

local function sessions(call)
  local params, words = vim.empty_dict(), {}
  for _, word in ipairs(call.args) do
    if word == '%' then
      params.textDocument = util.text_document(call.buf)
    elseif word == 'all' then
      params.all = true
    else
      words[#words + 1] = word
    end
  end
  if #words > 0 then params.query = table.concat(words, ' ') end
  client.request('turnlens/sessions', params, function(answer, asked)
    local found = answer and answer.sessions or {}
    if #found == 0 then
      return client.request(
        'turnlens/status',
        vim.empty_dict(),
        function(status) say_nothing(status, 'No session here. :Turnlens sessions all lists every one.') end
      )
    end
    ui.select(
      found,
      'Sessions',
      function(session) ui.open({ uri = session.document }, asked.offset_encoding, call.mods) end
    )
  end)
end

local function search(call)
  local run = function(query) require('turnlens.lists').search(query, call.bang) end
  if call.rest ~= '' then return run(call.rest) end
  vim.ui.input({ prompt = 'Search sessions: ' }, function(query)
    if query and vim.trim(query) ~= '' then run(query) end
  end)
end

local function history(call)
  local lines = { start = util.position(call.first), ['end'] = util.position(call.last + 1) }
  require('turnlens.lists').history({ textDocument = util.text_document(call.buf), range = lines })
end

-- `12` alone is a turn of the document's session, in code of the newest session here.
local function undo(call)
  local run, word = require('turnlens.undo').undo, call.args[1]
  if not word then
    return with_address(call, function(address) run(address:match('^[^:]+:%d+') or address) end)
  end
  if not word:find('^%d[%d.]*$') then return run(word) end
  if not util.is_document(call.buf) then return run('@:' .. word) end
  with_address(call, function(address) run(address:match('^[^:]+') .. ':' .. word) end)
end

local function restore(call)
  local is_file = vim.bo[call.buf].buftype == '' and vim.api.nvim_buf_get_name(call.buf) ~= ''
  if call.args[1] == 'deleted' or not is_file then return require('turnlens.restore').deleted(call.mods) end
  require('turnlens.restore').state(call.buf)
end

local function resume(call)
  local resume = require('turnlens.resume')
  with_address(call, function(address)
    if call.args[1] == 'copy' then return resume.copy(address) end
    resume.resume(address, call.mods)
  end)
end

local function diff(call)
  if not util.is_document(call.buf) then return require('turnlens.diff').step(here(call)) end
  with_address(call, function(address) require('turnlens.diff').step({ address = address }) end)
end

local function doctor(call)
  client.request('turnlens/doctor', vim.empty_dict(), function(answer)
    if answer then ui.show_text('turnlens-doctor', answer.text, call.mods) end
  end)
end

-- The demo has logs of its own, so it needs a Neovim of its own.
local function demo()
  local server = client.find_server()
  if not server then return client.ready() end
  vim.cmd.tabnew()
  local command = { server, 'demo', '--editor', 'nvim' }
  if vim.fn.has('nvim-0.11') == 1 then
    vim.fn.jobstart(command, { term = true })
  else
    vim.fn.termopen(command)
  end
  vim.cmd.startinsert()
end

local function toggle()
  local on = require('turnlens.lenses').toggle()
  util.notify(on and 'Lenses are shown.' or 'Lenses are hidden.')
end

---@class turnlens.Sub
---@field name string
---@field says string for the menu and the help
---@field run fun(call: turnlens.Call)
---@field where? 'code' | 'document' the menu offers it there only
---@field words? string[] what may stand after it

---@type turnlens.Sub[]
M.subs = {
  { name = 'turn', says = 'Open the turn that wrote this line', run = turn, where = 'code' },
  {
    name = 'peek',
    says = 'Peek at it',
    run = function(call) require('turnlens.peek').peek(call.mods) end,
    where = 'code',
  },
  { name = 'code', says = 'Go to the code as it is now', run = code, where = 'document' },
  { name = 'diff', says = 'Diff of the step', run = diff },
  { name = 'changes', says = 'Changes of the turn (in code: of the last turn)', run = changes, words = { 'qf' } },
  { name = 'history', says = 'History of this line', run = history, where = 'code' },
  {
    name = 'log',
    says = 'States of this file',
    run = function(call) require('turnlens.lists').file_history(call.buf, call.bang) end,
    where = 'code',
  },
  {
    name = 'explain',
    says = 'Explain this line',
    run = function(call) require('turnlens.peek').explain(here(call), call.mods) end,
    where = 'code',
  },
  { name = 'next', says = 'Next agent change', run = go_next('next'), where = 'code', words = { 'uncommitted' } },
  {
    name = 'prev',
    says = 'Previous agent change',
    run = go_next('previous'),
    where = 'code',
    words = { 'uncommitted' },
  },
  { name = 'undo', says = 'Undo the turn', run = undo },
  { name = 'restore', says = 'Restore a state of this file, or a deleted file', run = restore, words = { 'deleted' } },
  { name = 'newest', says = 'Newest agent change', run = newest },
  { name = 'sessions', says = 'Open a session', run = sessions, words = { '%', 'all' } },
  { name = 'search', says = 'Search all sessions', run = search },
  { name = 'resume', says = 'Resume the session in a terminal', run = resume, words = { 'copy' } },
  { name = 'toggle', says = 'Show or hide lenses', run = toggle },
  { name = 'doctor', says = 'What was found, and where', run = doctor },
  { name = 'demo', says = 'Open the demo', run = demo },
  { name = 'restart', says = 'Restart the server', run = client.restart },
}

local function sub_named(name)
  for _, sub in ipairs(M.subs) do
    if sub.name == name then return sub end
  end
end

-- What can be done on this line: what its lenses do, then the sub-commands, by their names.
local function menu(call)
  local entries = {}
  for _, lens in ipairs(require('turnlens.lenses').at(call.buf, call.first)) do
    entries[#entries + 1] = {
      label = lens.command.title,
      description = 'lens',
      run = function() require('turnlens.actions').run(lens.command, call.buf) end,
    }
  end
  local place = util.is_document(call.buf) and 'document' or 'code'
  for _, sub in ipairs(M.subs) do
    if not sub.where or sub.where == place then
      entries[#entries + 1] = {
        label = sub.says,
        description = ':Turnlens ' .. sub.name,
        run = function() sub.run(call) end,
      }
    end
  end
  ui.select(entries, 'Turnlens', function(entry) entry.run() end)
end

--- The user command's callback.
---@param call table
function M.run(call)
  local args = vim.deepcopy(call.fargs)
  local name = table.remove(args, 1)
  local given = {
    buf = vim.api.nvim_get_current_buf(),
    args = args,
    rest = vim.trim((call.args or ''):gsub('^%S+', '', 1)),
    bang = call.bang,
    mods = call.smods,
    first = (call.range > 0 and call.line1 or vim.api.nvim_win_get_cursor(0)[1]) - 1,
    last = (call.range > 0 and call.line2 or vim.api.nvim_win_get_cursor(0)[1]) - 1,
  }
  if not name then return menu(given) end
  local sub = sub_named(name)
  if not sub then
    return util.notify((':Turnlens %s is not a command. :Turnlens lists them.'):format(name), vim.log.levels.WARN)
  end
  sub.run(given)
end

--- Completion of sub-commands, then of their words.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local before = vim.split(line:sub(1, #line - #lead):gsub('^.-Turnlens!?', ''), '%s+', { trimempty = true })
  local choices
  if #before == 0 then
    choices = vim.tbl_map(function(sub) return sub.name end, M.subs)
  else
    local sub = sub_named(before[1])
    choices = sub and sub.words or {}
  end
  return vim.tbl_filter(function(word) return vim.startswith(word, lead) end, choices)
end

return M
