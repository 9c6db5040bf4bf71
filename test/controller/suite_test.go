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
// Each spec has a namespace of its own with an operator of its own in it.
package controller_test

import (
	"context"
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
	limit = 90 * time.Second
	poll  = 50 * time.Millisecond
)

var (
	cluster  *controlplane.ControlPlane
	k8s      client.Client
	binary   string
	auditLog string

	// used are the rights that operators have used, once the suite is over.
	used sets.Set[string]

	// refusals are namespaces in which the API server refuses something on purpose: where the Role was deleted under a
	// running operator, for example.
	refusals = sets.New[string]()
)

func TestController(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Controller Suite")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	logf.SetLogger(GinkgoLogr)
	SetDefaultEventuallyTimeout(limit)
	SetDefaultEventuallyPollingInterval(poll)

	var err error
	binary, err = gexec.BuildWithEnvironment("github.com/example/app-operator/cmd", []string{"CGO_ENABLED=1"}, "-race")
	if err != nil { // without a C compiler there is no race detector
		binary, err = gexec.Build("github.com/example/app-operator/cmd")
	}
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)

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
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(cluster.Stop()).To(Succeed()) })

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1.AddToScheme, gatewayv1.Install, monitoringv1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		Expect(add(scheme)).To(Succeed())
	}
	k8s, err = client.New(cluster.Config(), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(10*time.Minute))

// A verb that the Role lacks shows in the audit log as a refusal, whatever the operator makes of it.
// gatewayCRD returns the file of the Gateway API's CRD of HTTPRoutes, as released.
func gatewayCRD(ctx context.Context) string {
	GinkgoHelper()
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	Expect(err).NotTo(HaveOccurred())
	return filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "standard", "gateway.networking.k8s.io_httproutes.yaml")
}

var _ = AfterSuite(func() {
	if cluster == nil {
		return
	}
	used = usedRights()
	for _, request := range requests() {
		if request.byOperator() && !refusals.Has(request.ObjectRef.Namespace) {
			Expect(request.ResponseStatus.Code).NotTo(Equal(403), "the operator lacks a right: %s", request)
		}
	}
})
