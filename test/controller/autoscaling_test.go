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
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// The autoscaler is the real one of kube-controller-manager. Without metrics it keeps a Deployment within its bounds and
// otherwise leaves it alone; what load would make it do is done through the scale subresource, as it does.
var _ = Describe("Autoscaling", func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
		app.Spec.Replicas = new(int32(5))
	})

	between := func(least, most int32) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: &least, MaxReplicas: most}
		}
	}

	It("that cannot work is told, and no longer when it is turned off", func(ctx SpecContext) {
		between(2, 9)(app)
		createReady(ctx, app)
		Expect(get(ctx, app)).To(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonRolloutComplete, "it needs spec.resources.requests.cpu"),
			haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))

		By("having waited for long enough")
		ageAutoscaler(ctx, app)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionTrue,
			v1.ReasonAutoscalingFailed, "spec.autoscaling does not work", "metrics", "it needs spec.resources.requests.cpu")))
		expectWarning(ctx, app, v1.ReasonAutoscalingFailed)

		edit(ctx, app, func(app *v1.Application) { app.Spec.Autoscaling = nil })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(),
			haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))
	})

	It("that is turned on at five pods stays at five", func(ctx SpecContext) {
		createReady(ctx, app)
		sizes := watchSizes(ctx, app)
		edit(ctx, app, between(2, 10))
		Eventually(fresh(ctx, autoscalerOf(app))).Should(HaveField("Spec.ScaleTargetRef.Name", app.Name))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "5/5")))
		Eventually(fresh(ctx, deploymentOf(app))).ShouldNot(WithTransform(ownsReplicas, BeTrue()), "the operator must not own the size")

		By("which the autoscaler's own decisions do not have to fight for")
		scale(ctx, app, 7)
		Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "7/7"))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))
		Expect(slices.Compact(sizes())).To(Equal([]int32{5, 7}), "the sizes that the Deployment has had")
	})

	It("starts where replicas says, within its bounds", func(ctx SpecContext) {
		between(2, 4)(app)
		createReady(ctx, app)
		Expect(app.Status.ReplicaSummary).To(Equal("4/4"))
		Eventually(fresh(ctx, deploymentOf(app))).ShouldNot(WithTransform(ownsReplicas, BeTrue()))
		Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(4))))
	})

	It("decides without making a Ready application unready, and without a storm", func(ctx SpecContext) {
		between(2, 10)(app)
		createReady(ctx, app)
		Eventually(fresh(ctx, deploymentOf(app))).ShouldNot(WithTransform(ownsReplicas, BeTrue()))
		running.rest(ctx)
		watcher, err := newWatcher(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		defer watcher.Stop()

		var seen []*v1.Application
		over := make(chan struct{})
		go func() {
			defer close(over)
			for event := range watcher.ResultChan() {
				if current, ok := event.Object.(*v1.Application); ok {
					seen = append(seen, current)
				}
			}
		}()
		passes, writes := running.reconciles(ctx), len(running.writes())
		scale(ctx, app, 9)
		Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "9/9"))
		scale(ctx, app, 3)
		Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "3/3"))
		running.rest(ctx)
		Expect(running.reconciles(ctx)-passes).To(BeNumerically("<", 60), "about one for each step of two rollouts")
		for _, write := range running.writesAfter(writes)() {
			Expect(write).To(ContainSubstring("/applications "), "only the status is written")
		}
		watcher.Stop()
		<-over
		Expect(len(seen)).To(BeNumerically(">", 1), "what was there, and what became of it")
		Expect(seen).To(HaveEach(beReady()))
	})

	It("raises the Deployment to its least number, and nobody takes it back", func(ctx SpecContext) {
		app.Spec.Replicas = new(int32(2))
		createReady(ctx, app)
		edit(ctx, app, between(2, 10))
		Eventually(fresh(ctx, app)).Should(beReady())
		edit(ctx, app, between(6, 10))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "6/6")))
		Expect(get(ctx, deploymentOf(app))).To(WithTransform(ownsReplicas, BeFalse()))
		kubectl(ctx, "scale", "appl/web", "--replicas=1", "-n", namespace)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "6/6")))
	})

	It("that is turned off leaves what runs until replicas says otherwise", func(ctx SpecContext) {
		between(2, 10)(app)
		createReady(ctx, app)
		scale(ctx, app, 7)
		Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "7/7"))
		sizes := watchSizes(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Autoscaling = nil })
		Eventually(func() error { _, err := get(ctx, autoscalerOf(app)); return err }).Should(Satisfy(apierrors.IsNotFound))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))

		By("repairing what a person makes of it")
		scale(ctx, app, 1)
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(7))))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))

		By("and then doing as it says")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(4)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "4/4")))
		Expect(app.Status.Autoscaled).To(BeNil())
		Expect(slices.Compact(sizes())).To(Equal([]int32{7, 1, 7, 4}))
	})

	// What it has asked for lives in the Application's status, where no edit or deletion of a child reaches it.
	Describe("has asked for seven pods", func() {
		seven := func(ctx SpecContext) {
			GinkgoHelper()
			app.Spec.Replicas = new(int32(1))
			between(1, 10)(app)
			createReady(ctx, app)
			scale(ctx, app, 7)
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7"),
				HaveField("Status.Autoscaled", HaveValue(Equal(v1.AutoscaledStatus{Replicas: 7, Overridden: 1})))))
		}
		deleteAndWait := func(ctx SpecContext, object client.Object) {
			GinkgoHelper()
			before, err := get(ctx, object)
			Expect(err).NotTo(HaveOccurred())
			Expect(k8s.Delete(ctx, before)).To(Succeed())
			Eventually(fresh(ctx, object)).ShouldNot(HaveField("ObjectMeta.UID", before.GetUID()))
		}

		It("and has seven again when the Deployment is deleted", func(ctx SpecContext) {
			seven(ctx)
			deleteAndWait(ctx, deploymentOf(app))
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))
			Eventually(fresh(ctx, deploymentOf(app))).ShouldNot(WithTransform(ownsReplicas, BeTrue()))

			By("and when the autoscaler is deleted")
			deleteAndWait(ctx, autoscalerOf(app))
			Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(7))))
		})

		It("and has seven after it was turned off and the Deployment was deleted", func(ctx SpecContext) {
			seven(ctx)
			edit(ctx, app, func(app *v1.Application) { app.Spec.Autoscaling = nil })
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(),
				HaveField("Status.Autoscaled", HaveValue(Equal(v1.AutoscaledStatus{Replicas: 7, Overridden: 1, Kept: true})))))
			deleteAndWait(ctx, deploymentOf(app))
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))

			By("and after somebody has taken all annotations off the Deployment")
			edit(ctx, deploymentOf(app), func(deployment *appsv1.Deployment) { deployment.Annotations = nil })
			edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
			Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "0/0"))
			edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))
		})

		It("and has seven after a suspension in which the Deployment was deleted", func(ctx SpecContext) {
			seven(ctx)
			edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended))
			deleteAndWait(ctx, deploymentOf(app))
			edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "7/7")))
		})

		It("and goes on during a pause in which it is taken away", func(ctx SpecContext) {
			seven(ctx)
			edit(ctx, app, func(app *v1.Application) { app.Spec.Paused, app.Spec.Autoscaling = true, nil })
			Eventually(fresh(ctx, app)).Should(HaveField("Status.ObservedGeneration", Equal(app.Generation)))
			scale(ctx, app, 4)
			Eventually(fresh(ctx, app)).Should(HaveField("Status.Autoscaled.Replicas", BeEquivalentTo(4)))
			edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = false })
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "4/4")))
		})
	})

	It("is parked by suspend, and comes back", func(ctx SpecContext) {
		between(2, 4)(app)
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended), HaveField("Status.ReplicaSummary", "0/0")))
		Consistently(fresh(ctx, deploymentOf(app)), 3*time.Second).Should(
			HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(0))), "the autoscaler leaves it alone")
		Expect(get(ctx, autoscalerOf(app))).NotTo(BeNil(), "all but the pods is kept")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "4/4")))
		Eventually(fresh(ctx, deploymentOf(app))).ShouldNot(WithTransform(ownsReplicas, BeTrue()))
	})

	It("has a budget for evictions while more than one pod is asked for", func(ctx SpecContext) {
		app.Spec.Replicas = new(int32(1))
		between(1, 5)(app)
		createReady(ctx, app)
		budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: namespace}}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(budget), budget)).To(Satisfy(apierrors.IsNotFound))
		scale(ctx, app, 3)
		Eventually(fresh(ctx, budget)).Should(SatisfyAll(
			HaveField("Status.ExpectedPods", BeEquivalentTo(3)), HaveField("Status.DisruptionsAllowed", BeEquivalentTo(1))))
		scale(ctx, app, 1)
		Eventually(func() error { _, err := get(ctx, budget); return err }).Should(Satisfy(apierrors.IsNotFound))
	})
})

func autoscalerOf(app *v1.Application) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}

// ageAutoscaler makes the Application Ready, and its autoscaler unable to work, since an hour ago, once they are. There is no
// metrics server, so every autoscaler becomes a fault of its Application when it has had its time.
func ageAutoscaler(ctx context.Context, app *v1.Application) {
	GinkgoHelper()
	long := metav1.NewTime(time.Now().Add(-time.Hour))
	Eventually(func(g Gomega) {
		autoscaler, err := get(ctx, autoscalerOf(app))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(autoscaler.Status.Conditions).To(ContainElement(SatisfyAll(
			HaveField("Type", autoscalingv2.ScalingActive), HaveField("Status", corev1.ConditionFalse))))
		for i := range autoscaler.Status.Conditions {
			autoscaler.Status.Conditions[i].LastTransitionTime = long
		}
		g.Expect(k8s.Status().Update(ctx, autoscaler)).To(Succeed())
		g.Expect(get(ctx, app)).To(beReady())
		meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady).LastTransitionTime = long
		g.Expect(k8s.Status().Update(ctx, app)).To(Succeed())
	}).Should(Succeed())
}

// tellAutoscalers has each autoscaler of the Applications become a fault now, of those that have one. By itself it becomes one after two
// minutes, and on a slow machine that write of the status would come while somebody counts.
func tellAutoscalers(ctx context.Context, apps ...*v1.Application) {
	GinkgoHelper()
	autoscaled := slices.DeleteFunc(slices.Clone(apps), func(app *v1.Application) bool { return app.Spec.Autoscaling == nil })
	for _, app := range autoscaled {
		ageAutoscaler(ctx, app)
	}
	for _, app := range autoscaled {
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonAutoscalingFailed))
	}
}

// scale does what the autoscaler does.
func scale(ctx context.Context, app *v1.Application, replicas int32) {
	GinkgoHelper()
	Expect(k8s.SubResource("scale").Update(ctx, deploymentOf(app), client.WithSubResourceBody(&autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace},
		Spec:       autoscalingv1.ScaleSpec{Replicas: replicas},
	}))).To(Succeed())
}

// ownsReplicas reports whether the operator owns the Deployment's size.
func ownsReplicas(deployment *appsv1.Deployment) bool {
	return slices.ContainsFunc(deployment.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == "app-operator" && strings.Contains(entry.FieldsV1.GetRawString(), `"f:replicas"`)
	})
}

// watchSizes returns a function that ends the watch and returns all sizes that the Deployment has had since.
func watchSizes(ctx SpecContext, app *v1.Application) func() []int32 {
	GinkgoHelper()
	watching, err := client.NewWithWatch(cluster.Config(), client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	watcher, err := watching.Watch(ctx, &appsv1.DeploymentList{}, client.InNamespace(app.Namespace))
	Expect(err).NotTo(HaveOccurred())
	seen := make(chan []int32, 1)
	go func() {
		var sizes []int32
		for event := range watcher.ResultChan() {
			deployment, ok := event.Object.(*appsv1.Deployment)
			if ok && event.Type != watch.Deleted {
				sizes = append(sizes, *deployment.Spec.Replicas)
			}
		}
		seen <- sizes
	}()
	return func() []int32 {
		watcher.Stop()
		return <-seen
	}
}
