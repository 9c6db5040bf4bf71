#!/usr/bin/env bash
# Takes programs of Kubernetes from where Kubernetes publishes them, in place of building them from source: PREBUILT=1 make demo. Nothing is
# put into OUTPUT that does not come out of an archive with its checksum in hack/prebuilt.sha512. Programs that are there and not older than that
# list are left alone.
#
# Usage: hack/prebuilt.sh OUTPUT PROGRAM ...
# PREBUILT_FROM is where the archives are: https://dl.k8s.io, or a mirror of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sums=hack/prebuilt.sha512
output=$1 from=${PREBUILT_FROM:-https://dl.k8s.io}
missing=()
for program in "${@:2}"; do
	[[ -e $output/$program && ! $sums -nt $output/$program ]] || missing+=("$program")
done
((${#missing[@]})) || exit 0

fail() {
	printf 'PREBUILT=1: %s\nNothing was changed. Without PREBUILT=1, the same is built from source.\n' "$1" >&2
	exit 1
}

platform=$(go env GOHOSTOS)-$(go env GOHOSTARCH)
read -r sum archive < <(awk -v end="/kubernetes-server-$platform.tar.gz" \
	'/^[0-9a-f]/ && substr($2, length($2) - length(end) + 1) == end' "$sums") ||
	fail "Kubernetes publishes no kube-apiserver for ${platform/-//}, or $sums does not know it."
for tool in curl sha512sum tar; do
	command -v "$tool" >/dev/null || fail "it takes $tool, which is not installed."
done

mkdir -p "$output"
scratch=$(mktemp -d "$output/prebuilt.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
echo "Downloading $from/$archive (several hundred MB), for: ${missing[*]}"
progress=(--silent --show-error)
[[ ! -t 2 ]] || progress=(--progress-bar)
curl --fail --location "${progress[@]}" --retry 3 --output "$scratch/archive" "$from/$archive" ||
	fail "$from/$archive could not be downloaded. PREBUILT_FROM names a mirror."
echo "$sum  $scratch/archive" | sha512sum --check --status ||
	fail "$from/$archive is not what Kubernetes has published: its checksum is not the one in $sums."
members=("${missing[@]/#/kubernetes/server/bin/}")
# As of now, so that they are newer than the list.
tar -xzmf "$scratch/archive" -C "$scratch" "${members[@]}" || fail "$from/$archive does not hold ${missing[*]}."
mv "${members[@]/#/$scratch/}" "$output/"
