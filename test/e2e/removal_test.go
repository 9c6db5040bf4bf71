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
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("The operator, when it is removed", Label(groupRemoval), Ordered, func() {
	const (
		namespace = "e2e-removal"
		clients   = "e2e-removal-client"
	)
	var (
		installed *installation
		app       *v1.Application
		guest     *visitor
		starts    map[string]int32
	)

	BeforeAll(func(ctx SpecContext) {
		createNamespace(ctx, namespace, nil)
		createNamespace(ctx, clients, nil)
		installed = prepareInstallation(ctx, namespace, images.Present.Catalog, namespace)
		installed.subscribe(ctx, images.Present)
		app, guest = serveClient(ctx, namespace, clients)
		starts = startsOf(ctx, app)
	}, NodeTimeout(specLimit))

	It("leaves its Applications serving", func(ctx SpecContext) {
		early, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		installed.uninstall(ctx)
		answered := guest.answers(ctx)
		Eventually(guest.answers).WithContext(ctx).Should(BeNumerically(">", answered), "requests without an operator")
		Expect(guest.failures(ctx)).To(HaveLen(len(early)), "requests fail as the operator goes")
		Expect(startsOf(ctx, app)).To(Equal(starts))
	}, SpecTimeout(specLimit))

	It("takes them on without a restart when it is installed again", func(ctx SpecContext) {
		// What is desired meanwhile waits for the operator.
		run(ctx, "kubectl", "scale", "appl/"+app.Name, "--replicas=3", "--namespace", namespace)
		installed.subscribe(ctx, images.Present)
		Eventually(fresh(app)).WithContext(ctx).Should(And(beReady(), HaveField("Status.AvailableReplicas", BeEquivalentTo(3))))
		now := startsOf(ctx, app)
		Expect(now).To(HaveLen(3))
		for container, count := range starts {
			Expect(now).To(HaveKeyWithValue(container, count))
		}
	}, SpecTimeout(specLimit))

	It("goes with its namespace and the Applications there", func(ctx SpecContext) {
		deleteNamespace(ctx, namespace)
	}, SpecTimeout(specLimit))
})

var _ = Describe("The CRD, when it is deleted", Label(groupRemoval), Serial, func() {
	It("takes all Applications and their objects with it", func(ctx SpecContext) {
		const namespace, served = "e2e-crd", "e2e-crd-served"
		removeOperator(ctx)
		createNamespace(ctx, namespace, nil)
		createNamespace(ctx, served, nil)
		installed := prepareInstallation(ctx, namespace, images.Present.Catalog, served)
		installed.subscribe(ctx, images.Present)
		app := webApplication(served, 2)
		draining := webApplication(served, 1)
		draining.Name, draining.Spec.DeletionPolicy = "draining", v1.DeletionPolicyDrain
		for _, each := range []*v1.Application{app, draining} {
			Expect(k8s.Create(ctx, each)).To(Succeed())
			Eventually(fresh(each)).WithContext(ctx).Should(beReady())
		}

		run(ctx, "kubectl", "delete", "crd", crdName, "--timeout="+limit.String())
		for _, each := range []*v1.Application{app, draining} {
			meta := metav1.ObjectMeta{Name: each.Name, Namespace: served}
			waitUntilGone(ctx, &appsv1.Deployment{ObjectMeta: meta}, &corev1.Service{ObjectMeta: meta}, &corev1.ServiceAccount{ObjectMeta: meta})
			Eventually(podsOf).WithContext(ctx).WithArguments(each).Should(BeEmpty())
		}
	}, SpecTimeout(specLimit))
})
