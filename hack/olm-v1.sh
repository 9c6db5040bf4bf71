#!/usr/bin/env bash
# Builds the renderer of OLM v1 as OUTPUT, see hack/olm-v1; `make olm-v1` runs it. Packages below internal/ can be imported
# by their own module alone: the program is built in a copy of it, with its go.sum.
# Usage: hack/olm-v1.sh VERSION OUTPUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=github.com/operator-framework/operator-controller
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
folder=$(cd "$scratch" && go mod download -json "$module@$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -R "$folder" "$scratch/module"
chmod -R u+w "$scratch/module"
mkdir "$scratch/module/cmd/olm-v1"
sed 1d hack/olm-v1/main.go >"$scratch/module/cmd/olm-v1/main.go" # without what keeps it out of this module
go -C "$scratch/module" build -tags containers_image_openpgp -ldflags '-s -w' -o "$2" ./cmd/olm-v1
