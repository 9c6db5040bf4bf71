#!/usr/bin/env bash
# Runs two commands side by side, each given as one word: beside.sh LOG FIRST SECOND. What the first says goes to the log, and is
# shown when both have ended. Fails if one of them does.
set -euo pipefail
log=$1
mkdir -p "$(dirname "$log")"
bash -ec "$2" >"$log" 2>&1 &
first=$!
trap 'kill "$first" 2>/dev/null || true' EXIT
code=0
bash -ec "$3" || code=$?
wait "$first" || code=$?
trap - EXIT
printf '\n==> meanwhile: %s\n' "$2"
cat "$log"
exit "$code"
