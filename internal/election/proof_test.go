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

package election

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	podUID = "5e0b8a6e-0f4e-4f0e-8f4e-0b9b8a6e0f4e"
	holder = "operator-7d9c5b8f6-x2x4z_" + podUID + "_11111111-0f4e-4f0e-8f4e-0b9b8a6e0f4e"
	// successor is the process of the container after a restart.
	successor = "operator-7d9c5b8f6-x2x4z_" + podUID + "_22222222-0f4e-4f0e-8f4e-0b9b8a6e0f4e"
)

// renewed is the holder's last renewal, on its own node's clock.
var renewed = time.Date(2026, 3, 4, 5, 6, 7, 400_000_000, time.UTC)

// end is the kubelet's word that a container has ended, so long after the last renewal: in whole seconds, rounded down.
func end(after time.Duration, message string) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "Error", Message: message, FinishedAt: metav1.NewTime(renewed.Add(after).Truncate(time.Second)),
	}
}

func TestProvenDead(t *testing.T) {
	running := &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(renewed.Add(time.Second).Truncate(time.Second))}
	cases := []struct {
		name string
		// now and last are the container's state and its state before.
		now, last corev1.ContainerState
		lease     func(*coordinationv1.LeaseSpec)
		pod       func(*corev1.Pod) *corev1.Pod
		want      bool
		doubt     string
	}{
		{name: "it runs", now: corev1.ContainerState{Running: running}},
		{name: "it has ended", now: corev1.ContainerState{Terminated: end(time.Second, holder+"\n")}, want: true},
		{
			name: "it has ended in the second of its last renewal",
			now:  corev1.ContainerState{Terminated: end(0, holder)}, want: true,
		},
		{
			name: "it has ended with last words",
			now:  corev1.ContainerState{Terminated: end(time.Second, holder+"\npanic: everything\n")}, want: true,
		},
		{
			name: "restarted", want: true,
			now: corev1.ContainerState{Running: running}, last: corev1.ContainerState{Terminated: end(time.Second, holder)},
		},
		{
			name: "waits to be restarted", want: true,
			now:  corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			last: corev1.ContainerState{Terminated: end(time.Second, holder)},
		},
		{
			doubt: doubtStamps, name: "restarted within the second of the last renewal",
			now: corev1.ContainerState{Running: running}, last: corev1.ContainerState{Terminated: end(0, holder)},
		},
		{
			name: "restarted, and the one that runs holds the lease",
			now:  corev1.ContainerState{Running: running}, last: corev1.ContainerState{Terminated: end(time.Second, successor)},
		},
		{
			doubt: doubtNotQuoted, name: "restarted twice, and the last end is another's",
			now: corev1.ContainerState{Terminated: end(3*time.Second, successor)}, last: corev1.ContainerState{Terminated: end(2*time.Second, successor)},
		},
		{
			name: "restarted twice within the kubelet's memory", want: true,
			now: corev1.ContainerState{Terminated: end(3*time.Second, successor)}, last: corev1.ContainerState{Terminated: end(time.Second, holder)},
		},
		{doubt: doubtStamps, name: "the end is older than the renewal", now: corev1.ContainerState{Terminated: end(-time.Minute, holder)}},
		{doubt: doubtNotQuoted, name: "no word of who has ended", now: corev1.ContainerState{Terminated: end(time.Second, "")}},
		{doubt: doubtNotQuoted, name: "a word that begins alike", now: corev1.ContainerState{Terminated: end(time.Second, holder+"0")}},
		{
			doubt: doubtUnseen, name: "an end that the kubelet has made up",
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 137, Reason: "ContainerStatusUnknown", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			doubt: doubtUnseen, name: "an end that the container runtime has made up",
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 255, Reason: "Unknown", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			doubt: doubtUnseen, name: "an end that was made up when a shim had died, or runc state failed",
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 255, Reason: "Error", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			doubt: doubtUnseen, name: "such an end of the container before",
			now: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			last: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 255, Reason: "Error", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			doubt: doubtUnseen, name: "an exit code that no process has",
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: -1, Reason: "Error", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			doubt: doubtUnseen, name: "a reason that is not known",
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "StartError", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			name: "it ended by itself", want: true,
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Reason: "Completed", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{
			name: "it had no memory left", want: true,
			now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 137, Reason: "OOMKilled", Message: holder, FinishedAt: metav1.NewTime(renewed.Add(time.Minute)),
			}},
		},
		{doubt: doubtUnseen, name: "an end without a time", now: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: holder}}},
		{
			doubt: doubtGone, name: "force-deleted", now: corev1.ContainerState{Terminated: end(time.Second, holder)},
			pod: func(*corev1.Pod) *corev1.Pod { return nil },
		},
		{
			doubt: doubtNoStatus, name: "marked as failed without container statuses",
			pod: func(pod *corev1.Pod) *corev1.Pod {
				pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "NodeLost"}
				return pod
			},
		},
		{
			doubt: doubtReplaced, name: "another Pod of the name", now: corev1.ContainerState{Terminated: end(time.Second, holder)},
			pod: func(pod *corev1.Pod) *corev1.Pod {
				pod.UID = "00000000-0f4e-4f0e-8f4e-0b9b8a6e0f4e"
				return pod
			},
		},
		{
			doubt: doubtNoStatus, name: "another container of the Pod", now: corev1.ContainerState{Terminated: end(time.Second, holder)},
			pod: func(pod *corev1.Pod) *corev1.Pod {
				pod.Status.ContainerStatuses[0].Name = "sidecar"
				return pod
			},
		},
		{
			name: "the holder is not a Pod", now: corev1.ContainerState{Terminated: end(time.Second, "host_11111111-0f4e-4f0e-8f4e-0b9b8a6e0f4e")},
			lease: func(spec *coordinationv1.LeaseSpec) {
				spec.HolderIdentity = new("host_11111111-0f4e-4f0e-8f4e-0b9b8a6e0f4e")
			},
		},
		{
			name: "nobody holds it", now: corev1.ContainerState{Terminated: end(time.Second, holder)},
			lease: func(spec *coordinationv1.LeaseSpec) { spec.HolderIdentity = nil },
		},
		{
			name: "no renewal", now: corev1.ContainerState{Terminated: end(time.Second, holder)},
			lease: func(spec *coordinationv1.LeaseSpec) { spec.RenewTime = nil },
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			lease := &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
				HolderIdentity: new(holder), RenewTime: new(metav1.NewMicroTime(renewed)),
			}}
			if tc.lease != nil {
				tc.lease(&lease.Spec)
			}
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "operator-7d9c5b8f6-x2x4z", UID: podUID},
				Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
					{Name: Container, State: tc.now, LastTerminationState: tc.last},
				}},
			}
			if tc.pod != nil {
				pod = tc.pod(pod)
			}
			end, doubt := provenDead(lease, pod)
			if got := end != nil; got != tc.want || doubt != tc.doubt {
				t.Errorf("proven dead = %t, doubt %q; want %t, %q", got, doubt, tc.want, tc.doubt)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	environment := func(values ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for _, pair := range values {
				if value, ok := strings.CutPrefix(pair, name+"="); ok {
					return value, true
				}
			}
			return "", false
		}
	}
	inPod := environment("POD_NAME=a.b-c", "POD_NAMESPACE=ns", "POD_UID="+podUID)
	one, err := NewIdentity(inPod)
	if err != nil {
		t.Fatal(err)
	}
	another, err := NewIdentity(inPod)
	if err != nil {
		t.Fatal(err)
	}
	if one.String() == another.String() {
		t.Errorf("two processes of one Pod are both %s", one)
	}
	if !strings.HasPrefix(one.String(), "a.b-c_"+podUID+"_") || !one.InPod() || one.Namespace != "ns" {
		t.Errorf("identity %+v", one)
	}
	parsed, ok := parseIdentity(one.String())
	if !ok || parsed.Pod != "a.b-c" || parsed.UID != podUID || parsed.String() != one.String() {
		t.Errorf("parsed %+v, %t", parsed, ok)
	}
	outside, err := NewIdentity(environment("POD_NAME=a", "POD_NAMESPACE=ns"))
	if err != nil {
		t.Fatal(err)
	}
	if outside.InPod() {
		t.Errorf("%s is in a Pod although there is no UID", outside)
	}
	for _, holder := range []string{"", "a", outside.String(), "a_b_c", "a_" + podUID + "_c", "a_" + podUID + "_" + podUID + "_d", "_" + podUID + "_" + podUID} {
		if id, ok := parseIdentity(holder); ok {
			t.Errorf("%q is read as %+v", holder, id)
		}
	}
}
