#!/usr/bin/env bash
# Runs every check and test of the project. Needs Rust, Go, Python 3, curl, jq and OpenSSL; whatever else tests need goes into the checkout's own
# folders (.tools/, target/), except Chromium, which only CI installs. Under CI=true a missing tool is a failure, otherwise what needs it is
# left out and named.
#   scripts/test.sh           everything
#   scripts/test.sh --quick   tests for an everyday edit, in two minutes; lists the rest
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
'') quick=false ;;
--quick) quick=true ;;
*)
  echo "usage: scripts/test.sh [--quick]" >&2
  exit 64
  ;;
esac

output=target/test-output
steps=()
current=
began=0

# Begins a step, and notes how long the one before took.
step() {
  if [ -n "$current" ]; then
    steps+=("$(printf '%5d s  %s' $((SECONDS - began)) "$current")")
  fi
  current=$1
  began=$SECONDS
  if [ -n "$current" ]; then printf '\n== %s\n' "$current"; fi
}

# The time of each step, also after a failure, and of each test program that took a second or more.
times() {
  step ''
  printf '\n== time by step\n'
  printf '%s\n' "${steps[@]}" "$(printf '%5d s  in all' "$SECONDS")"
  [ -e "$output" ] || return 0
  printf '\n== time by test program\n'
  awk '/^ +Running / { name = $NF; sub(/.*\//, "", name); sub(/-[0-9a-f]+\)$/, "", name) }
       /^ +Doc-tests / { name = "examples of " $2 }
       /; finished in / { sub(/s$/, "", $NF); if ($NF >= 1) printf "%7.1f s  %s\n", $NF, name }' "$output" | sort -rn
}

# The builds of cargo-deny and mdBook, in the background and a process group of their own.
builder=
trap '[ -z "$builder" ] || kill -- "-$builder" 2>/dev/null || true; times' EXIT

have() {
  command -v "$1" >/dev/null && return 0
  if [ "${CI:-}" = true ]; then
    echo "error: $1 is needed and not installed" >&2
    exit 1
  fi
  echo "note: $1 is not installed; the tests that need it are left out" >&2
  return 1
}

# `cargo test` for those, with its output kept for the times.
tests() {
  cargo test --locked --workspace "$@" 2>&1 | tee -a "$output"
}

mkdir -p target
rm -f "$output"

# A clean checkout is built once: the records for a next build would be 12 of 30 GB.
if [ "${CI:-}" = true ]; then export CARGO_INCREMENTAL=0; fi

# Every run of this script tries the same cases, so that a change is judged by what it changed. A plain `cargo test` draws new ones.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-1}"

if $quick; then
  step "format"
  cargo fmt --all --check

  step "tests of the layers and of the engine, compiled"
  cargo test --locked --workspace --lib --test engine --test bindings --no-run

  step "tests of the layers and of the engine"
  tests --lib --test engine --test bindings

  step ''
  cat <<'LEFT'

== left out (scripts/test.sh runs it)
   lints, examples in the documentation, the documentation itself and its site, generated bindings, licences and layering
   tests: cli, wire, sdk, state, sandbox, simulation, deaths, fuzz
LEFT
  exit 0
fi

if have go; then
  step "conformance programs (Go)"
  tests/conformance/build.sh
  (cd tests/conformance && go vet ./...)
  tests/ci/build.sh
  (cd tests/ci && go vet ./...)
fi

if have python3; then
  step "moto's server, as S3 and DynamoDB of the tests"
  scripts/moto.sh --install
fi

if [ "${CI:-}" = true ] && ! scripts/browser.sh --found; then
  step "a browser for the tests of pages"
  scripts/browser.sh --install
fi

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings

step "generated code is up to date"
for package in providers/* tests/bindings/acme; do
  cargo run --locked --quiet -p terrane-codegen -- generate --check "$package"
done
cargo run --locked --quiet -p terrane-codegen -- generate --check providers/aws ecr tests/bindings/aws_ecr
cargo run --locked --quiet -p terrane-protobuf -- --check

step "tests, compiled"
cargo test --locked --workspace --no-run

# Built at low priority beside the tests, and ready when they have passed.
set -m
nice -n 19 sh -c 'scripts/deny.sh --install && scripts/site.sh --install' >target/tools-output 2>&1 &
builder=$!
set +m

step "tests"
tests

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet

tools=true
wait "$builder" || tools=false
builder=
if $tools; then
  step "licences, sources and layering of dependencies"
  scripts/deny.sh

  step "the documentation as a site, and its links"
  scripts/site.sh
else
  cat target/tools-output >&2
  if [ "${CI:-}" = true ]; then
    echo "error: cargo-deny and mdBook are needed and could not be built" >&2
    exit 1
  fi
  echo "note: cargo-deny or mdBook could not be built; licences, layering and the site are not checked" >&2
fi

step ''
printf '\n== all passed\n'
