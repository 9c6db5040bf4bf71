#!/usr/bin/env bash
# Deletes what a kustomization has installed, so that it ends: the Applications while the operator still runs, since those
# of the policies Drain and Orphan need it; then the operator; then the CRD. `make undeploy` and `make uninstall` run it, on the cluster of
# your kubeconfig. With the CRD every Application of the cluster goes, whichever operator serves it.
#
# Usage: hack/undeploy.sh KUSTOMIZATION IGNORE_NOT_FOUND, for example config/default false.
# KUBECTL and KUSTOMIZE are the programs. PATIENCE is for how many seconds nothing may change before an Application that no
# operator looks after is let go, and ten times as long until it is given up.
set -euo pipefail

kustomization=$1 ignore=$2
kustomize=${KUSTOMIZE:-kustomize} patience=${PATIENCE:-60}
crd=applications.apps.example.com finalizer=apps.example.com/finalizer
read -ra kubectl <<<"${KUBECTL:-kubectl}" # with flags, it may be

# documents of the manifests: yes, those that are the CRD; no, the others.
documents() {
	awk -v crd="$1" '
		function flush() { if (text != "" && (text ~ /\nkind: CustomResourceDefinition\n/) == (crd == "yes")) printf "---%s", text; text = "" }
		$0 == "---" { flush(); next }
		{ text = (text == "" ? "\n" : text) $0 "\n" }
		END { flush() }' <<<"$manifests"
}

# installed prints the name of the CRD if there is one. It fails if the API server does not answer.
installed() { "${kubectl[@]}" get crd "$crd" --ignore-not-found --output name; }

# applications lists what is left: a line for each, with the namespace, the name, the reason of its condition Ready, its
# finalizers, and what it waits for, with a tab between. It fails if the API server does not answer.
applications() {
	local found
	found=$(installed) || return 1
	[[ -n $found ]] || return 0
	"${kubectl[@]}" get "$crd" --all-namespaces --output go-template='{{range .items}}{{$reason := ""}}{{$message := ""}}
		{{- range .status.conditions}}{{if eq .type "Ready"}}{{$reason = .reason}}{{$message = .message}}{{end}}{{end}}
		{{- .metadata.namespace}}	{{.metadata.name}}	{{or $reason "-"}}	{{range .metadata.finalizers}}{{.}},{{else}}-{{end}}	{{or $message "no operator has looked at it" | printf "%q"}}
{{end}}'
}

# let_go takes the finalizer off the Applications of the list that no operator looks after.
let_go() {
	local namespace name reason finalizers rest
	while IFS=$'\t' read -r namespace name reason finalizers _; do
		[[ $reason != Draining && ,$finalizers == *,$finalizer,* ]] || continue
		echo "No operator looks after Application $namespace/$name: letting it go. Kubernetes deletes its objects in no order."
		rest=$(tr , '\n' <<<"$finalizers" | awk -v own="$finalizer" '$0 != "" && $0 != own { printf "%s\"%s\"", comma, $0; comma = "," }')
		"${kubectl[@]}" patch "$crd" "$name" --namespace "$namespace" --type merge \
			--patch "{\"metadata\":{\"finalizers\":[$rest]}}" >/dev/null || true # it may be gone by now
	done <<<"$1"
}

# await returns when no Application is left, and tells what it waits for whenever that changes.
await() {
	local left before='' since=$SECONDS
	while left=$(applications 2>/dev/null) || left=$'?\t?\t-\t-\tthe API server does not say' && [[ -n $left ]]; do
		if [[ $left != "$before" ]]; then
			echo "Waiting for $(($(wc -l <<<"$left"))) Applications to be gone:"
			awk -F '\t' 'NR <= 10 { print "  " $1 "/" $2 ": " $5 } END { if (NR > 10) print "  and " NR - 10 " more" }' <<<"$left"
			before=$left since=$SECONDS
		elif ((SECONDS - since >= 10 * patience)); then
			echo "Nothing has changed for $((SECONDS - since)) s. What is left is held up by its finalizers:" >&2
			awk -F '\t' '{ print "  " $1 "/" $2 ": " $4 }' <<<"$left" >&2
			echo "See to whoever set them. To let one go: kubectl patch appl/NAME -n NAMESPACE --type=merge -p '{\"metadata\":{\"finalizers\":null}}'" >&2
			return 1
		elif ((SECONDS - since >= patience)); then
			let_go "$left"
		fi
		sleep 1
	done
}

# delete deletes the documents that come in, and goes on if that fails: what is not there is an error unless it is ignored.
failed=0
delete() {
	local input
	input=$(cat)
	[[ -z $input ]] || "${kubectl[@]}" delete --ignore-not-found="$ignore" "$@" --filename - <<<"$input" || failed=1
}

manifests=$("$kustomize" build "$kustomization")
found=$(installed)
if [[ -n $found ]]; then
	"${kubectl[@]}" delete "$crd" --all --all-namespaces --wait=false
	await
fi
delete < <(documents no)
delete --wait=false < <(documents yes)
found=$(installed)
if [[ -n $found ]]; then
	await # one that was made meanwhile
	"${kubectl[@]}" wait --for=delete "crd/$crd" --timeout="${patience}s"
fi
exit "$failed"
