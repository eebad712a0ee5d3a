-- Diffs: of a step in two windows, of a turn as a document or as a quickfix list, of a file with an old state of it.
local client = require('turnlens.client')
local lists = require('turnlens.lists')
local ui = require('turnlens.ui')
local util = require('turnlens.util')

local M = {}

-- Two documents side by side on a tab page of their own.
local function side_by_side(left, right, line, encoding)
  local at = line and { start = util.position(line), ['end'] = util.position(line) }
  ui.open({ uri = left }, encoding, { tab = vim.api.nvim_tabpage_get_number(0) })
  vim.cmd.diffthis()
  ui.open({ uri = right, range = at }, encoding, { split = 'belowright', vertical = true })
  vim.cmd.diffthis()
  vim.cmd('normal! zv')
end

--- The step's file before and after it. `of` is `{ address }` or `{ textDocument, position }`.
---@param of table
function M.step(of)
  client.request('turnlens/stepDiff', of, function(step, asked)
    if not step then return require('turnlens.commands').say_unknown(of) end
    if not step.before or not step.after then return ui.open({ uri = step.document }, asked.offset_encoding) end
    side_by_side(step.before, step.after, step.line, asked.offset_encoding)
  end)
end

--- An old state of a file beside the file as it is now.
---@param state string URI
---@param file string URI
function M.state(state, file) side_by_side(state, file, nil, 'utf-8') end

--- The hunks of a unified diff.
---@param text string
---@return { path: string, line: integer, row: integer, added: integer, removed: integer, text: string }[] with the
---line (from 1) in the file after the change, and the row (from 0) in the diff of the first changed line
function M.hunks(text)
  local hunks, path, hunk, line = {}, nil, nil, 0
  for row, content in ipairs(util.lines(text)) do
    local old_path, new_path = content:match('^%-%-%- (.*)'), content:match('^%+%+%+ (.*)')
    local start = content:match('^@@ %-[%d,]+ %+(%d+)')
    if old_path and not hunk then
      path = old_path:gsub('^a/', '')
    elseif new_path and not hunk then
      if new_path ~= '/dev/null' then path = new_path:gsub('^b/', '') end
    elseif content:find('^diff ') then
      hunk = nil
    elseif start then
      hunk, line = { path = path, added = 0, removed = 0 }, tonumber(start)
    elseif hunk then
      local sign = content:sub(1, 1)
      if sign == '+' or sign == '-' then
        if hunk.added + hunk.removed == 0 then hunks[#hunks + 1] = hunk end
        -- The first line added says more than the first taken away.
        if not hunk.row or (sign == '+' and hunk.added == 0) then
          hunk.row, hunk.line, hunk.text = row - 1, math.max(line, 1), vim.trim(content:sub(2))
        end
        hunk.added = hunk.added + (sign == '+' and 1 or 0)
        hunk.removed = hunk.removed + (sign == '-' and 1 or 0)
      elseif sign ~= ' ' and sign ~= '\\' and content ~= '' then
        hunk = nil
      end
      if sign ~= '-' then line = line + 1 end
    end
  end
  return hunks
end

-- Where each hunk is now; then, where the server cannot tell, where it was.
local function hunks_as_items(turn, hunks, on_items)
  local uris, items, left = {}, {}, #hunks
  for _, file in ipairs(turn.files or {}) do
    uris[file.path] = file.uri
  end
  if left == 0 then return on_items({}) end
  for index, hunk in ipairs(hunks) do
    local uri = uris[hunk.path] or vim.uri_from_fname(vim.fn.fnamemodify(hunk.path, ':p'))
    local text = ('%s (+%d -%d) %s'):format(turn.address, hunk.added, hunk.removed, hunk.text)
    local function done(location)
      local range = location and location.range or { start = util.position(hunk.line - 1) }
      items[index] = lists.item({ uri = location and location.uri or uri, range = range }, text)
      left = left - 1
      if left == 0 then on_items(items) end
    end
    client.request(
      'turnlens/line',
      { textDocument = { uri = turn.document }, position = util.position(hunk.row) },
      function(info) done(info and info.code) end
    )
  end
end

--- The changes of a turn over all its files.
---@param address string
---@param options { mods?: table, list?: boolean, loclist?: boolean }
function M.turn(address, options)
  client.request('turnlens/turnChanges', { address = address }, function(turn, asked)
    if not turn then return util.notify('No turn with an edit is known here.') end
    if not options.list then return ui.open({ uri = turn.document }, asked.offset_encoding, options.mods) end
    client.request('turnlens/textDocumentContent', { uri = turn.document }, function(document)
      hunks_as_items(
        turn,
        M.hunks(document and document.text or ''),
        function(items) lists.show(items, turn.title, options.loclist) end
      )
    end)
  end)
end

return M
