#!/bin/sh
# Runs all tests: units, properties, the command line and the language server over stdio (cargo), the Neovim plugin in
# headless Neovims, the VS Code extension's units and the extension in a real workbench.
#
# Needs cargo and git, never root. What it needs besides is put under target/. Where a program is missing, what needs
# it is skipped and named; the last lines say what passed, failed and was skipped. Exit 1: something failed.
#
#   NO_SKIPS=1   a skip counts as a failure
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
report=
failed=0

note() { # note VERDICT NAME [WHY]
  report="$report$1  $2${3:+: $3}
"
  case $1 in
    FAIL) failed=1 ;;
    SKIP) [ -z "${NO_SKIPS:-}" ] || failed=1 ;;
  esac
}

run() { # run NAME COMMAND…; a command that ends with 77 skipped itself
  name=$1
  shift
  echo "== $name"
  "$@"
  case $? in
    0) note PASS "$name" ;;
    77) note SKIP "$name" "see above what is missing" ;;
    *) note FAIL "$name" ;;
  esac
}

# A real editor on a busy machine may be late once. Not twice.
run_editor() { # run_editor NAME COMMAND…
  name=$1
  shift
  echo "== $name"
  try=1
  while :; do
    "$@"
    status=$?
    if [ $status = 0 ] || [ $status = 77 ] || [ $try = 2 ]; then
      break
    fi
    try=$((try + 1))
    echo "== $name, try $try"
  done
  [ $try = 1 ] || name="$name (try $try)"
  case $status in
    0) note PASS "$name" ;;
    77) note SKIP "$name" "see above what is missing" ;;
    *) note FAIL "$name" ;;
  esac
}

has() { command -v "$1" >/dev/null 2>&1; }

has cargo || { echo "cargo is missing: https://rustup.rs"; exit 1; }
has git || { echo "git is missing"; exit 1; }

if cargo nextest --version >/dev/null 2>&1; then
  run "cargo nextest" cargo nextest run --workspace --no-fail-fast
else
  run "cargo test" cargo test --workspace --no-fail-fast
fi
run "the program" cargo build --package turnlens
TURNLENS_BIN=$root/${CARGO_TARGET_DIR:-target}/debug/turnlens
case ${CARGO_TARGET_DIR:-} in /*) TURNLENS_BIN=$CARGO_TARGET_DIR/debug/turnlens ;; esac
export TURNLENS_BIN

# An installed Neovim serves as well.
if tests/editors/nvim/install.sh || has nvim; then
  run_editor "Neovim" tests/editors/nvim/run.sh
else
  note SKIP "Neovim" "there is no nvim, and none could be put under target/editors/nvim"
fi

if has npm; then
  run "VS Code extension" sh -c '
    cd editors/vscode || exit 1
    [ -d node_modules ] || npm ci --no-audit --no-fund || exit 1
    npm test'
  run "VS Code workbench, installed" tests/editors/vscode/install.sh
  case $report in
    *"PASS  VS Code workbench, installed"*) run_editor "VS Code workbench" node tests/editors/vscode/drive.mjs --server "$TURNLENS_BIN" ;;
    *) note SKIP "VS Code workbench" "it could not be installed" ;;
  esac
else
  note SKIP "VS Code" "there is no npm"
fi

printf '\n%s' "$report"
exit $failed
