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
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const leaseName = "app-operator-leader"

var _ = Describe("Leader election", Label(groupElection), Serial, Ordered, func() {
	BeforeAll(func(ctx SpecContext) {
		removeOperator(ctx)
		deploy(ctx, "config/default")
	}, NodeTimeout(specLimit))

	// Each spec begins with three replicas and a leader, whatever the one before did to them.
	BeforeEach(func(ctx SpecContext) {
		waitForReplicas(ctx)
	}, NodeTimeout(specLimit))

	It("has three replicas and one leader, in the Lease and in the metrics", func(ctx SpecContext) {
		holder := waitForLeader(ctx, "")
		Eventually(leadersByMetrics).WithContext(ctx).WithPolling(time.Second).Should(ConsistOf(holder))
		Eventually(leadersSeen).WithContext(ctx).WithPolling(time.Second).Should(ConsistOf(holder, holder, holder))
	}, SpecTimeout(specLimit))

	It("hands over when the leader's Pod is deleted", func(ctx SpecContext) {
		takeOver(ctx, "released", func(leader *corev1.Pod) {
			Expect(k8s.Delete(ctx, leader)).To(Succeed())
		})
	}, SpecTimeout(specLimit))

	It("takes over when the leader's process is killed on its node", func(ctx SpecContext) {
		createNamespace(ctx, "e2e-kill", map[string]string{"pod-security.kubernetes.io/enforce": "privileged"})
		takeOver(ctx, "proven", func(leader *corev1.Pod) {
			killer := killerOf(leader, "e2e-kill")
			Expect(k8s.Create(ctx, killer)).To(Succeed())
			Eventually(func() (corev1.PodPhase, error) {
				err := k8s.Get(ctx, client.ObjectKeyFromObject(killer), killer)
				return killer.Status.Phase, err
			}).WithContext(ctx).Should(Equal(corev1.PodSucceeded))
		})
	}, SpecTimeout(specLimit))

	It("hands over when the leader's node is drained", func(ctx SpecContext) {
		takeOver(ctx, "released", func(leader *corev1.Pod) {
			node := leader.Spec.NodeName
			DeferCleanup(func(ctx SpecContext) { run(ctx, "kubectl", "uncordon", node) }, NodeTimeout(limit))
			run(ctx, "kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout="+limit.String())
			pods := &corev1.PodList{}
			Expect(k8s.List(ctx, pods, client.InNamespace(operatorNamespace), client.MatchingLabels(operatorLabels))).To(Succeed())
			for _, pod := range pods.Items {
				Expect(pod.Spec.NodeName).NotTo(Equal(node))
			}
		})
	}, SpecTimeout(specLimit))
})

// takeOver disturbs the leader under a stream of new Applications, and reports how long they waited at most. The next
// leader has to be another one that counts the cause, and the only one.
func takeOver(ctx context.Context, cause string, disturb func(leader *corev1.Pod)) {
	GinkgoHelper()
	before := waitForLeader(ctx, "")
	leader := leaderPod(ctx, before)
	applications := startStream(ctx, operatorNamespace, "stream-"+cause)

	disturb(leader)
	after := waitForLeader(ctx, before)
	waited := applications.stop(ctx)

	next := leaderPod(ctx, after)
	families, err := metricsOf(ctx, next)
	Expect(err).NotTo(HaveOccurred())
	Expect(valueOf(families, "app_operator_takeovers_total", "cause", cause)).To(BeEquivalentTo(1), "takeovers of the new leader by cause")
	waitForReplicas(ctx)
	Eventually(leadersByMetrics).WithContext(ctx).WithPolling(time.Second).Should(ConsistOf(after))
	AddReportEntry("from an Application to its Deployment", fmt.Sprintf("lease %s: of %d Applications, one every %s, the longest waited %s, the median %s",
		cause, len(waited), interval, waited[len(waited)-1].Round(time.Millisecond), waited[len(waited)/2].Round(time.Millisecond)))
	removeApplications(ctx)
}

// waitForReplicas waits until all three replicas are available, and none that is going is left.
func waitForReplicas(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		deployment := &appsv1.Deployment{}
		g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, deployment)).To(Succeed())
		g.Expect(deployment.Status.AvailableReplicas).To(BeEquivalentTo(3))
		g.Expect(operatorPods(ctx)).To(HaveLen(3))
	}).WithContext(ctx).Should(Succeed())
}

func operatorPods(ctx context.Context) ([]corev1.Pod, error) {
	return operatorPodsIn(ctx, operatorNamespace)
}

// waitForLeader returns who holds the Lease, once that is somebody else than the one before.
func waitForLeader(ctx context.Context, before string) string {
	GinkgoHelper()
	var holder string
	Eventually(func() (string, error) {
		lease := &coordinationv1.Lease{}
		err := k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: leaseName}, lease)
		holder = ptr.Deref(lease.Spec.HolderIdentity, "")
		return holder, err
	}).WithContext(ctx).ShouldNot(BeElementOf("", before))
	return holder
}

// leaderPod returns the pod that the identity in the Lease names.
func leaderPod(ctx context.Context, holder string) *corev1.Pod {
	GinkgoHelper()
	_, rest, _ := strings.Cut(holder, "_")
	uid, _, _ := strings.Cut(rest, "_")
	pod := &corev1.Pod{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: podOf(holder)}, pod)).To(Succeed())
	Expect(pod.UID).To(BeEquivalentTo(uid))
	return pod
}

// podOf returns the name of the pod that the identity names.
func podOf(holder string) string {
	name, _, _ := strings.Cut(holder, "_")
	return name
}

// killerOf returns a pod that kills the process of another pod, on its node and as root there.
func killerOf(victim *corev1.Pod, namespace string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "killer", Namespace: namespace},
		Spec: corev1.PodSpec{
			NodeName:      victim.Spec.NodeName,
			HostPID:       true,
			RestartPolicy: corev1.RestartPolicyNever,
			Containers: []corev1.Container{{
				Name: "killer", Image: images.Web, Args: []string{"kill", string(victim.UID)},
				SecurityContext: &corev1.SecurityContext{Privileged: new(true)},
			}},
		},
	}
}

// leadersByMetrics returns the identities of the replicas that say of themselves that they lead.
func leadersByMetrics(ctx context.Context) ([]string, error) {
	return fromEachReplica(ctx, func(families map[string]*dto.MetricFamily) (string, bool) {
		return holderSeen(families), valueOf(families, "leader_election_master_status", "name", leaseName) == 1
	})
}

// leadersSeen returns whom each replica sees leading.
func leadersSeen(ctx context.Context) ([]string, error) {
	return fromEachReplica(ctx, func(families map[string]*dto.MetricFamily) (string, bool) { return holderSeen(families), true })
}

func holderSeen(families map[string]*dto.MetricFamily) string {
	for _, metric := range families["app_operator_leader_info"].GetMetric() {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "holder" && metric.GetGauge().GetValue() == 1 {
				return label.GetValue()
			}
		}
	}
	return ""
}

// fromEachReplica collects what the function finds in the replicas' metrics.
func fromEachReplica(ctx context.Context, find func(map[string]*dto.MetricFamily) (string, bool)) ([]string, error) {
	pods, err := operatorPods(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for i := range pods {
		families, err := metricsOf(ctx, &pods[i])
		if err != nil {
			return nil, err
		}
		if value, ok := find(families); ok {
			found = append(found, value)
		}
	}
	return found, nil
}

// metricsOf reads the pod's metrics through its kubelet: the way through the API server is closed where network policies
// are enforced.
func metricsOf(ctx context.Context, pod *corev1.Pod) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	forward := command(ctx, "kubectl", "port-forward", "--namespace", pod.Namespace, "pod/"+pod.Name, ":8080", "--address=127.0.0.1")
	output, err := forward.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := forward.Start(); err != nil {
		return nil, err
	}
	defer func() {
		cancel()
		_ = forward.Wait()
	}()
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("port-forward to %s: %w", pod.Name, err)
	}
	var port int
	if _, err := fmt.Sscanf(line, "Forwarding from 127.0.0.1:%d -> 8080", &port); err != nil {
		return nil, fmt.Errorf("port-forward to %s said %q: %w", pod.Name, line, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", port), http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(response.Body)
}

// valueOf returns the value of the metric with the label, or 0 where there is none.
func valueOf(families map[string]*dto.MetricFamily, name, label, value string) float64 {
	for _, metric := range families[name].GetMetric() {
		for _, pair := range metric.GetLabel() {
			if pair.GetName() == label && pair.GetValue() == value {
				return metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}
