#!/usr/bin/env bash
# Licences, sources and layering of every dependency, by deny.toml; known advisories where a network allows.
#   scripts/deny.sh --install   builds cargo-deny into .tools/deny
#   scripts/deny.sh             checks
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2
home=.tools/deny

if [ ! -x "$home/bin/cargo-deny" ] || [ "$(cat "$home/version" 2>/dev/null)" != "$version" ]; then
  rm -rf "$home"
  # Unoptimised it builds in half the time and checks in three seconds.
  cargo install --quiet --locked --debug --root "$home" --version "$version" cargo-deny
  echo "$version" >"$home/version"
fi
[ "${1:-}" = --install ] && exit 0

# Without --workspace it checks the facade and its dependencies only.
deny() { "$home/bin/cargo-deny" --workspace "$@"; }

deny --offline check --hide-inclusion-graph --allow duplicate licenses bans sources
if timeout 60 "$home/bin/cargo-deny" --workspace fetch db >/dev/null 2>&1; then
  deny check --hide-inclusion-graph advisories
else
  echo "note: the advisory database cannot be fetched; advisories are left out" >&2
fi
