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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	operatorsv1 "github.com/operator-framework/api/pkg/operators/v1"
	operatorsv1alpha1 "github.com/operator-framework/api/pkg/operators/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	packageName = "app-operator"
	channel     = "stable-v1"
)

// installation is the operator as OLM installs it in a namespace, from a catalog of its own there.
type installation struct {
	namespace string
	catalog   *operatorsv1alpha1.CatalogSource
}

// prepareInstallation makes the catalog and the OperatorGroup in the namespace, which exists and goes with them. The
// operator will serve the other namespaces, or the same.
func prepareInstallation(ctx context.Context, namespace, catalogImage string, served ...string) *installation {
	GinkgoHelper()
	i := &installation{namespace: namespace, catalog: &operatorsv1alpha1.CatalogSource{
		// A name that was never there: OLM remembers for minutes what a catalog of the name held.
		ObjectMeta: metav1.ObjectMeta{GenerateName: packageName + "-", Namespace: namespace},
		Spec: operatorsv1alpha1.CatalogSourceSpec{
			SourceType: operatorsv1alpha1.SourceTypeGrpc,
			Image:      catalogImage,
			GrpcPodConfig: &operatorsv1alpha1.GrpcPodConfig{
				SecurityContextConfig: operatorsv1alpha1.Restricted,
				ExtractContent:        &operatorsv1alpha1.ExtractContentConfig{CatalogDir: "/configs"},
			},
		},
	}}
	Expect(k8s.Create(ctx, i.catalog)).To(Succeed())
	Expect(k8s.Create(ctx, &operatorsv1.OperatorGroup{
		ObjectMeta: metav1.ObjectMeta{Name: packageName, Namespace: namespace},
		Spec:       operatorsv1.OperatorGroupSpec{TargetNamespaces: served},
	})).To(Succeed())
	return i
}

// subscribe subscribes to the catalog, with automatic approval, and waits until the release is installed and all of its
// replicas are available.
func (i *installation) subscribe(ctx context.Context, r release) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, &operatorsv1alpha1.Subscription{
		ObjectMeta: metav1.ObjectMeta{Name: packageName, Namespace: i.namespace},
		Spec: &operatorsv1alpha1.SubscriptionSpec{
			CatalogSource: i.catalog.Name, CatalogSourceNamespace: i.namespace, Package: packageName, Channel: channel,
			InstallPlanApproval: operatorsv1alpha1.ApprovalAutomatic,
		},
	})).To(Succeed())
	i.waitFor(ctx, r)
}

// publish replaces the catalog with a newer one.
func (i *installation) publish(ctx context.Context, catalogImage string) {
	GinkgoHelper()
	before := i.catalog.DeepCopy()
	i.catalog.Spec.Image = catalogImage
	Expect(k8s.Patch(ctx, i.catalog, client.MergeFrom(before))).To(Succeed())
}

// csv returns the release's ClusterServiceVersion, to be read or deleted.
func (i *installation) csv(r release) *operatorsv1alpha1.ClusterServiceVersion {
	return &operatorsv1alpha1.ClusterServiceVersion{ObjectMeta: metav1.ObjectMeta{Name: r.name(), Namespace: i.namespace}}
}

// deployment returns the operator's, to be read.
func (i *installation) deployment() *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: operatorName, Namespace: i.namespace}}
}

// waitFor waits until OLM calls the release installed, and all replicas are of its image and available.
func (i *installation) waitFor(ctx context.Context, r release) {
	GinkgoHelper()
	Eventually(fresh(i.csv(r))).WithContext(ctx).Should(HaveField("Status.Phase", operatorsv1alpha1.CSVPhaseSucceeded))
	Eventually(fresh(i.deployment())).WithContext(ctx).Should(And(
		HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Image", r.Operator))),
		HaveField("Status.AvailableReplicas", BeEquivalentTo(3)),
		HaveField("Status.UpdatedReplicas", BeEquivalentTo(3)),
	))
}

// uninstall removes what a user removes, Subscription and ClusterServiceVersion, and waits until the operator is gone.
func (i *installation) uninstall(ctx context.Context) {
	GinkgoHelper()
	run(ctx, "kubectl", "delete", "subscription.operators.coreos.com", packageName, "--namespace", i.namespace)
	run(ctx, "kubectl", "delete", "clusterserviceversion.operators.coreos.com", "--all", "--namespace", i.namespace,
		"--timeout="+limit.String())
	waitUntilGone(ctx, i.deployment())
	Eventually(operatorPodsIn).WithContext(ctx).WithArguments(i.namespace).Should(BeEmpty())
}
