#!/usr/bin/env bash
# Runs the API tests, and the part of the controller suite that is about what an Application becomes, on control planes of
# other versions of Kubernetes; `make test-kubernetes` builds these and runs it. It ends with how many tests and specs ran.
# Usage: hack/kubernetes.sh VERSION ..., each a minor version such as 1.33
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN=${BIN:-$PWD/bin}
# What depends on Kubernetes more than on the operator alone: what is made, what its controllers do with it, what is refused.
files='(adoption|autoscaling|deletion|drift|exposure|kstatus|lifecycle|rollout|schedules|security|service|volumes)_test.go'

failed=()
summary=()
for version in "$@"; do
	folder=$BIN/kubernetes-$version
	mkdir -p "$folder"
	for binary in etcd kubectl kwok; do
		ln -sf "$BIN/$binary" "$folder/"
	done
	for binary in kube-apiserver kube-controller-manager kube-scheduler; do
		ln -sf "$BIN/$binary-$version" "$folder/$binary"
	done
	echo "==> Kubernetes $version: API tests"
	KUBEBUILDER_ASSETS=$folder API_SERVER=kube-apiserver go test -count=1 -vet=off -timeout 30m -v ./test/api >"$folder/api.log" 2>&1 ||
		failed+=("$version: $folder/api.log")
	passed=$(grep -cE '^ *--- PASS' "$folder/api.log" || true)
	refused=$(grep -cE '^ *--- FAIL' "$folder/api.log" || true)
	echo "==> Kubernetes $version: controller suite"
	KUBEBUILDER_ASSETS=$folder "$BIN/ginkgo" --vet=off --procs="${CONTROLLER_PROCS:-4}" --timeout=40m --no-color \
		--focus-file="$files" ./test/controller >"$folder/controller.log" 2>&1 || failed+=("$version: $folder/controller.log")
	specs=$(grep -E '^(Ran [0-9]+ of|.*[0-9]+ Passed)' "$folder/controller.log" | tr '\n' ' ' || true)
	summary+=("Kubernetes $version: API tests: $passed passed, $refused failed; controller suite: ${specs:-it did not run}")
done

printf '%s\n' "${summary[@]}"
if ((${#failed[@]})); then
	printf 'FAILED on %s\n' "${failed[@]}"
	exit 1
fi
