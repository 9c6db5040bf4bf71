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
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// perRound is how many requests a round may take: a question, a repair, and both again with a look at the Deployment, if its
// controller has written it meanwhile.
const perRound = 5

// A dispute is fought by rounds: a round is over when the operator has undone what the other client did. How long the rounds
// take is the operator's to say, so the specs count writes, not seconds.
var _ = Describe("A client that undoes every repair", func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
		createReady(ctx, app)
	})

	// insist changes the image each time the operator has repaired it, for so many rounds.
	insist := func(ctx SpecContext, rounds int) {
		GinkgoHelper()
		for range rounds {
			Eventually(fresh(ctx, deploymentOf(app)), limit).Should(WithTransform(imageOf, Equal(app.Spec.Image)))
			patch := client.RawPatch(types.StrategicMergePatchType,
				[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"hostile:1"}]}}}}`))
			Expect(k8s.Patch(ctx, deploymentOf(app), patch, client.FieldOwner("hostile"))).To(Succeed())
		}
	}

	It("with another image is fought with growing pauses, and named", func(ctx SpecContext) {
		before := len(running.deploymentWrites())
		began := time.Now()
		insist(ctx, 8)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonFieldManagerConflict, `"hostile"`, "image"),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonFieldManagerConflict, `"hostile"`)))
		Expect(time.Since(began)).To(BeNumerically(">", 3*time.Second), "five repairs at once, then pauses of 1 and 2 seconds")
		Expect(len(running.deploymentWrites()) - before).To(BeNumerically("<=", perRound*8))
		sets := &appsv1.ReplicaSetList{}
		Expect(k8s.List(ctx, sets, client.InNamespace(namespace))).To(Succeed())
		Expect(len(sets.Items)).To(BeNumerically("<=", 2), "one for each image")
		events := &eventsv1.EventList{}
		Eventually(func() ([]eventsv1.Event, error) {
			return events.Items, k8s.List(ctx, events, client.InNamespace(namespace))
		}).Should(ContainElement(SatisfyAll(
			HaveField("Reason", v1.ReasonFieldManagerConflict), HaveField("Note", ContainSubstring(`"hostile"`)))))
		Eventually(eventsAbout(ctx, app, v1.EventDriftRepaired)).Should(ConsistOf(ContainSubstring(`"hostile"`)), "the first repair is told alone")

		By("applying another spec all the same, at once")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "1"}} })
		Eventually(fresh(ctx, deploymentOf(app))).Should(WithTransform(imageOf, Equal(app.Spec.Image)))
	})

	It("by a deletion is fought likewise", func(ctx SpecContext) {
		began := time.Now()
		var last types.UID
		for range 8 {
			Eventually(fresh(ctx, serviceOf(app)), limit).Should(HaveField("UID", Not(Equal(last))))
			live, err := get(ctx, serviceOf(app))
			Expect(err).NotTo(HaveOccurred())
			last = live.UID
			Expect(k8s.Delete(ctx, live)).To(Succeed())
		}
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse,
			v1.ReasonFieldManagerConflict, "Service web: another client keeps changing or deleting it"))
		Expect(time.Since(began)).To(BeNumerically(">", 3*time.Second))
	})

	It("in one child does not hold up the others", func(ctx SpecContext) {
		insist(ctx, 8)
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonFieldManagerConflict))
		Expect(k8s.Delete(ctx, serviceOf(app))).To(Succeed())
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("DeletionTimestamp", BeNil()))
	})
})

var _ = Describe("Two installations in one namespace", func() {
	It("that want something else slow down, and tell of each other", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		running := startOperator(ctx, namespace)
		app := web(namespace)
		createReady(ctx, app)
		before := len(running.deploymentWrites())
		const rounds = 9
		for range rounds { // the other wants another size, and writes under the same field manager
			Eventually(fresh(ctx, deploymentOf(app)), limit).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(2))))
			live, err := get(ctx, deploymentOf(app))
			Expect(err).NotTo(HaveOccurred())
			config, err := appsv1ac.ExtractDeployment(live, "app-operator")
			Expect(err).NotTo(HaveOccurred())
			config.Spec.WithReplicas(5)
			Expect(k8s.Apply(ctx, config, client.FieldOwner("app-operator"), client.ForceOwnership)).To(Succeed())
		}
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionTrue,
			v1.ReasonFieldManagerConflict, "another installation of app-operator"))
		Expect(len(running.deploymentWrites()) - before).To(BeNumerically("<=", perRound*rounds))
		Expect(running.log()).To(ContainSubstring("Another installation of the operator"))
		families, err := running.Metrics(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(families).To(HaveKey("app_operator_foreign_applies_total"))
	})
})

// deploymentWrites returns what the operator has asked the API server to change of Deployments.
func (o *runningOperator) deploymentWrites() []request {
	GinkgoHelper()
	return slices.DeleteFunc(o.writes(), func(r request) bool { return r.ObjectRef.Resource != "deployments" })
}

func imageOf(deployment *appsv1.Deployment) string {
	return deployment.Spec.Template.Spec.Containers[0].Image
}
