# The release version, and the only place it is written. The operator carries it by -ldflags.
VERSION := 1.0.0

# The image that deploy and build-installer put into the manifests.
IMG ?= example.com/app-operator:v$(VERSION)

# The image of the OLM bundle, and the template of the catalog that lists it and its predecessors.
BUNDLE_IMG ?= example.com/app-operator-bundle:v$(VERSION)
CATALOG_TEMPLATE ?= catalog/catalog-templates/semver.yaml

# What a release's image is built for. The ClusterServiceVersion and config/manifests name the same platforms.
RELEASE_PLATFORMS := linux/amd64,linux/arm64,linux/ppc64le,linux/s390x

# What the image is built for: this machine's kind of processor, as long as nobody says otherwise. PLATFORMS=all is RELEASE_PLATFORMS.
PLATFORMS ?= linux/$(shell go env GOHOSTARCH)
ifeq ($(PLATFORMS),all)
override PLATFORMS := $(RELEASE_PLATFORMS)
endif

# Where bundle and catalog are written to, and bundle-image, catalog-image and community-operators read them.
OUTPUT ?= .

# The kustomization that deploy, undeploy and build-installer use, for example CONFIG=config/overlays/NAME.
CONFIG := config/default

# Everything that is built goes here: the operator, the tools, the control plane.
BIN := bin
override BIN := $(abspath $(BIN))

# The folder of the control plane's binaries. Another one than bin/ must hold all of them.
KUBEBUILDER_ASSETS ?= $(BIN)

# More flags for every `go test`, for example GO_TEST_FLAGS='-count=1 -run TestName'.
GO_TEST_FLAGS ?=

# How long `make fuzz` runs each fuzz target.
FUZZTIME ?= 30s

# Flags that `make run` gives to the operator.
ARGS :=

ACTIONLINT := $(BIN)/actionlint
CONTROLLER_GEN := $(BIN)/controller-gen
CRD_REF_DOCS := $(BIN)/crd-ref-docs
GOLANGCI_LINT := $(BIN)/golangci-lint
CRANE := $(BIN)/crane
OPERATOR_SDK := $(BIN)/operator-sdk
OPM := $(BIN)/opm
KUBECTL ?= $(or $(shell command -v kubectl 2>/dev/null),$(BIN)/kubectl)
KUSTOMIZE := $(BIN)/kustomize
PROMTOOL := $(BIN)/promtool

# Programs that run in images are for Linux, whatever this machine runs.
IMAGE_BIN := $(if $(filter linux,$(shell go env GOHOSTOS)),$(BIN),$(BIN)/linux)

# What the OLM bundle and the catalog are made with.
OLM_TOOLS := $(CRANE) $(BIN)/image $(KUSTOMIZE) $(OPERATOR_SDK) $(OPM)

# Each folder in tools/ is a module of its own; a workspace around the checkout must not join them.
export GOWORK := off
export BIN IMAGE_BIN KUBEBUILDER_ASSETS

# The same for all that is compiled here, so that tools, operator, tests and linters share each compiled package.
export CGO_ENABLED := 0
export GOFLAGS := $(shell go env GOFLAGS) -trimpath -buildvcs=false

# A recipe stops at its first failing command, also inside a pipe.
# GNU make 3.81, which macOS has, knows no .SHELLFLAGS.
SHELL = /usr/bin/env bash -e -o pipefail
.SHELLFLAGS = -ec

# One Go build at a time, whatever -j says: `go build` already uses every core,
# and two at once would compile the packages they share twice.
.NOTPARALLEL:

.DELETE_ON_ERROR:

.PHONY: all
all: build

##@ General

.PHONY: help
help: ## Display this help.
	@awk 'BEGIN {FS = ":.*##"; printf "\nUsage:\n  make \033[36m<target>\033[0m\n"} /^[a-zA-Z_0-9-]+:.*?##/ { printf "  \033[36m%-21s\033[0m %s\n", $$1, $$2 } /^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } ' $(MAKEFILE_LIST)

.PHONY: demo
demo: cold-start-notice build controlplane-binaries ## Run the operator's main job on an embedded control plane; no cluster, Docker or root needed.
	go run ./test/demo --operator $(BIN)/manager

# Built first, since go run calls it an error when Ctrl-C ends what it runs.
.PHONY: playground
playground: cold-start-notice build controlplane-binaries ## Leave the demo's control plane and three operators up, to try things on, until Ctrl-C.
	@go build -o $(BIN)/demo ./test/demo
	@$(BIN)/demo --operator $(BIN)/manager --playground

##@ Development

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate DeepCopy methods.
	$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate the CustomResourceDefinition, the RBAC roles, and CRDs that tests need.
	$(CONTROLLER_GEN) rbac:roleName=manager-role crd:generateEmbeddedObjectMeta=true paths=./api/... paths=./internal/... \
		output:crd:artifacts:config=config/crd/bases output:rbac:dir=config/rbac
	go run ./hack/crd config/crd/bases/apps.example.com_applications.yaml
	$(CONTROLLER_GEN) crd:maxDescLen=0 paths=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1 \
		output:crd:artifacts:config=$(BIN)/crds
	cp $(BIN)/crds/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml test/crds/

.PHONY: api-docs
api-docs: $(CRD_REF_DOCS) ## Generate the API reference, docs/api.md.
	$(CRD_REF_DOCS) --config hack/crd-ref-docs/config.yaml --templates-dir hack/crd-ref-docs --renderer markdown \
		--source-path api/v1 --output-path docs/api.md --log-level ERROR

.PHONY: bundle
bundle: $(KUSTOMIZE) $(OPERATOR_SDK) ## Generate the OLM bundle of VERSION with IMG: bundle/, bundle.Dockerfile.
	@hack/bundle.sh $(VERSION) $(IMG) $(OUTPUT)

.PHONY: catalog
catalog: $(CRANE) $(BIN)/image $(OPM) ## Generate the file-based catalog from its template and the bundle: catalog/configs.
	@hack/catalog.sh $(CATALOG_TEMPLATE) $(BUNDLE_IMG) $(OUTPUT) $(OUTPUT)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code: gofumpt, import order.
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run golangci-lint.
	$(GOLANGCI_LINT) run

.PHONY: lint-fix
lint-fix: $(GOLANGCI_LINT) ## Run golangci-lint and apply the fixes it knows.
	$(GOLANGCI_LINT) run --fix

.PHONY: verify
verify: $(ACTIONLINT) $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(KUSTOMIZE) $(GOLANGCI_LINT) $(OLM_TOOLS) ## Check generated files, lint, go.mod files, manifests, bundle, license headers, workflows. Edits nothing.
	@hack/verify.sh

.PHONY: vulncheck
vulncheck: $(BIN)/govulncheck ## Ask Go's vulnerability database, at vuln.go.dev, about what the operator calls.
	@$(BIN)/govulncheck ./cmd

##@ Test

# -vet=off in what follows: `make verify` runs all of vet, and vetting the dependencies once more takes its time.

.PHONY: test
test: test-unit test-alerts test-catalog test-api test-controller ## Run every test that needs no cluster: unit, alert, catalog, API and controller tests.

# Tests in these folders need a control plane or the built operator, except test/bundle and test/docs, which read files; e2e and bench
# have targets of their own, and make verify runs test/schema.
# Whatever lies elsewhere is a unit package, so a new package is tested without being named here. tools/crane/image,
# in a module of its own, is tested with them, and not cached, because it reads Dockerfiles outside of its module.
list-unit-packages = go list ./... | grep -vE '/(cmd|test)(/|$$)'; go list ./test/bundle
list-api-packages = go list ./test/api/...
list-controller-packages = go list ./cmd/... ./test/... | grep -vE '/test/(alerts|api|bundle|catalog|controller|docs|e2e|bench|schema)(/|$$)'

.PHONY: test-unit
test-unit: ## Run the unit tests with the race detector; fuzz targets run their seeds.
	@race=; \
	if CGO_ENABLED=1 go build -race runtime/cgo 2>/dev/null; then \
		export CGO_ENABLED=1; race=-race; \
	else \
		echo "NOTICE: the race detector needs a C compiler and there is none: unit tests run WITHOUT -race."; \
		echo "NOTICE: Remedy: apt-get install gcc libc6-dev"; \
	fi; \
	packages=$$($(list-unit-packages)); \
	set -x; go test $$race -vet=off -timeout 10m $(GO_TEST_FLAGS) $$packages; \
	go -C tools/crane test -count=1 $$race -vet=off -timeout 10m $(GO_TEST_FLAGS) ./image

# Not cached: `go test` does not see when promtool or a file outside Go changes.
.PHONY: test-alerts
test-alerts: $(PROMTOOL) ## Run the tests of the alerts, of the dashboard and of what documents say, with promtool.
	go test -count=1 -vet=off -timeout 5m $(GO_TEST_FLAGS) ./test/alerts ./test/docs

has_c_compiler = CGO_ENABLED=1 go build runtime/cgo 2>/dev/null

# Not cached, for the same reason. The index of OperatorHub.io's pipeline is a database of SQLite, which is C.
.PHONY: test-catalog
test-catalog: $(OLM_TOOLS) $(BIN)/olm-v1 ## Run the tests of what becomes of the bundle: the catalogs that OperatorHub's pipelines render of three releases, and what OLM v1 installs.
	@if $(has_c_compiler); then \
		$(MAKE) --no-print-directory $(BIN)/opm-sqlite; \
	else \
		echo "NOTICE: the index of OperatorHub.io's pipeline needs a C compiler and there is none: its test is LEFT OUT."; \
		echo "NOTICE: Remedy: apt-get install gcc libc6-dev"; \
	fi
	@skip=; $(has_c_compiler) || skip='-skip ^TestK8sOperatorHub$$'; \
	set -x; go test -count=1 -vet=off -timeout 20m $(GO_TEST_FLAGS) $$skip ./test/catalog

# Results of tests that use a control plane are not cached: `go test` cannot see when a binary in bin/ changes.
# Everything is compiled first, so that no compiler takes the cores from a control plane that is being tested.
test_on_control_plane := go test -count=1 -vet=off -timeout 60m $(GO_TEST_FLAGS)

# The API server of the oldest Kubernetes that README.md names: it takes less from a CRD, and enforces less of it.
OLDEST_APISERVER := kube-apiserver-1.31

test_api_needs := $(addprefix $(KUBEBUILDER_ASSETS)/,etcd kube-apiserver $(OLDEST_APISERVER) kubectl)

.PHONY: test-api
test-api: $(test_api_needs) ## Run the API tests (schema, defaults, CEL) against a real API server, and against the oldest one.
	go list -export -deps -test ./test/api/... >/dev/null
	@hack/beside.sh $(BIN)/test-api.log 'API_SERVER=$(OLDEST_APISERVER) $(test_on_control_plane) ./test/api' \
		'$(test_on_control_plane) ./test/api/...'

# How many processes run the specs of the controller suite, side by side. They wait for much of their time.
CONTROLLER_PROCS ?= 6

# More flags for the ginkgo of test-controller, for example CONTROLLER_FLAGS=--focus=drift.
CONTROLLER_FLAGS ?=

.PHONY: test-controller
test-controller: build controlplane-binaries $(BIN)/ginkgo $(BIN)/helm $(BIN)/validate-krew-manifest ## Run the process tests, and the controller suite, on embedded control planes.
	@packages=$$($(list-controller-packages)); \
	go list -export -deps -test $$packages ./test/controller >/dev/null; \
	hack/beside.sh $(BIN)/test-process.log "$(test_on_control_plane) $$(echo $$packages)" \
		'$(BIN)/ginkgo --vet=off --procs=$(CONTROLLER_PROCS) --timeout=60m --no-color $(CONTROLLER_FLAGS) ./test/controller'

# The versions that test-kubernetes runs on. The oldest one has its API tests in test-api; the newest that is tested in full is
# that of tools/kubernetes.
KUBERNETES ?= 1.33 1.35 1.37

.PHONY: test-kubernetes
test-kubernetes: build $(addprefix $(BIN)/,etcd kubectl kwok ginkgo) $(foreach version,$(KUBERNETES),$(addsuffix -$(version),$(addprefix $(BIN)/,kube-apiserver kube-controller-manager kube-scheduler)))
test-kubernetes: ## Run the API tests and a part of the controller suite on control planes of the versions KUBERNETES, which takes an hour.
	@CONTROLLER_PROCS=$(CONTROLLER_PROCS) hack/kubernetes.sh $(KUBERNETES)

# What operator-sdk adds a bundle to. Elsewhere than on the cluster of cluster-up, it is operator-sdk's own choice.
e2e_opm_image = $(if $(E2E_KUBECONFIG),,localhost:5001/operator-framework/opm:$(call pinned,opm,$(opm_module)))

# How many specs run side by side, of those that may.
E2E_PROCS ?= 2

# More flags for the ginkgo of test-e2e, for example E2E_FLAGS=--label-filter=pod-faults. Without a filter of its own, it leaves
# out what test-olm-v1 runs.
E2E_FLAGS ?=

test_e2e_needs := $(addprefix $(BIN)/,crane ginkgo image kubectl kustomize operator-sdk opm) $(IMAGE_BIN)/scorecard-test kubectl-app

.PHONY: test-e2e
test-e2e: $(test_e2e_needs) ## Run the end-to-end tests on the cluster of cluster-up, or of E2E_KUBECONFIG with a registry E2E_REGISTRY that it pulls from.
	@rm -rf $(BIN)/e2e && mkdir -p $(BIN)/e2e
	VERSION=$(VERSION) E2E_OPM_IMAGE=$(e2e_opm_image) $(BIN)/ginkgo --vet=off --procs=$(E2E_PROCS) --timeout=60m -v --no-color --label-filter='!olm-v1' \
		--junit-report=junit.xml --output-dir=$(BIN)/e2e $(E2E_FLAGS) ./test/e2e

.PHONY: test-olm-v1
test-olm-v1: cluster-up-olm-v1 ## Run those of the end-to-end tests that are about OLM v1, with OLM v1 on the cluster of cluster-up.
	@$(MAKE) --no-print-directory test-e2e E2E_FLAGS='--label-filter=olm-v1 $(E2E_FLAGS)'

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 30s).
	@hack/fuzz.sh $(FUZZTIME)

# With how many Applications `make bench` measures, and where it writes figures and plots. Fewer are done sooner.
BENCH_SIZES ?= 100,1000,5000
BENCH_OUTPUT ?= docs/performance

# How often each micro-benchmark runs: benchstat wants 10 or more.
BENCH_COUNT ?= 10

.PHONY: bench
bench: build controlplane-binaries $(BIN)/plot ## Measure speed, requests and memory with BENCH_SIZES Applications on the embedded control plane, into docs/performance.
	go run ./test/bench -operator $(BIN)/manager -revision "$$(git describe --always --dirty)" \
		-sizes '$(BENCH_SIZES)' -output '$(BENCH_OUTPUT)'
	$(BIN)/plot -output '$(BENCH_OUTPUT)' <'$(BENCH_OUTPUT)/results.json'

# The limits of config/manager, in thousandths of a core and MiB.
.PHONY: bench-limited
bench-limited: build controlplane-binaries ## Measure the operator with 1,000 Applications within the limits that the manifests give it, in a cgroup. Needs root.
	@printf '#!/bin/sh\nexec $(CURDIR)/test/bench/limited.sh 200 128 $(BIN)/manager "$$@"\n' >$(BIN)/manager-limited
	@chmod +x $(BIN)/manager-limited
	go run ./test/bench -operator $(BIN)/manager-limited -sizes 1000
	@test/bench/limited.sh report

.PHONY: bench-profile
bench-profile: controlplane-binaries ## Write CPU and heap profiles of the operator with BENCH_SIZES Applications into dist/profiles, for go tool pprof.
	rm -rf dist/profiles && mkdir -p dist/profiles
	go build -tags profile -o dist/profiles/manager ./cmd
	go run ./test/bench -operator dist/profiles/manager -sizes '$(BENCH_SIZES)' -profiles $(CURDIR)/dist/profiles

# FLEET_SHAPES are numbers of operators and of the namespaces that they share; FLEET_EACH Applications are in each namespace.
FLEET_SHAPES ?= 1x1,1x20,1x100,20x20
FLEET_EACH ?= 10

.PHONY: bench-fleet
bench-fleet: build controlplane-binaries ## Measure one operator that serves many namespaces, beside an operator for each.
	go run ./test/bench/fleet -operator $(BIN)/manager -shapes '$(FLEET_SHAPES)' -each '$(FLEET_EACH)'

# How long `make bench-life` makes changes while it measures, and how many a minute.
LIFE ?= 10m
LIFE_RATE ?= 50

.PHONY: bench-life
bench-life: build controlplane-binaries $(BIN)/plot ## Watch what one process of the operator keeps in memory through LIFE of changes, into docs/performance.
	go run ./test/bench/life -operator $(BIN)/manager -revision "$$(git describe --always --dirty)" \
		-for '$(LIFE)' -rate '$(LIFE_RATE)' -output '$(BENCH_OUTPUT)'
	$(BIN)/plot -output '$(BENCH_OUTPUT)' <'$(BENCH_OUTPUT)/life.json'

.PHONY: bench-failover
bench-failover: build controlplane-binaries ## Measure how long users are without a leader, on the embedded control plane.
	go test -run '^$$' -bench Failover -vet=off -timeout 60m $(GO_TEST_FLAGS) ./test/bench

# How many Applications of 1.2 MB `make bench-attacks` makes, of which each takes the API server some megabytes.
BENCH_LARGE ?= 100

.PHONY: bench-attacks
bench-attacks: build $(addprefix $(KUBEBUILDER_ASSETS)/,etcd kube-apiserver kubectl) ## Measure what a crowd of readers and BENCH_LARGE large Applications do to an operator with the shipped limits. Needs root, for a cgroup.
	BENCH_LARGE='$(BENCH_LARGE)' go test -run '^$$' -bench Attacks -benchtime=1x -vet=off -timeout 60m $(GO_TEST_FLAGS) ./test/bench

.PHONY: bench-micro
bench-micro: ## Run the micro-benchmarks, BENCH_COUNT times each; benchstat reads what they print.
	go test -run '^$$' -bench . -benchmem -vet=off -count $(BENCH_COUNT) -timeout 60m $(GO_TEST_FLAGS) ./internal/...

.PHONY: bench-compare
bench-compare: $(BIN)/benchstat ## Compare the micro-benchmarks of the working tree with those of REV, for example REV=main.
	@hack/bench-compare.sh '$(REV)' '$(BENCH_COUNT)'

##@ Build

manager_ldflags := -s -w -X main.version=$(VERSION)

.PHONY: build
build: ## Build the operator, bin/manager.
	go build -ldflags '$(manager_ldflags)' -o $(BIN)/manager ./cmd

.PHONY: kubectl-app
kubectl-app: ## Build the plugin of kubectl, bin/kubectl-app.
	go build -ldflags '$(manager_ldflags)' -o $(BIN)/kubectl-app ./cmd/kubectl-app

# What the plugin is released for.
PLUGIN_PLATFORMS ?= darwin/amd64 darwin/arm64 linux/amd64 linux/arm64 windows/amd64 windows/arm64

# The archives are the same wherever they are made.
.PHONY: plugin
plugin: ## Build the plugin for PLUGIN_PLATFORMS, as archives with the manifest of krew, into dist/plugin.
	@rm -rf dist/plugin && mkdir -p dist/plugin
	@for platform in $(PLUGIN_PLATFORMS); do \
		folder=dist/plugin/$${platform/\//_}; program=kubectl-app; \
		[[ $$platform != windows/* ]] || program=kubectl-app.exe; \
		echo "dist/plugin/kubectl-app_$${platform/\//_}.tar.gz"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} go build -ldflags '$(manager_ldflags)' -o $$folder/$$program ./cmd/kubectl-app; \
		cp LICENSE $$folder/; \
		tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@0 -C $$folder -c LICENSE $$program | \
			gzip -n >dist/plugin/kubectl-app_$${platform/\//_}.tar.gz; \
		rm -r $$folder; \
	done
	@hack/krew.sh $(VERSION) "$$(sed -n 's/^repo: //p' PROJECT)" dist/plugin

.PHONY: run
run: build ## Run the operator from your host against the cluster of your kubeconfig; flags in ARGS.
	$(BIN)/manager $(ARGS)

# Kustomize sets the image in a copy of config/, so that a deployment leaves no edit behind.
define with-image
	@rm -rf $(BIN)/config && mkdir -p $(BIN) && cp -R config $(BIN)/config
	@cd $(BIN)/config/manager && $(KUSTOMIZE) edit set image controller=$(IMG)
endef

.PHONY: build-installer
build-installer: $(KUSTOMIZE) ## Write CRD, RBAC and Deployment with IMG into one file, dist/install.yaml.
	$(with-image)
	@mkdir -p dist
	$(KUSTOMIZE) build $(BIN)/$(CONFIG) > dist/install.yaml

# The manifests of a release: for each way in which the operator can be installed one file, by its kustomization.
release_manifests := install-single-namespace:config/overlays/single-namespace install-own-namespace:config/default \
	install-all-namespaces:config/overlays/all-namespaces crds:config/crd

# Without an IMG of the caller's they name the image of this version by the digest that it has wherever the same sources are built for the
# same PLATFORMS: it is built for that.
.PHONY: release-manifests
ifeq ($(origin IMG),file)
release_image := $(IMG:%:v$(VERSION)=%)
release-manifests: IMG = $(release_image)@$(shell cat dist/image.digest)
release-manifests: image
endif
release-manifests: $(KUSTOMIZE) ## Write the manifests of a release, with IMG, or the image of make image by its digest: dist/install-*.yaml, dist/crds.yaml.
	$(with-image)
	@mkdir -p dist
	@for manifest in $(release_manifests); do \
		$(KUSTOMIZE) build $(BIN)/$${manifest#*:} > dist/$${manifest%%:*}.yaml; \
		echo "dist/$${manifest%%:*}.yaml, of $${manifest#*:}"; \
	done

# The kind cluster that kind-load gives the image to: kind's own name for the only one.
KIND_CLUSTER ?= kind
KIND ?= $(or $(shell command -v kind 2>/dev/null),$(BIN)/kind)
DOCKER ?= docker

.PHONY: docker-build
docker-build: ## Build the operator's image IMG with Docker, for this machine's platform.
	$(DOCKER) build --build-arg VERSION=$(VERSION) --tag $(IMG) .

.PHONY: kind-load
kind-load: $(filter $(BIN)/%,$(KIND)) ## Give the image IMG that docker-build has built to the kind cluster KIND_CLUSTER.
	$(KIND) load docker-image $(IMG) --name $(KIND_CLUSTER)

.PHONY: schemas
schemas: ## Write the JSON schema of each version of the API, for editors and kubeconform, into dist/schemas.
	@go run ./hack/schema -crd config/crd/bases/apps.example.com_applications.yaml -output dist/schemas
	@ls dist/schemas/*

# Of the Dockerfile, bin/image builds the last stage; the one before it is what is compiled here.
.PHONY: image
image: $(BIN)/image ## Build the operator's image without Docker, for PLATFORMS (default: this machine's), into dist/image; shows its digest.
	@rm -rf dist/builder
	@platforms='$(PLATFORMS)'; for platform in $${platforms//,/ }; do \
		echo "go build for $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} go build -ldflags '$(manager_ldflags)' \
			-o "dist/builder/$${platform/\//_}/workspace/manager" ./cmd; \
	done
	$(BIN)/image -platforms '$(PLATFORMS)' -arg VERSION=$(VERSION) -stage 'builder=dist/builder/{platform}' -output dist/image | tee dist/image.digest

.PHONY: sbom
sbom: image $(BIN)/cyclonedx-gomod ## List what is in the image, for PLATFORMS, as CycloneDX files in dist/sbom.
	@rm -rf dist/sbom && mkdir -p dist/sbom
	@for platform in $$(ls dist/builder); do \
		$(BIN)/cyclonedx-gomod bin -json -std -noserial -notimestamp -version v$(VERSION) \
			-output dist/sbom/app-operator_$$platform.cdx.json dist/builder/$$platform/workspace/manager; \
	done

.PHONY: sign
sign: $(BIN)/cosign ## Sign IMG, by its digest, and attest the lists of SBOM, as whoever runs it or with COSIGN_KEY, in IMG's registry.
	@COSIGN_KEY='$(COSIGN_KEY)' hack/sign.sh '$(IMG)' $(SBOM)

.PHONY: bundle-image
bundle-image: $(BIN)/image ## Build the image of the bundle without Docker, into dist/bundle-image; shows its digest.
	$(BIN)/image -dockerfile $(OUTPUT)/bundle.Dockerfile -context $(OUTPUT) -output dist/bundle-image

.PHONY: catalog-image
catalog-image: $(BIN)/image ## Build the image of the catalog without Docker, into dist/catalog-image; shows its digest.
	$(BIN)/image -dockerfile catalog.Dockerfile -context $(OUTPUT) -output dist/catalog-image

# What a pull request to each of OperatorHub's repositories adds, in a folder with the name of the repository.
COMMUNITY ?= dist/community-operators
operatorhub := $(COMMUNITY)/k8s-operatorhub/operators/app-operator
openshift := $(COMMUNITY)/community-operators-prod/operators/app-operator

# The template comes without bundles: the pipeline adds those that it has built itself.
.PHONY: community-operators
community-operators: $(KUSTOMIZE) ## Lay the bundle out as OperatorHub's repositories want it, in dist/community-operators.
	@rm -rf $(COMMUNITY) && mkdir -p $(operatorhub) $(openshift)/catalog-templates
	cp -R $(OUTPUT)/bundle $(operatorhub)/$(VERSION)
	cp catalog/k8s-operatorhub/ci.yaml $(operatorhub)/
	cp -R $(OUTPUT)/bundle $(openshift)/$(VERSION)
	hack/openshift.sh $(openshift)/$(VERSION)
	cp catalog/community-operators-prod/release-config.yaml $(openshift)/$(VERSION)/
	cp catalog/community-operators-prod/ci.yaml $(openshift)/
	sed -e '/^#/d' -e 's/Bundles:/Bundles: []/' -e '/- Image:/d' \
		catalog/catalog-templates/semver.yaml >$(openshift)/catalog-templates/semver.yaml

.PHONY: identity
identity: ## Give the repository the identity of a release: REPOSITORY=github.com/OWNER/app-operator, and IMAGES, REVIEWER, EMAIL, API_GROUP where they are others.
	@hack/identity.sh set '$(REPOSITORY)'

.PHONY: clean
clean: ## Remove what was built from this repository's own code; the tools in bin/ stay.
	rm -rf $(BIN)/manager $(BIN)/demo $(BIN)/config dist *.out

.PHONY: clean-all
clean-all: clean ## Remove bin/ as well, with the tools and the control plane.
	rm -rf $(BIN)

##@ Deployment

ignore-not-found ?= false

# A kubectl given by hand, or found, is used as it is; the pinned one is built when there is none.
kubectl_needed = $(filter $(BIN)/%,$(KUBECTL))

.PHONY: install
install: $(KUSTOMIZE) $(kubectl_needed) ## Install the CRD into the cluster of your kubeconfig.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: $(KUSTOMIZE) $(kubectl_needed) ## Delete every Application and the CRD; ignore-not-found=true ignores missing objects.
	@KUBECTL='$(KUBECTL)' KUSTOMIZE='$(KUSTOMIZE)' hack/undeploy.sh config/crd $(ignore-not-found)

.PHONY: deploy
deploy: $(KUSTOMIZE) $(kubectl_needed) ## Deploy the operator with IMG to the cluster of your kubeconfig.
	$(with-image)
	$(KUSTOMIZE) build $(BIN)/$(CONFIG) | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: $(KUSTOMIZE) $(kubectl_needed) ## Delete every Application, what deploy created, and the CRD; ignore-not-found=true ignores missing objects.
	@KUBECTL='$(KUBECTL)' KUSTOMIZE='$(KUSTOMIZE)' hack/undeploy.sh $(CONFIG) $(ignore-not-found)

##@ Cluster

OLM := olm olm-catalog olm-package-server olm-copy-content olm-cpb
NODE := kubelet kubeadm kube-proxy coredns etcd kube-apiserver kube-controller-manager kube-scheduler kubectl
cluster_up_needs := $(addprefix $(BIN)/,kind kubectl helm) $(addprefix $(IMAGE_BIN)/,registry opm grpc_health_probe $(OLM))
node_image_needs := $(addprefix $(BIN)/,$(NODE))
olm_v1_programs := $(addprefix $(IMAGE_BIN)/,operator-controller catalogd)

.PHONY: cluster-up
cluster-up: $(cluster_up_needs) ## Make a kind cluster with a registry and OLM, or complete the one that is there. Needs Docker.
	@hack/kind/cluster.sh up

.PHONY: cluster-up-olm-v1
cluster-up-olm-v1: cluster-up $(BIN)/kustomize $(olm_v1_programs) ## The same, with OLM v1 beside OLM.
	@hack/kind/cluster.sh olm-v1 $(OLM_V1_CLUSTER_VERSION)

.PHONY: cluster-down
cluster-down: $(BIN)/kind ## Remove the kind cluster and its registry.
	@hack/kind/cluster.sh down

.PHONY: node-image
node-image: $(node_image_needs) ## Build a node image for kind from source, where kindest/node cannot be pulled. Needs Docker, root and debootstrap.
	@hack/kind/node-image.sh

.PHONY: cluster-binaries
cluster-binaries: $(cluster_up_needs) $(node_image_needs) $(test_e2e_needs) ## Build what cluster-up, node-image and test-e2e use.

##@ Tools

CONTROLPLANE := etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok

# PREBUILT=1 takes Kubernetes' programs of the control plane from where Kubernetes publishes them, for Linux.
PREBUILT ?=
ifneq ($(filter-out 1,$(PREBUILT)),)
$(error PREBUILT=$(PREBUILT): say 1, or leave it out)
endif

# Kubernetes' own are built together where several are missing: they share most of their packages.
.PHONY: kubernetes-programs
kubernetes-programs:
	@$(if $(PREBUILT),hack/prebuilt.sh $(BIN) $(filter kube%,$(CONTROLPLANE)),hack/build.sh tools/kubernetes $(BIN) \
		'-s -w $(call kubernetes_stamp,kubernetes)' $(addprefix k8s.io/kubernetes/cmd/,$(filter kube%,$(CONTROLPLANE))))

.PHONY: cold-start-notice
cold-start-notice:
	@[[ -n '$(PREBUILT)' || -e $(KUBEBUILDER_ASSETS)/kube-apiserver && -e $(KUBEBUILDER_ASSETS)/kwok ]] || \
		echo "The first time, a control plane is built from source: ten to seventeen minutes on two cores, 410 MB in bin/, and some GB in Go's caches." \
			"On Linux, PREBUILT=1 downloads what Kubernetes publishes instead."

.PHONY: controlplane-binaries
controlplane-binaries: cold-start-notice $(if $(filter $(BIN),$(KUBEBUILDER_ASSETS)),kubernetes-programs) $(addprefix $(KUBEBUILDER_ASSETS)/,$(CONTROLPLANE)) ## Build the embedded control plane: etcd, Kubernetes, kwok.

.PHONY: verify-binaries
verify-binaries: $(ACTIONLINT) $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(KUSTOMIZE) $(GOLANGCI_LINT) $(PROMTOOL) $(OLM_TOOLS) $(BIN)/opm-sqlite $(BIN)/olm-v1 ## Build the tools that verify, test-alerts and test-catalog use.

.PHONY: tools
tools: ## Build every pinned tool; each is also a target of its own, such as `make kind`.
tools: $(addprefix $(BIN)/,actionlint controller-gen crd-ref-docs kustomize golangci-lint promtool ginkgo crane image plot benchstat govulncheck cyclonedx-gomod cosign kind operator-sdk opm opm-sqlite olm-v1 $(CONTROLPLANE) $(OLDEST_APISERVER))

# The version that the go.mod of a tool pins: $(call pinned,FOLDER,MODULE).
pinned = $(shell awk '$$1 == "$(2)" && $$2 ~ /^v/ { print $$2; exit }' tools/$(1)/go.mod)

# A tool is a file in bin/, built again when its go.mod or go.sum changes:
# $(call tool,NAME,FOLDER in tools/,MODULE,PACKAGE within the module,COLD BUILD TIME).
# TAGS and STAMP (linker flags) are set per file, below. The rename keeps a build that was interrupted from looking finished.
TAGS :=
STAMP :=
$(BIN)/linux/%: export GOOS = linux
# Others' programs are compiled with fewer garbage collections.
kubernetes-programs $(BIN)/%: export GOGC = 800
define tool
.PHONY: $(1)
$(1): $(BIN)/$(1)

$(BIN)/$(1) $(BIN)/linux/$(1): tools/$(2)/go.mod tools/$(2)/go.sum
	@echo "Building $(1) $$(call pinned,$(2),$(3)) from source ($(5) on 2 cores the first time; once) ..."
	@mkdir -p $$(@D)
	@cd tools/$(2) && go build -tags '$$(TAGS)' -ldflags '-s -w $$(STAMP)' \
		-o $$@.tmp $(patsubst %/.,%,$(3)/$(4))
	@mv $$@.tmp $$@
endef

$(eval $(call tool,actionlint,actionlint,github.com/rhysd/actionlint,cmd/actionlint,about 10 seconds))
$(eval $(call tool,controller-gen,controller-gen,sigs.k8s.io/controller-tools,cmd/controller-gen,about 40 seconds))
$(eval $(call tool,crd-ref-docs,crd-ref-docs,github.com/elastic/crd-ref-docs,.,about 30 seconds))
$(eval $(call tool,kustomize,kustomize,sigs.k8s.io/kustomize/kustomize/v5,.,about 20 seconds))
$(eval $(call tool,golangci-lint,golangci-lint,github.com/golangci/golangci-lint/v2,cmd/golangci-lint,about 2 minutes))
$(eval $(call tool,promtool,promtool,github.com/prometheus/prometheus,cmd/promtool,about 2 minutes))
$(eval $(call tool,ginkgo,ginkgo,github.com/onsi/ginkgo/v2,ginkgo,about 20 seconds))
$(eval $(call tool,crane,crane,github.com/google/go-containerregistry,cmd/crane,about 20 seconds))
$(eval $(call tool,image,crane,github.com/example/app-operator/tools/crane,image,about 10 seconds))
$(BIN)/image: $(filter-out %_test.go,$(wildcard tools/crane/image/*.go))
$(eval $(call tool,plot,plot,github.com/example/app-operator/tools/plot,.,about 20 seconds))
$(BIN)/plot: tools/plot/main.go
$(eval $(call tool,benchstat,benchstat,golang.org/x/perf,cmd/benchstat,about 5 seconds))
$(eval $(call tool,govulncheck,govulncheck,golang.org/x/vuln,cmd/govulncheck,about 20 seconds))
$(eval $(call tool,cyclonedx-gomod,cyclonedx-gomod,github.com/CycloneDX/cyclonedx-gomod,cmd/cyclonedx-gomod,about 1 minute))
$(eval $(call tool,cosign,cosign,github.com/sigstore/cosign/v3,cmd/cosign,about 4 minutes))
$(eval $(call tool,kind,kind,sigs.k8s.io/kind,.,about 20 seconds))
$(eval $(call tool,validate-krew-manifest,krew,sigs.k8s.io/krew,cmd/validate-krew-manifest,about 20 seconds))
$(eval $(call tool,operator-sdk,operator-sdk,github.com/operator-framework/operator-sdk,cmd/operator-sdk,about 4 minutes))
$(eval $(call tool,scorecard-test,operator-sdk,github.com/operator-framework/operator-sdk,images/scorecard-test,a few seconds))
$(eval $(call tool,opm,opm,github.com/operator-framework/operator-registry,cmd/opm,about 2 minutes))
$(eval $(call tool,opm-sqlite,opm,github.com/operator-framework/operator-registry,cmd/opm,about 4 minutes))
$(eval $(call tool,etcd,etcd,go.etcd.io/etcd/server/v3,.,about 40 seconds))
$(eval $(call tool,kube-apiserver,kubernetes,k8s.io/kubernetes,cmd/kube-apiserver,about 4 minutes))
$(eval $(call tool,kube-apiserver-1.31,kubernetes-1.31,k8s.io/kubernetes,cmd/kube-apiserver,about 4 minutes))
# $(call old_kubernetes,MINOR VERSION): its control plane, each binary with the version in its name.
define old_kubernetes
$(call tool,kube-apiserver-$(1),kubernetes-$(1),k8s.io/kubernetes,cmd/kube-apiserver,about 4 minutes)
$(call tool,kube-controller-manager-$(1),kubernetes-$(1),k8s.io/kubernetes,cmd/kube-controller-manager,about 1 minute)
$(call tool,kube-scheduler-$(1),kubernetes-$(1),k8s.io/kubernetes,cmd/kube-scheduler,about 10 seconds)
$$(addsuffix -$(1),$$(addprefix $$(BIN)/,kube-apiserver kube-controller-manager kube-scheduler)): STAMP = $$(call kubernetes_stamp,kubernetes-$(1))
endef
$(foreach version,1.33 1.35 1.37,$(eval $(call old_kubernetes,$(version))))
$(eval $(call tool,kube-controller-manager,kubernetes,k8s.io/kubernetes,cmd/kube-controller-manager,about 1 minute))
$(eval $(call tool,kube-scheduler,kubernetes,k8s.io/kubernetes,cmd/kube-scheduler,about 10 seconds))
$(eval $(call tool,kubectl,kubernetes,k8s.io/kubernetes,cmd/kubectl,about 1 minute))
$(eval $(call tool,kubelet,kubernetes,k8s.io/kubernetes,cmd/kubelet,about 1 minute))
$(eval $(call tool,kubeadm,kubernetes,k8s.io/kubernetes,cmd/kubeadm,about 20 seconds))
$(eval $(call tool,kube-proxy,kubernetes,k8s.io/kubernetes,cmd/kube-proxy,about 20 seconds))
$(eval $(call tool,coredns,coredns,github.com/coredns/coredns,.,about 4 minutes))
$(eval $(call tool,kwok,kwok,sigs.k8s.io/kwok,cmd/kwok,about 90 seconds))

# The renderer of OLM v1. It is no tool of a go.mod here: only its own module may import it.
OLM_V1_VERSION := v1.11.0
.PHONY: olm-v1
olm-v1: $(BIN)/olm-v1
$(BIN)/olm-v1: hack/olm-v1.sh hack/olm-v1/main.go
	@echo "Building olm-v1 $(OLM_V1_VERSION) from source (about 2 minutes on 2 cores the first time; once) ..."
	@mkdir -p $(BIN)
	@hack/olm-v1.sh $(OLM_V1_VERSION) ./cmd/olm-v1 $@.tmp
	@mv $@.tmp $@

# OLM v1 itself, for the cluster. It is that old because of the later releases a module could not be had, boxcutter.
OLM_V1_CLUSTER_VERSION := v1.2.0
.PHONY: operator-controller catalogd
operator-controller catalogd: %: $(BIN)/%
$(foreach dir,$(BIN) $(BIN)/linux,$(addprefix $(dir)/,operator-controller catalogd)): hack/olm-v1.sh
	@echo "Building $(@F) $(OLM_V1_CLUSTER_VERSION) from source (about 3 minutes on 2 cores the first time; once) ..."
	@mkdir -p $(@D)
	@hack/olm-v1.sh $(OLM_V1_CLUSTER_VERSION) ./cmd/$(@F) $@.tmp
	@mv $@.tmp $@

# What the nodes and the registry of the kind cluster run; see hack/kind.
olm_module := github.com/operator-framework/operator-lifecycle-manager
$(eval $(call tool,olm,olm,$(olm_module),cmd/olm,about 3 minutes))
$(eval $(call tool,olm-catalog,olm,$(olm_module),cmd/catalog,about 30 seconds))
$(eval $(call tool,olm-package-server,olm,$(olm_module),cmd/package-server,about 1 minute))
$(eval $(call tool,olm-copy-content,olm,$(olm_module),cmd/copy-content,a few seconds))
$(eval $(call tool,olm-cpb,olm,$(olm_module),util/cpb,a few seconds))
$(eval $(call tool,grpc_health_probe,grpc-health-probe,github.com/grpc-ecosystem/grpc-health-probe,.,about 20 seconds))
$(eval $(call tool,helm,helm,helm.sh/helm/v4,cmd/helm,about 2 minutes))
$(eval $(call tool,registry,registry,github.com/distribution/distribution/v3,cmd/registry,about 80 seconds))

# Programs that learn their version only from the linker.
# $(call kubernetes_stamp,FOLDER in tools/).
kubernetes_stamp = $(call version_stamp,$(call pinned,$(1),k8s.io/kubernetes))
version_stamp = -X k8s.io/component-base/version.gitVersion=$(1) \
	-X k8s.io/component-base/version.gitMajor=$(word 1,$(subst ., ,$(1:v%=%))) \
	-X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(1:v%=%)))
$(addprefix $(BIN)/,kube-apiserver kube-controller-manager kube-scheduler kubectl): STAMP = $(call kubernetes_stamp,kubernetes)
$(addprefix $(BIN)/,kubelet kubeadm kube-proxy): STAMP = $(call kubernetes_stamp,kubernetes)
$(BIN)/kube-apiserver-1.31: STAMP = $(call kubernetes_stamp,kubernetes-1.31)

# Without the clients of two dozen clouds, which find targets to scrape.
$(BIN)/promtool: TAGS = remove_all_sd
$(BIN)/promtool: STAMP = -X github.com/prometheus/common/version.Version=$(call pinned,promtool,github.com/prometheus/prometheus)

sdk_module := github.com/operator-framework/operator-sdk
sdk_version = $(call pinned,operator-sdk,$(sdk_module))
$(BIN)/operator-sdk: STAMP = -X $(sdk_module)/internal/version.Version=$(sdk_version) \
	-X $(sdk_module)/internal/version.GitVersion=$(sdk_version)
$(BIN)/operator-sdk $(BIN)/scorecard-test $(BIN)/linux/scorecard-test: TAGS = containers_image_openpgp

opm_module := github.com/operator-framework/operator-registry
$(BIN)/opm $(BIN)/opm-sqlite $(BIN)/linux/opm: STAMP = -X $(opm_module)/cmd/opm/version.opmVersion=$(call pinned,opm,$(opm_module))
$(BIN)/opm $(BIN)/opm-sqlite $(BIN)/linux/opm: TAGS = containers_image_openpgp,json1,exclude_graphdriver_btrfs
# The opm of OperatorHub.io's pipeline, whose index is a database of SQLite: that is C, and takes a compiler for it.
$(BIN)/opm-sqlite: export CGO_ENABLED = 1
