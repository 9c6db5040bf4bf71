#!/usr/bin/env bash
# Signs an image that is pushed, and attests what it is made of, so that both are in the registry beside it.
# Usage: hack/sign.sh NAME@DIGEST [CYCLONEDX_FILE ...]
# With COSIGN_KEY, a file or the address of a key, it signs by that, and tells no public log. Without, it signs as whoever
# runs it, as GitHub's workflows can: by a certificate of Sigstore, and with an entry in its log.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage="Usage: make sign IMG=NAME@sha256:DIGEST [SBOM=\"CYCLONEDX_FILE ...\"] [COSIGN_KEY=KEY]"
image=${1:?$usage}
# A tag can be moved between the look and the signature.
if [[ ! $image =~ ^.+@sha256:[0-9a-f]{64}$ ]]; then
	echo "$image has no digest. $usage" >&2
	exit 2
fi
for file in "${@:2}"; do
	if [[ ! -s $file ]]; then
		echo "$file is missing or empty. Remedy: make sbom PLATFORMS=all" >&2
		exit 2
	fi
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
how=(--yes)
if [[ ${COSIGN_KEY:-} ]]; then
	"$BIN/cosign" signing-config create --out "$scratch/no-log.json"
	how+=(--key "$COSIGN_KEY" --signing-config "$scratch/no-log.json")
fi
"$BIN/cosign" sign "${how[@]}" "$image"
for file in "${@:2}"; do
	"$BIN/cosign" attest "${how[@]}" --type cyclonedx --predicate "$file" "$image"
done
