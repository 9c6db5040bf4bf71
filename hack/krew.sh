#!/usr/bin/env bash
# Writes the manifest by which krew installs the plugin, for the archives that lie in a folder, into that folder: app.yaml.
# Usage: hack/krew.sh VERSION REPOSITORY FOLDER, for example hack/krew.sh 1.0.0 github.com/acme/app-operator dist/plugin
set -euo pipefail

(($# == 3)) || { echo "usage: hack/krew.sh VERSION REPOSITORY FOLDER" >&2; exit 1; }
version=$1 repository=$2 folder=$3

{
	cat <<-END
		apiVersion: krew.googlecontainertools.github.com/v1alpha2
		kind: Plugin
		metadata:
		  name: app
		spec:
		  version: v$version
		  homepage: https://$repository
		  shortDescription: See Applications of app-operator, and act on them
		  description: |
		    Shows on one screen how an Application of app-operator fares, says why it is
		    not well and what to do next, shows what the operator would change, and acts:
		    restart, scale, suspend, pause, rollback. It needs no more rights than its user has.
		  platforms:
	END
	for archive in "$folder"/kubectl-app_*.tar.gz; do
		platform=$(basename "$archive" .tar.gz) platform=${platform#kubectl-app_}
		extension=
		[[ $platform != windows_* ]] || extension=.exe
		cat <<-END
			  - selector:
			      matchLabels: {os: ${platform%_*}, arch: ${platform#*_}}
			    uri: https://$repository/releases/download/v$version/$(basename "$archive")
			    sha256: $({ sha256sum "$archive" 2>/dev/null || shasum -a 256 "$archive"; } | cut -d' ' -f1)
			    bin: kubectl-app$extension
			    files:
			    - {from: kubectl-app$extension, to: .}
			    - {from: LICENSE, to: .}
		END
	done
} >"$folder/app.yaml"
