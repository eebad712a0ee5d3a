-- Takes back a turn or a step: one question, then an edit of buffers. Nothing is written but what a person lets go.
local client = require('turnlens.client')
local lists = require('turnlens.lists')
local util = require('turnlens.util')

local M = {}

local function count(n, word) return ('%d %s%s'):format(n, word, n == 1 and '' or 's') end

-- What the person may choose, by what it does.
local function choices(plan)
  local found = {}
  if plan.edit then found[#found + 1] = { label = 'Undo', edits = true } end
  if #plan.made > 0 then
    local files = count(#plan.made, 'file')
    found[#found + 1] = {
      label = plan.edit and 'Undo and delete ' .. files or 'Delete ' .. files,
      edits = plan.edit ~= nil,
      deletes = true,
    }
  end
  found[#found + 1] = { label = 'Cancel' }
  return found
end

-- What is still as it was changed later, in the quickfix list.
local function show_stays(plan)
  if #plan.stays == 0 then return end
  lists.show(
    vim.tbl_map(function(stay) return lists.item({ uri = stay.uri, range = stay.range }, stay.message) end, plan.stays),
    plan.message
  )
end

local function delete(uri)
  local buf = vim.fn.bufnr(vim.uri_to_fname(uri))
  if buf > 0 and vim.bo[buf].modified then return end
  vim.fn.delete(vim.uri_to_fname(uri))
  if buf > 0 then vim.api.nvim_buf_delete(buf, {}) end
end

local function apply(plan, choice, encoding)
  if choice.edits then vim.lsp.util.apply_workspace_edit(plan.edit, encoding) end
  if choice.deletes then vim.iter(plan.made):each(delete) end
  show_stays(plan)
end

--- Takes back the turn or the step of an address, after a question.
---@param address string
function M.undo(address)
  client.request('turnlens/undo', { address = address }, function(plan)
    if not plan.edit and #plan.made == 0 then
      util.notify(plan.message)
      return show_stays(plan)
    end
    vim.ui.select(choices(plan), {
      prompt = plan.message,
      kind = 'turnlens',
      format_item = function(choice) return choice.label end,
    }, function(choice)
      if not choice or not (choice.edits or choice.deletes) then return end
      -- Texts may have gone on while the person thought.
      client.request('turnlens/undo', { address = address }, function(now, asked)
        apply(now, { edits = choice.edits and now.edit ~= nil, deletes = choice.deletes }, asked.offset_encoding)
      end)
    end)
  end)
end

return M
