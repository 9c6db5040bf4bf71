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
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// ownPrefix begins the names of the operator's own metrics.
const ownPrefix = "app_operator_"

var _ = Describe("The operator's metrics", func() {
	var (
		namespace string
		operator  *runningOperator
	)

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		grantLease(ctx, namespace)
		operator = startOperator(ctx, namespace, electing(namespace)...)
		Eventually(operator.Leads).WithContext(ctx).Should(BeTrue())
	})

	It("are those that are documented, with their labels", func(ctx SpecContext) {
		app := web(namespace)
		app.Spec.Schedules = []v1.Schedule{{Name: "nightly", Schedule: "@yearly"}}
		createReady(ctx, app)
		runByHand(ctx, app, "succeeds")
		Eventually(fresh(ctx, app)).Should(HaveField("Status.Schedules", ConsistOf(HaveField("LastSuccessfulTime", Not(BeNil())))))
		documented := documentedMetrics()
		Eventually(func(g Gomega) { // the metrics are those of the cache, which may be behind the status that was read
			families, err := operator.Metrics(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			exposed := map[string]string{}
			for name, family := range families {
				if !strings.HasPrefix(name, ownPrefix) {
					continue
				}
				for _, metric := range family.GetMetric() {
					shape := strings.ToLower(family.GetType().String()) + " " + strings.Join(slices.Sorted(maps.Keys(labelsOf(metric))), ",")
					if was, ok := exposed[name]; ok {
						g.Expect(shape).To(Equal(was), "all series of %s have the same labels", name)
					}
					exposed[name] = shape
				}
			}
			g.Expect(exposed).To(Equal(documented))
		}).Should(Succeed())
	})

	It("have no series of an Application that is gone", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		of := map[string]string{"namespace": namespace, "name": app.Name}
		Eventually(func(g Gomega) {
			g.Expect(operator.series(ctx, "app_operator_application_ready", of)).To(Equal(
				map[string]float64{v1.ReasonRolloutComplete: 1}))
			g.Expect(operator.series(ctx, "app_operator_application_degraded", of)).To(Equal(
				map[string]float64{v1.ReasonRolloutComplete: 0}))
			g.Expect(operator.series(ctx, "app_operator_application_wanted_replicas", of)).To(Equal(map[string]float64{"": 2}))
			g.Expect(operator.series(ctx, "app_operator_application_available_replicas", of)).To(Equal(map[string]float64{"": 2}))
		}).Should(Succeed())

		By("having one series, whatever its state")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
		Eventually(func() map[string]float64 {
			return operator.series(ctx, "app_operator_application_ready", of)
		}).Should(Equal(map[string]float64{v1.ReasonSuspended: 1}))

		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(func(g Gomega) {
			families, err := operator.Metrics(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			for name, family := range families {
				for _, metric := range family.GetMetric() {
					g.Expect(labelsOf(metric)).NotTo(HaveKeyWithValue("name", app.Name), name)
				}
			}
		}).Should(Succeed())
	})

	It("tell what is remembered, by what is documented, and nothing of an Application that is gone", func(ctx SpecContext) {
		stores := func() (entries map[string]float64) {
			families, err := operator.Metrics(ctx)
			Expect(err).NotTo(HaveOccurred())
			entries = map[string]float64{}
			for _, metric := range families[ownPrefix+"store_entries"].GetMetric() {
				entries[labelsOf(metric)["store"]] = metric.GetGauge().GetValue()
			}
			return entries
		}
		empty := documentedStores()
		Expect(stores()).To(Equal(empty))

		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: namespace}}
		Expect(k8s.Create(ctx, config)).To(Succeed())
		app := web(namespace)
		app.Spec.EnvFrom = []corev1.EnvFromSource{{
			ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: config.Name}},
		}}
		app.Spec.Rollout = &v1.RolloutSpec{RestartOnConfigChange: true}
		createReady(ctx, app)
		Expect(k8s.Delete(ctx, serviceOf(app))).To(Succeed())
		Eventually(stores).Should(SatisfyAll(
			HaveKeyWithValue("applications", 1.0), HaveKeyWithValue("configurations", 1.0), HaveKeyWithValue("disputes", 1.0),
			HaveKeyWithValue("objects", BeNumerically(">=", 4)),
		))

		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Expect(k8s.Delete(ctx, config)).To(Succeed())
		Eventually(stores).Should(Equal(empty))
	})

	It("count what is put right, and nothing that the spec wants", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		repairs := func() map[string]float64 { return operator.counters(ctx, "app_operator_drift_repairs_total") }
		Expect(repairs()).To(BeEmpty())

		edit(ctx, serviceOf(app), func(service *corev1.Service) { service.Spec.Ports[0].Port = 9999 })
		Eventually(repairs).Should(Equal(map[string]float64{"Service": 1}))
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(8080)))))

		By("being given other wishes")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(beReady())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Port = nil }) // the Service goes
		Eventually(fresh(ctx, app)).Should(beReady())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Port = new(int32(8080)) }) // and comes again
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(app), serviceOf(app))).To(Succeed())

		By("being left with less than it had")
		account := accountOf(app)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(app), account)).To(Succeed())
		Expect(k8s.Delete(ctx, account)).To(Succeed())
		Eventually(repairs).Should(Equal(map[string]float64{"Service": 1, "ServiceAccount": 1}))
	})

	It("measure rollouts of new pods, and nothing else", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		rollouts := func() uint64 {
			families, err := operator.Metrics(ctx)
			Expect(err).NotTo(HaveOccurred())
			return families["app_operator_rollout_duration_seconds"].GetMetric()[0].GetHistogram().GetSampleCount()
		}
		Eventually(rollouts).Should(BeEquivalentTo(1))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(4)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.AvailableReplicas", BeEquivalentTo(4))))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Image", "nginx:1.30")))
		Eventually(rollouts).Should(BeEquivalentTo(2))
	})

	It("count each conflict once", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, strangersService(namespace))).To(Succeed())
		app := web(namespace)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		conflicts := func() map[string]float64 { return operator.counters(ctx, "app_operator_conflicts_total") }
		Eventually(conflicts).Should(Equal(map[string]float64{"Service": 1}))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(3)) })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict))
		Expect(conflicts()).To(Equal(map[string]float64{"Service": 1}))
	})
})

// series returns the values of the metric's series that have these labels, by their reason.
func (o *runningOperator) series(ctx context.Context, name string, labels map[string]string) map[string]float64 {
	GinkgoHelper()
	families, err := o.Metrics(ctx)
	Expect(err).NotTo(HaveOccurred())
	all := map[string]float64{}
	for _, metric := range families[name].GetMetric() {
		has := labelsOf(metric)
		if has["namespace"] == labels["namespace"] && has["name"] == labels["name"] {
			all[has["reason"]] = metric.GetGauge().GetValue()
		}
	}
	return all
}

// counters returns what a counter has counted, by kind; kinds of which nothing was counted are left out.
func (o *runningOperator) counters(ctx context.Context, name string) map[string]float64 {
	GinkgoHelper()
	families, err := o.Metrics(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(families).To(HaveKey(name))
	all := map[string]float64{}
	for _, metric := range families[name].GetMetric() {
		if value := metric.GetCounter().GetValue(); value > 0 {
			all[labelsOf(metric)["kind"]] = value
		}
	}
	return all
}

func labelsOf(metric *dto.Metric) map[string]string {
	labels := map[string]string{}
	for _, label := range metric.GetLabel() {
		labels[label.GetName()] = label.GetValue()
	}
	return labels
}

// documented is a row of the table of metrics: name, type, labels.
var documented = regexp.MustCompile("(?m)^\\| `(" + ownPrefix + "[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\|")

// documentedMetrics returns type and labels of the metrics in docs/operations/metrics.md.
func documentedMetrics() map[string]string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", "metrics.md"))
	Expect(err).NotTo(HaveOccurred())
	all := map[string]string{}
	for _, row := range documented.FindAllStringSubmatch(string(content), -1) {
		var labels []string
		for _, label := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, label[1])
		}
		slices.Sort(labels)
		all[row[1]] = row[2] + " " + strings.Join(labels, ",")
	}
	Expect(all).NotTo(BeEmpty())
	return all
}

// documentedStores returns the stores in the table of docs/operations/metrics.md, each empty.
func documentedStores() map[string]float64 {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations", "metrics.md"))
	Expect(err).NotTo(HaveOccurred())
	_, table, found := strings.Cut(string(content), "| `store` | An entry is |\n")
	Expect(found).To(BeTrue())
	table, _, _ = strings.Cut(table, "\n\n")
	all := map[string]float64{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(table, -1) {
		all[row[1]] = 0
	}
	Expect(all).NotTo(BeEmpty())
	return all
}
