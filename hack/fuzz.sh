#!/usr/bin/env bash
# Runs each fuzz target of the repository for a while, one after the other, as `go test -fuzz` takes one at a time;
# `make fuzz` runs it. Usage: hack/fuzz.sh TIME, for example 30s or 1000x.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzztime=$1
grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file _ declaration; do
	target=${declaration#func }
	echo "==> fuzz $target in $(dirname "$file") for $fuzztime"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$(dirname "$file")" </dev/null
done
