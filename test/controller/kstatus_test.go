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
	"time"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

// What kstatus, by which Flux, Helm and kpt wait, says of live Applications.
var _ = Describe("kstatus", func() {
	var namespace string
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		app = web(namespace)
	})

	It("waits for an Application that nobody has looked at, and for one that is on its way", func(ctx SpecContext) {
		app.Spec.PodMetadata = unmanagedPods()
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.InProgressStatus))
		startOperator(ctx, namespace)
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReconciling, metav1.ConditionTrue, v1.ReasonRollingOut))
		Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.InProgressStatus))

		healPods(ctx, app)
		Eventually(kstatusOf(ctx, app)).Should(Equal(kstatus.CurrentStatus))
		Expect(get(ctx, app)).To(SatisfyAll(beReady(), lackConditions(v1.ConditionReconciling, v1.ConditionStalled)))

		By("and for a spec that is newer than the status")
		pause := func(value bool) { edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = value }) }
		pause(true)
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonPaused))
		Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.CurrentStatus))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonPaused))
		Expect(get(ctx, app)).To(lackConditions(v1.ConditionReconciling, v1.ConditionStalled))
		Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.InProgressStatus))
		pause(false)
		Eventually(kstatusOf(ctx, app)).Should(Equal(kstatus.CurrentStatus))

		By("until it is suspended")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended))
		Expect(get(ctx, app)).To(lackConditions(v1.ConditionReconciling, v1.ConditionStalled))
		Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.CurrentStatus))
	})

	It("knows an Application that is being drained", func(ctx SpecContext) {
		startOperator(ctx, namespace)
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		app.Spec.PodMetadata = &v1.PodMetadata{Annotations: map[string]string{"a-person": "was here"}}
		createReady(ctx, app)
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		held := &pods[0]
		edit(ctx, held, func(pod *corev1.Pod) { pod.Finalizers = []string{"apps.example.com/test"} })
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReconciling, metav1.ConditionTrue, v1.ReasonDraining))
		Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.TerminatingStatus))
		edit(ctx, held, func(pod *corev1.Pod) { pod.Finalizers = nil })
	})

	DescribeTable("gives up at once on what only a person or another spec ends",
		func(ctx SpecContext, reason string, spoil, cure func(context.Context, *v1.Application)) {
			startOperator(ctx, namespace)
			spoil(ctx, app)
			Expect(k8s.Create(ctx, app)).To(Succeed())
			// A busy controller of Deployments may be late by a deadline of a second, and then the rollout moves once more.
			Eventually(fresh(ctx, app)).Should(SatisfyAll(haveCondition(v1.ConditionStalled, metav1.ConditionTrue, reason),
				haveCondition(v1.ConditionReady, metav1.ConditionFalse, reason), lackConditions(v1.ConditionReconciling)))
			Eventually(kstatusOf(ctx, app)).Should(Equal(kstatus.FailedStatus))

			cure(ctx, app)
			Eventually(kstatusOf(ctx, app)).Should(Equal(kstatus.CurrentStatus))
			Eventually(fresh(ctx, app)).Should(lackConditions(v1.ConditionReconciling, v1.ConditionStalled))
		},
		Entry("an invalid spec", v1.ReasonInvalidSpec, func(_ context.Context, app *v1.Application) {
			app.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"not a key": "x"}}
		}, func(ctx context.Context, app *v1.Application) {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Service = nil })
		}),
		Entry("a name that is taken", v1.ReasonChildConflict, func(ctx context.Context, app *v1.Application) {
			theirs := serviceOf(app)
			theirs.Spec.Ports = []corev1.ServicePort{{Port: 80}}
			Expect(k8s.Create(ctx, theirs)).To(Succeed())
		}, func(ctx context.Context, app *v1.Application) {
			Expect(k8s.Delete(ctx, serviceOf(app))).To(Succeed())
		}),
		Entry("pods that no policy allows", v1.ReasonAdmissionDenied, func(ctx context.Context, app *v1.Application) {
			restrictPods(ctx, app.Namespace)
		}, func(ctx context.Context, app *v1.Application) {
			edit(ctx, app, func(app *v1.Application) {
				app.Spec.Security = &v1.SecuritySpec{Profile: v1.SecurityProfileRestricted, RunAsUser: new(int64(101))}
			})
		}),
		Entry("a rollout that stands still", v1.ReasonProgressDeadlineExceeded, func(_ context.Context, app *v1.Application) {
			app.Spec.Rollout = &v1.RolloutSpec{ProgressDeadlineSeconds: new(int32(1))}
			app.Spec.PodMetadata = unmanagedPods()
		}, healPods),
	)

	DescribeTable("waits for what may heal by itself, and gives up when it has not",
		func(ctx SpecContext, reason string, spoil, cure func(context.Context, *v1.Application)) {
			startOperator(ctx, namespace)
			app.Spec.PodMetadata = unmanagedPods()
			spoil(ctx, app)
			if app.ResourceVersion == "" {
				Expect(k8s.Create(ctx, app)).To(Succeed())
			}
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReconciling, metav1.ConditionTrue, reason))
			Expect(get(ctx, app)).To(lackConditions(v1.ConditionStalled))
			Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.InProgressStatus))

			By("having waited for long enough")
			reconcilingFor(ctx, app, 3*time.Minute)
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionStalled, metav1.ConditionTrue, reason))
			Expect(get(ctx, app)).To(SatisfyAll(
				haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, reason), lackConditions(v1.ConditionReconciling)))
			Expect(kstatusOf(ctx, app)()).To(Equal(kstatus.FailedStatus))

			By("and it heals all the same")
			cure(ctx, app)
			Eventually(kstatusOf(ctx, app)).Should(Equal(kstatus.CurrentStatus))
			Expect(get(ctx, app)).To(lackConditions(v1.ConditionReconciling, v1.ConditionStalled))
		},
		Entry("a Secret that somebody makes", v1.ReasonReferenceMissing, func(_ context.Context, app *v1.Application) {
			app.Spec.PodMetadata = nil
			app.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "database"},
			}}}
		}, createReferences),
		Entry("an image that is pushed late", v1.ReasonImagePullFailed, func(ctx context.Context, app *v1.Application) {
			Expect(k8s.Create(ctx, app)).To(Succeed())
			breakPods(ctx, app, waiting("ImagePullBackOff", `Back-off pulling image "nginx:nope": ErrImagePull: not found`))
		}, healPods),
		Entry("a database that starts later", v1.ReasonCrashLooping, func(ctx context.Context, app *v1.Application) {
			Expect(k8s.Create(ctx, app)).To(Succeed())
			breakPods(ctx, app, waiting("CrashLoopBackOff", "back-off 40s restarting failed container=web"))
		}, healPods),
		Entry("a node that is added", v1.ReasonUnschedulable, func(_ context.Context, app *v1.Application) {
			app.Spec.PodMetadata = nil
			app.Spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000")}}
		}, func(ctx context.Context, app *v1.Application) {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Resources = nil })
		}),
		Entry("a quota that is raised", v1.ReasonQuotaExceeded, func(ctx context.Context, app *v1.Application) {
			app.Spec.PodMetadata = nil
			limitPods(ctx, app.Namespace, 1)
		}, func(ctx context.Context, app *v1.Application) {
			Expect(k8s.Delete(ctx, &corev1.ResourceQuota{
				ObjectMeta: metav1.ObjectMeta{Name: "small", Namespace: app.Namespace},
			})).To(Succeed())
			edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		}),
		Entry("a webhook that does not answer", v1.ReasonReconcileFailed, func(ctx context.Context, app *v1.Application) {
			app.Spec.PodMetadata = nil
			loseWebhook(ctx, app.Namespace)
		}, func(ctx context.Context, app *v1.Application) {
			Expect(k8s.Delete(ctx, webhookOf(app.Namespace))).To(Succeed())
		}),
	)
})

// kstatusOf returns a function, to be polled, that says what kstatus makes of the object as it is.
func kstatusOf(ctx context.Context, app *v1.Application) func() (kstatus.Status, error) {
	return func() (kstatus.Status, error) {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(app), object); err != nil {
			return "", err
		}
		result, err := kstatus.Compute(object)
		if err != nil {
			return "", err
		}
		return result.Status, nil
	}
}

// lackConditions matches an Application that has none of the conditions.
func lackConditions(kinds ...string) types.GomegaMatcher {
	return WithTransform(func(app *v1.Application) []string {
		var found []string
		for _, kind := range kinds {
			if meta.FindStatusCondition(app.Status.Conditions, kind) != nil {
				found = append(found, kind)
			}
		}
		return found
	}, BeEmpty())
}

// reconcilingFor makes the status say that the Application has been Reconciling for so long.
func reconcilingFor(ctx context.Context, app *v1.Application, period time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		now, err := get(ctx, app)
		g.Expect(err).NotTo(HaveOccurred())
		reconciling := meta.FindStatusCondition(now.Status.Conditions, v1.ConditionReconciling)
		g.Expect(reconciling).NotTo(BeNil())
		reconciling.LastTransitionTime = metav1.NewTime(time.Now().Add(-period))
		g.Expect(k8s.Status().Update(ctx, now)).To(Succeed())
	}).Should(Succeed())
}

// unmanagedPods returns what keeps the nodes from making pods ready.
func unmanagedPods() *v1.PodMetadata {
	return &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
}

func webhookOf(namespace string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "lost-" + namespace}}
}

// loseWebhook makes the API server ask a webhook that does not answer about the namespace's Deployments.
func loseWebhook(ctx context.Context, namespace string) {
	GinkgoHelper()
	none := admissionregistrationv1.SideEffectClassNone
	config := webhookOf(namespace)
	config.Webhooks = []admissionregistrationv1.ValidatingWebhook{{
		Name:                    "lost.example.com",
		ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/")},
		NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
		SideEffects:             &none,
		AdmissionReviewVersions: []string{"v1"},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll},
			Rule: admissionregistrationv1.Rule{
				APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"},
			},
		}},
	}}
	Expect(k8s.Create(ctx, config)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, config))).To(Succeed()) })
	Eventually(func() error { // until it is in force
		return k8s.Create(ctx, strangersDeployment(namespace), client.DryRunAll)
	}).Should(MatchError(ContainSubstring("failed calling webhook")))
}
