#!/usr/bin/env bash
# A kind cluster for tests, with a registry and OLM; `make cluster-up` and `make cluster-down` run it. What is there
# already is completed or left alone, so a second `up` costs seconds. It touches no other kubeconfig than its own,
# bin/cluster/kubeconfig. `make cluster-up-olm-v1` adds OLM v1. Usage: hack/kind/cluster.sh up|olm-v1 VERSION|down
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export BIN=${BIN:-$PWD/bin}
IMAGE_BIN=${IMAGE_BIN:-$BIN} # of programs for Linux
export PATH=$BIN:$PATH
CLUSTER=app-operator
STATE=$BIN/cluster
export KUBECONFIG=$STATE/kubeconfig

# The registry is a container beside the nodes. They ask it for every image before they ask the image's own registry, so
# that what is pushed as localhost:5001/library/nginx:latest is also nginx:latest for a pod.
REGISTRY=$CLUSTER-registry
PORT=5001

# step TEXT COMMAND ...
step() {
	local began=$SECONDS
	printf '==> %s\n' "$1"
	"${@:2}"
	printf '==> %s: %ds\n' "$1" $((SECONDS - began))
}

pinned() { go -C "tools/$1" list -m -f '{{.Version}}' "$2"; }
folder() { go -C "tools/$1" list -m -f '{{.Dir}}' "$2"; }

# Sets image: the one that KIND_NODE_IMAGE names, else kind's own where it can be had, else one built from source.
find_node_image() {
	image=${KIND_NODE_IMAGE:-}
	[[ -z $image ]] || return 0
	local theirs ours
	theirs=$(grep -o 'kindest/node:[^"]*' "$(folder kind sigs.k8s.io/kind)/pkg/apis/config/defaults/image.go")
	ours=$(hack/kind/node-image.sh name)
	for image in "$theirs" "$ours"; do
		! docker image inspect "$image" >/dev/null 2>&1 || return 0
	done
	image=$theirs
	! docker pull --quiet "$image" || return 0
	echo "$image cannot be pulled: building a node image instead."
	image=$ours
	make --no-print-directory node-image
}

# Sets nodes.
create_cluster() {
	if ! kind get clusters 2>/dev/null | grep -qx "$CLUSTER"; then
		find_node_image
		local config
		config=$(<hack/kind/cluster.yaml)
		# Our image brings a kube-proxy of its own, see node-image.sh.
		[[ $image != "$CLUSTER"/* ]] || config+=$'\nnetworking: {kubeProxyMode: none}'
		rm -rf "$STATE/logs"
		kind create cluster --name "$CLUSTER" --image "$image" --config - --wait 5m --retain <<<"$config" || {
			kind export logs --name "$CLUSTER" "$STATE/logs"
			kind delete cluster --name "$CLUSTER"
			return 1
		}
	fi
	kind export kubeconfig --name "$CLUSTER" --quiet
	nodes=$(kind get nodes --name "$CLUSTER")
	if ! kubectl wait node --all --for=condition=Ready --timeout=120s; then
		echo "The cluster $CLUSTER does not answer as it should. Remedy: make cluster-down cluster-up"
		return 1
	fi
}

start_registry() {
	local dir=$STATE/registry node name
	mkdir -p "$dir"
	# The name localhost is for this machine, the other for the nodes.
	[[ -s $dir/tls.crt ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-subj "/CN=$REGISTRY" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:$REGISTRY" \
		-keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
	if [[ $(docker container inspect -f '{{.State.Running}}' "$REGISTRY" 2>/dev/null) != true ]]; then
		docker rm --force "$REGISTRY" >/dev/null 2>&1 || true
		cp "$IMAGE_BIN/registry" hack/kind/registry.yaml "$dir/"
		docker build --quiet --tag "$REGISTRY" --file - "$dir" <<-'D'
			FROM scratch
			COPY registry registry.yaml tls.crt tls.key /
			ENTRYPOINT ["/registry", "serve", "/registry.yaml"]
		D
		docker run --detach --name "$REGISTRY" --network kind --publish "127.0.0.1:$PORT:5001" "$REGISTRY" >/dev/null
	fi
	for node in $nodes; do
		for name in _default "localhost:$PORT"; do
			trust_registry "$name" | docker exec --interactive "$node" sh -c "
				mkdir -p '/etc/containerd/certs.d/$name'
				cat > '/etc/containerd/certs.d/$name/hosts.toml'"
		done
		docker exec --interactive "$node" sh -c 'cat > /etc/containerd/certs.d/registry.crt' <"$dir/tls.crt"
	done
}

# What tells containerd to ask our registry. For localhost, which is another one on each node, it is the only one to ask.
trust_registry() {
	[[ $1 == _default ]] || printf 'server = "https://%s:5001"\nca = "/etc/containerd/certs.d/registry.crt"\n' "$REGISTRY"
	printf '[host."https://%s:5001"]\n' "$REGISTRY"
	printf 'capabilities = ["pull", "resolve"]\nca = "/etc/containerd/certs.d/registry.crt"\n'
}

# push_image NAME DOCKERFILE FILE[=NAME] ...: builds an image from static files and pushes it.
push_image() {
	local dir file
	dir=$(mktemp -d "$STATE/image.XXXXXX")
	for file in "${@:3}"; do
		cp "${file%%=*}" "$dir/$(basename "${file##*=}")"
	done
	docker build --quiet --tag "localhost:$PORT/$1" --file - "$dir" <"$2" >/dev/null
	rm -rf "$dir"
	docker push --quiet "localhost:$PORT/$1"
}

# Prints where a static busybox for Linux is: this machine's, or that of the image busybox.
find_busybox() {
	[[ $(uname -s) != Linux ]] || ! command -v busybox || return 0
	local container
	container=$(docker create busybox:musl) && docker cp "$container:/bin/busybox" "$STATE/busybox" >&2 &&
		docker rm "$container" >/dev/null && echo "$STATE/busybox"
}

# OLM's own chart of the pinned release, with images built from the same module.
install_olm() {
	local module=github.com/operator-framework/operator-lifecycle-manager chart dir=$STATE/olm olm opm busybox tries=60
	chart=$(folder olm "$module")/deploy
	olm=operator-framework/olm:$(pinned olm "$module")
	opm=operator-framework/opm:$(pinned opm github.com/operator-framework/operator-registry)
	# OLM calls cp in its image, and a shell and a probe in that of a catalog.
	busybox=$(find_busybox) || {
		echo "There is no busybox, which OLM's images need, nor its image. Remedy: apt-get install busybox-static"
		return 1
	}
	push_image "$olm" hack/kind/olm/olm.Dockerfile "$busybox" "$IMAGE_BIN/olm" "$IMAGE_BIN/olm-catalog=catalog" \
		"$IMAGE_BIN/olm-package-server=package-server" "$IMAGE_BIN/olm-copy-content=copy-content" "$IMAGE_BIN/olm-cpb=cpb"
	push_image "$opm" hack/kind/olm/opm.Dockerfile "$busybox" "$IMAGE_BIN/opm" "$IMAGE_BIN/grpc_health_probe"

	# Another install type than "upstream" leaves out the catalog of all community operators.
	mkdir -p "$dir"
	helm template olm "$chart/chart" --values "$chart/upstream/values.yaml" \
		--set installType=test,package.image.pullPolicy=IfNotPresent,catalog.opmImageArgs="--opmImage=quay.io/$opm" \
		--set "olm.image.ref=quay.io/$olm,catalog.image.ref=quay.io/$olm,package.image.ref=quay.io/$olm" >"$dir/olm.yaml"
	kubectl apply --server-side -f "$chart/chart/crds" >/dev/null
	# kubectl wait fails at a CustomResourceDefinition whose conditions are still null.
	until kubectl wait --for=condition=Established -f "$chart/chart/crds" --timeout=60s >/dev/null; do
		((--tries)) || return 1
		sleep 1
	done
	kubectl apply --server-side -f "$dir/olm.yaml"
	kubectl rollout status --namespace olm deployment/olm-operator --timeout=180s
	kubectl rollout status --namespace olm deployment/catalog-operator --timeout=180s
	kubectl wait --namespace olm csv/packageserver --for=jsonpath='{.status.phase}'=Succeeded --timeout=180s
}

# OLM v1, beside OLM: the manifests of the release, with an image of both of its programs.
install_olm_v1() {
	local module=github.com/operator-framework/operator-controller dir=$STATE/olm-v1 image=operator-framework/olm-v1 config ip
	push_image "$image:$1" hack/kind/olm-v1/Dockerfile "$IMAGE_BIN"/{catalogd,operator-controller} \
		hack/kind/olm-v1/{passwd,policy.json,registries.conf}
	config=$(go -C / mod download -json "$module@$1" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p')/config
	rm -rf "$dir/config"
	mkdir -p "$dir"
	cp -R "$config" "$dir/config"
	chmod -R u+w "$dir/config"
	# Whom both trust: each other, by one certificate, and the registry.
	[[ -s $dir/tls.crt ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=olm-v1" \
		-addext "subjectAltName=DNS:catalogd-service.olmv1-system.svc,DNS:operator-controller-service.olmv1-system.svc" \
		-keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
	cat "$dir/tls.crt" "$STATE/registry/tls.crt" >"$dir/ca.crt"
	ip=$(docker container inspect -f '{{.NetworkSettings.Networks.kind.IPAddress}}' "$REGISTRY")
	sed -e "s|IMAGE|localhost:$PORT/$image|; s|TAG|$1|; s|REGISTRY_IP|$ip|; s|CA_BUNDLE|$(base64 <"$dir/tls.crt" | tr -d '\n')|" \
		hack/kind/olm-v1/kustomization.yaml >"$dir/kustomization.yaml"
	kustomize build "$dir" >"$dir/olm-v1.yaml"
	kubectl apply --server-side -f "$dir/olm-v1.yaml"
	kubectl rollout status --namespace olmv1-system deployment --timeout=180s
}

olm-v1() {
	[[ -s $STATE/registry/tls.crt ]] || {
		echo "There is no cluster. Remedy: make cluster-up"
		return 1
	}
	step "OLM v1 $1" install_olm_v1 "$1"
}

up() {
	docker info >/dev/null || {
		echo "A running Docker is needed, or what behaves like it."
		return 1
	}
	mkdir -p "$STATE"
	step "cluster" create_cluster
	step "registry" start_registry
	step "OLM" install_olm
	cat <<-T

		The cluster is up. To use it:
		  export KUBECONFIG=$KUBECONFIG
		To give it an image, whatever its registry is called: docker push localhost:$PORT/NAME:TAG
		To trust the registry: SSL_CERT_FILE=$STATE/registry/tls.crt
	T
}

# The images stay, so that the next cluster is there sooner.
down() {
	kind delete cluster --name "$CLUSTER"
	docker rm --force "$REGISTRY" >/dev/null 2>&1 || true
	rm -rf "$STATE"/{olm,olm-v1,registry,logs,image.*}
}

case ${1:-} in
up | down) "$1" ;;
olm-v1) olm-v1 "${2:?the version of OLM v1}" ;;
*)
	echo "Usage: hack/kind/cluster.sh up|olm-v1 VERSION|down" >&2
	exit 2
	;;
esac
