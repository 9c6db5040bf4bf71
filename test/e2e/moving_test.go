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
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// startWorkload starts the workload of testdata/moving.yaml and an operator for its namespace, and returns a client of it that each of
// its pods has answered.
func startWorkload(ctx context.Context, namespace, clients string) *visitor {
	GinkgoHelper()
	createNamespace(ctx, clients, nil)
	deployFor(ctx, namespace, nil)
	manifest, err := os.ReadFile(filepath.Join("testdata", "moving.yaml"))
	Expect(err).NotTo(HaveOccurred())
	apply := command(ctx, "kubectl", "apply", "--namespace", namespace, "-f", "-")
	apply.Stdin = strings.NewReader(strings.ReplaceAll(string(manifest), "IMAGE", images.Web))
	runCommand(apply)
	run(ctx, "kubectl", "rollout", "status", "deployment/web", "--namespace", namespace, "--timeout="+limit.String())
	guest := startClient(ctx, clients, "client", "http://web."+namespace+".svc")
	Eventually(guest.names).WithContext(ctx).Should(HaveLen(2), "each of the old pods answers")
	return guest
}

// besideWorkload returns what stands beside the Deployment of testdata/moving.yaml and moves with it, the Service first.
func besideWorkload(key metav1.ObjectMeta) []client.Object {
	return []client.Object{
		&corev1.Service{ObjectMeta: key}, &networkingv1.Ingress{ObjectMeta: key},
		&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: key}, &policyv1.PodDisruptionBudget{ObjectMeta: key},
	}
}

// A running workload becomes an Application by the steps of docs/guide.md, "Taking over what exists".
var _ = Describe("A workload that runs", Label(groupMoving), Ordered, func() {
	const namespace, clients = "e2e-moving", "e2e-moving-client"
	key := metav1.ObjectMeta{Name: "web", Namespace: namespace}
	moved := besideWorkload(key)
	uids := map[client.Object]types.UID{}
	var guest *visitor

	BeforeAll(func(ctx SpecContext) {
		guest = startWorkload(ctx, namespace, clients)
		for _, object := range moved {
			Expect(fresh(object)(ctx)).NotTo(BeNil())
			uids[object] = object.GetUID()
		}
	}, NodeTimeout(specLimit))

	It("becomes an Application under a client, with its Service's address and the names of its ports", func(ctx SpecContext) {
		early, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		old, err := guest.names(ctx)
		Expect(err).NotTo(HaveOccurred())
		address := moved[0].(*corev1.Service).Spec.ClusterIP

		began := time.Now()
		run(ctx, "kubectl", "delete", "deployment", "web", "--cascade=orphan", "--namespace", namespace)
		run(ctx, "kubectl", "annotate", "service,ingress,hpa,pdb", "web", v1.AnnotationAdopt+"=web", "--namespace", namespace)
		app := webApplication(namespace, 2)
		app.Spec.Probes = &v1.ProbesSpec{Readiness: &v1.Probe{HTTPGet: &v1.HTTPGetProbe{Port: new(intstr.FromInt32(80))}, PeriodSeconds: new(int32(1))}}
		app.Spec.Shutdown = &v1.ShutdownSpec{PreStopSleepSeconds: 5}
		app.Spec.Ingress = &v1.IngressSpec{Host: "web.example.com"}
		app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 4}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(4), "the new pods answer too")
		run(ctx, "kubectl", "delete", "replicaset", "-l", "app=web", "--namespace", namespace)
		Eventually(func() ([]corev1.Pod, error) {
			pods := &corev1.PodList{}
			return pods.Items, k8s.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{"app": "web"})
		}).WithContext(ctx).Should(BeEmpty())

		failures, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(failures[len(early):]).To(BeEmpty())
		AddReportEntry("moved in", fmt.Sprintf("%s; of %d requests since the client was first answered none failed",
			time.Since(began).Round(time.Second), guest.answers(ctx)))
		for _, object := range moved {
			Expect(fresh(object)(ctx)).To(SatisfyAll(HaveField("UID", uids[object]), Satisfy(func(now client.Object) bool {
				return metav1.IsControlledBy(now, app)
			})), "%T", object)
		}
		service := moved[0].(*corev1.Service)
		Expect(service.Spec.ClusterIP).To(Equal(address))
		Expect(service.Spec.Ports).To(ConsistOf(SatisfyAll(HaveField("Name", "web"), HaveField("Port", BeEquivalentTo(80)))))
		Expect(service.Annotations).To(HaveKeyWithValue("team", "shop"))
		Expect(moved[1].(*networkingv1.Ingress).Spec.Rules).To(ConsistOf(HaveField("Host", "web.example.com")))
		Expect(fresh(&appsv1.Deployment{ObjectMeta: key})(ctx)).To(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		for _, pod := range pods {
			Expect(old).NotTo(ContainElement(pod.Name))
		}
	}, SpecTimeout(specLimit))

	It("becomes plain objects again under the same client, as docs/guide.md, \"Leaving\", has it, and needs no operator", func(ctx SpecContext) {
		app := &v1.Application{ObjectMeta: key}
		Expect(fresh(app)(ctx)).NotTo(BeNil())
		before, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		address := moved[0].(*corev1.Service).Spec.ClusterIP
		deployment := &appsv1.Deployment{ObjectMeta: key}
		Expect(fresh(deployment)(ctx)).NotTo(BeNil())
		uids[deployment] = deployment.UID

		meanwhile(ctx, guest, "moved out", func() {
			run(ctx, "kubectl", "patch", "appl/web", "--namespace", namespace, "--type=merge", "-p", `{"spec":{"deletionPolicy":"Orphan"}}`)
			run(ctx, "kubectl", "wait", "--for=condition=Ready", "appl/web", "--namespace", namespace, "--timeout="+limit.String())
			manifests := run(ctx, "kubectl", "app", "export", "web", "--namespace", namespace)
			run(ctx, "kubectl", "delete", "appl/web", "--namespace", namespace, "--cascade=foreground", "--timeout="+limit.String())
			run(ctx, "kubectl", "delete", "deployment", operatorName, "--namespace", namespace)
			apply := command(ctx, "kubectl", "apply", "--server-side", "-f", "-")
			apply.Stdin = strings.NewReader(manifests)
			runCommand(apply)
		})
		for _, object := range append(slices.Clone(moved), client.Object(deployment)) {
			Expect(fresh(object)(ctx)).To(SatisfyAll(HaveField("UID", uids[object]), HaveField("OwnerReferences", BeEmpty()),
				HaveField("DeletionTimestamp", BeNil()), HaveField("Annotations", Not(HaveKey(v1.AnnotationOwner)))), "%T", object)
		}
		Expect(moved[0].(*corev1.Service).Spec.ClusterIP).To(Equal(address))
		after, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		Expect(uidsOf(after)).To(ConsistOf(uidsOf(before)))

		meanwhile(ctx, guest, "rolled out without an operator", func() {
			run(ctx, "kubectl", "rollout", "restart", "deployment/web", "--namespace", namespace)
			run(ctx, "kubectl", "rollout", "status", "deployment/web", "--namespace", namespace, "--timeout="+limit.String())
		})
		Expect(fresh(deployment)(ctx)).To(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
	}, SpecTimeout(specLimit))
})

// The same by `kubectl app import --take-over`, which is interrupted after each of its steps, goes on, goes back, and comes again.
var _ = Describe("A workload that the plugin moves", Label(groupMoving), Ordered, func() {
	const namespace, clients = "e2e-moving-plugin", "e2e-moving-plugin-client"
	key := metav1.ObjectMeta{Name: "web", Namespace: namespace}
	moved := besideWorkload(key)
	uids := map[client.Object]types.UID{}
	var guest *visitor
	var early int
	var address string

	BeforeAll(func(ctx SpecContext) {
		guest = startWorkload(ctx, namespace, clients)
		for _, object := range moved {
			Expect(fresh(object)(ctx)).NotTo(BeNil())
			uids[object] = object.GetUID()
		}
		address = moved[0].(*corev1.Service).Spec.ClusterIP
		failures, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		early = len(failures)
	}, NodeTimeout(specLimit))

	// ran says which step the plugin was interrupted in, each time, until it ended by itself.
	ran := func(ctx context.Context, flags ...string) int {
		GinkgoHelper()
		args := append([]string{"import", "deployment/web", "--namespace", namespace, "--take-over", "--yes"}, flags...)
		interrupted := 0
		for interruptedAfterAStep(command(ctx, "kubectl-app", args...)) {
			interrupted++
		}
		return interrupted
	}
	noneFailed := func(ctx context.Context) {
		GinkgoHelper()
		failures, err := guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(failures[early:]).To(BeEmpty())
	}
	sameObjects := func(ctx context.Context, are func(client.Object) bool) {
		GinkgoHelper()
		for _, object := range moved {
			Expect(fresh(object)(ctx)).To(SatisfyAll(HaveField("UID", uids[object]), Satisfy(are)), "%T", object)
		}
		service := moved[0].(*corev1.Service)
		Expect(service.Spec.ClusterIP).To(Equal(address))
		Expect(service.Spec.Ports).To(ConsistOf(SatisfyAll(HaveField("Name", "web"), HaveField("Port", BeEquivalentTo(80)))))
	}

	It("moves in, back and in again under a client, interrupted after each step", func(ctx SpecContext) {
		old, err := guest.names(ctx)
		Expect(err).NotTo(HaveOccurred())
		app := webApplication(namespace, 2)
		began := time.Now()
		in := ran(ctx, "--keep-old")
		const atLeast = 1 // a step may be over before it is interrupted, and the one that is interrupted may be done
		Expect(in).To(BeNumerically(">=", atLeast))
		Expect(fresh(app)(ctx)).To(beReady())
		sameObjects(ctx, func(now client.Object) bool { return metav1.IsControlledBy(now, app) })
		Eventually(guest.names).WithContext(ctx).Should(HaveLen(4), "the new pods answer too")
		noneFailed(ctx)

		back := ran(ctx, "--undo")
		Expect(back).To(BeNumerically(">=", atLeast))
		sameObjects(ctx, func(now client.Object) bool { return metav1.GetControllerOf(now) == nil })
		Expect(moved[0].(*corev1.Service).Spec.Selector).To(Equal(map[string]string{"app": "web"}))
		Expect(fresh(&appsv1.Deployment{ObjectMeta: key})(ctx)).To(HaveField("Spec.Selector.MatchLabels", Equal(map[string]string{"app": "web"})))
		pods := &corev1.PodList{}
		Expect(k8s.List(ctx, pods, client.InNamespace(namespace), notOfAnApplication)).To(Succeed())
		Expect(pods.Items).To(HaveLen(2))
		for _, pod := range pods.Items {
			Expect(old).To(ContainElement(pod.Name), "the old pods have gone on all the while")
		}
		noneFailed(ctx)

		again := ran(ctx)
		Expect(fresh(app)(ctx)).To(beReady())
		sameObjects(ctx, func(now client.Object) bool { return metav1.IsControlledBy(now, app) })
		now, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		for _, pod := range now {
			Expect(old).NotTo(ContainElement(pod.Name))
		}
		noneFailed(ctx)
		AddReportEntry("moved in by the plugin, back, and in again", fmt.Sprintf("%s, interrupted %d times; of %d requests none failed",
			time.Since(began).Round(time.Second), in+back+again, guest.answers(ctx)))
	}, SpecTimeout(specLimit))
})

// notOfAnApplication selects the old pods. The new ones have their labels too.
var notOfAnApplication = func() client.ListOption {
	selector, err := labels.Parse("app=web,!app.kubernetes.io/instance")
	if err != nil {
		panic(err)
	}
	return client.MatchingLabelsSelector{Selector: selector}
}()

// interruptedAfterAStep runs the plugin until it begins the second step of its own, and interrupts it there. It returns false when
// the plugin has ended by itself, which has to be well.
func interruptedAfterAStep(cmd *exec.Cmd) bool {
	GinkgoHelper()
	GinkgoWriter.Println("$", strings.Join(cmd.Args, " "))
	out, err := cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	Expect(cmd.Start()).To(Succeed())
	begun := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		GinkgoWriter.Println(lines.Text())
		if strings.HasPrefix(lines.Text(), "[") && !strings.HasSuffix(lines.Text(), ": done") {
			begun++
		}
		if begun == 2 {
			begun++
			Expect(cmd.Process.Signal(os.Interrupt)).To(Succeed())
		}
	}
	err = cmd.Wait()
	GinkgoWriter.Print(stderr.String())
	if strings.Contains(stderr.String(), "interrupted;") {
		return true
	}
	Expect(err).NotTo(HaveOccurred(), stderr.String())
	return false
}

// uidsOf returns the UIDs of pods.
func uidsOf(pods []corev1.Pod) []types.UID {
	uids := make([]types.UID, 0, len(pods))
	for _, pod := range pods {
		uids = append(uids, pod.UID)
	}
	return uids
}
