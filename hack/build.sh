#!/usr/bin/env bash
# Builds others' programs, which one module in tools/ pins, by one go command, so that one is linked while another is compiled;
# shows how far it is. Programs that are there and not older than the module's files are left alone.
# Usage: hack/build.sh FOLDER OUTPUT LDFLAGS PACKAGE ...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1 output=$2 ldflags=$3
missing=()
for package in "${@:4}"; do
	program=$output/$(basename "$package")
	[[ -e $program && ! $folder/go.mod -nt $program && ! $folder/go.sum -nt $program ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

names=$(basename -a "${missing[@]}" | paste -sd' ' -)
mkdir -p "$output"
scratch=$(mktemp -d "$output/build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
all=$(go -C "$folder" list -deps "${missing[@]}" | wc -l)
echo "Building from source, once: $names, of $((all)) packages"
terminal=0
[[ ! -t 1 ]] || terminal=1
# What is compiled is told by name, and everything else is an error.
go -C "$folder" build -v -ldflags "$ldflags" -o "$scratch/" "${missing[@]}" 2>&1 |
	awk -v all="$((all))" -v terminal="$terminal" '
		/^[^ :#]+$/ {
			compiled++
			if (terminal) printf "\r  %d of %d packages", compiled, all
			else if (compiled % 100 == 0) printf "  %d of %d packages\n", compiled, all
			fflush()
			next
		}
		{ print }
		END { if (compiled && terminal) print "" }'
mv "$scratch"/* "$output/"
