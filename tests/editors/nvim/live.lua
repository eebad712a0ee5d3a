-- A session that goes on while its document is looked at. What is appended to the log is in a home of this check's own.
local t = dofile(vim.env.TURNLENS_TESTS .. '/harness.lua')
local check, wait = t.check, t.wait

local log -- path of the session's log
local count = 0

local function last_record()
  local lines = vim.fn.readfile(log)
  return vim.json.decode(lines[#lines])
end

-- Adds one record to the log, as the agent would.
local function append(type, message)
  local before = last_record()
  count = count + 1
  local record = {
    type = type,
    message = message,
    parentUuid = before.uuid,
    uuid = ('7e11ffff-0d30-4000-8000-%012d'):format(count),
    timestamp = os.date('!%Y-%m-%dT%H:%M:%S.000Z'),
  }
  for _, key in ipairs({ 'cwd', 'gitBranch', 'isSidechain', 'sessionId', 'userType', 'version' }) do
    record[key] = before[key]
  end
  vim.fn.writefile({ vim.json.encode(record) }, log, 'a')
end

local function prompt(text) append('user', { role = 'user', content = text }) end

local function answer(text)
  append('assistant', {
    id = 'msg_live' .. count,
    model = 'claude-opus-4-5',
    role = 'assistant',
    type = 'message',
    content = { { type = 'text', text = text } },
    usage = { input_tokens = 1, output_tokens = 1 },
  })
end

-- What stands in the window, line by line.
local function seen()
  vim.cmd.redraw()
  return vim.api.nvim_buf_get_lines(0, vim.fn.line('w0') - 1, vim.fn.line('w$'), false)
end

-- The document from its first turn to the end of the last finished one.
local function finished(lines)
  local text = table.concat(lines, '\n')
  return text:sub(text:find('\n## Turn ', 1, true), -1)
end

local function has(text)
  return function()
    return vim.iter(t.lines()):any(function(line) return line:find(text, 1, true) ~= nil end)
  end
end

t.run(function()
  vim.o.lines = 24
  local newest = t.sessions()
  if not check('live: the server knows the session', newest) then return end
  local id = newest[1].document:match('^turnlens://[^/]+/([^/]+)/')
  log = vim.fn.glob(vim.env.HOME .. '/.claude/projects/*/' .. id .. '.jsonl')
  check('live: its log', log ~= '', id)
  vim.cmd.edit(newest[1].document)
  wait(function() return #t.lines() > 5 and #vim.lsp.get_clients({ bufnr = 0, name = 'turnlens' }) == 1 end)

  local before = finished(t.lines())
  vim.api.nvim_win_set_cursor(0, { math.floor(#t.lines() / 2), 0 })
  vim.cmd('normal! zz')
  t.sleep(200)
  local view, window = vim.fn.winsaveview(), seen()
  prompt('Say what was done.')
  check('live: what is asked comes up', wait(has('> Say what was done.')), t.lines()[#t.lines()])
  check('live: elsewhere not one line moves', vim.deep_equal(seen(), window), seen())
  local now = vim.fn.winsaveview()
  check('live: nor the cursor', now.lnum == view.lnum and now.topline == view.topline, { now, view })

  vim.cmd('normal! G')
  answer('A loop that tries three times, and an uploader that uses it.')
  check('live: the answer comes up', wait(has('A loop that tries three times')), t.lines()[#t.lines()])
  check('live: the last line is followed', vim.fn.line('.') == vim.fn.line('$'), { vim.fn.line('.'), vim.fn.line('$') })
  check('live: and in sight', vim.fn.line('w$') == vim.fn.line('$'), { vim.fn.line('w$'), vim.fn.line('$') })

  vim.cmd('normal! ggjj')
  window = seen()
  answer('Nothing else.')
  check('live: more comes up', wait(has('Nothing else.')), t.lines()[#t.lines()])
  check('live: at the top not one line moves', vim.deep_equal(vim.list_slice(seen(), 4), vim.list_slice(window, 4)), seen())
  local after = finished(t.lines())
  check('live: finished turns are the same, byte for byte', vim.startswith(after, before), after:sub(1, #before))
  check('live: nothing is said', #_G.said == 0, _G.said)
end)
