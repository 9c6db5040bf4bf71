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
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/readme"
)

// clientNamespace is where pods ask what Applications serve.
const clientNamespace = "e2e-client"

// applicationNamespace is the one that config/overlays/single-namespace serves, and the namespace of the smallest manifest.
const applicationNamespace = "app-namespace"

var _ = Describe("Installed with kubectl apply -k", Label(groupKustomize), Serial, Ordered, func() {
	BeforeAll(removeOperator, NodeTimeout(specLimit))

	DescribeTable("serves Applications, and their namespace can be deleted with them in it", func(
		ctx SpecContext, install func(SpecContext), served, unserved string,
	) {
		for _, name := range []string{unserved, clientNamespace} {
			if name != "" {
				createNamespace(ctx, name, nil)
			}
		}
		install(ctx)

		app := webApplication(served, 2)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		guest := startClient(ctx, clientNamespace, "client", app.Status.URL)
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(2), "each of the pods answers")

		if unserved != "" {
			// The operator had its chance when it has done the same for an Application that was created later.
			stranger := webApplication(unserved, 1)
			Expect(k8s.Create(ctx, stranger)).To(Succeed())
			later := webApplication(served, 1)
			later.Name = "later"
			Expect(k8s.Create(ctx, later)).To(Succeed())
			Eventually(fresh(later)).WithContext(ctx).Should(beReady())
			Expect(fresh(stranger)(ctx)).To(HaveField("Status.Conditions", BeEmpty()))
		}
		deleteNamespace(ctx, served)
	},
		Entry("in its own namespace", SpecTimeout(specLimit), func(ctx SpecContext) { deploy(ctx, "config/default") },
			operatorNamespace, applicationNamespace),
		Entry("in a single namespace, from a checkout as README.md has it", SpecTimeout(specLimit), deployAsPrinted,
			applicationNamespace, "e2e-other"),
		Entry("in all namespaces", SpecTimeout(specLimit), func(ctx SpecContext) {
			createNamespace(ctx, "e2e-any", nil)
			deploy(ctx, "config/overlays/all-namespaces")
		}, "e2e-any", ""),
	)
})

// page is the file whose commands specs run as they are printed.
func page() string { return filepath.Join(root, "README.md") }

// deployAsPrinted runs what README.md has for a checkout and a registry, but for the registry's name, and waits until all replicas are
// available. It makes the namespace that is served, and removes all of it as README.md says.
func deployAsPrinted(ctx SpecContext) {
	GinkgoHelper()
	scripts, err := readme.Scripts(page(), readme.Registry)
	Expect(err).NotTo(HaveOccurred())
	Expect(scripts).To(HaveLen(1))
	DeferCleanup(func(ctx SpecContext) {
		run(ctx, "make", "undeploy", "CONFIG=config/overlays/single-namespace", "ignore-not-found=true")
		deleteNamespace(ctx, applicationNamespace)
	}, NodeTimeout(2*limit))
	runCommand(withRegistry(command(ctx, "bash", "-euc", strings.ReplaceAll(scripts[0], readme.Registry, registry))))
	run(ctx, "kubectl", "rollout", "status", "--namespace", operatorNamespace, "deployment/"+operatorName, "--timeout="+limit.String())
}

var _ = Describe("An Application", Label(groupKustomize), Serial, Ordered, func() {
	const manifest = "install-single-namespace.yaml"
	var mirror *httptest.Server
	var began time.Time

	// publish makes a release's manifests, and serves them.
	publish := func(ctx SpecContext) {
		run(ctx, "make", "release-manifests", "IMG="+images.Present.Operator)
		mirror = httptest.NewServer(http.FileServer(http.Dir(filepath.Join(root, "dist"))))
		DeferCleanup(mirror.Close)
	}
	// installAsPrinted runs README.md's first block in an empty folder, but for the address of the release.
	installAsPrinted := func(ctx SpecContext) {
		scripts, err := readme.Scripts(page(), readme.Release+"/"+manifest)
		Expect(err).NotTo(HaveOccurred())
		Expect(scripts).NotTo(BeEmpty())
		DeferCleanup(func(ctx SpecContext) {
			removeApplications(ctx)
			run(ctx, "kubectl", "delete", "-f", filepath.Join("dist", manifest), "--ignore-not-found", "--timeout="+limit.String())
			deleteNamespace(ctx, applicationNamespace)
		}, NodeTimeout(2*limit))
		bash := command(ctx, "bash", "-euc", strings.ReplaceAll(scripts[0], readme.Release, mirror.URL))
		bash.Dir = GinkgoT().TempDir()
		runCommand(bash)
	}

	BeforeAll(func(ctx SpecContext) {
		removeOperator(ctx)
		createNamespace(ctx, clientNamespace, nil)
		publish(ctx)
		began = time.Now()
		installAsPrinted(ctx)
		Eventually(func() error { // whoever types is slower; kubectl wait fails while the conditions are null
			return command(ctx, "kubectl", "wait", "--for=condition=Established", "crd/"+crdName, "--timeout="+limit.String()).Run()
		}).WithContext(ctx).Should(Succeed())
	}, NodeTimeout(specLimit))

	It("does what README.md shows, from its manifest to the faults that it has", func(ctx SpecContext) {
		shown, err := readme.Console(page())
		Expect(err).NotTo(HaveOccurred())
		Expect(shown).NotTo(BeEmpty())
		for _, each := range shown {
			said := func() string {
				output, err := command(ctx, "bash", "-c", each.Line).CombinedOutput()
				GinkgoWriter.Printf("$ %s\n%s(%v)\n", each.Line, output, err) // a refusal is shown, too
				return string(output)
			}
			if !each.Looks() {
				Expect(said()).To(Satisfy(each.Prints), "README.md shows:\n"+each.Output)
				continue
			}
			Eventually(said).WithContext(ctx).Should(Satisfy(each.Prints), "README.md shows:\n"+each.Output)
			if strings.HasPrefix(each.Line, "kubectl wait ") {
				AddReportEntry("installed", fmt.Sprintf("its first Application was Ready %s after the first command", time.Since(began).Round(time.Second)))
			}
		}
		url := run(ctx, "kubectl", "get", "appl/my-app", "--namespace", applicationNamespace, "--output", "jsonpath={.status.url}")
		guest := startClient(ctx, clientNamespace, "client", url)
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(5), "each of the pods that fit on the nodes answers")
	}, SpecTimeout(specLimit))

	It("serves all the while when a node is drained", func(ctx SpecContext) {
		app := webApplication(applicationNamespace, 3)
		app.Name = "evicted"
		app.Spec.Probes = &v1.ProbesSpec{Readiness: &v1.Probe{TCPSocket: &v1.TCPSocketProbe{}, PeriodSeconds: new(int32(1))}}
		app.Spec.Shutdown = &v1.ShutdownSpec{PreStopSleepSeconds: 5}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		guest := startClient(ctx, clientNamespace, "evicted", app.Status.URL)
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(3))
		early, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())

		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		node := pods[0].Spec.NodeName
		DeferCleanup(func(ctx SpecContext) { run(ctx, "kubectl", "uncordon", node) }, NodeTimeout(limit))
		run(ctx, "kubectl", "drain", node, "--pod-selector=app.kubernetes.io/instance="+app.Name, "--timeout="+limit.String())
		Eventually(fresh(app)).WithContext(ctx).Should(And(beReady(), HaveField("Status.AvailableReplicas", BeEquivalentTo(3))))
		Eventually(podsOf).WithContext(ctx).WithArguments(app).Should(And(
			HaveLen(3), HaveEach(HaveField("Spec.NodeName", Not(Equal(node))))))
		Expect(guest.failures(ctx)).To(HaveLen(len(early)), "requests fail while the node is drained")
		Expect(k8s.Delete(ctx, app)).To(Succeed())
	}, SpecTimeout(specLimit))

	It("goes with its pods", func(ctx SpecContext) {
		run(ctx, "kubectl", "delete", "-f", "config/samples/smallest.yaml", "--timeout="+limit.String())
		Eventually(func() ([]corev1.Pod, error) {
			pods := &corev1.PodList{}
			err := k8s.List(ctx, pods, client.InNamespace(applicationNamespace))
			return pods.Items, err
		}).WithContext(ctx).Should(BeEmpty())
	}, SpecTimeout(specLimit))

	It("loses no request of a client with deletionPolicy Drain, neither when it shrinks nor when it goes", func(ctx SpecContext) {
		app := webApplication(applicationNamespace, 4)
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		app.Spec.Probes = &v1.ProbesSpec{Readiness: &v1.Probe{TCPSocket: &v1.TCPSocketProbe{}, PeriodSeconds: new(int32(1))}}
		app.Spec.Shutdown = &v1.ShutdownSpec{PreStopSleepSeconds: 5}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		guest := startClient(ctx, clientNamespace, "drain", app.Status.URL+"/slow")
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(4))
		// Before its node's proxy had heard of the new Service, the client may have been refused.
		early, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(early).To(Or(BeEmpty(), HaveEach(HavePrefix("refused "))))

		run(ctx, "kubectl", "scale", "appl/"+app.Name, "--replicas=2", "--namespace", app.Namespace)
		Eventually(podsOf).WithContext(ctx).WithArguments(app).Should(HaveLen(2))
		Expect(guest.failures(ctx)).To(HaveLen(len(early)), "requests fail while the Application shrinks")
		before := guest.answers(ctx)

		// Where nobody listens any more, a connection is refused; what was accepted has to be answered.
		run(ctx, "kubectl", "delete", "appl/"+app.Name, "--namespace", app.Namespace, "--timeout="+limit.String())
		Eventually(guest.failures).WithContext(ctx).ShouldNot(HaveLen(len(early)))
		Expect(guest.failures(ctx)).To(HaveEach(HavePrefix("refused ")))
		after := guest.answers(ctx)
		Expect(after).To(BeNumerically(">", before), "requests are answered while the Application drains")
		AddReportEntry("requests", fmt.Sprintf("%d answered, of which %d while the Application drained; %d refused before it was reachable; none lost",
			after, after-before, len(early)))
	}, SpecTimeout(specLimit))
})
