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
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	operatorsv1alpha1 "github.com/operator-framework/api/pkg/operators/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// olmNamespace is where the operator is installed by OLM.
const olmNamespace = "e2e-olm"

var _ = Describe("Installed with operator-sdk run bundle", Label(groupRunBundle), Serial, Ordered, func() {
	BeforeAll(removeOperator, NodeTimeout(specLimit))

	DescribeTable("serves Applications, until operator-sdk cleanup", func(ctx SpecContext, mode, served, unserved string) {
		for _, name := range []string{olmNamespace, applicationNamespace, clientNamespace} {
			createNamespace(ctx, name, nil)
		}
		runBundle(ctx, mode)

		csv := &operatorsv1alpha1.ClusterServiceVersion{
			ObjectMeta: metav1.ObjectMeta{Name: images.Present.name(), Namespace: olmNamespace},
		}
		Expect(fresh(csv)(ctx)).To(HaveField("Status.Phase", operatorsv1alpha1.CSVPhaseSucceeded))
		deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: operatorName, Namespace: olmNamespace}}
		Eventually(fresh(deployment)).WithContext(ctx).Should(HaveField("Status.AvailableReplicas", BeEquivalentTo(3)))

		stranger := webApplication(unserved, 1)
		Expect(k8s.Create(ctx, stranger)).To(Succeed())
		app := webApplication(served, 2)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		Eventually(startClient(ctx, clientNamespace, "client", app.Status.URL).names).WithContext(ctx).Should(HaveLen(2), "each of the pods answers")
		Expect(fresh(stranger)(ctx)).To(HaveField("Status.Conditions", BeEmpty()))

		removeApplications(ctx)
		operatorSDK(ctx, "cleanup", "app-operator", "--namespace", olmNamespace, "--timeout="+limit.String())
		waitUntilGone(ctx, csv, deployment, crd())
	},
		Entry("in its own namespace", SpecTimeout(specLimit), "OwnNamespace", olmNamespace, applicationNamespace),
		Entry("in a single namespace", SpecTimeout(specLimit), "SingleNamespace="+applicationNamespace, applicationNamespace, olmNamespace),
		Entry("in several namespaces", SpecTimeout(specLimit), "MultiNamespace="+applicationNamespace+","+clientNamespace, applicationNamespace, olmNamespace),
	)
})

var _ = Describe("The bundle", Label(groupRunBundle), func() {
	It("passes the basic and olm tests of operator-sdk scorecard", func(ctx SpecContext) {
		createNamespace(ctx, "e2e-scorecard", nil)
		args := []string{
			"scorecard", filepath.Join(bundleFolder(images.Present), "bundle"), "--namespace=e2e-scorecard", "--selector=suite in (basic,olm)",
			"--output=json", "--wait-time=" + limit.String(),
		}
		if registry == localRegistry {
			args = append(args, "--untar-image="+buildScorecard(ctx))
		}
		var results struct {
			Items []struct {
				Status struct {
					Results []struct{ Name, State string }
				}
			}
		}
		Expect(json.Unmarshal([]byte(operatorSDK(ctx, args...)), &results)).To(Succeed())
		passed := map[string]string{}
		for _, item := range results.Items {
			for _, result := range item.Status.Results {
				passed[result.Name] = result.State
			}
		}
		Expect(passed).To(Equal(map[string]string{
			"basic-check-spec": "pass", "olm-bundle-validation": "pass", "olm-crds-have-validation": "pass",
			"olm-crds-have-resources": "pass", "olm-spec-descriptors": "pass", "olm-status-descriptors": "pass",
		}))
	}, SpecTimeout(specLimit))
})

// runBundle installs the bundle, and removes what is left of it when the spec is over.
func runBundle(ctx context.Context, mode string) {
	GinkgoHelper()
	DeferCleanup(func(ctx SpecContext) {
		removeApplications(ctx)
		csvs := &operatorsv1alpha1.ClusterServiceVersionList{}
		Expect(k8s.List(ctx, csvs, client.InNamespace(olmNamespace))).To(Succeed())
		if len(csvs.Items) > 0 {
			operatorSDK(ctx, "cleanup", "app-operator", "--namespace", olmNamespace, "--timeout="+limit.String())
		}
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, crd()))).To(Succeed())
	}, NodeTimeout(2*limit))
	args := []string{"run", "bundle", images.Present.Bundle, "--namespace", olmNamespace, "--install-mode", mode, "--timeout=" + limit.String()}
	if image := os.Getenv("E2E_OPM_IMAGE"); image != "" {
		args = append(args, "--index-image="+image, "--decompression-image="+image)
	}
	began := time.Now()
	operatorSDK(ctx, args...)
	AddReportEntry("operator-sdk run bundle", "from the call to CSV Succeeded: "+time.Since(began).Round(time.Second).String())
}

// operatorSDK runs where the files that it forgets are not in the way.
func operatorSDK(ctx context.Context, args ...string) string {
	GinkgoHelper()
	cmd := withRegistry(command(ctx, "operator-sdk", args...))
	cmd.Dir = filepath.Join(bin, "e2e")
	return runCommand(cmd)
}

// crd returns the CRD of Applications, to be read or deleted.
func crd() *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: crdName}}
}
