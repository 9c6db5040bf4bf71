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
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/example/app-operator/api/v1"
)

// olmV1Group is that of ClusterExtension and ClusterCatalog.
const olmV1Group = "olm.operatorframework.io"

// Neither ClusterExtension nor CRD belongs to a namespace.
var _ = Describe("Installed by a ClusterExtension of OLM v1", Label(groupOLMv1), Serial, Ordered, func() {
	const (
		own     = "e2e-olm-v1-own"
		home    = "e2e-olm-v1"
		served  = "e2e-olm-v1-served"
		clients = "e2e-olm-v1-client"
	)
	var (
		app    *v1.Application
		guest  *visitor
		starts map[string]int32
	)
	single := extension{home: home, served: served}

	BeforeAll(func(ctx SpecContext) {
		needOLMv1(ctx)
		removeOperator(ctx)
		for _, name := range []string{own, home, served, clients} {
			createNamespace(ctx, name, nil)
		}
		DeferCleanup(removeExtension, NodeTimeout(2*limit))
		publishV1(ctx, images.Present)
	}, NodeTimeout(specLimit))

	It("serves its own namespace, and goes with the CRD and every Application", func(ctx SpecContext) {
		stranger := webApplication(served, 1)
		extension{home: own, served: own}.install(ctx, images.Present, "OwnNamespace")
		Expect(k8s.Create(ctx, stranger)).To(Succeed())
		app := webApplication(own, 2)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		Expect(fresh(stranger)(ctx)).To(HaveField("Status.Conditions", BeEmpty()))

		run(ctx, "kubectl", "delete", "clusterextension", packageName, "--timeout="+limit.String())
		waitUntilGone(ctx, crd(), &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: operatorName, Namespace: own}})
		Eventually(podsOf).WithContext(ctx).WithArguments(app).Should(BeEmpty())
	}, SpecTimeout(specLimit))

	It("serves a single other namespace, with its Lease there, and its users", func(ctx SpecContext) {
		began := time.Now()
		single.install(ctx, images.Present, "SingleNamespace")
		app, guest = serveClient(ctx, served, clients)
		AddReportEntry("first Application", "Ready, and asked: "+time.Since(began).Round(time.Second).String()+" after the ClusterExtension")
		starts = startsOf(ctx, app)
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "app-operator-leader-served", Namespace: served}}
		Expect(fresh(lease)(ctx)).To(HaveField("Spec.HolderIdentity", HaveValue(Not(BeEmpty()))))

		run(ctx, "kubectl", "create", "rolebinding", "tenant", "--clusterrole=edit", "--user=tenant", "--namespace", served)
		Eventually(func() (string, error) {
			output, err := command(ctx, "kubectl", "auth", "can-i", "create", "applications.apps.example.com",
				"--as=tenant", "--namespace", served).Output()
			return strings.TrimSpace(string(output)), err
		}).WithContext(ctx).Should(Equal("yes"))
	}, SpecTimeout(specLimit))

	It("is upgraded: no pod of an Application is restarted, none leaves Ready, and no request fails", func(ctx SpecContext) {
		before := app.Status.DeepCopy()
		meanwhile(ctx, guest, "upgrade", func() {
			began := time.Now()
			publishV1(ctx, images.Next)
			single.waitFor(ctx, images.Next)
			AddReportEntry("upgrade", fmt.Sprintf("%s to %s, from the catalog to three new replicas: %s",
				images.Present.Version, images.Next.Version, time.Since(began).Round(time.Second)))
			expectServing(ctx, served, "upgraded")
		})
		Expect(fresh(app)(ctx)).To(HaveField("Status", Equal(*before)), "a condition that had changed would tell when")
		Expect(startsOf(ctx, app)).To(Equal(starts))
	}, SpecTimeout(specLimit))

	It("goes on serving when an upgrade cannot run because its image is missing, and can be told to go back", func(ctx SpecContext) {
		meanwhile(ctx, guest, "failed upgrade", func() {
			publishV1(ctx, images.Broken)
			Eventually(operatorPodsIn).WithContext(ctx).WithArguments(home).Should(ContainElement(
				HaveField("Status.ContainerStatuses", ContainElement(And(
					HaveField("Image", images.Broken.Operator),
					HaveField("State.Waiting", HaveField("Reason", BeElementOf("ErrImagePull", "ImagePullBackOff"))),
				)))), "the new image is tried")
			expectServing(ctx, served, "unharmed")
			Expect(fresh(single.object())(ctx)).To(haveInstalled(images.Broken), "it does not wait for pods")
			Expect(fresh(single.deployment())(ctx)).To(HaveField("Status.AvailableReplicas", BeNumerically(">=", 2)))

			run(ctx, "kubectl", "patch", "clusterextension", packageName, "--type=merge", "--patch",
				`{"spec":{"source":{"catalog":{"version":"`+images.Next.Version+`","upgradeConstraintPolicy":"SelfCertified"}}}}`)
			single.waitFor(ctx, images.Next)
			expectServing(ctx, served, "back")
		})
		Expect(startsOf(ctx, app)).To(Equal(starts))
	}, SpecTimeout(specLimit))

	It("has its replicas again when scaled, can be let go with the Applications serving, and be installed again", func(ctx SpecContext) {
		meanwhile(ctx, guest, "leave", func() {
			deployment, err := fresh(single.deployment())(ctx)
			Expect(err).NotTo(HaveOccurred())
			scaled := deployment.Generation + 1
			run(ctx, "kubectl", "scale", "deployment", operatorName, "--namespace", home, "--replicas=0")
			Eventually(fresh(deployment)).WithContext(ctx).Should(And(
				HaveField("Generation", BeNumerically(">", scaled)), HaveField("Status.AvailableReplicas", BeEquivalentTo(3))))

			single.letGo(ctx)
			run(ctx, "kubectl", "delete", "deployment", operatorName, "--namespace", home)
			Eventually(operatorPodsIn).WithContext(ctx).WithArguments(home).Should(BeEmpty())
			answered := guest.answers(ctx)
			Eventually(guest.answers).WithContext(ctx).Should(BeNumerically(">", answered), "requests without an operator")

			publishV1(ctx, images.Next)
			single.install(ctx, images.Next, "again")
			expectServing(ctx, served, "again")
		})
		Expect(startsOf(ctx, app)).To(Equal(starts))
	}, SpecTimeout(specLimit))
})

// extension is the one ClusterExtension: the operator in the one namespace, to serve the other or the same.
type extension struct{ home, served string }

// needOLMv1 fails where OLM v1 is not on the cluster.
func needOLMv1(ctx context.Context) {
	GinkgoHelper()
	name := "clusterextensions." + olmV1Group
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := fresh(definition)(ctx)
	Expect(err).NotTo(HaveOccurred(), "the cluster of %s has no OLM v1. Remedy: make cluster-up-olm-v1, or make test-olm-v1", kubeconfig)
}

// publishV1 makes the catalog in which the release is the newest the only one of ours, and waits until it is served.
func publishV1(ctx context.Context, r release) {
	GinkgoHelper()
	applyText(ctx, fmt.Sprintf(`
apiVersion: %s/v1
kind: ClusterCatalog
metadata: {name: e2e}
spec: {source: {type: Image, image: {ref: %q}}}
`, olmV1Group, r.Catalog))
	catalog := olmV1Object("ClusterCatalog", "e2e")
	Eventually(fresh(catalog)).WithContext(ctx).Should(WithTransform(
		func(u *unstructured.Unstructured) string {
			ref, _, err := unstructured.NestedString(u.Object, "status", "resolvedSource", "image", "ref")
			Expect(err).NotTo(HaveOccurred())
			return ref
		}, Equal(r.Catalog)))
	Expect(catalog).To(haveConditionOf("Serving", metav1.ConditionTrue))
}

// install makes the account that is shipped and the ClusterExtension as docs/install.md shows it for OLM v1 1.2, and waits until
// all replicas of the release are available.
func (e extension) install(ctx context.Context, r release, mode string) {
	GinkgoHelper()
	e.applyInstaller(ctx)
	began := time.Now()
	applyText(ctx, fmt.Sprintf(`
apiVersion: %s/v1
kind: ClusterExtension
metadata:
  name: %s
  annotations: {olm.operatorframework.io/watch-namespace: %s}
spec:
  namespace: %s
  serviceAccount: {name: app-operator-installer}
  source:
    sourceType: Catalog
    catalog: {packageName: %s, channels: [%s]}
`, olmV1Group, packageName, e.served, e.home, packageName, channel))
	Eventually(fresh(e.object())).WithContext(ctx).Should(haveInstalled(r))
	installed := time.Since(began)
	e.waitFor(ctx, r)
	AddReportEntry(mode, fmt.Sprintf("from the ClusterExtension to Installed %s, to three replicas %s",
		installed.Round(time.Second), time.Since(began).Round(time.Second)))
}

// applyInstaller makes the account of config/olm-v1 for the two namespaces.
func (e extension) applyInstaller(ctx context.Context) {
	GinkgoHelper()
	shipped, err := os.ReadFile(filepath.Join(root, "config", "olm-v1", "installer.yaml"))
	Expect(err).NotTo(HaveOccurred())
	applyText(ctx, strings.NewReplacer(operatorNamespace, e.home, applicationNamespace, e.served).Replace(string(shipped)))
}

// object returns the ClusterExtension, to be read.
func (e extension) object() *unstructured.Unstructured {
	return olmV1Object("ClusterExtension", packageName)
}

// deployment returns the operator's, to be read.
func (e extension) deployment() *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: operatorName, Namespace: e.home}}
}

// waitFor waits until OLM v1 calls the release installed, and all replicas are of its image and available.
func (e extension) waitFor(ctx context.Context, r release) {
	GinkgoHelper()
	Eventually(fresh(e.object())).WithContext(ctx).Should(haveInstalled(r))
	Eventually(fresh(e.deployment())).WithContext(ctx).Should(And(
		HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Image", r.Operator))),
		HaveField("Status.AvailableReplicas", BeEquivalentTo(3)),
		HaveField("Status.UpdatedReplicas", BeEquivalentTo(3)),
		HaveField("Status.Replicas", BeEquivalentTo(3)),
	))
}

// letGo deletes the ClusterExtension as docs/install.md says, so that what it has installed stays.
func (e extension) letGo(ctx context.Context) {
	GinkgoHelper()
	scale := func(ctx context.Context, replicas string) {
		GinkgoHelper()
		run(ctx, "kubectl", "scale", "deployment/operator-controller-controller-manager", "--namespace=olmv1-system", "--replicas="+replicas)
	}
	DeferCleanup(func(ctx SpecContext) { scale(ctx, "1") }, NodeTimeout(limit))
	scale(ctx, "0")
	run(ctx, "kubectl", "wait", "pod", "--selector=control-plane=operator-controller-controller-manager", "--namespace=olmv1-system",
		"--for=delete", "--timeout="+limit.String())
	run(ctx, "kubectl", "patch", "clusterextension", packageName, "--type=merge", "--patch", `{"metadata":{"finalizers":null}}`)
	run(ctx, "kubectl", "delete", "clusterextension", packageName, "--cascade=orphan", "--timeout="+limit.String())
	scale(ctx, "1")
	Expect(fresh(e.deployment())(ctx)).To(HaveField("OwnerReferences", BeEmpty()))
}

// removeExtension removes whatever these specs have left that is in no namespace, the CRD included.
func removeExtension(ctx SpecContext) {
	GinkgoHelper()
	run(ctx, "kubectl", "delete", "clusterextension", packageName, "--ignore-not-found", "--timeout="+limit.String())
	// What OLM v1 remembers of a ClusterExtension that it had let go.
	run(ctx, "kubectl", "delete", "secret", "--namespace=olmv1-system", "--selector=owner=operator-controller,name="+packageName)
	run(ctx, "kubectl", "delete", "clustercatalog", "e2e", "--ignore-not-found", "--timeout="+limit.String())
	run(ctx, "kubectl", "delete", "clusterrole,clusterrolebinding", "app-operator-installer", "--ignore-not-found")
	removeOperator(ctx)
}

// meanwhile does it, and wants every request that the client makes until then to be answered.
func meanwhile(ctx context.Context, guest *visitor, what string, do func()) {
	GinkgoHelper()
	early, err := guest.failures(ctx)
	Expect(err).NotTo(HaveOccurred())
	answered := guest.answers(ctx)
	do()
	after := guest.answers(ctx)
	Expect(guest.failures(ctx)).To(HaveLen(len(early)), "requests fail during the %s", what)
	Expect(after).To(BeNumerically(">", answered))
	AddReportEntry(what, fmt.Sprintf("%d requests answered meanwhile, none failed", after-answered))
}

// olmV1Object returns an object of OLM v1, to be read. Its Go types are in the module of its programs alone.
func olmV1Object(kind, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind{Group: olmV1Group, Version: "v1", Kind: kind})
	object.SetName(name)
	return object
}

// haveInstalled matches a ClusterExtension that has installed the release, and is done.
func haveInstalled(r release) types.GomegaMatcher {
	return And(
		haveConditionOf("Installed", metav1.ConditionTrue),
		WithTransform(func(u *unstructured.Unstructured) (string, error) {
			version, _, err := unstructured.NestedString(u.Object, "status", "install", "bundle", "version")
			return version, err
		}, Equal(r.Version)),
	)
}

// haveConditionOf matches an object with the condition of this status.
func haveConditionOf(kind string, status metav1.ConditionStatus) types.GomegaMatcher {
	return WithTransform(func(u *unstructured.Unstructured) ([]metav1.Condition, error) {
		var typed struct {
			Status struct {
				Conditions []metav1.Condition `json:"conditions"`
			} `json:"status"`
		}
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &typed)
		return typed.Status.Conditions, err
	}, ContainElement(And(HaveField("Type", kind), HaveField("Status", status))))
}

// applyText applies a manifest.
func applyText(ctx context.Context, manifest string) {
	GinkgoHelper()
	cmd := command(ctx, "kubectl", "apply", "--server-side", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	runCommand(cmd)
}
