-- Neovim 0.10 handles each server's answer by itself, so that a second server's hover takes the place of the first,
-- or moves the cursor into it. These handlers, for our answers only, keep out of the way of the others.
local M = {}

local preview = 'textDocument/hover'

---@return vim.lsp.Client[] the other servers of this buffer that can answer
local function others(ctx)
  return vim.tbl_filter(
    function(client) return client.id ~= ctx.client_id end,
    vim.lsp.get_clients({ bufnr = ctx.bufnr, method = ctx.method })
  )
end

local function pending(clients, ctx)
  for _, client in ipairs(clients) do
    for _, request in pairs(client.requests) do
      if request.type == 'pending' and request.method == ctx.method and request.bufnr == ctx.bufnr then return true end
    end
  end
  return false
end

local function float_of(buf)
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.w[win][preview] == buf then return win end
  end
end

local function append(win, contents)
  local buf = vim.api.nvim_win_get_buf(win)
  local lines = vim.lsp.util.convert_input_to_markdown_lines(contents)
  if #lines == 0 then return end
  local width = vim.api.nvim_win_get_width(win)
  table.insert(lines, 1, ('─'):rep(width))
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, -1, -1, false, lines)
  vim.bo[buf].modifiable = false
  local room = math.max(1, vim.o.lines - 4)
  vim.api.nvim_win_set_height(win, math.min(vim.api.nvim_buf_line_count(buf), room))
end

--- Shows our hover below the language's, and alone only once no other server is still to answer.
function M.hover(err, result, ctx)
  local neighbours = others(ctx)
  if #neighbours == 0 then return vim.lsp.handlers[preview](err, result, ctx, {}) end
  if err or not result then return end
  local function show()
    if pending(neighbours, ctx) then return vim.defer_fn(show, 30) end
    local win = float_of(ctx.bufnr)
    if win then return append(win, result.contents) end
    if vim.api.nvim_get_current_buf() == ctx.bufnr then vim.lsp.handlers[preview](nil, result, ctx, {}) end
  end
  -- The answer of another server may have arrived in this same round; its handler has not run yet.
  vim.schedule(show)
end

--- An empty answer of ours is not worth a message beside the language's.
function M.symbols(err, result, ctx, config)
  if (not result or #result == 0) and #others(ctx) > 0 then return end
  return vim.lsp.handlers['workspace/symbol'](err, result, ctx, config)
end

return M
