-- Options: the person's, from `vim.g.turnlens` and `setup{}`, and the form in which the server takes them.
local M = {}

-- Only what the plugin itself reads has a default here; the server knows its own.
local defaults = {
  enable = true,
  server = { path = '', extra_args = {} },
  lens = { position = 'eol' },
  document = { follow_end = true },
  checktime = false,
}

-- Options of this plugin that the server does not have.
local editor_only = { lens = true, checktime = true }

-- Tables whose keys are data (paths), not names of settings.
local data_keys = { path_mappings = true }

local from_setup = {}

local function chosen()
  local global = type(vim.g.turnlens) == 'table' and vim.g.turnlens or {}
  return vim.tbl_deep_extend('force', global, from_setup)
end

---@param options? table
function M.set(options) from_setup = options or {} end

--- The options in force, defaults filled in.
---@return table
function M.get() return vim.tbl_deep_extend('force', defaults, chosen()) end

local function camel(key) return (key:gsub('_(%l)', string.upper)) end

local function to_camel(value)
  if type(value) ~= 'table' or vim.islist(value) then return value end
  local out = vim.empty_dict()
  for key, inner in pairs(value) do
    out[type(key) == 'string' and camel(key) or key] = data_keys[key] and inner or to_camel(inner)
  end
  return out
end

--- What the person has set, as the server takes it: `code_lens.scope` becomes `codeLens.scope`.
---@return table
function M.server_settings()
  local out = vim.empty_dict()
  for key, value in pairs(chosen()) do
    if not editor_only[key] then out[key] = value end
  end
  return to_camel(out)
end

return M
