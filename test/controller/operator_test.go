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
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

// runningOperator is the operator of a spec.
type runningOperator struct {
	*operator.Operator
}

// newNamespace makes a namespace for the spec, removed after it.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "apps-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	namespaces.Insert(namespace.Name)
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, namespace))).To(Succeed())
	})
	return namespace.Name
}

// startOperator runs the operator for the namespace, with the rights of the Role in config/rbac and no others, and
// returns when it is ready.
func startOperator(ctx context.Context, namespace string, flags ...string) *runningOperator {
	GinkgoHelper()
	grantRole(ctx, namespace, namespace)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started, err := operator.Start(ctx, cluster, operator.Options{
		Name:             "operator-" + namespace,
		Binary:           binary,
		AccountNamespace: namespace,
		Flags:            append([]string{"--namespace=" + namespace}, flags...),
		Env: []string{
			// What is read from the cache is not copied, and must not be changed: the operator ends if it has.
			"KUBE_CACHE_MUTATION_DETECTOR=true",
			fmt.Sprintf("GOGC=%d", controlplane.FewCollections),
		},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			AddReportEntry("operator log", controlplane.Tail(started.LogFile(), 60))
		}
		Expect(started.Kill()).To(Succeed())
	})
	return &runningOperator{started}
}

// grantRole binds the operator's real Role, in the namespace, to the account of the operator whose home is another
// namespace or the same.
func grantRole(ctx context.Context, namespace, home string) {
	GinkgoHelper()
	rights, err := operator.Rights(namespace, home)
	Expect(err).NotTo(HaveOccurred())
	for _, right := range rights {
		Expect(k8s.Create(ctx, right)).To(Succeed())
	}
}

// reconciles returns how many passes the operator has made so far, from its metrics.
func (o *runningOperator) reconciles(ctx context.Context) float64 {
	GinkgoHelper()
	families, err := o.Metrics(ctx)
	Expect(err).NotTo(HaveOccurred())
	family := families["controller_runtime_reconcile_total"]
	Expect(family).NotTo(BeNil(), "the operator does not count its passes")
	total := 0.0
	for _, metric := range family.GetMetric() {
		total += metric.GetCounter().GetValue()
	}
	return total
}

// errors returns the lines of the log that tell of an error, but for lost connections of watches: a machine that stands still for long
// enough loses them.
func (o *runningOperator) errors() []string {
	GinkgoHelper()
	var lines []string
	for line := range strings.Lines(o.log()) {
		if strings.Contains(line, `"level":"error"`) && !strings.Contains(line, "Lost the watch; retrying") {
			lines = append(lines, line)
		}
	}
	return lines
}

// log returns the operator's log so far.
func (o *runningOperator) log() string {
	GinkgoHelper()
	content, err := os.ReadFile(o.LogFile())
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}
