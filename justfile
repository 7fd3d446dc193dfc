# Conveniences; each is one line over a script or a cargo command that works without `just`.

# Everything that continuous integration runs.
ci:
    .ci/run

# Quick feedback: does it compile, and is it clean?
check:
    cargo clippy --workspace --all-targets -- -D warnings

# Tests for an everyday edit, in two minutes.
quick:
    scripts/test.sh --quick

# Every test.
test:
    scripts/test.sh

# The state in S3, over moto.
test-aws:
    cargo test -p terrane-tests --test state

# The bindings and the protobuf code, from their sources.
generate:
    cargo run --quiet -p terrane-codegen -- generate

# Moto's server on a port.
moto port="5000":
    scripts/moto.sh {{port}}

fmt:
    cargo fmt --all

# The documentation as a site.
site:
    scripts/site.sh

# Licences, sources and layering of dependencies.
deny:
    scripts/deny.sh
