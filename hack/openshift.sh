#!/usr/bin/env bash
# Adds what OpenShift has beyond other clusters, config/openshift, to the manifests of a bundle.
# Usage: hack/openshift.sh BUNDLE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bundle=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$BIN/kustomize" build config/openshift --output "$scratch"
cp -n "$scratch"/* "$bundle/manifests/"
