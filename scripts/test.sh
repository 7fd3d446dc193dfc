#!/usr/bin/env bash
# Runs every check and test of the project. Needs Rust, Go and Python 3; whatever else tests need goes into the checkout's own
# folders (.tools/, target/). Under CI=true a missing tool is a failure, otherwise what needs it is left out and named.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

have() {
  command -v "$1" >/dev/null && return 0
  if [ "${CI:-}" = true ]; then
    echo "error: $1 is needed and not installed" >&2
    exit 1
  fi
  echo "note: $1 is not installed; the tests that need it are left out" >&2
  return 1
}

if have go; then
  say "conformance programs (Go)"
  tests/conformance/build.sh
  (cd tests/conformance && go vet ./...)
fi

if have python3; then
  say "moto's server, as S3 and DynamoDB of the tests"
  scripts/moto.sh --install
fi

say "format"
cargo fmt --all --check

say "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings

say "generated bindings are what the generator writes"
cargo run --locked --quiet -p terrane-codegen -- generate --check

say "tests"
cargo test --locked --workspace

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet

say "all passed"
