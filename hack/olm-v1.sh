#!/usr/bin/env bash
# Builds a program of OLM v1, operator-controller's module, as OUTPUT: its own, or ./cmd/olm-v1, our renderer of hack/olm-v1.
# `make olm-v1`, `operator-controller` and `catalogd` run it. Packages below internal/ can be imported by their own module alone,
# and the module pins what no checksum database serves: it is built in a copy of it, with its go.sum.
# Usage: hack/olm-v1.sh VERSION PACKAGE OUTPUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=github.com/operator-framework/operator-controller
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
folder=$(cd "$scratch" && go mod download -json "$module@$1" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p')
cp -R "$folder" "$scratch/module"
chmod -R u+w "$scratch/module"
mkdir "$scratch/module/cmd/olm-v1"
sed 1d hack/olm-v1/main.go >"$scratch/module/cmd/olm-v1/main.go" # without what keeps it out of this module
go -C "$scratch/module" build -tags containers_image_openpgp -ldflags '-s -w' -o "$3" "$2"
