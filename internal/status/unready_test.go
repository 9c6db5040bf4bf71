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

package status

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestUnreadyPods is the table of what pods that are not ready are said to wait for.
func TestUnreadyPods(t *testing.T) {
	const pod, more = "pod my-app-5d9c7b6f4-x2x7k", "; kubectl describe pod tells more"
	gone := func(edit func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "my-app-5d9c7b6f4-x2x7k", CreationTimestamp: start},
			Spec:       corev1.PodSpec{NodeName: "node-7"},
			Status: corev1.PodStatus{
				Phase:             corev1.PodRunning,
				Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(7)}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "my-app", Ready: true}},
			},
		}
		edit(pod)
		return pod
	}
	pods := readPods(t)
	creating := pods["creating"].DeepCopy()
	creating.Status.Conditions = append(creating.Status.Conditions,
		corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionFalse})
	starting := pods["running-not-ready"].DeepCopy()
	starting.Status.ContainerStatuses[0].Started = new(false)
	told := pods["creating"].DeepCopy()
	told.Status.ContainerStatuses[0].State.Waiting.Message = "no such device"
	for name, test := range map[string]struct {
		pod   *corev1.Pod
		want  string
		since metav1.Time
	}{
		"one that waits for a volume or a network": {
			creating, pod + ", container my-app: ContainerCreating: its volumes or its network are not ready" + more, metav1.Time{},
		},
		"one whose kubelet says why": {told, pod + ", container my-app: ContainerCreating: no such device", metav1.Time{}},
		"one that is held back": {
			pods["scheduling-gated"], pod + ": SchedulingGated: Scheduling is blocked due to non-empty scheduling gates", metav1.Time{},
		},
		"one whose probe fails": {
			pods["running-not-ready"], pod + ", container my-app: it runs, and its readiness probe fails" + more, metav1.Time{},
		},
		"one that starts up": {
			starting, pod + ", container my-app: it runs, and its startup probe has not succeeded" + more, metav1.Time{},
		},
		"one that is being prepared": {
			pods["init-running"], pod + ", container migrate: it runs, and what comes after it waits" + more, metav1.Time{},
		},
		"one that no scheduler looks at": {pods["pending"], pod + ": no scheduler has found a node for it", metav1.Time{}},
		"one on a silent node": {
			gone(func(*corev1.Pod) {}), pod + ": its containers were ready when node node-7 last reported; the node may be down", at(7),
		},
		"one on a node that has never reported it": {gone(func(pod *corev1.Pod) {
			pod.Status = corev1.PodStatus{Phase: corev1.PodPending}
		}), pod + ": node node-7 has not started it; the node may be down", start},
		"one behind a readiness gate": {gone(func(pod *corev1.Pod) {
			pod.Status.Conditions[0].Reason = "ReadinessGatesNotReady"
			pod.Status.Conditions[0].Message = `corresponding condition of pod readiness gate "lb" does not exist.`
		}), pod + `: ReadinessGatesNotReady: corresponding condition of pod readiness gate "lb" does not exist.`, at(7)},
	} {
		t.Run(name, func(t *testing.T) {
			got := UnreadyOf(test.pod)
			if diff := cmp.Diff(&UnreadyPod{Since: test.since, Message: test.want}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	for _, name := range []string{"running", "deleted-crashing", "evicted-after-crashes", "succeeded-after-crashes"} {
		if got := UnreadyOf(pods[name]); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestPodsThatEnd is the table of what is told of pods that have ended although they are not meant to: the node has rejected them,
// or has evicted them.
func TestPodsThatEnd(t *testing.T) {
	ended := func(phase corev1.PodPhase, reason, message string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "my-app-5d9c7b6f4-x2x7k"},
			Status:     corev1.PodStatus{Phase: phase, Reason: reason, Message: message},
		}
	}
	going := ended(corev1.PodFailed, "Evicted", "")
	going.DeletionTimestamp = &start
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"one that its node has rejected": {
			ended(corev1.PodFailed, "OutOfcpu", "Node didn't have enough resource: cpu, requested: 2000, used: 1500, capacity: 2000"),
			"pod my-app-5d9c7b6f4-x2x7k has ended: OutOfcpu: Node didn't have enough resource: cpu, requested: 2000, used: 1500, capacity: 2000",
		},
		"one that says no more than a word": {ended(corev1.PodFailed, "NodeAffinity", ""), "pod my-app-5d9c7b6f4-x2x7k has ended: NodeAffinity"},
		"one that says much": {
			ended(corev1.PodFailed, "Evicted", strings.Repeat("x", 5000)), "pod my-app-5d9c7b6f4-x2x7k has ended: Evicted: " + strings.Repeat("x", maxWords-9) + " ...",
		},
		"one that says nothing":         {ended(corev1.PodFailed, "", ""), ""},
		"one that was shut off in time": {ended(corev1.PodSucceeded, "Terminated", "Pod was terminated in response to imminent node shutdown."), ""},
		"one that runs":                 {ended(corev1.PodRunning, "", ""), ""},
		"one that goes":                 {going, ""},
	} {
		if got := EndOfPod(test.pod); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestPodsThatStayUnready follows a rollout that was complete, or seemed to be.
func TestPodsThatStayUnready(t *testing.T) {
	slow := UnreadyPod{Since: at(100), Message: "pod new: slow"}
	serving := func(deployment *appsv1.Deployment) {
		counters(3, 3, 2, 2)(deployment)
		setCondition(deployment, appsv1.DeploymentAvailable, corev1.ConditionTrue, "MinimumReplicasAvailable", "")
	}
	rolling := func(deployment *appsv1.Deployment) {
		setCondition(deployment, appsv1.DeploymentProgressing, corev1.ConditionTrue, "ReplicaSetUpdated", "")
	}
	short := func(deployment *appsv1.Deployment) { deployment.Spec.ProgressDeadlineSeconds = new(int32(30)) }
	recreating := func(deployment *appsv1.Deployment) { counters(0, 0, 0, 0)(deployment) }
	for name, test := range map[string]struct {
		deployment *appsv1.Deployment
		unready    []UnreadyPod
		ending     string
		ended      string
		app        *v1.Application
		now        int
		// want is Ready's reason and what its message has; expires is when another pass is due, 0 for never.
		want, words string
		expires     int
	}{
		"not yet": {
			deployment: newDeployment(3, unavailable), unready: []UnreadyPod{slow}, now: 699,
			want: v1.ReasonRollingOut, words: available, expires: 700,
		},
		"for the deadline": {
			deployment: newDeployment(3, unavailable), unready: []UnreadyPod{slow}, now: 700, want: v1.ReasonPodsNotReady, words: "pod new: slow",
		},
		"for a shorter deadline": {
			deployment: newDeployment(3, unavailable, short), unready: []UnreadyPod{slow}, now: 130, want: v1.ReasonPodsNotReady, words: "pod new: slow",
		},
		"one of them, while others serve": {
			deployment: newDeployment(3, serving), unready: []UnreadyPod{{Since: at(400), Message: "pod old: slow"}, slow}, now: 700,
			want: v1.ReasonPodsNotReady, words: "pod old: slow",
		},
		"one after the other, none for long": {
			deployment: newDeployment(3, unavailable, unavailableSince(at(50))), unready: []UnreadyPod{slow}, now: 650,
			want: v1.ReasonPodsNotReady, words: "pod new: slow",
		},
		"during a rollout, which has its own deadline": {
			deployment: newDeployment(3, unavailable, rolling), unready: []UnreadyPod{slow}, now: 9000, want: v1.ReasonRollingOut, words: available,
		},
		"in a rollout past its deadline": {
			deployment: newDeployment(3, unavailable, pastDeadline), unready: []UnreadyPod{slow}, now: 700,
			want: v1.ReasonProgressDeadlineExceeded, words: "pod new: slow",
		},
		"an old pod that does not end, before the new ones are made": {
			deployment: newDeployment(3, unavailable, recreating, unavailableSince(at(50))), ending: "pod old should have ended", now: 650,
			want: v1.ReasonProgressDeadlineExceeded, words: "pod old should have ended",
		},
		"pods that their nodes reject, one after the other": {
			deployment: newDeployment(3, unavailable, pastDeadline), ended: "pod first has ended: OutOfcpu", now: 700,
			want: v1.ReasonProgressDeadlineExceeded, words: "for its progress deadline; pod first has ended: OutOfcpu",
		},
		"pods that their nodes reject, and the next one": {
			deployment: newDeployment(3, unavailable, pastDeadline), unready: []UnreadyPod{slow}, ended: "pod first has ended: OutOfcpu", now: 700,
			want: v1.ReasonProgressDeadlineExceeded, words: "pod new: slow; pod first has ended: OutOfcpu",
		},
		"pods that are evicted again and again": {
			deployment: newDeployment(3, unavailable, unavailableSince(at(50))), ended: "pod first has ended: Evicted", now: 650,
			want: v1.ReasonPodsNotReady, words: "rollout.progressDeadlineSeconds; pod first has ended: Evicted",
		},
		"for a time that nobody knows": {
			deployment: newDeployment(3, unavailable), unready: []UnreadyPod{{Message: "pod new: slow"}}, now: 9000,
			want: v1.ReasonRollingOut, words: available,
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApplication()
			seen := Observed{Now: at(test.now), Deployment: test.deployment, Unready: test.unready, Ending: test.ending, Ended: test.ended}
			got := Of(app, seen, nil)
			ready := condition(t, got, v1.ConditionReady)
			if ready.Reason != test.want || !strings.Contains(ready.Message, test.words) {
				t.Errorf("Ready: %s %q, want %s, with %q", ready.Reason, ready.Message, test.want, test.words)
			}
			want := metav1.Time{}
			if test.expires > 0 {
				want = at(test.expires)
			}
			if expires := Expires(app, seen, got); !expires.Equal(&want) {
				t.Errorf("the status expires at %s, want %s", expires, want)
			}
		})
	}
}

// TestAutoscaledPodsThatStayUnready holds that more pods, asked for one after the other, are no fault while each becomes
// ready in time; and that a pod which does not is one, although the others serve.
func TestAutoscaledPodsThatStayUnready(t *testing.T) {
	app := newApplication(autoscaled)
	app.Status = Of(app, Observed{Deployment: newDeployment(3)}, nil)
	more := newDeployment(6, unavailable, counters(6, 6, 5, 5), unavailableSince(start))
	seen := Observed{Now: at(9000), Deployment: more, Unready: []UnreadyPod{{Since: at(8900), Message: "pod new: slow"}}}
	if got := Of(app, seen, nil); statuses(got) != "True|False|True|False" {
		t.Errorf("while it grows: %s", statuses(got))
	}
	seen.Now = at(9600)
	got := Of(app, seen, nil)
	if degraded := condition(t, got, v1.ConditionDegraded); statuses(got) != "True|False|True|True" || degraded.Reason != v1.ReasonPodsNotReady {
		t.Errorf("when one pod is too slow: %s, %s", statuses(got), degraded.Reason)
	}
}
