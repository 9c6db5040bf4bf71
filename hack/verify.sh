#!/usr/bin/env bash
# Checks that the repository is what it claims to be; `make verify` runs it. It edits nothing in the working tree:
# what is generated is generated in a copy. Usage: hack/verify.sh [CHECK ...], by default every check.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN=${BIN:-$PWD/bin}
MAX_FILE_KIB=512
CHECKS=(generated modules versions format lint vet manifests schemas bundle image workflows licenses sizes clean)

# Every file that is or could be committed.
files() {
	git ls-files -z --cached --others --exclude-standard -- "$@" | while IFS= read -r -d '' file; do
		[[ -e $file ]] && printf '%s\0' "$file"
	done
	return 0
}

# Generated files are what their sources say, and none is missing.
generated() {
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	mkdir "$copy/committed"
	# -p keeps the times: make must not take the tools in bin/ for older than their go.mod.
	files | tar -c --null -T - | tar -xp -C "$copy/committed"
	cp -Rp "$copy/committed" "$copy/generated"
	# What nothing generates any more must not survive.
	rm -f "$copy"/generated/{config/crd/bases,test/crds}/*.yaml "$copy/generated/config/rbac/role.yaml" "$copy/generated/docs/api.md"
	find "$copy/generated/api" "$copy/generated/internal" -name 'zz_generated.*' -delete
	make --no-print-directory -C "$copy/generated" BIN="$BIN" generate manifests api-docs
	if ! (cd "$copy" && diff -ruN committed generated); then
		echo "Generated files are out of date. Remedy: make generate manifests api-docs"
		return 1
	fi
}

# Every go.mod and go.sum is tidy.
modules() {
	local mod failed=0
	for mod in go.mod tools/*/go.mod; do
		if ! go -C "$(dirname "$mod")" mod tidy -diff; then
			echo "$mod is not tidy. Remedy: go -C $(dirname "$mod") mod tidy"
			failed=1
		fi
	done
	return "$failed"
}

# The ginkgo command refuses suites that were compiled with another version of its library. The API reference links to
# the Kubernetes release whose types the API uses.
versions() {
	local module=github.com/onsi/ginkgo/v2 library command kubernetes
	library=$(go list -m -f '{{.Version}}' "$module")
	command=$(go -C tools/ginkgo list -m -f '{{.Version}}' "$module")
	if [[ $library != "$command" ]]; then
		echo "go.mod has $module $library, tools/ginkgo/go.mod has $command."
		return 1
	fi
	kubernetes=$(go list -m -f '{{.Version}}' k8s.io/api)
	kubernetes=${kubernetes/#v0/1}
	if ! grep -qxF "  kubernetesVersion: \"${kubernetes%.*}\"" hack/crd-ref-docs/config.yaml; then
		echo "go.mod has the types of Kubernetes ${kubernetes%.*}, hack/crd-ref-docs/config.yaml links to another release."
		return 1
	fi
}

format() { "$BIN/golangci-lint" fmt --diff; }

# Modules with Go files of ours.
SOURCES=(. tools/crane tools/plot)

lint() {
	local mod failed=0
	"$BIN/golangci-lint" config verify
	for mod in "${SOURCES[@]}"; do
		(cd "$mod" && "$BIN/golangci-lint" run) || failed=1
	done
	return "$failed"
}

vet() {
	local mod
	for mod in "${SOURCES[@]}"; do
		go -C "$mod" vet ./...
	done
}

# Every kustomization that somebody may apply can be built, each component on top of config/default.
manifests() {
	local dir
	for dir in config/crd config/default config/network-policy config/overlays/*/ config/prometheus*/ config/samples; do
		[[ -d $dir ]] || continue
		echo "kustomize build $dir"
		"$BIN/kustomize" build "$dir" >/dev/null
	done
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	cp -R config "$copy/"
	mkdir "$copy/with"
	for dir in config/components/*/; do
		echo "kustomize build config/default with $dir"
		printf 'resources: [../config/default]\ncomponents: [../%s]\n' "$dir" >"$copy/with/kustomization.yaml"
		"$BIN/kustomize" build "$copy/with" >/dev/null
	done
}

# kubeconform takes samples and examples, by the schema of a release, and finds in others what docs/editors.md says.
schemas() { go test -count=1 -vet=off ./test/schema; }

# Bundle and catalog are what their sources say, and operator-sdk and opm have nothing to say against their form.
bundle() {
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	make --no-print-directory OUTPUT="$copy" bundle catalog 2>&1 | sed '/level=info/d'
	for each in bundle bundle.Dockerfile catalog/configs; do
		if ! diff -ruN "$each" "$copy/$each"; then
			echo "$each is out of date. Remedy: make bundle catalog"
			return 1
		fi
	done
	# The form of the folder. What is in it is judged by test/bundle.
	"$BIN/operator-sdk" bundle validate ./bundle
	"$BIN/opm" validate catalog/configs
}

# The image is the same wherever and however often it is built.
image() {
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	local dir digests=()
	for dir in "$copy/one" "$copy/another/place"; do
		mkdir -p "$dir"
		files Makefile Dockerfile go.mod go.sum api cmd internal | tar -c --null -T - | (umask 077 && tar -xm -C "$dir")
		# -p keeps the times: make must not take bin/image for older than its sources.
		files tools/crane | tar -c --null -T - | tar -xp -C "$dir"
		digests+=("$(make --no-print-directory -C "$dir" BIN="$BIN" PLATFORMS="linux/$(go env GOARCH)" image | tail -n 1)")
	done
	echo "${digests[@]}"
	if [[ ${digests[0]} != sha256:* || ${digests[0]} != "${digests[1]}" ]]; then
		echo "Two builds of the image differ."
		return 1
	fi
}

# The workflows are sound. Each action is named by its commit, which nobody can move, and beside it by its version. What
# actionlint finds must not depend on the linters of scripts that a machine happens to have.
workflows() {
	"$BIN/actionlint" -shellcheck= -pyflakes= .github/workflows/*
	if grep -nE '^[ -]*uses:' .github/workflows/* | grep -vE 'uses: (\./[^ ]+|[^ @]+@[0-9a-f]{40} # v[0-9.]+)$'; then
		echo "An action is not pinned. Remedy: uses: OWNER/NAME@COMMIT # VERSION"
		return 1
	fi
}

# Every Go file starts with the license header, possibly after build constraints.
licenses() {
	local header file failed=0
	header=$(<hack/boilerplate.go.txt)
	while IFS= read -r -d '' file; do
		if [[ $(head -n 20 "$file") != *"$header"* ]]; then
			echo "$file lacks the header of hack/boilerplate.go.txt."
			failed=1
		fi
	done < <(files '*.go')
	return "$failed"
}

# A large file is nearly always a binary or an archive that was added by mistake. The catalog grows with each release.
sizes() {
	local file failed=0
	while IFS= read -r -d '' file; do
		[[ $file != catalog/configs/* ]] || continue
		if (($(wc -c <"$file") > MAX_FILE_KIB * 1024)); then
			echo "$file is larger than $MAX_FILE_KIB KiB."
			failed=1
		fi
	done < <(files)
	return "$failed"
}

# In CI the checkout must be exactly the commit, also after all that ran before.
clean() {
	[[ ${CI:-} == true ]] || return 0
	local changes
	changes=$(git status --porcelain)
	if [[ -n $changes ]]; then
		echo "The working tree is not clean:"
		echo "$changes"
		return 1
	fi
}

# One check runs in this process; several run in a process each, so that one that fails does not stop the others.
if (($# == 1)); then
	"$1"
	exit
fi
(($#)) && CHECKS=("$@")

failed=()
for check in "${CHECKS[@]}"; do
	echo "==> verify $check"
	SECONDS=0
	if ! "$BASH" hack/verify.sh "$check"; then
		echo "==> verify $check FAILED"
		failed+=("$check")
	fi
	((SECONDS < 5)) || echo "==> verify $check took ${SECONDS}s"
done

if ((${#failed[@]})); then
	echo "make verify: FAILED: ${failed[*]}. One check alone: hack/verify.sh NAME"
	exit 1
fi
echo "make verify: all checks passed"
