#!/usr/bin/env bash
# Gives the whole repository, documents and generated files included, the identity under which it is released, in place of
# the one it has; `make identity` runs it. And it checks that what is to be released has no placeholder of an identity.
#
# Usage: hack/identity.sh set REPOSITORY, such as github.com/acme/app-operator
#        hack/identity.sh check FILE|FOLDER ...
# Environment, for set: IMAGES, where the images are, by default ghcr.io/OWNER; REVIEWER, who reviews on OperatorHub, by
# default OWNER; EMAIL, of the maintainers, by default OWNER@users.noreply.github.com; API_GROUP, the group of the API, which
# stays what it is by default. It never changes once the API has users.
set -euo pipefail

fail() { echo "identity.sh: $*" >&2; exit 1; }

check() {
	(($#)) || fail "nothing to check. Remedy: name files or folders"
	# A placeholder, and not a host or an image of an example.
	local placeholder='github[.]com/example([^a-z0-9-]|$)|(^|[^A-Za-z0-9.-])(registry[.])?example[.]com/app-operator'
	placeholder+='|app-operator@example[.]com|^ *- example$|--repo [e]xample/'
	local found
	found=$(grep -rnIE --exclude-dir=.git --exclude-dir=bin --exclude-dir=dist "$placeholder" "$@" | cut -c1-160) || (($? == 1))
	if [[ -n $found ]]; then
		echo "$found"
		fail "these are placeholders. Remedy: make identity REPOSITORY=github.com/OWNER/app-operator"
	fi
}

# every TEXT EXPRESSION changes each file of the repository with this text by a sed expression; the others keep their times.
every() {
	git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
		[[ ! -f $file || -L $file ]] || printf '%s\0' "$file"
	done | { xargs -0 grep -lIF --null -e "$1" || true; } | while IFS= read -r -d '' file; do
		edit "$file" "$2"
	done
}

# edit FILE EXPRESSION changes a file by a sed expression.
edit() {
	sed -E -e "$2" "$1" >"$1.edited"
	cat "$1.edited" >"$1" # which keeps its mode
	rm "$1.edited"
}

# literally prints a text as the regular expression that it alone matches.
literally() { sed 's/[][\.*^$()+?{}|#]/\\&/g' <<<"$1"; }

# The present identity, where each part of it is said first.
present() {
	repository_now=$(sed -n 's/^repo: //p' PROJECT)
	images_now=$(sed -nE 's|^IMG \?= (.*)/app-operator:.*|\1|p' Makefile)
	email_now=$(sed -nE 's/^ *email: //p' config/manifests/bases/app-operator.clusterserviceversion.yaml)
	group_now=$(sed -nE 's/^ *group: //p' PROJECT).$(sed -nE 's/^domain: //p' PROJECT)
}

set_identity() {
	local repository=${1:-} owner
	[[ $repository =~ ^[a-z0-9.-]+\.[a-z]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$ ]] ||
		fail "REPOSITORY=\"$repository\": is not HOST/OWNER/NAME, such as github.com/acme/app-operator"
	owner=${repository%/*} owner=${owner##*/}
	local images=${IMAGES:-ghcr.io/$(tr '[:upper:]' '[:lower:]' <<<"$owner")} reviewer=${REVIEWER:-$owner} email=${EMAIL:-$owner@users.noreply.github.com}
	[[ $images =~ ^[a-z0-9.:/_-]+$ ]] || fail "IMAGES=\"$images\": is not a registry with a path, such as ghcr.io/acme"
	[[ $reviewer =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || fail "REVIEWER=\"$reviewer\": is not the name of a user, such as jane"
	[[ $email == *@*.* ]] || fail "EMAIL=\"$email\": is not an address, such as team@acme.org"
	present
	local group=${API_GROUP:-$group_now}
	[[ $group =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$ ]] ||
		fail "API_GROUP=\"$group\": is not the name of an API group, such as apps.acme.org"

	every "$repository_now" "s#$(literally "$repository_now")([^A-Za-z0-9_-]|\$)#$repository\\1#g"
	every "--repo ${repository_now#*/}" "s#--repo $(literally "${repository_now#*/}")([^A-Za-z0-9_-]|\$)#--repo ${repository#*/}\\1#g"
	every "$images_now/app-operator" "s#(^|[^A-Za-z0-9_.-])(registry\.)?$(literally "$images_now")/app-operator#\\1$images/app-operator#g"
	every "$email_now" "s#$(literally "$email_now")#$email#g"
	local file
	for file in catalog/*/ci.yaml; do
		edit "$file" "/^reviewers:/{n;s/^- .*/- $reviewer/;}"
	done
	[[ $group == "$group_now" ]] || set_group "$group"
	check .
	echo "This is $repository now, with images in $images. Remedy where 'make verify' finds generated files out of date:" \
		"make generate manifests api-docs bundle catalog"
}

set_group() {
	every "$group_now" "s#$(literally "$group_now")#$1#g"
	# In regular expressions, dots have backslashes before them.
	every "${group_now//./\\.}" "s#$(literally "${group_now//./\\.}")#${1//./\\\\.}#g"
	edit PROJECT "s/^domain: .*/domain: ${1#*.}/;s/^  domain: .*/  domain: ${1#*.}/;s/^  group: .*/  group: ${1%%.*}/"
	local file
	git ls-files --cached --others --exclude-standard | grep -F "$group_now" | while IFS= read -r file; do
		mv "$file" "${file//"$group_now"/$1}"
	done
}

command=${1:-}
shift || true
case $command in
check) check "$@" ;;
set)
	cd "$(dirname "${BASH_SOURCE[0]}")/.."
	set_identity "$@"
	;;
*) fail "usage: hack/identity.sh set REPOSITORY, or hack/identity.sh check FILE|FOLDER ..." ;;
esac
