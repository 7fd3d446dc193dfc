#!/usr/bin/env bash
# Moto's server: an AWS of the tests and of trying things, on loopback only.
#   scripts/moto.sh --install   puts it into .tools/moto
#   scripts/moto.sh PORT        runs it in the foreground
set -euo pipefail
cd "$(dirname "$0")/.."
version=5.2.5
home=.tools/moto

if [ ! -x "$home/bin/moto_server" ] || [ "$(cat "$home/version" 2>/dev/null)" != "$version" ]; then
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$version"
  echo "$version" >"$home/version"
fi
[ "${1:-}" = --install ] && exit 0
# Without its own copies of AWS's managed policies, moto refuses to attach them to roles.
export MOTO_IAM_LOAD_MANAGED_POLICIES=true
exec "$home/bin/moto_server" -H 127.0.0.1 -p "${1:?usage: scripts/moto.sh --install | PORT}"
