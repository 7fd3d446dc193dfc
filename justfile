# Conveniences; each is one line over a script or a cargo command that works without `just`.

# Everything that continuous integration runs.
ci:
    .ci/run

# Quick feedback: does it compile, and is it clean?
check:
    cargo clippy --workspace --all-targets -- -D warnings

# Every test.
test:
    scripts/test.sh

# The bindings and the protobuf code, from their sources.
generate:
    cargo run --quiet -p terrane-codegen -- generate

# Moto's server on a port.
moto port="5000":
    scripts/moto.sh {{port}}

fmt:
    cargo fmt --all

deny:
    cargo deny check
