#!/usr/bin/env bash
# Builds a node image for kind where kindest/node cannot be pulled: Debian's systemd and containerd, Kubernetes from
# source. `make node-image` builds the binaries and runs it, as root, since debootstrap wants to be. It differs from
# kindest/node in its network: each node gives its pods addresses by a rule instead of a daemon (node/entrypoint), and
# kube-proxy is a service of the node, which saves an image with iptables in it. NetworkPolicies have no effect.
# Usage: hack/kind/node-image.sh [name]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

BIN=${BIN:-$PWD/bin}
RELEASE=bookworm
PACKAGES=systemd,iproute2,iptables,nftables,conntrack,ethtool,kmod,containerd,runc,containernetworking-plugins,procps
PACKAGES+=,ca-certificates,socat,jq,curl
VERSION=$(go -C tools/kubernetes list -m -f '{{.Version}}' k8s.io/kubernetes)

# The name tells what the image is made of, so that an old one is not taken for the present.
name() {
	local sum
	sum=$(cat hack/kind/node-image.sh hack/kind/node/* hack/kind/pause/* tools/{kubernetes,etcd,coredns}/go.mod | sha256sum)
	echo "app-operator/node:$VERSION-${sum::12}"
}

# The images that kubeadm asks for, as one archive for every node and one for the control plane.
images() {
	local image program everywhere=() control=()
	mkdir -p "$work/image"
	while read -r image; do
		program=$(basename "${image%%:*}")
		case $program in
		kube-proxy) continue ;;
		pause | coredns) everywhere+=("$image") ;;
		*) control+=("$image") ;;
		esac
		rm -f "$work"/image/*
		cp "$BIN/$program" "$work/image/"
		docker build --quiet --tag "$image" --file - "$work/image" >/dev/null <<-D
			FROM scratch
			COPY $program /usr/local/bin/
			ENV PATH=/usr/local/bin
			ENTRYPOINT ["/usr/local/bin/$program"]
		D
		echo "$image"
		[[ $program != pause ]] || pause=$image
	done < <("$BIN/kubeadm" config images list --kubernetes-version "$VERSION")
	mkdir -p "$root/kind/images/control-plane"
	docker save --output "$root/kind/images/everywhere.tar" "${everywhere[@]}"
	docker save --output "$root/kind/images/control-plane/control-plane.tar" "${control[@]}"
}

# Debian, from where this machine gets its own packages, if it is a Debian.
debian() {
	local mirror
	mirror=$(grep -rhoE '^(URIs:|deb( \[[^]]*\])?) +https?://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
		awk '$NF ~ /debian\/?$/ { print $NF; exit }') || true
	debootstrap --variant=minbase --include="$PACKAGES" "$RELEASE" "$root" ${mirror:+"$mirror"} |
		grep -E '^[EW]:|Base system installed' || true
	rm -rf "$root"/var/{cache/apt,lib/apt/lists}/* "$root"/usr/share/{doc,man,locale}/*
}

services() {
	local units=$root/etc/systemd/system unit
	install -m 644 hack/kind/node/*.service "$units/"
	for unit in containerd kubelet kube-proxy; do
		ln -sf "/etc/systemd/system/$unit.service" "$units/multi-user.target.wants/"
	done
	# What only a real machine needs.
	for unit in getty.target console-getty.service systemd-logind.service remote-fs.target nftables.service \
		systemd-ask-password-wall.path systemd-update-utmp.service systemd-udevd.service systemd-udev-trigger.service \
		systemd-networkd.service systemd-resolved.service systemd-timesyncd.service e2scrub_reap.service \
		{apt-daily,apt-daily-upgrade,dpkg-db-backup,fstrim,e2scrub_all}.timer; do
		ln -sf /dev/null "$units/$unit"
	done
	ln -sf /lib/systemd/system/multi-user.target "$units/default.target"
	ln -sf /lib/systemd/systemd "$root/sbin/init"
	# It would empty /tmp and /run while kind writes to them.
	rm -f "$root/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service"
}

files() {
	mkdir -p "$root"/{kind/manifests,opt/cni/bin,etc/cni/net.d,etc/containerd/certs.d,etc/kubernetes/manifests,var/lib/kubelet}
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/systemd/system/kubelet.service.d"
	install -m 755 "$BIN"/{kubelet,kubeadm,kube-proxy,kubectl} "$root/usr/bin/"
	install -m 755 hack/kind/node/{entrypoint,import-images} "$root/kind/"
	install -m 644 hack/kind/node/default-{cni,storage}.yaml "$root/kind/manifests/"
	cp "$root"/usr/lib/cni/* "$root/opt/cni/bin/"
	sed "s|PAUSE|$pause|" hack/kind/node/containerd.toml >"$root/etc/containerd/config.toml"
	echo "$VERSION" >"$root/kind/version"
}

build() {
	work=$(mktemp -d "$BIN/kind-node.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	root=$work/root
	echo "Debian $RELEASE ..."
	debian
	echo "Images of Kubernetes $VERSION ..."
	go build -ldflags '-s -w' -o "$BIN/pause" ./hack/kind/pause
	images
	files
	services
	echo "Node image $(name) ..."
	tar -C "$root" -cf "$work/image/root.tar" .
	rm -rf "$root"
	docker build --quiet --tag "$(name)" --file hack/kind/node/Dockerfile "$work/image"
}

"${1:-build}"
