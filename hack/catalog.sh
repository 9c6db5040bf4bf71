#!/usr/bin/env bash
# Renders the file-based catalog OUTPUT/catalog/configs from TEMPLATE; `make catalog` runs it. The newest bundle need not
# be published yet: it is taken from the folder BUNDLE, which holds bundle/ and bundle.Dockerfile. A registry on loopback
# gives it to opm, with the older ones, which are copied there. The same bundles give the same files.
# Usage: hack/catalog.sh TEMPLATE BUNDLE_IMAGE BUNDLE OUTPUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN=${BIN:-$PWD/bin}
template=$1 image=$2 bundle=$3 output=$(cd "$4" && pwd)

listed=$(sed -nE 's/^ *- Image: //p' "$template")
if [[ ${listed##*$'\n'} != "$image" ]]; then
	echo "The last bundle of $template is ${listed##*$'\n'}. Remedy: add $image, the newest bundle last."
	exit 1
fi

scratch=$(mktemp -d)
registry=
trap '[[ -z $registry ]] || kill "$registry"; rm -rf "$scratch"' EXIT
touch "$scratch/registry.log"
"$BIN/crane" registry serve --address 127.0.0.1:0 >"$scratch/registry.log" 2>&1 &
registry=$!
until port=$(sed -n 's/.*serving on port //p' "$scratch/registry.log") && [[ -n $port ]]; do
	kill -0 "$registry" || { cat "$scratch/registry.log"; exit 1; }
	sleep 0.1
done

"$BIN/image" -dockerfile "$bundle/bundle.Dockerfile" -context "$bundle" -output "$scratch/bundle" >/dev/null
"$BIN/crane" push "$scratch/bundle" "127.0.0.1:$port/bundle:${image##*:}" >/dev/null 2>&1
for older in $(sed '$d' <<<"$listed"); do
	"$BIN/crane" copy "$older" "127.0.0.1:$port/bundle:${older##*:}"
done

# opm finds the repository of the bundles here, by plain HTTP. It wants to be told that a bundle need not be signed. It
# reads both in the home folder.
mkdir -p "$scratch/configs/app-operator" "$scratch/.config/containers"
cat >"$scratch/.config/containers/registries.conf" <<-END
	[[registry]]
	location = "${image%:*}"
	[[registry.mirror]]
	location = "127.0.0.1:$port/bundle"
END
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$scratch/.config/containers/policy.json"
HOME=$scratch "$BIN/opm" alpha render-template "$template" \
	--use-http --migrate-level bundle-object-to-csv-metadata --output yaml >"$scratch/configs/app-operator/catalog.yaml"
"$BIN/opm" validate "$scratch/configs"

rm -rf "$output/catalog/configs"
mkdir -p "$output/catalog"
cp -R "$scratch/configs" "$output/catalog/"
echo "catalog with $image: $output/catalog/configs"
