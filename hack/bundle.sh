#!/usr/bin/env bash
# Generates the OLM bundle, bundle/ and bundle.Dockerfile, in the folder OUTPUT; `make bundle` runs it. The same sources
# give the same files. Usage: hack/bundle.sh VERSION IMAGE OUTPUT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN=${BIN:-$PWD/bin}
version=$1 image=$2 output=$(cd "$3" && pwd)

# Kubernetes 1.31 and later, which is minKubeVersion of the ClusterServiceVersion, as versions of OpenShift.
openshift=v4.18

# One channel for each major version, as catalog/catalog-templates/semver.yaml has opm name them.
channel=stable-v${version%%.*}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -R config "$scratch/"
(cd "$scratch/config/manager" && "$BIN/kustomize" edit set image "controller=$image")
"$BIN/kustomize" build "$scratch/config/manifests" >"$scratch/manifests.yaml"

# operator-sdk writes where it is started, and takes the name and the layout of the project from PROJECT. It reads nothing
# but a pipe.
cp PROJECT "$scratch/"
# shellcheck disable=SC2002
(cd "$scratch" && cat manifests.yaml | "$BIN/operator-sdk" generate bundle --quiet --overwrite \
	--version "$version" --channels "$channel" --default-channel "$channel")
go run ./hack/csv -crd config/crd/bases/apps.example.com_applications.yaml \
	-base config/manifests/bases/app-operator.clusterserviceversion.yaml -icon config/manifests/bases/icon.svg \
	"$scratch/bundle/manifests/app-operator.clusterserviceversion.yaml"

cat >>"$scratch/bundle/metadata/annotations.yaml" <<-END

	  # The catalogs of OpenShift that this is for: this version and later ones.
	  com.redhat.openshift.versions: $openshift
END
cat >>"$scratch/bundle.Dockerfile" <<-END

	# The catalogs of OpenShift that this is for: this version and later ones.
	LABEL com.redhat.openshift.versions=$openshift
END

rm -rf "$output/bundle"
cp -R "$scratch/bundle" "$scratch/bundle.Dockerfile" "$output/"
echo "bundle of $version with $image: $output/bundle"
