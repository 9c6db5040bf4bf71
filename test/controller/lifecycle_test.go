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
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("An Application", func() {
	var namespace string
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	It("becomes a serving workload, from the smallest manifest", func(ctx SpecContext) {
		app := sample("smallest.yaml", namespace)
		createReady(ctx, app)

		Expect(app.Status).To(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
			"ObservedGeneration": Equal(app.Generation),
			"Replicas":           BeEquivalentTo(3),
			"ReadyReplicas":      BeEquivalentTo(3),
			"UpdatedReplicas":    BeEquivalentTo(3),
			"AvailableReplicas":  BeEquivalentTo(3),
			"ReplicaSummary":     Equal("3/3"),
			"URL":                Equal("http://my-app." + namespace + ".svc"),
			"Image":              Equal("nginx:latest"),
		}))
		Expect(app).To(haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonRolloutComplete))
		Expect(app).To(haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonRolloutComplete))
		Expect(app).To(haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete))

		for _, child := range []client.Object{deploymentOf(app), serviceOf(app), accountOf(app)} {
			Expect(get(ctx, child)).To(HaveField("ObjectMeta.OwnerReferences", ConsistOf(SatisfyAll(
				HaveField("UID", app.UID), HaveField("Controller", HaveValue(BeTrue()))))))
			Expect(child.GetLabels()).To(SatisfyAll(
				HaveKeyWithValue("app.kubernetes.io/name", "my-app"),
				HaveKeyWithValue("app.kubernetes.io/instance", "my-app"),
				HaveKeyWithValue("app.kubernetes.io/managed-by", "app-operator")))
		}
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		Expect(pods).To(HaveLen(3))
		selected := &corev1.PodList{}
		selector, err := metav1.ParseToLabelSelector(app.Status.Selector)
		Expect(err).NotTo(HaveOccurred())
		matching, err := metav1.LabelSelectorAsSelector(selector)
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.List(ctx, selected, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: matching})).To(Succeed())
		Expect(selected.Items).To(HaveLen(3), "status.selector finds the pods")
	})

	It("serves every field of the full sample", func(ctx SpecContext) {
		app := sample("apps_v1_application.yaml", namespace)
		createReady(ctx, app)
		Expect(app.Status.ReplicaSummary).To(Equal("2/2"))
		Expect(running.errors()).To(BeEmpty())
	})

	It("tells of its changes in events, once each", func(ctx SpecContext) {
		app := web(namespace)
		app.Spec.Rollout = &v1.RolloutSpec{MinReadySeconds: 10} // or the first pass may find all complete
		createReady(ctx, app)
		Eventually(func(g Gomega) {
			list := &eventsv1.EventList{}
			g.Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			var told []string
			for _, event := range list.Items {
				if event.Regarding.UID == app.UID {
					told = append(told, event.Type+" "+event.Reason)
					g.Expect(event.Series).To(BeNil(), "told more than once: %s", event.Note)
				}
			}
			g.Expect(told).To(ConsistOf("Normal RolloutComplete"))
		}).Should(Succeed())
	})

	It("is never Ready before the new pods serve", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		watcher, err := newWatcher(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		defer watcher.Stop()

		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		desired := app.Generation
		var seen []string
		for event := range watcher.ResultChan() {
			current, ok := event.Object.(*v1.Application)
			Expect(ok).To(BeTrue(), "%v", event)
			ready := conditionOf(current, v1.ConditionReady)
			seen = append(seen, string(ready.Status))
			if ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != desired {
				continue
			}
			Expect(current.Status.Image).To(Equal("nginx:1.30"))
			break
		}
		Expect(seen).To(ContainElement("Unknown"), "on its way in between")
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		serving := 0
		for _, pod := range pods {
			if pod.DeletionTimestamp == nil && pod.Spec.Containers[0].Image == "nginx:1.30" {
				serving++
			}
		}
		Expect(serving).To(Equal(2))
	})

	It("scales by kubectl scale", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		kubectl(ctx, "scale", "appl/web", "--replicas=5", "-n", namespace)
		kubectl(ctx, "wait", "--for=condition=Ready", "appl/web", "-n", namespace, "--timeout="+limit.String())
		Expect(get(ctx, app)).To(HaveField("Status.ReplicaSummary", "5/5"))
		Expect(kubectl(ctx, "get", "appl", "-n", namespace)).To(MatchRegexp(
			`web\s+True\s+RolloutComplete\s+5/5\s+http://web\.%s\.svc:8080`, namespace))
	})

	It("becomes a worker without ports, and loses its Service", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		Expect(get(ctx, serviceOf(app))).NotTo(BeNil())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Port = nil })
		Eventually(func() error { _, err := get(ctx, serviceOf(app)); return err }).Should(Satisfy(apierrors.IsNotFound))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.URL", BeEmpty())))
	})

	It("keeps the ServiceAccount that was made for it when that is asked for by name", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		account, err := get(ctx, accountOf(app))
		Expect(err).NotTo(HaveOccurred())
		passes := running.reconciles(ctx)
		edit(ctx, app, func(app *v1.Application) { app.Spec.ServiceAccount = &v1.ServiceAccountSpec{Name: app.Name} })
		Eventually(fresh(ctx, app)).Should(beReady())
		Eventually(func() float64 { return running.reconciles(ctx) }).Should(BeNumerically(">", passes))
		Expect(get(ctx, accountOf(app))).To(SatisfyAll(HaveField("UID", account.UID), HaveField("DeletionTimestamp", BeNil())))
	})

	It("suspends to zero pods and comes back", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended),
			HaveField("Status.ReplicaSummary", "0/0")))
		Eventually(podsOf).WithContext(ctx).WithArguments(app).Should(BeEmpty())
		Expect(get(ctx, serviceOf(app))).NotTo(BeNil(), "everything else is kept")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "2/2")))
	})

	It("is left alone while paused", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = true })
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonPaused))
		edit(ctx, deploymentOf(app), func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(4)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonPaused, "spec.paused"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonPaused),
			HaveField("Status.ReadyReplicas", BeEquivalentTo(4))))
		Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(4))))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = false })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "2/2")))
	})

	It("rests when it is Ready: no pass, no write", func(ctx SpecContext) {
		apps := []*v1.Application{
			sample("smallest.yaml", namespace), sample("apps_v1_application.yaml", namespace), worker(namespace),
		}
		for _, app := range apps {
			createReady(ctx, app)
		}
		tellAutoscalers(ctx, apps...)
		running.expectCalm(ctx, namespace, 10*time.Second)
	})

	It("sends no write in a pass that changes nothing", func(ctx SpecContext) {
		app := sample("apps_v1_application.yaml", namespace)
		createReady(ctx, app)
		tellAutoscalers(ctx, app)
		running.rest(ctx) // the last objects may be written after the pods are ready
		passes, writes := running.reconciles(ctx), len(running.writes())
		edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		Eventually(func() float64 { return running.reconciles(ctx) }).Should(BeNumerically(">", passes))
		running.rest(ctx)
		Expect(running.writesAfter(writes)()).To(BeEmpty())
	})

	It("is recognised as applied, whatever its spec: the builders' golden cases", func(ctx SpecContext) {
		files, err := filepath.Glob(filepath.Join("..", "..", "internal", "resources", "testdata", "*", "application.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(files).NotTo(BeEmpty())
		var apps []*v1.Application
		for _, file := range files {
			name := filepath.Base(filepath.Dir(file))
			if name == "being-deleted" {
				continue
			}
			read := readApplication(file)
			app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Spec: read.Spec}
			app.Spec.Paused = false
			for i := range app.Spec.Schedules {
				app.Spec.Schedules[i].Schedule = "@yearly" // else the clock starts a Job in the middle, and its time is in the status
			}
			createReferences(ctx, app)
			Expect(k8s.Create(ctx, app)).To(Succeed(), name)
			apps = append(apps, app)
		}
		for _, app := range apps {
			Eventually(fresh(ctx, app)).Should(SatisfyAny(
				haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonRolloutComplete),
				haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended),
				// No PriorityClass, no RuntimeClass, and no storage for claims.
				haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing),
				haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnschedulable),
				SatisfyAll(HaveField("Name", BeElementOf("revision-release-beside-earlier", "jobs-claim", "jobs-claim-there")), // whose release command has a claim
					haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing))), app.Name)
		}
		running.rest(ctx)

		passes, writes := running.reconciles(ctx), len(running.writes())
		for _, app := range apps {
			edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		}
		Eventually(func() float64 { return running.reconciles(ctx) }).Should(BeNumerically(">=", passes+float64(len(apps))))
		running.rest(ctx)
		Expect(running.writesButStatuses(writes)()).To(BeEmpty())
	})
})

// kubectl runs the real kubectl as an administrator and returns what it printed.
func kubectl(ctx SpecContext, args ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, cluster.KubectlPath(), append([]string{"--kubeconfig=" + adminKubeconfig()}, args...)...)
	output, err := command.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), string(output))
	return string(output)
}
