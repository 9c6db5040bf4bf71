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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	operatorsv1alpha1 "github.com/operator-framework/api/pkg/operators/v1alpha1"
)

var _ = Describe("With an OperatorGroup of three namespaces", Label(groupNamespaces), Serial, func() {
	It("serves each of them, and the others when one is deleted, and that one when it is made anew", func(ctx SpecContext) {
		const home, first, second, third = "e2e-many", "e2e-many-1", "e2e-many-2", "e2e-many-3"
		removeOperator(ctx)
		for _, name := range []string{home, first, second, third} {
			createNamespace(ctx, name, nil)
		}
		installed := prepareInstallation(ctx, home, images.Present.Catalog, first, second, third)
		began := time.Now()
		installed.subscribe(ctx, images.Present)
		AddReportEntry("MultiNamespace", "from the Subscription to CSV Succeeded and three replicas: "+time.Since(began).Round(time.Second).String())

		stranger := webApplication(home, 1)
		Expect(k8s.Create(ctx, stranger)).To(Succeed())
		serves := func(name string, namespaces ...string) {
			GinkgoHelper()
			for _, namespace := range namespaces {
				app := webApplication(namespace, 1)
				app.Name = name
				Expect(k8s.Create(ctx, app)).To(Succeed())
				Eventually(fresh(app)).WithContext(ctx).Should(beReady(), namespace)
			}
		}
		serves("before", first, second, third)
		Expect(fresh(stranger)(ctx)).To(HaveField("Status.Conditions", BeEmpty()), "the operator's own namespace is none of the three")

		deleteNamespace(ctx, second)
		serves("meanwhile", first, third)

		// OLM makes its Roles there anew, and the operator finds them.
		createNamespace(ctx, second, nil)
		serves("after", second, first)
		Eventually(fresh(installed.csv(images.Present))).WithContext(ctx).Should(
			HaveField("Status.Phase", operatorsv1alpha1.CSVPhaseSucceeded))
		removeApplications(ctx)
		installed.uninstall(ctx)
	}, SpecTimeout(specLimit))
})
