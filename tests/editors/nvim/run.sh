#!/bin/sh
# Runs the checks of the Neovim plugin on each Neovim there is. Prints one PASS or FAIL line for each check; exit 1 if
# one failed, or if there was no Neovim at all.
#
#   TURNLENS_BIN      the server (default: target/debug/turnlens)
#   TURNLENS_HISTORY  a folder with repo/ and home/ in it, a history that agents wrote (default: `turnlens demo`)
#   SCREENSHOTS       a folder: the last of the Neovims draws text pictures there
#   NVIMS             the Neovims to run (default: those that install.sh has put under target/editors/nvim, and `nvim`)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
bin=${TURNLENS_BIN:-$root/target/debug/turnlens}
[ -x "$bin" ] || { echo "FAIL there is no server at $bin; set TURNLENS_BIN"; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/bin" "$scratch/empty" "$scratch/crash"
printf '#!/bin/sh\necho started >>"$STARTS"\nexit 1\n' >"$scratch/crash/turnlens"
chmod +x "$scratch/crash/turnlens"
# In the place of the agent, so that a session can be resumed.
printf '#!/bin/sh\necho "resumed $* in $PWD"\n' >"$scratch/bin/claude"
chmod +x "$scratch/bin/claude"
ln -s "$(cd "$(dirname "$bin")" && pwd)/$(basename "$bin")" "$scratch/bin/turnlens"

history=${TURNLENS_HISTORY:-}
maker=$root/../shared/truth/simulate.py
if [ -z "$history" ] && "$bin" demo --dir "$scratch/demo" --editor none >"$scratch/demo.log" 2>&1 </dev/null &&
  [ -d "$scratch/demo/repo" ] && [ -d "$scratch/demo/home" ]; then
  history=$scratch/demo
elif [ -z "$history" ] && [ -f "$maker" ]; then
  history=$(python3 "$maker" make "$scratch/history" --scenario plain-edits | tail -n 1)
elif [ -z "$history" ]; then
  cat "$scratch/demo.log"
  echo "FAIL turnlens demo made no history; set TURNLENS_HISTORY to a folder with repo/ and home/"
  exit 1
fi
history=$(cd "$history" && pwd)

nvims=${NVIMS:-}
if [ -z "$nvims" ]; then
  for nvim in "$root"/target/editors/nvim/*/bin/nvim "$root"/target/editors/nvim/*/usr/bin/nvim; do
    [ -x "$nvim" ] && nvims="$nvims $nvim"
  done
  [ -n "$nvims" ] || nvims=$(command -v nvim || true)
fi
[ -n "$nvims" ] || { echo "FAIL no Neovim was found: run $here/install.sh"; exit 1; }

# bare COMMAND…: with no configuration but the test's; HOME (where it is not empty) and PATH are the caller's
bare() {
  env -u CLAUDE_CONFIG_DIR -u XDG_RUNTIME_DIR -u HOME ${HOME:+HOME="$HOME"} PATH="$PATH" TURNLENS_TESTS="$here" \
    XDG_CONFIG_HOME="$state/config" XDG_DATA_HOME="$state/data" XDG_STATE_HOME="$state/state" XDG_CACHE_HOME="$state/cache" \
    timeout 180 "$@" </dev/null
}

# run NVIM CHECKS HOME FOLDER PATH
run() {
  state=$(mktemp -d "$scratch/state.XXXXXX")
  ended=0
  (cd "$4" && HOME=$3 && PATH=$5 && bare "$1" --headless -u "$here/init.lua" -i NONE -c "luafile $here/$2.lua" \
    2>"$state/messages") || ended=$?
  # What Neovim itself says: errors in callbacks come only here.
  if grep -q 'stack traceback\|^E[0-9]*:\|deprecated' "$state/messages"; then
    echo "FAIL $2: Neovim says nothing"
    cat "$state/messages"
    echo
    return 1
  fi
  echo "PASS $2: Neovim says nothing"
  [ "$ended" = 0 ] && return 0
  echo "FAIL $2 ended with $ended ($1)"
  return 1
}

result=0
for nvim in $nvims; do
  # The checks run in other folders.
  case $nvim in /*) ;; */*) nvim=$PWD/$nvim ;; esac
  echo "== $("$nvim" --version | head -n 1) ($nvim)"
  run "$nvim" history "$history/home" "$history/repo" "$scratch/bin:$PATH" || result=1
  run "$nvim" named "$history/home" "$history/repo" "$scratch/bin:$PATH" || result=1
  live=$(mktemp -d "$scratch/live.XXXXXX") && cp -R "$history/home/." "$live"
  run "$nvim" live "$live" "$history/repo" "$scratch/bin:$PATH" || result=1
  run "$nvim" empty "$scratch/empty" "$scratch/empty" "$scratch/bin:$PATH" || result=1
  # No home at all.
  run "$nvim" empty '' "$scratch/empty" "$scratch/bin:$PATH" || result=1
  STARTS=$(mktemp "$scratch/starts.XXXXXX") && export STARTS
  run "$nvim" crash "$scratch/empty" "$scratch/empty" "$scratch/crash:/usr/bin:/bin" || result=1
  run "$nvim" missing "$scratch/empty" "$scratch/empty" "/usr/bin:/bin" || result=1
done

if [ -n "${SCREENSHOTS:-}" ]; then
  mkdir -p "$SCREENSHOTS"
  pictures=$(cd "$SCREENSHOTS" && pwd)
  state=$(mktemp -d "$scratch/state.XXXXXX")
  (cd "$history/repo" && HOME=$history/home && PATH=$scratch/bin:$PATH && bare "$nvim" -l "$here/screenshots.lua" "$pictures") ||
    { echo "FAIL screenshots ($nvim)"; result=1; }
fi
exit $result
