-- Text pictures of the plugin on the screen, for the README and for the eye:
--   nvim -l screenshots.lua FOLDER      (environment as run.sh sets it; the working folder is the history's repository)
-- A second Neovim is driven over its own protocol with a screen of 100 columns and 32 rows.
local folder = assert(_G.arg[1], 'a folder for the pictures')
local tests = vim.env.TURNLENS_TESTS
vim.fn.mkdir(folder, 'p')

local child = vim.fn.jobstart({ vim.v.progpath, '--embed', '-u', tests .. '/init.lua', '-i', 'NONE' }, { rpc = true })
vim.rpcrequest(child, 'nvim_ui_attach', 100, 32, { rgb = true })

local function lua(code, ...) return vim.rpcrequest(child, 'nvim_exec_lua', code, { ... }) end

local function screen()
  return lua([[
    vim.cmd.redraw()
    local rows = {}
    for row = 1, vim.o.lines do
      local cells = {}
      for column = 1, vim.o.columns do cells[column] = vim.fn.screenstring(row, column) end
      rows[row] = table.concat(cells):gsub('%s+$', '')
    end
    return table.concat(rows, '\n')
  ]])
end

-- Waits until the screen matches, and gives it.
local function wait_for(pattern)
  local shown
  local ok = vim.wait(10000, function()
    shown = screen()
    return shown:find(pattern) ~= nil
  end, 50)
  assert(ok, ('never on the screen: %s\n%s'):format(pattern, shown))
  vim.wait(300)
  return screen()
end

local function save(name, text)
  local path = ('%s/nvim-%s.txt'):format(folder, name)
  vim.fn.writefile(vim.split(text, '\n'), path)
  io.write(path .. '\n')
end

local function type_keys(keys) vim.rpcrequest(child, 'nvim_input', keys) end

local function pictures()
  local file = vim.env.TURNLENS_FILE
    or vim.fn.filereadable('src/loader.rs') == 1 and 'src/loader.rs'
    or vim.fn.systemlist({ 'git', 'diff', '--name-only', 'HEAD' })[1]
    or vim.fn.systemlist({ 'git', 'ls-files' })[1]
  lua(
    [[
    vim.o.statusline = "%f %m%=%{get(b:,'turnlens_status','')}  %l,%c "
    vim.o.number = true
    vim.cmd.colorscheme('default')
    vim.cmd.edit(...)
  ]],
    file
  )
  wait_for(' · ')
  -- The second of the agent's blocks, where there is one.
  for _ = 1, 2 do
    type_keys(':silent Turnlens next<CR>')
    vim.wait(500)
  end
  lua("vim.api.nvim_exec_autocmds('CursorMoved', { buffer = 0 })")
  save('lenses', wait_for(' · %d?%d'))
  lua('vim.lsp.buf.hover()')
  save('hover', wait_for('Claude[^\n]*:%d'))
  type_keys('h')
  lua("vim.cmd('Turnlens peek')")
  save('peek', wait_for('[╭┌]'))
  type_keys('<CR>')
  save('turn', wait_for('@@ '))
  type_keys(':Turnlens changes<CR>')
  save('changes', wait_for('%+%+%+'))
  type_keys(':tabnew<CR>:Turnlens sessions all<CR>')
  save('sessions', wait_for('Sessions'))
end

local ok, why = pcall(pictures)
vim.fn.jobstop(child)
if not ok then
  io.write('FAIL ' .. tostring(why) .. '\n')
  os.exit(1)
end
