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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// hold is a finalizer of the test's own, that keeps a pod from ending.
const hold = "test.apps.example.com/hold"

var _ = Describe("Deletion", func() {
	var namespace string
	var app *v1.Application
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
	})

	gone := func(ctx SpecContext, object client.Object) func() error {
		return func() error { _, err := get(ctx, object); return err }
	}

	It("by Delete needs no finalizer and leaves nothing behind", func(ctx SpecContext) {
		createReady(ctx, app)
		Expect(app.Finalizers).To(BeEmpty())
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		for _, object := range []client.Object{app, deploymentOf(app), serviceOf(app), accountOf(app)} {
			Eventually(gone(ctx, object)).Should(Satisfy(apierrors.IsNotFound))
		}
		Eventually(func() ([]corev1.Pod, error) { return podsOf(ctx, app) }).Should(BeEmpty())
	})

	It("in the foreground makes nothing anew", func(ctx SpecContext) {
		createReady(ctx, app)
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Expect(gone(ctx, deploymentOf(app))()).To(Satisfy(apierrors.IsNotFound))
	})

	It("by Drain in the foreground says that the order is not kept, and waits for the last pod", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, &pods[0], func(pod *corev1.Pod) { pod.Finalizers = append(pod.Finalizers, hold) })
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(gone(ctx, serviceOf(app))).Should(Satisfy(apierrors.IsNotFound), "Kubernetes does not wait")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonDraining,
			"waiting for its last pod to end; this is a deletion in the foreground", "needs --cascade=background"))
		edit(ctx, &pods[0], func(pod *corev1.Pod) { pod.Finalizers = nil })
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	})

	It("that somebody else holds up is told in the status", func(ctx SpecContext) {
		app.Finalizers = []string{hold}
		createReady(ctx, app)
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonDraining))
		edit(ctx, app, func(app *v1.Application) { app.Finalizers = nil })
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	})

	It("by Drain waits for the last pod", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		Expect(app.Finalizers).To(ConsistOf(v1.Finalizer))
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, &pods[0], func(pod *corev1.Pod) { pod.Finalizers = append(pod.Finalizers, hold) })
		DeferCleanup(func(ctx SpecContext) {
			Expect(client.IgnoreNotFound(k8s.Patch(ctx, &pods[0], client.RawPatch("application/merge-patch+json",
				[]byte(`{"metadata":{"finalizers":null}}`))))).To(Succeed())
		})

		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonDraining),
			haveCondition(v1.ConditionProgressing, metav1.ConditionTrue, v1.ReasonDraining),
			HaveField("Status.Replicas", BeEquivalentTo(0))))
		Eventually(func() ([]corev1.Pod, error) { return podsOf(ctx, app) }).Should(HaveLen(1))
		Expect(get(ctx, serviceOf(app))).NotTo(BeNil(), "the Service stays until the pods have ended")
		Consistently(fresh(ctx, app), 2*time.Second).Should(HaveField("Finalizers", ConsistOf(v1.Finalizer)))

		edit(ctx, &pods[0], func(pod *corev1.Pod) { pod.Finalizers = nil })
		for _, object := range []client.Object{app, deploymentOf(app), serviceOf(app), accountOf(app)} {
			Eventually(gone(ctx, object)).Should(Satisfy(apierrors.IsNotFound))
		}
	})

	It("by Drain withdraws the Ingress and the route first, then the autoscaler, then the pods", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		app.Spec.Ingress = &v1.IngressSpec{Host: "shop.example.com"}
		app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
		app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 4}
		createReady(ctx, app)
		edit(ctx, ingressOf(app), func(ingress *networkingv1.Ingress) { ingress.Finalizers = []string{hold} })
		edit(ctx, autoscalerOf(app), func(hpa *autoscalingv2.HorizontalPodAutoscaler) { hpa.Finalizers = []string{hold} })
		desired := func(replicas int) {
			Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(replicas))))
		}

		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonDraining, "waiting for Ingress to be gone"))
		Eventually(gone(ctx, routeOf(app))).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, autoscalerOf(app))).To(HaveField("DeletionTimestamp", BeNil()))
		desired(2)
		edit(ctx, ingressOf(app), func(ingress *networkingv1.Ingress) { ingress.Finalizers = nil })
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonDraining, "waiting for HorizontalPodAutoscaler to be gone"))
		desired(2)
		edit(ctx, autoscalerOf(app), func(hpa *autoscalingv2.HorizontalPodAutoscaler) { hpa.Finalizers = nil })
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	})

	orphan := client.PropagationPolicy(metav1.DeletePropagationOrphan)
	// kept expects that everything that was made for the Application is still there, serves, and is nobody's.
	kept := func(ctx SpecContext, children ...client.Object) {
		GinkgoHelper()
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		for _, object := range children {
			Expect(get(ctx, object)).To(SatisfyAll(
				HaveField("DeletionTimestamp", BeNil()), HaveField("OwnerReferences", BeEmpty())))
		}
		Expect(get(ctx, deploymentOf(app))).To(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
		Expect(podsOf(ctx, app)).To(HaveLen(2))
	}

	DescribeTable("by Drain with --cascade=orphan keeps what was made", func(
		ctx SpecContext, prepare func(ctx SpecContext),
	) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		app.Spec.Ingress = &v1.IngressSpec{Host: "shop.example.com"}
		app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
		app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 4}
		createReady(ctx, app)
		prepare(ctx)
		Expect(k8s.Delete(ctx, app, orphan)).To(Succeed())
		kept(ctx, deploymentOf(app), serviceOf(app), accountOf(app), ingressOf(app), routeOf(app), autoscalerOf(app))
	},
		Entry("as it is", func(SpecContext) {}),
		Entry("while it is paused", func(ctx SpecContext) {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = true })
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonPaused))
		}),
		Entry("with a spec that the API server refuses", func(ctx SpecContext) {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{{Name: "not=valid", Value: "x"}} })
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec))
		}),
	)

	It("by Drain with --cascade=orphan takes off its own finalizer and no other", func(ctx SpecContext) {
		app.Spec.DeletionPolicy, app.Finalizers = v1.DeletionPolicyDrain, []string{hold}
		createReady(ctx, app)
		Expect(k8s.Delete(ctx, app, orphan)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(HaveField("Finalizers", ConsistOf(hold)))
		edit(ctx, app, func(app *v1.Application) { app.Finalizers = nil })
		kept(ctx, deploymentOf(app), serviceOf(app), accountOf(app))
	})

	It("by Drain with --cascade=orphan is not held up by what is missing", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		app.Spec.EnvFrom = []corev1.EnvFromSource{
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "nowhere"}}},
		}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing))
		Expect(k8s.Delete(ctx, app, orphan)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, accountOf(app))).To(HaveField("OwnerReferences", BeEmpty()))
	})

	It("by Drain with --cascade=orphan, before the operator has looked, keeps what was made", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		Expect(running.Kill()).To(Succeed())
		Expect(k8s.Delete(ctx, app, orphan)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(HaveField("Finalizers", ConsistOf(v1.Finalizer)), "the garbage collector is done")
		startBuild(ctx, binary, namespace, "again")
		kept(ctx, deploymentOf(app), serviceOf(app), accountOf(app))
	})

	It("by Drain becomes one with --cascade=orphan at any time, and keeps what is left", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		app.Spec.Ingress = &v1.IngressSpec{Host: "shop.example.com"}
		createReady(ctx, app)
		edit(ctx, ingressOf(app), func(ingress *networkingv1.Ingress) { ingress.Finalizers = []string{hold} })
		DeferCleanup(func(ctx SpecContext) {
			edit(ctx, ingressOf(app), func(ingress *networkingv1.Ingress) { ingress.Finalizers = nil })
		})
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonDraining, "waiting for Ingress to be gone"))
		Expect(k8s.Delete(ctx, app, orphan)).To(Succeed())
		kept(ctx, deploymentOf(app), serviceOf(app), accountOf(app))
	})

	It("by Drain does not wait for pods with its labels that others have made", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		template := deployment.Spec.Template.DeepCopy()
		template.Labels["mine"] = "yes"
		set := &appsv1.ReplicaSet{ // without the labels that the operator watches
			ObjectMeta: metav1.ObjectMeta{Name: "mine", Namespace: namespace},
			Spec: appsv1.ReplicaSetSpec{
				Replicas: new(int32(1)), Template: *template, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"mine": "yes"}},
			},
		}
		Expect(k8s.Create(ctx, set)).To(Succeed())
		Eventually(fresh(ctx, set)).Should(HaveField("Status.AvailableReplicas", BeEquivalentTo(1)))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, set)).To(HaveField("Status.AvailableReplicas", BeEquivalentTo(1)))
	})

	It("by Drain does not wait for somebody's copy of the Deployment", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		canary := &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "web-canary", Namespace: namespace, Labels: deployment.Labels},
			Spec:       *deployment.Spec.DeepCopy(),
		}
		canary.Spec.Selector.MatchLabels["canary"] = "yes"
		canary.Spec.Template.Labels["canary"] = "yes"
		Expect(k8s.Create(ctx, canary)).To(Succeed())
		Eventually(fresh(ctx, canary)).Should(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, canary)).To(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
	})

	It("by Drain can be cut short by Delete, and goes on through a pause", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = true })
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, &pods[0], func(pod *corev1.Pod) { pod.Finalizers = append(pod.Finalizers, hold) })
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(0))))
		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyDelete })
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		edit(ctx, &pods[0], func(pod *corev1.Pod) { pod.Finalizers = nil })
	})

	It("by Drain is not held up by a spec that the API server refuses", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{{Name: "not=valid", Value: "x"}} })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec, "env"))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	})

	It("of the policy Drain takes the finalizer away", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyDelete })
		Eventually(fresh(ctx, app)).Should(HaveField("Finalizers", BeEmpty()))
	})

	It("of the whole namespace is not held up", func(ctx SpecContext) {
		createReady(ctx, app)
		createReady(ctx, worker(namespace))
		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		refusals.Insert(namespace)
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(gone(ctx, object)).Should(Satisfy(apierrors.IsNotFound))
	})

	It("and making anew under the same name waits for the old children", func(ctx SpecContext) {
		createReady(ctx, app)
		old := deploymentOf(app)
		edit(ctx, old, func(d *appsv1.Deployment) { d.Finalizers = append(d.Finalizers, hold) })
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		again := web(namespace)
		Expect(k8s.Create(ctx, again)).To(Succeed())
		Eventually(fresh(ctx, again)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut, "earlier Application"))
		edit(ctx, old, func(d *appsv1.Deployment) { d.Finalizers = nil })
		Eventually(fresh(ctx, again)).Should(beReady())
		Expect(get(ctx, deploymentOf(again))).To(HaveField("UID", Not(Equal(old.UID))))
	})
})
