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
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// clientNamespace is where pods ask what Applications serve.
const clientNamespace = "e2e-client"

// applicationNamespace is the one that config/overlays/single-namespace serves, and the namespace of the smallest manifest.
const applicationNamespace = "app-namespace"

var _ = Describe("Installed with kubectl apply -k", Ordered, func() {
	DescribeTable("serves Applications", func(ctx SpecContext, kustomization, served, unserved string) {
		for _, name := range []string{served, unserved, clientNamespace} {
			if name != operatorNamespace && name != "" {
				createNamespace(ctx, name, nil)
			}
		}
		deploy(ctx, kustomization)

		app := webApplication(served, 2)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		guest := startClient(ctx, "client", app.Status.URL)
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(2), "each of the pods answers")

		if unserved == "" {
			return
		}
		// The operator had its chance when it has done the same for an Application that was created later.
		stranger := webApplication(unserved, 1)
		Expect(k8s.Create(ctx, stranger)).To(Succeed())
		later := webApplication(served, 1)
		later.Name = "later"
		Expect(k8s.Create(ctx, later)).To(Succeed())
		Eventually(fresh(later)).WithContext(ctx).Should(beReady())
		Expect(fresh(stranger)(ctx)).To(HaveField("Status.Conditions", BeEmpty()))
	},
		Entry("in its own namespace", SpecTimeout(specLimit), "config/default", operatorNamespace, applicationNamespace),
		Entry("in a single namespace", SpecTimeout(specLimit), "config/overlays/single-namespace", applicationNamespace, "e2e-other"),
		Entry("in all namespaces", SpecTimeout(specLimit), "config/overlays/all-namespaces", "e2e-any", ""),
	)
})

var _ = Describe("An Application", Ordered, func() {
	var guest *visitor

	BeforeAll(func(ctx SpecContext) {
		createNamespace(ctx, clientNamespace, nil)
		createNamespace(ctx, applicationNamespace, nil)
		deploy(ctx, "config/overlays/single-namespace")
	}, NodeTimeout(specLimit))

	It("of the smallest manifest is Ready, as kubectl wait sees it, and serves", func(ctx SpecContext) {
		run(ctx, "kubectl", "apply", "-f", "config/samples/smallest.yaml")
		run(ctx, "kubectl", "wait", "--for=condition=Ready", "app/my-app", "--namespace", applicationNamespace, "--timeout="+limit.String())
		url := run(ctx, "kubectl", "get", "app/my-app", "--namespace", applicationNamespace, "--output", "jsonpath={.status.url}")
		guest = startClient(ctx, "client", url)
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(3), "each of the pods answers")
	}, SpecTimeout(specLimit))

	It("scales with kubectl scale", func(ctx SpecContext) {
		run(ctx, "kubectl", "scale", "app/my-app", "--replicas=5", "--namespace", applicationNamespace)
		run(ctx, "kubectl", "wait", "--for=condition=Ready", "app/my-app", "--namespace", applicationNamespace, "--timeout="+limit.String())
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(5), "the new pods answer too")
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
		guest := startClient(ctx, "drain", app.Status.URL+"/slow")
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(4))
		// Before its node's proxy had heard of the new Service, the client may have been refused.
		early, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(early).To(Or(BeEmpty(), HaveEach(HavePrefix("refused "))))

		run(ctx, "kubectl", "scale", "app/"+app.Name, "--replicas=2", "--namespace", app.Namespace)
		Eventually(func() ([]corev1.Pod, error) {
			pods := &corev1.PodList{}
			err := k8s.List(ctx, pods, client.InNamespace(app.Namespace))
			return pods.Items, err
		}).WithContext(ctx).Should(HaveLen(2))
		Expect(guest.failures(ctx)).To(HaveLen(len(early)), "requests fail while the Application shrinks")
		before := guest.answers(ctx)

		// Where nobody listens any more, a connection is refused; what was accepted has to be answered.
		run(ctx, "kubectl", "delete", "app/"+app.Name, "--namespace", app.Namespace, "--timeout="+limit.String())
		Eventually(guest.failures).WithContext(ctx).ShouldNot(HaveLen(len(early)))
		Expect(guest.failures(ctx)).To(HaveEach(HavePrefix("refused ")))
		after := guest.answers(ctx)
		Expect(after).To(BeNumerically(">", before), "requests are answered while the Application drains")
		AddReportEntry("requests", fmt.Sprintf("%d answered, of which %d while the Application drained; %d refused before it was reachable; none lost",
			after, after-before, len(early)))
	}, SpecTimeout(specLimit))
})

// webApplication returns an Application of our web server.
func webApplication(namespace string, replicas int32) *v1.Application {
	return &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
		Spec:       v1.ApplicationSpec{Image: webImage, Replicas: new(replicas), Port: new(int32(80))},
	}
}

// visitor is a pod that asks all the while.
type visitor struct{ pod *corev1.Pod }

// startClient starts a pod that asks the URL, in clientNamespace, and with that namespace it goes.
func startClient(ctx context.Context, name, url string) *visitor {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: clientNamespace},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "client", Image: webImage, Args: []string{"poll", url},
		}}},
	}
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	Eventually(fresh(pod)).WithContext(ctx).Should(HaveField("Status.Phase", corev1.PodRunning))
	return &visitor{pod: pod}
}

// lines returns what the client has printed so far.
func (v *visitor) lines(ctx context.Context) ([]string, error) {
	output, err := command(ctx, "kubectl", "logs", "--namespace", v.pod.Namespace, v.pod.Name).Output()
	return strings.Split(strings.TrimSpace(string(output)), "\n"), err
}

// names returns who has answered so far.
func (v *visitor) names(ctx context.Context) ([]string, error) {
	lines, err := v.lines(ctx)
	var names []string
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "answered "); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// answers returns how many requests were answered so far.
func (v *visitor) answers(ctx context.Context) int {
	GinkgoHelper()
	lines, err := v.lines(ctx)
	Expect(err).NotTo(HaveOccurred())
	answered := 0
	for _, line := range lines {
		if strings.HasPrefix(line, "answered ") {
			answered++
		}
	}
	return answered
}

// failures returns the requests so far that were not answered.
func (v *visitor) failures(ctx context.Context) ([]string, error) {
	lines, err := v.lines(ctx)
	return failed(lines), err
}

func failed(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "answered ") || line == "" })
}
