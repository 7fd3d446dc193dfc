#!/bin/sh
# Builds the Go programs that judge what CI is given, workflows and plans, into the folder given or target/ci of the checkout.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../../target/ci}
if ! command -v go >/dev/null 2>&1; then
	echo "tests/ci/build.sh: no 'go' in PATH; these programs need Go 1.26 or newer (https://go.dev/dl)" >&2
	exit 1
fi
mkdir -p "$target"
target=$(cd "$target" && pwd)
cd "$here"
# Go leaves a binary alone when it is up to date.
GOFLAGS="-mod=readonly -buildvcs=false -trimpath" CGO_ENABLED=0 go build -ldflags "-s -w" -o "$target/" ./workflow ./plan-reader
