/*
Copyright 2026 The app-operator authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

// Package controller_test proves the operator's behaviour: its real binary, run as its own process under its real
// Role, against a real API server with the real controllers around it. Only the nodes are played, by kwok.
//
// Each spec has a namespace of its own with an operator of its own in it, and runs beside others. Specs that change what all
// namespaces share have a control plane of their own.
package controller_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

// Conditions are waited for with generous limits: only a machine in trouble reaches them.
const (
	limit = 3 * time.Minute
	poll  = 50 * time.Millisecond
)

// What takes long begins first, lest the other processes have nothing left to do while it ends.
const (
	takesLongest = SpecPriority(2)
	takesLong    = SpecPriority(1)
)

var (
	cluster  *controlplane.ControlPlane
	k8s      client.Client
	binary   string
	auditLog string

	// used are the rights that operators have used, once the suite is over.
	used sets.Set[string]

	// namespaces are those that the specs of this process have made.
	namespaces = sets.New[string]()

	// refusals are namespaces in which the API server refuses something on purpose: where the Role was deleted under a
	// running operator, for example.
	refusals = sets.New[string]()
)

func TestController(t *testing.T) {
	logf.SetLogger(GinkgoLogr)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Controller Suite")
}

// shared is what the first process tells the others, which run specs beside it.
type shared struct {
	Binary, AuditLog string
	ControlPlane     []byte
}

// The first process builds the operator and starts the control plane for all of them.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	DeferCleanup(gexec.CleanupBuildArtifacts)
	binary = build("github.com/example/app-operator/cmd")
	dir, err := os.MkdirTemp("", "audit-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	auditLog = filepath.Join(dir, "audit.log")

	// The control plane outlives this node's context.
	cluster, err = controlplane.Start(context.WithoutCancel(ctx), controlplane.Options{
		CRDPaths: []string{"config/crd/bases", "test/crds", gatewayCRD(ctx)},
		Nodes:    2,
		AuditLog: auditLog,
		Output:   GinkgoWriter,
		// All specs need the API server, which is what takes most of the cores.
		GCPercent: controlplane.FewCollections,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(cluster.Stop()).To(Succeed()) })
	share, err := cluster.Share()
	Expect(err).NotTo(HaveOccurred())
	content, err := json.Marshal(shared{Binary: binary, AuditLog: auditLog, ControlPlane: share})
	Expect(err).NotTo(HaveOccurred())
	return content
}, func(ctx SpecContext, content []byte) {
	SetDefaultEventuallyTimeout(limit)
	SetDefaultEventuallyPollingInterval(poll)
	if cluster == nil {
		joinFirstProcess(ctx, content)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1.AddToScheme, gatewayv1.Install, monitoringv1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		Expect(add(scheme)).To(Succeed())
	}
	var err error
	k8s, err = client.New(cluster.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(20*time.Minute))

// joinFirstProcess uses what the first process has built and started.
func joinFirstProcess(ctx context.Context, content []byte) {
	GinkgoHelper()
	DeferCleanup(gexec.CleanupBuildArtifacts) // specs build others
	var first shared
	Expect(json.Unmarshal(content, &first)).To(Succeed())
	binary, auditLog = first.Binary, first.AuditLog
	var err error
	cluster, err = controlplane.Join(context.WithoutCancel(ctx), first.ControlPlane)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(cluster.Stop()).To(Succeed()) })
}

// build returns the file of the program, built with the race detector where there is a C compiler.
func build(program string) string {
	GinkgoHelper()
	file, err := gexec.BuildWithEnvironment(program, []string{"CGO_ENABLED=1"}, "-race")
	if err != nil {
		file, err = gexec.Build(program)
	}
	Expect(err).NotTo(HaveOccurred())
	return file
}

// gatewayCRD returns the file of the Gateway API's CRD of HTTPRoutes, as released.
func gatewayCRD(ctx context.Context) string {
	GinkgoHelper()
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	Expect(err).NotTo(HaveOccurred())
	return filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml")
}

// expectNoRefusals holds that the Role has all that was asked for. A verb that it lacks shows in the audit log as a refusal, whatever
// the operator makes of it. Each process looks at the namespaces of its own specs.
func expectNoRefusals() {
	GinkgoHelper()
	for _, request := range requests() {
		if request.byOperator() && namespaces.Has(request.ObjectRef.Namespace) && !refusals.Has(request.ObjectRef.Namespace) {
			Expect(request.ResponseStatus.Code).NotTo(Equal(403), "the operator lacks a right: %s", request)
		}
	}
}

var _ = SynchronizedAfterSuite(func() {
	if cluster != nil {
		expectNoRefusals()
	}
}, func() {
	if cluster != nil {
		used = usedRights()
	}
})
