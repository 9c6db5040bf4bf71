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

package controller_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/test/controlplane"
)

// account is the ServiceAccount that the operators run as, each in its own namespace.
const account = "app-operator-controller-manager"

// operator is one running operator process.
type operator struct {
	namespace string
	metrics   string
	process   *controlplane.Process
}

// newNamespace makes a namespace for the spec, removed after it.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "apps-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, namespace))).To(Succeed())
	})
	return namespace.Name
}

// startOperator runs the operator for the namespace, with the rights of the Role in config/rbac and no others, and
// returns when it is ready.
func startOperator(ctx context.Context, namespace string, flags ...string) *operator {
	GinkgoHelper()
	grantRole(ctx, namespace, namespace)
	config, err := cluster.ServiceAccount(namespace, account)
	Expect(err).NotTo(HaveOccurred())
	content, err := controlplane.Kubeconfig(config)
	Expect(err).NotTo(HaveOccurred())
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())

	metrics, probes := freeAddress(), freeAddress()
	process, err := cluster.Run(controlplane.Command{
		Name: "operator-" + namespace,
		Path: binary,
		Args: append([]string{
			"--kubeconfig=" + kubeconfig,
			"--namespace=" + namespace,
			"--metrics-bind-address=" + metrics,
			"--health-probe-bind-address=" + probes,
		}, flags...),
	})
	Expect(err).NotTo(HaveOccurred())
	started := &operator{namespace: namespace, metrics: "http://" + metrics + "/metrics", process: process}
	DeferCleanup(started.stop)
	Eventually(func(g Gomega) {
		g.Expect(process.Ended()).To(BeFalse(), controlplane.Tail(process.LogFile(), 20))
		response, err := http.Get("http://" + probes + "/readyz")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(response.Body.Close()).To(Succeed())
		g.Expect(response).To(HaveHTTPStatus(http.StatusOK))
	}).Should(Succeed())
	return started
}

// stop ends the operator, and shows what it logged if the spec has failed.
func (o *operator) stop() {
	if CurrentSpecReport().Failed() {
		AddReportEntry("operator log", controlplane.Tail(o.process.LogFile(), 60))
	}
	Expect(o.process.Kill()).To(Succeed())
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(listener.Close()).To(Succeed()) }()
	return listener.Addr().String()
}

// grantRole binds the operator's real Role, in the namespace, to the account of the operator in another or the same.
func grantRole(ctx context.Context, namespace, operator string) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", "role.yaml"))
	Expect(err).NotTo(HaveOccurred())
	role := &rbacv1.Role{}
	Expect(yaml.UnmarshalStrict(content, role)).To(Succeed())
	role.Namespace = namespace
	Expect(k8s.Create(ctx, role)).To(Succeed())
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: operator}},
	}
	Expect(k8s.Create(ctx, binding)).To(Succeed())
}

// reconciles returns how many passes the operator has made so far, from its metrics.
func (o *operator) reconciles() float64 {
	GinkgoHelper()
	response, err := http.Get(o.metrics)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(response.Body.Close()).To(Succeed()) }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	Expect(err).NotTo(HaveOccurred())
	family := families["controller_runtime_reconcile_total"]
	Expect(family).NotTo(BeNil(), "the operator does not count its passes")
	total := 0.0
	for _, metric := range family.GetMetric() {
		total += metric.GetCounter().GetValue()
	}
	return total
}

// log returns the operator's log so far.
func (o *operator) log() string {
	GinkgoHelper()
	content, err := os.ReadFile(o.process.LogFile())
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// user is the name under which the API server knows the operator.
func (o *operator) user() string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", o.namespace, account)
}

// isOperator tells whether a user is any operator of this suite.
func isOperator(user string) bool {
	return strings.HasPrefix(user, "system:serviceaccount:") && strings.HasSuffix(user, ":"+account)
}
