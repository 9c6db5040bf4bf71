#!/usr/bin/env bash
# Compares the micro-benchmarks of another revision with those of the working tree, which take turns, so that both meet the
# machine in the same moods. Usage: hack/bench-compare.sh REVISION [COUNT], by default 10 rounds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN=${BIN:-$PWD/bin}
revision=${1:?REVISION is missing, for example make bench-compare REV=main}
count=${2:-10}

commit=$(git rev-parse --short --verify "$revision^{commit}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/before"
git archive "$commit" | tar -x -C "$work/before"

# What both have, or only one of them.
measure() { go -C "$1" test -run '^$' -bench . -benchmem -count 1 ./internal/...; }

for ((round = 1; round <= count; round++)); do
	echo "round $round of $count" >&2
	measure "$work/before" >>"$work/$commit"
	measure . >>"$work/working-tree"
done
cd "$work"
"$BIN/benchstat" "$commit" working-tree
