-- Checks on a history with known agent edits. What the lines are is asked of the server, so any history will do.
local t = dofile(vim.env.TURNLENS_TESTS .. '/harness.lua')
local check, wait = t.check, t.wait

local code_file -- path of a file that an agent has written in
local code_buf
local with_origin, without_origin -- lines from 1

local lens_space = function() return vim.api.nvim_get_namespaces()['turnlens.lenses'] end

local function drawn(buf)
  local marks = vim.api.nvim_buf_get_extmarks(buf, lens_space(), 0, -1, { details = true })
  return vim.tbl_map(function(mark)
    local chunks = mark[4].virt_text or mark[4].virt_lines and mark[4].virt_lines[1] or {}
    return {
      row = mark[2],
      text = table.concat(vim.tbl_map(function(chunk) return chunk[1] end, chunks)),
      details = mark[4],
    }
  end, marks)
end

local function to_code(line, column)
  vim.cmd('silent! only')
  vim.cmd.tabonly({ mods = { silent = true } })
  vim.api.nvim_win_set_buf(0, code_buf)
  vim.api.nvim_win_set_cursor(0, { line, column or 0 })
  -- The events of the jump, which close floats, come before what follows.
  t.sleep(50)
  t.said()
end

-- The maps that are no part of a document's buffer: global ones and those of the code's buffer.
local function maps(buf)
  local found = {}
  for _, mode in ipairs({ 'n', 'v', 'i', 'o', 'c', 't' }) do
    for _, map in ipairs(vim.list_extend(vim.api.nvim_get_keymap(mode), vim.api.nvim_buf_get_keymap(buf, mode))) do
      -- <Plug> is no key.
      if not vim.startswith(map.lhs, '<Plug>') then found[#found + 1] = mode .. ' ' .. map.lhs end
    end
  end
  table.sort(found)
  return found
end

local function find_code()
  local files = vim.fn.systemlist({ 'git', 'ls-files', '--cached', '--others', '--exclude-standard' })
  for _, file in ipairs(files) do
    vim.cmd.edit({ file, mods = { silent = true } })
    local buf = vim.api.nvim_get_current_buf()
    if not wait(function() return t.client() and t.client().initialized end) then return end
    local known = wait(function()
      local answer = t.ask('turnlens/lines', { textDocument = { uri = vim.uri_from_bufnr(buf) } })
      return answer and #answer.ranges > 0 and answer.ranges
    end, 3000)
    local count = vim.api.nvim_buf_line_count(buf)
    if known then
      local owned = {}
      for _, range in ipairs(known) do
        for line = range.start + 1, range['end'] do
          owned[line] = true
        end
      end
      local yes, no
      for line = 1, count do
        local text = vim.api.nvim_buf_get_lines(buf, line - 1, line, false)[1]
        if owned[line] and #text > 8 and not yes then yes = line end
        if not owned[line] and #text > 8 and not no then no = line end
      end
      if yes and no then
        code_file, code_buf, with_origin, without_origin = vim.api.nvim_buf_get_name(buf), buf, yes, no
        return
      end
    end
  end
end

local function attach()
  check('attach: one client for the file', #vim.lsp.get_clients({ bufnr = code_buf, name = 'turnlens' }) == 1)
  local folder = vim.fs.root(code_buf, '.git')
  check('attach: the root is the git root', t.client().config.root_dir == folder, t.client().config.root_dir)
  vim.cmd('enew')
  t.sleep(50)
  check('attach: not to a buffer without a file', #vim.lsp.get_clients({ bufnr = 0, name = 'turnlens' }) == 0)
  vim.cmd('help | only')
  t.sleep(50)
  check('attach: not to help', #vim.lsp.get_clients({ bufnr = 0, name = 'turnlens' }) == 0)
end

local function lenses()
  to_code(1)
  local found = wait(function()
    local marks = drawn(code_buf)
    return #marks > 0 and marks
  end)
  if not check('lenses: drawn', found) then return end
  local first = found[1]
  check(
    'lenses: at the end of the line',
    first.details.virt_text ~= nil and first.details.virt_text_pos == 'eol',
    first.details
  )
  check('lenses: in TurnlensLens', first.details.virt_text[2][2] == 'TurnlensLens', first.details.virt_text)
  check(
    'lenses: one row a line',
    vim.iter(found):fold({ ok = true }, function(seen, mark)
      seen.ok = seen.ok and not seen[mark.row]
      seen[mark.row] = true
      return seen
    end).ok
  )

  require('turnlens').setup({ lens = { position = 'above' } })
  local above = wait(function()
    local marks = drawn(code_buf)
    for _, mark in ipairs(marks) do
      if mark.row > 0 and mark.details.virt_lines_above then return mark end
    end
    -- A file whose only lens is on line 1 has nothing to stand above.
    return #marks > 0 and marks[1].row == 0 and marks[1]
  end)
  check('lenses: above the line where asked', above)
  require('turnlens').setup({})
  wait(function() return drawn(code_buf)[1].details.virt_text end)

  vim.cmd('Turnlens toggle')
  check('lenses: hidden by toggle', wait(function() return #drawn(code_buf) == 0 end))
  vim.cmd('Turnlens toggle')
  check('lenses: back by toggle', wait(function() return #drawn(code_buf) == #found end), #drawn(code_buf))
end

-- The cursor on every line of a file that an agent wrote in.
local function quiet()
  local fold, expression = vim.wo.foldmethod, vim.wo.foldexpr
  to_code(1)
  local windows = #vim.api.nvim_list_wins()
  for line = 1, vim.api.nvim_buf_line_count(code_buf) do
    vim.api.nvim_win_set_cursor(0, { line, 0 })
    vim.cmd('doautocmd CursorMoved')
    t.sleep(20)
  end
  t.sleep(300)
  check('quiet: nothing is said', #_G.said == 0, _G.said)
  check('quiet: nothing opens', t.name() == code_file and #vim.api.nvim_list_wins() == windows, t.name())
  check('quiet: no diagnostics', #vim.diagnostic.get() == 0, vim.diagnostic.get())
  check('quiet: folds as without Turnlens', vim.wo.foldmethod == fold and vim.wo.foldexpr == expression, vim.wo.foldmethod)
end

-- What belongs to the language's server has no answer of ours: outline, folds, and definition but in the margin.
local function only_the_language_answers()
  local document = { uri = vim.uri_from_bufnr(code_buf) }
  for _, method in ipairs({ 'documentSymbol', 'foldingRange', 'documentLink' }) do
    local answer, failure = t.ask('textDocument/' .. method, { textDocument = document })
    check('code: no answer of ours to ' .. method, (answer == nil or answer == vim.NIL) and not failure, answer)
  end
  local function defined(line, column)
    local position = { line = line - 1, character = column }
    local answer = t.ask('textDocument/definition', { textDocument = document, position = position })
    return answer ~= vim.NIL and answer or nil
  end
  local text = vim.api.nvim_buf_get_lines(code_buf, with_origin - 1, with_origin, false)[1]
  check('code: no definition of ours on an identifier', defined(with_origin, text:find('%a%a%a')) == nil)
  for line, comment in ipairs(t.lines(code_buf)) do
    local column = comment:find('//')
    if column and defined(line, column + 3) then check('code: no definition of ours in a comment', false, comment) end
  end
  local plain = t.ask('workspace/symbol', { query = 'retry' })
  check('code: no turn among the symbols for a plain word', plain == nil or plain == vim.NIL or #plain == 0, plain)
end

local function hover()
  to_code(with_origin)
  vim.lsp.buf.hover()
  local float = wait(function() return t.floats()[1] end)
  if not check('hover: a float', float) then return end
  local text = table.concat(t.lines(vim.api.nvim_win_get_buf(float)), '\n')
  local origin = require('turnlens').turn_at(code_buf, with_origin)
  check(
    'hover: names the agent and the address',
    text:find(origin.agentName, 1, true) and text:find(origin.address, 1, true),
    text
  )
  check('hover: has no links', not text:find('%]%('), text)
  local function height() return vim.api.nvim_buf_line_count(vim.api.nvim_win_get_buf(t.floats()[1])) end
  check('hover: 18 lines at most', height() <= 18, height())
  vim.api.nvim_win_close(float, true)
  require('turnlens').setup({ hover = { code = 'compact' } })
  to_code(with_origin)
  vim.lsp.buf.hover()
  if check('hover: compact', wait(function() return t.floats()[1] end)) then
    check('hover: compact, 10 lines at most', height() <= 10, height())
    vim.api.nvim_win_close(t.floats()[1], true)
  end
  require('turnlens').setup({})
end

local function turn_and_back()
  to_code(with_origin, 3)
  local view = vim.fn.winsaveview()
  local text = t.line()
  vim.cmd('Turnlens turn')
  local there = wait(function() return vim.startswith(t.name(), 'turnlens://') and #t.lines() > 1 end)
  if not check('turn: opens the turn', there, { t.name(), t.said() }) then return end
  check('turn: the cursor on the line of the diff', t.line() == '+' .. text, { t.line(), text })
  check(
    'turn: filetype, not modifiable, no file',
    vim.bo.filetype == 'turnlens' and not vim.bo.modifiable and vim.bo.buftype == 'nofile'
  )
  check(
    'turn: the server is attached to it',
    wait(function() return #vim.lsp.get_clients({ bufnr = 0, name = 'turnlens' }) == 1 end)
  )
  check('turn: the buffer is not listed', not vim.bo.buflisted)
  t.type('<C-o>')
  check(
    'turn: Ctrl-O is back at the same place',
    wait(function()
      local now = vim.fn.winsaveview()
      return t.name() == code_file and now.lnum == view.lnum and now.col == view.col
    end),
    { t.name(), vim.fn.winsaveview(), view }
  )

  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  t.type('gd')
  check(
    'trace: gd goes to the code',
    wait(function() return t.name() == code_file and t.line() == text end),
    { t.name(), t.line() }
  )
  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  t.type('<CR>')
  check(
    'trace: <CR> goes to the code',
    wait(function() return t.name() == code_file and t.line() == text end),
    { t.name(), t.line() }
  )
  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  vim.cmd('Turnlens turn')
  check(
    'trace: the same command leads back',
    wait(function() return t.name() == code_file and t.line() == text end),
    { t.name(), t.line() }
  )

  to_code(with_origin)
  t.type('<Plug>(turnlens-turn)')
  check('turn: <Plug>(turnlens-turn)', wait(function() return vim.startswith(t.name(), 'turnlens://') end))
  to_code(with_origin)
  vim.cmd('vert Turnlens turn')
  check(
    'turn: :vert opens a window beside',
    wait(
      function()
        return #vim.api.nvim_tabpage_list_wins(0) == 2
          and vim.startswith(t.name(), 'turnlens://')
          and vim.fn.winlayout()[1] == 'row'
      end
    ),
    vim.fn.winlayout()
  )
  to_code(with_origin)
  vim.cmd('tab Turnlens turn')
  check('turn: :tab opens a tab page', wait(function() return #vim.api.nvim_list_tabpages() == 2 end))
  vim.cmd('tabclose')
end

local function trace_keys()
  to_code(with_origin)
  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  local buf = vim.api.nvim_get_current_buf()
  vim.cmd('normal! gg')
  t.type(']e')
  check('trace: ]e goes to an edit', t.line():find('^### %d+%.[%d.]+ '), t.line())
  local first = vim.fn.line('.')
  vim.cmd('normal! G')
  t.type('[e')
  check('trace: [e goes back to an edit', t.line():find('^### %d+%.[%d.]+ ') and vim.fn.line('.') >= first, t.line())
  vim.cmd('normal! G')
  t.type('[[')
  check('trace: [[ goes to the turn', t.line():find('^##? Turn %d+'), t.line())
  local failed_above = vim.iter(t.lines()):any(
    function(line) return line:find('^[#-]+ %d+%.%d+ .* · failed') or line:find('^[#-]+ %d+%.%d+ .* · exit [1-9]') end
  )
  if failed_above then
    vim.cmd('normal! gg')
    t.type(']x')
    check('trace: ]x goes to a failed step', t.line():find('· failed') or t.line():find('· exit [1-9]'), t.line())
  end
  t.type('g?')
  local float = wait(function() return t.floats()[1] end)
  check(
    'trace: g? shows the keys',
    float and table.concat(t.lines(vim.api.nvim_win_get_buf(float)), '\n'):find('Next edit')
  )
  t.type('q')
  check('trace: q closes them', wait(function() return #t.floats() == 0 end))
  t.type('gg')
  vim.fn.search('^### .* Edit', 'W')
  t.type('K')
  check('trace: K has a hover', wait(function() return t.floats()[1] end), t.said())
  t.type('h')
  wait(function() return #t.floats() == 0 end)
  t.type('gO')
  check('trace: gO has the outline', wait(function() return #vim.fn.getloclist(0) > 0 end), t.said())
  local strange = vim.tbl_filter(function(item)
    local name = vim.trim(item.text):gsub('^%[.-%]%s*', '')
    local step = name:match('^%d+%.[%d.]+ (%a+)')
    local kinds = { 'Edit', 'Write', 'Delete', 'Move', 'Run', 'Agent' }
    return not (name:find('^Turn %d') or name:find('^Context compacted') or vim.list_contains(kinds, step))
  end, vim.fn.getloclist(0))
  check('trace: only turns, edits, failures, sub-agents in it', #strange == 0, strange)
  check('trace: no diagnostics', #vim.diagnostic.get(buf) == 0)
  vim.cmd('silent! lclose')

  local ranges = t.ask('textDocument/foldingRange', { textDocument = { uri = vim.uri_from_bufnr(buf) } }) or {}
  check('trace: the server has folds', #ranges > 0)
  if #ranges > 0 then
    local inner = ranges[1].startLine + 1
    check(
      'trace: folded by them',
      wait(function() return vim.fn.foldlevel(inner) > 0 end),
      { inner, vim.wo.foldmethod }
    )
    for _, range in ipairs(ranges) do
      if range.kind == 'comment' and range.endLine > range.startLine then
        check(
          'trace: thoughts are closed',
          wait(function() return vim.fn.foldclosed(range.startLine + 1) > 0 end),
          range
        )
        break
      end
    end
  end

  local colours =
    vim.api.nvim_buf_get_extmarks(buf, vim.api.nvim_get_namespaces()['turnlens.colour'], 0, -1, { details = true })
  local groups = {}
  for _, mark in ipairs(colours) do
    groups[mark[4].hl_group] = true
  end
  check('trace: headings and diffs are coloured', groups.TurnlensHeading and groups.TurnlensAdded, groups)
  check('trace: Markdown is highlighted', vim.treesitter.highlighter.active[buf] ~= nil or vim.bo.syntax == 'markdown')
  check('trace: lenses are drawn', wait(function() return #drawn(buf) > 0 end))
  local scratch = vim.api.nvim_create_buf(false, true)
  check(
    'trace: gd is mapped there only',
    vim.fn.maparg('gd', 'n') ~= '' and #vim.api.nvim_buf_get_keymap(scratch, 'n') == 0
  )
end

local function by_hand()
  to_code(with_origin)
  t.type('V<Plug>(turnlens-history)')
  check('history: of a selection', wait(function() return #vim.fn.getloclist(0) > 0 end), t.said())
  vim.cmd('silent! lclose')
  to_code(with_origin)
  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  local place = vim.fn.fnamemodify(code_file, ':.') .. ':'
  vim.cmd('normal! gg0')
  if vim.fn.search([[\V]] .. place, 'W') > 0 then
    t.type('gF')
    check('trace: gF opens the file at its line', wait(function() return t.name() == code_file end), t.name())
  end
end

local function peek()
  to_code(with_origin)
  local text = t.line()
  vim.cmd('Turnlens peek')
  local float = wait(function() return t.floats()[1] end)
  if not check('peek: a float', float, t.said()) then return end
  local buf = vim.api.nvim_win_get_buf(float)
  check(
    'peek: has the diff',
    vim.iter(t.lines(buf)):any(function(line) return line:find('+', 1, true) == 1 end),
    t.lines(buf)
  )
  check('peek: has this line', table.concat(t.lines(buf), '\n'):find(vim.trim(text), 1, true), t.lines(buf))
  local marks =
    vim.api.nvim_buf_get_extmarks(buf, vim.api.nvim_get_namespaces()['turnlens.colour'], 0, -1, { details = true })
  check('peek: is coloured', vim.iter(marks):any(function(mark) return mark[4].hl_group == 'TurnlensAdded' end), marks)
  t.type('q')
  check('peek: q closes it', wait(function() return #t.floats() == 0 and t.name() == code_file end))
  vim.cmd('Turnlens peek')
  wait(function() return t.floats()[1] end)
  t.type('<CR>')
  check(
    'peek: <CR> opens the turn',
    wait(function() return vim.startswith(t.name(), 'turnlens://') and t.line() == '+' .. text end),
    { t.name(), t.line() }
  )
end

local function diffs()
  to_code(with_origin)
  vim.cmd('Turnlens changes')
  check(
    'changes: a diff of the last turn',
    wait(function() return t.name():find('changes%.diff$') and vim.bo.filetype == 'diff' end),
    { t.name(), t.said() }
  )
  local files = #require('turnlens').changes().files
  local shown = #vim.tbl_filter(function(line) return line:find('^diff %-%-git ') end, t.lines())
  check('changes: every file of the turn in one view', shown == files, { shown, files })
  check('changes: from its first line on', vim.fn.line('.') == 1, vim.fn.line('.'))
  check('changes: has hunks', vim.fn.search('^@@', 'w') > 0, t.lines())
  vim.fn.search('^+[^+]', 'w')
  local wanted = t.line():sub(2)
  t.type('<CR>')
  check(
    'changes: <CR> goes to the line as it is now',
    wait(function() return not vim.startswith(t.name(), 'turnlens://') and t.line() == wanted end),
    { t.name(), t.line(), wanted }
  )

  to_code(with_origin)
  vim.cmd('Turnlens changes qf')
  local list = wait(function()
    local items = vim.fn.getqflist({ items = true, title = true })
    return #items.items > 0 and items
  end)
  check(
    'changes qf: the hunks',
    list
      and vim
        .iter(list.items)
        :all(function(item) return item.valid == 1 and item.lnum > 0 and item.text:find('%+%d') end),
    list
  )
  if list then
    vim.cmd('cfirst')
    check(
      'changes qf: :cfirst is in a file',
      not vim.startswith(t.name(), 'turnlens://') and vim.fn.filereadable(t.name()) == 1,
      t.name()
    )
  end
  vim.cmd('cclose')

  to_code(with_origin)
  vim.cmd('Turnlens diff')
  check(
    'diff: the step in two windows',
    wait(function()
      local wins = vim.api.nvim_tabpage_list_wins(0)
      return #vim.api.nvim_list_tabpages() == 2 and #wins == 2 and vim.wo[wins[1]].diff and vim.wo[wins[2]].diff
    end),
    t.said()
  )
  if #vim.api.nvim_list_tabpages() == 2 then vim.cmd('tabclose') end
end

local function lists()
  to_code(with_origin)
  vim.cmd(('%d,%dTurnlens history'):format(with_origin, with_origin))
  check('history: a location list', wait(function() return #vim.fn.getloclist(0) > 0 end), t.said())
  vim.cmd('silent! lclose')

  local asked
  local select = vim.ui.select
  vim.ui.select = function(items, options, on_choice)
    asked = { items = items, labels = vim.tbl_map(options.format_item, items), choose = on_choice }
  end
  for _, command in ipairs({ 'Turnlens sessions', 'Turnlens sessions %' }) do
    to_code(with_origin)
    asked = nil
    vim.cmd(command)
    if check(command .. ': a choice', wait(function() return asked and #asked.items > 0 end), t.said()) then
      asked.choose(asked.items[1], 1)
      check(
        command .. ': opens the session',
        wait(function() return vim.startswith(t.name(), 'turnlens://') and #t.lines() > 1 end),
        t.name()
      )
      check(command .. ': at its first line', vim.fn.line('.') == 1, vim.fn.line('.'))
    end
  end

  to_code(with_origin)
  asked = nil
  vim.cmd('Turnlens log')
  if check('log: the states of the file', wait(function() return asked and #asked.items > 0 end), t.said()) then
    asked.choose(asked.items[1], 1)
    check(
      'log: one of them beside the file',
      wait(function() return #vim.api.nvim_tabpage_list_wins(0) == 2 and vim.wo.diff end)
    )
  end

  to_code(with_origin)
  asked = nil
  vim.cmd('Turnlens')
  if check('menu: a choice', wait(function() return asked end)) then
    local all = table.concat(asked.labels, '\n')
    check('menu: names the sub-commands', all:find(':Turnlens turn') and all:find(':Turnlens sessions'), all)
    for index, item in ipairs(asked.items) do
      if item.description == ':Turnlens turn' then asked.choose(item, index) end
    end
    check('menu: does what was chosen', wait(function() return vim.startswith(t.name(), 'turnlens://') end))
  end
  vim.ui.select = select

  to_code(with_origin)
  local title = require('turnlens').turn_at(code_buf, with_origin).title
  local word = title:match('%a%a%a+')
  -- The list of changes names the turn, too.
  vim.fn.setqflist({}, 'f')
  vim.cmd('Turnlens search ' .. word)
  local hits = wait(function()
    local items = vim.fn.getqflist()
    return #items > 0 and vim.fn.getqflist({ title = true }).title:find(word, 1, true) and items
  end)
  if check('search: the quickfix list', hits, t.said()) then
    vim.cmd('cfirst')
    check(
      'search: a hit opens',
      wait(function() return vim.startswith(t.name(), 'turnlens://') and #t.lines() > 1 end),
      t.name()
    )
  end
  vim.cmd('cclose')
end

local function moving()
  to_code(1)
  vim.cmd('Turnlens next')
  check(
    'next: a line of an agent',
    wait(function() return vim.fn.line('.') > 1 and require('turnlens').turn_at() ~= nil end),
    { vim.fn.line('.'), t.said() }
  )
  t.type('<C-o>')
  check(
    'next: Ctrl-O is back',
    wait(function() return t.name() == code_file and vim.fn.line('.') == 1 end),
    vim.fn.line('.')
  )
  to_code(vim.api.nvim_buf_line_count(code_buf))
  vim.cmd('Turnlens prev')
  check(
    'prev: a line of an agent',
    wait(
      function()
        return vim.fn.line('.') < vim.api.nvim_buf_line_count(code_buf) and require('turnlens').turn_at() ~= nil
      end
    ),
    { vim.fn.line('.'), t.said() }
  )
  vim.cmd('enew')
  vim.cmd('Turnlens newest')
  check(
    'newest: a line of an agent',
    wait(function() return t.name() ~= '' and require('turnlens').turn_at() ~= nil end),
    { t.name(), t.said() }
  )
end

local function status()
  local events = 0
  local id =
    vim.api.nvim_create_autocmd('User', { pattern = 'TurnlensUpdate', callback = function() events = events + 1 end })
  to_code(without_origin)
  check(
    'status: empty on a line of nobody known',
    wait(function() return vim.b[code_buf].turnlens_status == '' end),
    vim.b[code_buf].turnlens_status
  )
  events = 0
  t.type(with_origin .. 'G')
  local origin = require('turnlens').turn_at(code_buf, with_origin)
  check(
    'status: the words of the line',
    wait(function() return vim.b[code_buf].turnlens_status == origin.status end),
    vim.b[code_buf].turnlens_status
  )
  check('status: User TurnlensUpdate', events > 0)
  t.type(without_origin .. 'G')
  wait(function() return vim.b[code_buf].turnlens_status == '' end)
  local ours = vim.iter(vim.api.nvim_get_namespaces()):filter(function(name) return name:find('^turnlens') end)
  local marks = ours:map(function(_, space)
    local line = { without_origin - 1, 0 }
    return #vim.api.nvim_buf_get_extmarks(code_buf, space, line, { line[1], -1 }, {})
  end)
  check('status: nothing is drawn on a line of nobody known', marks:all(function(count) return count == 0 end))
  t.type(with_origin .. 'G')
  wait(function() return vim.b[code_buf].turnlens_status == origin.status end)
  local dict = vim.b[code_buf].turnlens_status_dict
  local complete = dict
    and vim
      .iter({ 'agent', 'session', 'turn', 'step', 'title', 'at', 'evidence' })
      :all(function(key) return dict[key] ~= nil end)
  check('status: the dictionary', complete, dict)
  check('status: b:turnlens_live is a string', type(vim.b[code_buf].turnlens_live) == 'string')
  vim.api.nvim_del_autocmd(id)
end

local function unknown()
  to_code(without_origin)
  t.sleep(300)
  -- It answers after one question, and waits for nothing else.
  local client, asked, deferred = t.client(), {}, 0
  -- From 0.11 on methods are not the client's own.
  local own, real, defer = rawget(client, 'request'), client.request, vim.defer_fn
  client.request = function(...)
    for _, argument in ipairs({ ... }) do
      if type(argument) == 'string' then asked[#asked + 1] = argument end
    end
    return real(...)
  end
  vim.defer_fn = function(...)
    deferred = deferred + 1
    return defer(...)
  end
  local began = vim.uv.hrtime()
  vim.cmd('Turnlens turn')
  vim.wait(8000, function() return #_G.said > 0 end, 1)
  local took = (vim.uv.hrtime() - began) / 1e6
  vim.defer_fn, client.request = defer, own
  check('unknown line: one question', vim.deep_equal(asked, { 'turnlens/line' }), asked)
  check('unknown line: no timer', deferred == 0, deferred)
  io.write(('unknown line: answered after %.1f ms\n'):format(took))
  local texts = wait(function() return #_G.said > 0 and t.said() end) or {}
  check('unknown line: one message of one line', #texts == 1 and texts[1] ~= '' and not texts[1]:find('\n'), texts)
  check('unknown line: the words of the server', (texts[1] or ''):find('^No recorded turn wrote this line'), texts)
  check('unknown line: stays', t.name() == code_file)
  vim.cmd('Turnlens peek')
  check('unknown line: peek says so too', wait(function() return #t.floats() == 0 and #_G.said > 0 end))
end

local function resume()
  to_code(with_origin)
  local origin = require('turnlens').turn_at()
  vim.cmd('Turnlens resume copy')
  check(
    'resume: the command is copied',
    wait(function() return vim.fn.getreg('"'):find(origin.session, 1, true) end),
    vim.fn.getreg('"')
  )
  check('resume: and printed', (t.said()[1] or ''):find('Copied: ', 1, true))
  if origin.agent ~= 'claude-code' then return end
  to_code(with_origin)
  vim.cmd('Turnlens resume')
  local wanted = ('resumed --resume %s in %s'):format(origin.session, vim.fn.getcwd())
  -- The terminal breaks long lines.
  local shown = function() return vim.bo.buftype == 'terminal' and table.concat(t.lines(), '') end
  check('resume: a terminal in the folder of the session', wait(function() return (shown() or ''):find(wanted, 1, true) end), shown())
  vim.cmd.stopinsert()
  vim.cmd('bwipeout!')
end

-- Answers the next question with what `choose` gives of its items; the labels are kept.
local function answering(choose)
  local select, asked = vim.ui.select, {}
  vim.ui.select = function(items, options, on_choice)
    vim.ui.select = select
    asked.prompt, asked.labels = options.prompt, vim.tbl_map(options.format_item, items)
    on_choice(choose(items))
  end
  return asked
end

-- The lines of all files of the repository, as they lie on the disk.
local function on_disk()
  local files = vim.fn.systemlist({ 'git', 'ls-files', '--cached', '--others', '--exclude-standard' })
  return vim.tbl_map(function(file) return vim.fn.filereadable(file) == 1 and vim.fn.readfile(file) or {} end, files)
end

local function undo()
  to_code(with_origin)
  local text, before = t.line(), on_disk()
  local origin = require('turnlens').turn_at()
  local has = function() return vim.list_contains(t.lines(code_buf), text) end
  local asked = answering(function(items) return items[#items] end)
  vim.cmd('Turnlens undo')
  check('undo: one question', wait(function() return asked.labels and asked.labels[1] == 'Undo' end), { asked, t.said() })
  check('undo: it says what', (asked.prompt or ''):find('^Undo turn ' .. origin.turn), asked.prompt)
  t.sleep(300)
  check('undo: nothing where it is cancelled', has() and not vim.bo[code_buf].modified)

  answering(function(items) return items[1] end)
  vim.cmd('Turnlens undo ' .. origin.address:match('^[^:]+:%d+'))
  check('undo: the line is gone', wait(function() return not has() end), t.said())
  check('undo: nothing is written', vim.deep_equal(on_disk(), before))
  vim.cmd('silent undo')
  check('undo: one undo takes it back', has() and not vim.bo[code_buf].modified)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.bo[buf].modified and vim.bo[buf].buftype == '' then
      vim.api.nvim_buf_call(buf, function() vim.cmd('silent edit!') end)
    end
  end
end

local function restore()
  to_code(with_origin)
  local now = t.lines(code_buf)
  local asked = answering(function(items) return items[#items] end)
  vim.cmd('Turnlens restore')
  check('restore: the states of the file', wait(function() return asked.labels end), t.said())
  check(
    'restore: the oldest is in the buffer, not saved',
    wait(function() return vim.bo[code_buf].modified and not vim.deep_equal(t.lines(code_buf), now) end),
    t.said()
  )
  vim.cmd('silent undo')
  check('restore: one undo takes it back', vim.deep_equal(t.lines(code_buf), now) and not vim.bo[code_buf].modified)

  -- A file that is gone; it is put back where it was at the end.
  local file, kept = code_file, vim.fn.tempname()
  vim.uv.fs_copyfile(file, kept)
  vim.uv.fs_unlink(file)
  asked = answering(function(items)
    for _, item in ipairs(items) do
      if vim.endswith(vim.uri_to_fname(item.uri), vim.fn.fnamemodify(file, ':t')) then return item end
    end
  end)
  vim.cmd('Turnlens restore deleted')
  check('restore: files that are gone', wait(function() return asked.labels end), t.said())
  check(
    'restore: its text is in a buffer, nothing is written',
    wait(function() return t.name() == file and vim.bo.modified and #t.lines() > 1 end) and vim.uv.fs_stat(file) == nil,
    { t.name(), t.said() }
  )
  vim.uv.fs_copyfile(kept, file)
  vim.cmd('silent edit!')
  check('restore: the file as it was', vim.deep_equal(t.lines(code_buf), now), t.lines(code_buf))
end

local function explain()
  to_code(with_origin)
  vim.cmd('Turnlens explain')
  check('explain: a float', wait(function() return t.floats()[1] end), t.said())
  t.type('q')
  to_code(with_origin)
  vim.cmd('Turnlens doctor')
  check('doctor: a text', wait(function() return #vim.api.nvim_list_wins() == 2 and #t.lines() > 1 end), t.said())
  t.type('q')
end

-- A language server in Lua, with a lens and a hover of its own.
local function neighbour(asked)
  local function reply(method, params)
    asked[method] = (asked[method] or 0) + 1
    if method == 'initialize' then
      return {
        capabilities = { hoverProvider = true, codeLensProvider = { resolveProvider = false }, textDocumentSync = 1 },
      }
    elseif method == 'textDocument/hover' then
      return { contents = { kind = 'markdown', value = 'the language says so' } }
    elseif method == 'textDocument/codeLens' then
      return {
        {
          range = { start = params.position or { line = 0, character = 0 }, ['end'] = { line = 0, character = 1 } },
          command = { title = 'theirs', command = 'x' },
        },
      }
    end
  end
  return vim.lsp.start({
    name = 'neighbour',
    cmd = function()
      local closing, last = false, 0
      return {
        request = function(method, params, callback, answered)
          last = last + 1
          local id = last
          vim.schedule(function()
            if answered then answered(id) end
            callback(nil, reply(method, params), id)
          end)
          return true, id
        end,
        notify = function() return true end,
        is_closing = function() return closing end,
        terminate = function() closing = true end,
      }
    end,
    root_dir = vim.fn.getcwd(),
  }, { bufnr = code_buf })
end

local function neighbours()
  to_code(with_origin)
  local asked = {}
  local id = neighbour(asked)
  if
    not check('neighbour: a second server', wait(function() return #vim.lsp.get_clients({ bufnr = code_buf }) == 2 end))
  then
    return
  end
  require('turnlens.lenses').refresh_all()
  t.sleep(400)
  check('neighbour: its lenses were not asked for', not asked['textDocument/codeLens'], asked)
  local theirs = {}
  for name, space in pairs(vim.api.nvim_get_namespaces()) do
    if name:find('codelens') then vim.list_extend(theirs, vim.api.nvim_buf_get_extmarks(code_buf, space, 0, -1, {})) end
  end
  check('neighbour: none were drawn', #theirs == 0, theirs)

  local function hover_text(line)
    to_code(line)
    vim.lsp.buf.hover()
    local float = wait(function() return t.floats()[1] end)
    -- Ours may follow.
    t.sleep(250)
    local text = float
        and vim.api.nvim_win_is_valid(float)
        and table.concat(t.lines(vim.api.nvim_win_get_buf(float)), '\n')
      or ''
    local in_code = vim.api.nvim_get_current_buf() == code_buf
    for _, win in ipairs(t.floats()) do
      vim.api.nvim_win_close(win, true)
    end
    return text, in_code
  end
  local text, in_code = hover_text(without_origin)
  check(
    'neighbour: its hover alone where nobody is known',
    text:find('the language says so') and not text:find('Claude'),
    text
  )
  check('neighbour: the cursor stays in the code', in_code)
  check('neighbour: no message beside it', #t.said() == 0, t.said())
  local origin = require('turnlens').turn_at(code_buf, with_origin)
  text, in_code = hover_text(with_origin)
  check(
    'neighbour: both hovers where a turn is known',
    text:find('the language says so') and text:find(origin.address, 1, true),
    text
  )
  check('neighbour: the cursor stays in the code (both)', in_code)
  require('turnlens.client').method(vim.lsp.get_client_by_id(id), 'stop', true)
end

local function following()
  to_code(with_origin)
  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  local documents = require('turnlens.documents')
  local buf, uri = vim.api.nvim_get_current_buf(), t.name()
  local text = table.concat(t.lines(), '\n')
  local answer = text
  local client = require('turnlens.client')
  local real = client.request_quietly
  -- The server's part: a document that has grown.
  client.request_quietly = function(method, params, of, on_result)
    if method ~= 'turnlens/textDocumentContent' then return real(method, params, of, on_result) end
    on_result({ text = answer }, t.client())
  end
  local middle = math.max(1, math.floor(#t.lines() / 2))
  vim.api.nvim_win_set_cursor(0, { middle, 0 })
  vim.cmd('normal! zz')
  local view = vim.fn.winsaveview()
  answer = text .. '\none line more\n'
  documents.refresh(uri)
  check(
    'refresh: the text has grown',
    wait(function() return t.lines(buf)[#t.lines(buf)] == 'one line more' end),
    t.lines(buf)[#t.lines(buf)]
  )
  check('refresh: the view stays', vim.deep_equal(vim.fn.winsaveview(), view), { vim.fn.winsaveview(), view })
  vim.cmd('normal! G')
  answer = answer .. 'two lines more\n'
  documents.refresh(uri)
  check('refresh: the last line is followed', wait(function() return t.line() == 'two lines more' end), t.line())
  check('refresh: still not modifiable', not vim.bo[buf].modifiable and not vim.bo[buf].modified)
  client.request_quietly = real
  documents.refresh(uri)
  check(
    'refresh: as the server has it again',
    wait(function() return table.concat(t.lines(buf), '\n') == text end),
    #t.lines(buf)
  )
end

local function several_folders()
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder .. '/.git', 'p')
  vim.fn.writefile({ 'one', 'two' }, folder .. '/other.txt')
  vim.cmd.edit(folder .. '/other.txt')
  local buf = vim.api.nvim_get_current_buf()
  check(
    'folders: another repository has the same server',
    wait(function()
      local clients = vim.lsp.get_clients({ name = 'turnlens' })
      return #clients == 1 and clients[1].attached_buffers[buf]
    end)
  )
  local root = vim.uri_from_fname(vim.fs.root(buf, '.git'))
  check(
    'folders: and the server is told',
    wait(function()
      return vim.iter(t.client().workspace_folders):any(function(known) return known.uri == root end)
    end),
    t.client().workspace_folders
  )
  vim.cmd('silent! bwipeout!')
end

local function reopening()
  to_code(with_origin)
  vim.cmd('Turnlens turn')
  wait(function() return vim.startswith(t.name(), 'turnlens://') end)
  local uri, count = t.name(), #t.lines()
  vim.cmd('edit')
  check('documents: :edit reads it again', t.name() == uri and #t.lines() == count, #t.lines())
  check(
    'documents: still attached',
    wait(function() return #vim.lsp.get_clients({ bufnr = 0, name = 'turnlens' }) == 1 end)
  )
  vim.cmd('bdelete')
  vim.cmd.edit(uri)
  check('documents: opened by name after :bdelete', #t.lines() == count and vim.bo.filetype == 'turnlens', #t.lines())
  check('documents: its keys are there', vim.fn.maparg('<CR>', 'n') ~= '')
  vim.cmd.edit('turnlens://nothing/of/this/name.trace.md')
  check(
    'documents: one that is not there says so',
    #t.lines() >= 1 and t.lines()[1] ~= '' and not vim.bo.modifiable,
    t.lines()
  )
  vim.cmd('bwipeout')
end

local function typing()
  to_code(with_origin)
  local before = wait(function()
    local marks = drawn(code_buf)
    return #marks > 0 and marks
  end)
  t.type('Oa new line<Esc>')
  check(
    'typing: the server answers for the buffer, not the file',
    wait(
      function()
        return require('turnlens').turn_at(code_buf, with_origin) == nil
          and require('turnlens').turn_at(code_buf, with_origin + 1) ~= nil
      end
    )
  )
  check('typing: nothing is said', #_G.said == 0, _G.said)
  vim.cmd('silent undo')
  t.sleep(400)
  check(
    'typing: the same lenses after undo',
    wait(function()
      local now = drawn(code_buf)
      return #now == #before and now[1].row == before[1].row
    end),
    #drawn(code_buf)
  )
  check('typing: nothing is left to write', not vim.bo[code_buf].modified)
end

-- While keys come no row of lenses appears or goes. TYPING_SECONDS=60: the whole minute.
local function typing_on()
  to_code(with_origin)
  local function titles()
    return vim.tbl_map(function(mark) return mark.text end, drawn(code_buf))
  end
  local before = wait(function() return #titles() > 0 and titles() end)
  local ends = vim.uv.now() + tonumber(vim.env.TYPING_SECONDS or 2) * 1000
  local keys, other = 0, nil
  t.type('o')
  while vim.uv.now() < ends do
    keys = keys + 1
    t.type(keys % 40 == 39 and '<C-u><BS>' or keys % 20 == 19 and '<CR>' or keys % 5 == 4 and '<Space>' or 'x')
    t.sleep(60)
    if not vim.deep_equal(titles(), before) then other = other or titles() end
  end
  check('typing: no row appears or goes while keys come', not other, other)
  io.write(('typing: %d keys, %d rows\n'):format(keys, #before))
  t.type('<Esc>')
  vim.cmd('silent edit!')
  check('typing: the file as it was', wait(function() return not vim.bo[code_buf].modified end))
end

local function notifications()
  to_code(with_origin)
  local handlers = t.client().handlers
  local events = 0
  local id =
    vim.api.nvim_create_autocmd('User', { pattern = 'TurnlensLive', callback = function() events = events + 1 end })
  local function live(...)
    local sessions = vim.tbl_map(
      function(state) return { id = 'x', agentName = 'Claude', title = 't', state = state } end,
      { ... }
    )
    handlers['turnlens/liveChanged'](nil, { live = sessions }, { client_id = t.client().id })
    return vim.b[code_buf].turnlens_live
  end
  check('live: one works', live('working') == 'Claude working', vim.b[code_buf].turnlens_live)
  check('live: one waits', live('waits') == 'Claude waits', vim.b[code_buf].turnlens_live)
  check('live: several', live('working', 'waits', 'working') == '2 working, 1 waits', vim.b[code_buf].turnlens_live)
  check('live: none', live() == '', vim.b[code_buf].turnlens_live)
  check('live: User TurnlensLive', events == 4, events)
  vim.api.nvim_del_autocmd(id)
  check(
    'lenses: workspace/codeLens/refresh is answered',
    handlers['workspace/codeLens/refresh'](nil, nil, { client_id = t.client().id }) == vim.NIL
  )
  handlers['turnlens/didChangeSessions'](nil, { sessions = {} }, { client_id = t.client().id })
end

local function lens_runs()
  to_code(with_origin)
  local lens = wait(function() return drawn(code_buf)[1] end)
  if not lens then return end
  to_code(lens.row + 1)
  local select, labels = vim.ui.select, nil
  vim.ui.select = function(items, options, on_choice)
    labels = vim.tbl_map(options.format_item, items)
    on_choice(items[1], 1)
  end
  vim.cmd('Turnlens')
  vim.ui.select = select
  check('menu: the lens comes first', labels and labels[1]:find('lens$'), labels)
  check(
    'menu: it does what the lens does',
    wait(function() return vim.startswith(t.name(), 'turnlens://') end),
    { t.name(), t.said() }
  )
end

-- Neovim draws lenses itself where somebody has asked for it: ours not twice.
local function core_lenses()
  to_code(with_origin)
  if vim.fn.has('nvim-0.12') == 0 then
    vim.lsp.codelens.refresh({ bufnr = code_buf })
    t.sleep(300)
    check('lenses: Neovim does not draw them too', #vim.lsp.codelens.get(code_buf) == 0, vim.lsp.codelens.get(code_buf))
    return
  end
  vim.lsp.codelens.enable(true, { bufnr = code_buf })
  require('turnlens.lenses').refresh_all()
  check(
    'lenses: not drawn where Neovim draws them',
    wait(function() return #drawn(code_buf) == 0 end),
    #drawn(code_buf)
  )
  vim.lsp.codelens.enable(false, { bufnr = code_buf })
  require('turnlens.lenses').refresh_all()
  check('lenses: drawn again', wait(function() return #drawn(code_buf) > 0 end))
end

-- Who enables the server by Neovim's own means gets no second one.
local function enabled_by_core()
  if not vim.lsp.enable then return end
  to_code(with_origin)
  vim.lsp.enable('turnlens')
  vim.cmd('doautocmd FileType')
  t.sleep(300)
  check('vim.lsp.enable: no second server', #vim.lsp.get_clients({ name = 'turnlens' }) == 1)
  vim.lsp.enable('turnlens', false)
  -- 0.12 stops what was enabled.
  wait(function() return t.client() == nil end, 1000)
  require('turnlens.client').attach_soon(code_buf)
  check(
    'vim.lsp.enable: the plugin goes on after it',
    wait(
      function() return #vim.lsp.get_clients({ bufnr = code_buf, name = 'turnlens' }) == 1 and t.client().initialized end
    )
  )
end

local function completion()
  local all = vim.fn.getcompletion('Turnlens ', 'cmdline')
  local wanted = {
    'turn',
    'peek',
    'code',
    'diff',
    'changes',
    'history',
    'log',
    'explain',
    'next',
    'prev',
    'newest',
    'sessions',
    'search',
    'resume',
    'undo',
    'restore',
    'toggle',
    'doctor',
    'demo',
    'restart',
  }
  table.sort(all)
  table.sort(wanted)
  check('completion: every sub-command', vim.deep_equal(all, wanted), all)
  check(
    'completion: by what was typed',
    vim.deep_equal(vim.fn.getcompletion('Turnlens se', 'cmdline'), { 'sessions', 'search' }),
    vim.fn.getcompletion('Turnlens se', 'cmdline')
  )
  t.type(':Turnlens ch<Tab>')
  check('completion: ch<Tab> and Enter: four keys to the changes', vim.fn.getcmdline() == 'Turnlens changes', vim.fn.getcmdline())
  t.type('<C-c>')
  check('completion: of words', vim.deep_equal(vim.fn.getcompletion('Turnlens changes ', 'cmdline'), { 'qf' }))
  t.said()
  vim.cmd('Turnlens nothing')
  check('completion: a wrong word is told', (t.said()[1] or ''):find('is not a command'))
end

local function health()
  vim.cmd('checkhealth turnlens')
  local text = table.concat(t.lines(), '\n')
  check('health: runs', text:find('turnlens: program') and text:find('gro'), text)
  check('health: no error', not text:find('ERROR') and not text:find('Failed to run'), text)
  check('health: knows sessions', text:find('%d+ sessions? by'), text)
  vim.cmd('bwipeout!')
end

local function help()
  local docs = vim.fn.tempname()
  vim.fn.mkdir(docs .. '/doc', 'p')
  vim.uv.fs_copyfile(vim.api.nvim_get_runtime_file('doc/turnlens.txt', false)[1], docs .. '/doc/turnlens.txt')
  local ok, why = pcall(vim.cmd.helptags, docs .. '/doc')
  check('help: the tags build', ok, why)
  local tags = ok and table.concat(vim.fn.readfile(docs .. '/doc/tags'), '\n') or ''
  for _, tag in ipairs({ 'turnlens', ':Turnlens', 'turnlens-options', 'turnlens-trace', 'b:turnlens_status' }) do
    check('help: has *' .. tag .. '*', ('\n' .. tags):find('\n' .. tag .. '\t', 1, true))
  end
end

local function restart()
  to_code(with_origin)
  local before = t.client().id
  vim.cmd('Turnlens restart')
  check(
    'restart: another client, attached',
    wait(function()
      local now = t.client()
      return now
        and now.id ~= before
        and now.initialized
        and #vim.lsp.get_clients({ bufnr = code_buf, name = 'turnlens' }) == 1
    end)
  )
  check(
    'restart: the line is known again',
    wait(function() return require('turnlens').turn_at(code_buf, with_origin) end)
  )
end

local function api()
  local turnlens = require('turnlens')
  local origin = turnlens.turn_at(code_buf, with_origin)
  check('api: turn_at', origin and origin.turn and origin.step, origin)
  check('api: turn_at of nobody', turnlens.turn_at(code_buf, without_origin) == nil)
  local changes = turnlens.changes()
  check('api: changes', changes and #changes.files > 0, changes)
  local sessions = turnlens.sessions({ buf = code_buf })
  check('api: sessions', sessions and #sessions > 0, sessions)
end

t.run(function()
  vim.cmd.edit({ vim.fn.systemlist({ 'git', 'ls-files' })[1], mods = { silent = true } })
  local before = maps(0)
  local keyword, tagfunc = vim.bo.keywordprg, vim.bo.tagfunc
  local first = vim.api.nvim_get_current_buf()
  check(
    'the server starts by itself',
    wait(
      function() return #vim.lsp.get_clients({ bufnr = first, name = 'turnlens' }) == 1 and t.client().initialized end
    )
  )
  t.sleep(200)
  check('no map outside of our buffers', vim.deep_equal(maps(first), before), { maps(first), before })
  check(
    'no option of the code is changed',
    vim.bo[first].keywordprg == keyword and vim.bo[first].tagfunc == tagfunc,
    vim.bo[first].tagfunc
  )
  find_code()
  if not check('a file with lines of an agent and of others', code_buf, t.said()) then return end
  check('nothing is said unasked', #_G.said == 0, _G.said)
  for _, group in ipairs({
    attach,
    lenses,
    quiet,
    only_the_language_answers,
    hover,
    turn_and_back,
    trace_keys,
    by_hand,
    peek,
    diffs,
    lists,
    moving,
    status,
    unknown,
    resume,
    undo,
    restore,
    explain,
    following,
    several_folders,
    reopening,
    typing,
    typing_on,
    notifications,
    lens_runs,
    core_lenses,
    completion,
    health,
    help,
    api,
    restart,
    enabled_by_core,
  }) do
    group()
  end
  check('no map outside of our buffers, after all of it', vim.deep_equal(maps(first), before), maps(first))
  -- Last, for Neovim maps K in a buffer that such a server attaches to.
  neighbours()
end)
