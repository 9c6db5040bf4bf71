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

package e2e_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	operatorsv1alpha1 "github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("Subscribed to from a catalog", Label(groupSubscription), Ordered, func() {
	const (
		namespace = "e2e-subscription"
		served    = "e2e-subscribed"
		clients   = "e2e-subscription-client"
	)
	var (
		installed *installation
		app       *v1.Application
		guest     *visitor
		starts    map[string]int32
	)

	BeforeAll(func(ctx SpecContext) {
		for _, name := range []string{namespace, served, clients} {
			createNamespace(ctx, name, nil)
		}
	}, NodeTimeout(specLimit))

	It("is installed, and serves Applications", func(ctx SpecContext) {
		installed = prepareInstallation(ctx, namespace, images.Present.Catalog, served)
		installed.subscribe(ctx, images.Present)
		app, guest = serveClient(ctx, served, clients)
		starts = startsOf(ctx, app)
	}, SpecTimeout(specLimit))

	It("is upgraded: no pod of an Application is restarted, none leaves Ready, and no request fails", func(ctx SpecContext) {
		before := app.Status.DeepCopy()
		early, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		answered := guest.answers(ctx)

		installed.publish(ctx, images.Next.Catalog)
		installed.waitFor(ctx, images.Next)
		waitUntilGone(ctx, installed.csv(images.Present))
		expectServing(ctx, served, "upgraded")

		Expect(fresh(app)(ctx)).To(HaveField("Status", Equal(*before)), "a condition that had changed would tell when")
		Expect(startsOf(ctx, app)).To(Equal(starts))
		Expect(guest.failures(ctx)).To(HaveLen(len(early)), "requests fail during the upgrade")
		after := guest.answers(ctx)
		Expect(after).To(BeNumerically(">", answered))
		AddReportEntry("upgrade", fmt.Sprintf("%s to %s: %d requests answered meanwhile, none failed, no pod restarted",
			images.Present.Version, images.Next.Version, after-answered))
	}, SpecTimeout(specLimit))

	It("goes on serving when an upgrade fails because its image is missing", func(ctx SpecContext) {
		installed.publish(ctx, images.Broken.Catalog)
		Eventually(operatorPodsIn).WithContext(ctx).WithArguments(namespace).Should(ContainElement(
			HaveField("Status.ContainerStatuses", ContainElement(And(
				HaveField("Image", images.Broken.Operator),
				HaveField("State.Waiting", HaveField("Reason", BeElementOf("ErrImagePull", "ImagePullBackOff"))),
			)))), "the new image is tried")

		expectServing(ctx, served, "unharmed")
		Expect(fresh(installed.csv(images.Broken))(ctx)).To(HaveField("Status.Phase", Not(Equal(operatorsv1alpha1.CSVPhaseSucceeded))))
		pods, err := operatorPodsIn(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		ready := 0
		for _, pod := range pods {
			if pod.Spec.Containers[0].Image == images.Next.Operator && isReady(&pod) {
				ready++
			}
		}
		Expect(ready).To(BeNumerically(">=", 2), "replicas of the release before")
		Expect(startsOf(ctx, app)).To(Equal(starts))
	}, SpecTimeout(specLimit))

	It("can be removed by then, and the Applications' namespace with them in it", func(ctx SpecContext) {
		installed.uninstall(ctx)
		Expect(startsOf(ctx, app)).To(Equal(starts))
		deleteNamespace(ctx, served)
	}, SpecTimeout(specLimit))
})

// expectServing proves that an operator acts in the namespace: a new Application becomes Ready, and goes with its objects.
func expectServing(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	app := webApplication(namespace, 1)
	app.Name = name
	Expect(k8s.Create(ctx, app)).To(Succeed())
	Eventually(fresh(app)).WithContext(ctx).Should(beReady())
	Expect(k8s.Delete(ctx, app)).To(Succeed())
	Eventually(podsOf).WithContext(ctx).WithArguments(app).Should(BeEmpty())
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
