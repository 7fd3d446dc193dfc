#!/bin/sh
# Builds the conformance provider (under both of its names), the fast provider and the go-cty vector program into the
# folder given, or into target/conformance of the checkout. Go's own cache makes it quick when nothing changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/../../target/conformance}
if ! command -v go >/dev/null 2>&1; then
	echo "tests/conformance/build.sh: no 'go' in PATH; the conformance programs need Go 1.26 or newer (https://go.dev/dl)" >&2
	exit 1
fi
mkdir -p "$target"
target=$(cd "$target" && pwd)
cd "$here"
export GOFLAGS="-mod=readonly -buildvcs=false -trimpath" CGO_ENABLED=0

# A finished file is renamed into place, so that a test that starts the old one meanwhile is not disturbed.
install_as() {
	if ! cmp -s "$1" "$target/$2"; then
		cp "$1" "$target/.$2.$$" && mv -f "$target/.$2.$$" "$target/$2"
	fi
}
# One output folder of its own: Go leaves a binary there alone when it is up to date.
built=$target/.built
mkdir -p "$built"
go build -o "$built/" ./provider ./latest ./fast ./vectors
install_as "$built/provider" terraform-provider-conformance
install_as "$built/provider" terraform-provider-conformance6
install_as "$built/latest" terraform-provider-latest
install_as "$built/fast" terraform-provider-fast
install_as "$built/vectors" cty-vectors
