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

package process_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/process"
)

const (
	manager = "manager"
	// unproven is what a standby logs when it has looked and found no proof.
	unproven = "The leader may be dead, but nothing proves it; its lease has to expire"
	gaveBack = "The leader's container has ended; gave its lease back"
)

// stage is a leader that the test plays, with a real Pod, whose lease outlives the test, and a real standby.
type stage struct {
	admin     client.Client
	namespace string
	pod       *corev1.Pod
	identity  string
	standby   *process.Process
}

// newStage makes them. The edit is of the Lease before anybody sees it.
func newStage(t *testing.T, kubeconfig func(namespace string) string, edit func(*coordinationv1.Lease)) *stage {
	t.Helper()
	admin := administrator(t, newCluster(t))
	s := &stage{admin: admin, namespace: newNamespace(t, admin)}
	bind(t, admin, s.namespace, "role.yaml")
	bind(t, admin, s.namespace, "leader_election_role.yaml")
	// Nobody makes it here, and no Pod is admitted without.
	create(t, admin, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "default"}})
	s.pod = s.newPod(t)
	s.identity = "leader_" + string(s.pod.UID) + "_" + string(uuid.NewUUID())
	held := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: lease},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: &s.identity, LeaseDurationSeconds: new(int32(3600)), AcquireTime: new(metav1.NowMicro()), RenewTime: new(metav1.NowMicro()),
		},
	}
	if edit != nil {
		edit(held)
		s.identity = *held.Spec.HolderIdentity
	}
	create(t, admin, held)
	words := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(words, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.standby = process.Launch(t, binary,
		[]string{"POD_NAME=standby", "POD_NAMESPACE=" + s.namespace, "POD_UID=" + string(uuid.NewUUID()), "TERMINATION_MESSAGE_PATH=" + words},
		append([]string{
			"--kubeconfig=" + kubeconfig(s.namespace), "--namespace=" + s.namespace, "--leader-election-namespace=" + s.namespace,
			"--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:0",
		}, patient...)...)
	s.standby.WaitUntilReady(t)
	return s
}

// newPod makes the leader's Pod, on a node that nobody plays.
func (s *stage) newPod(t *testing.T) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "leader"},
		Spec:       corev1.PodSpec{NodeName: "nowhere", Containers: []corev1.Container{{Name: manager, Image: "operator"}}},
	}
	create(t, s.admin, pod)
	s.report(t, pod, corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}})
	return pod
}

// report plays the kubelet.
func (s *stage) report(t *testing.T, pod *corev1.Pod, status corev1.ContainerStatus) {
	t.Helper()
	status.Name, status.Image = manager, "operator"
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	if err := s.admin.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// end is what the kubelet says of a container that has ended so long after the last renewal.
func (s *stage) end(t *testing.T, after time.Duration) *corev1.ContainerStateTerminated {
	t.Helper()
	renewed := getLease(t, s.admin, s.namespace).Spec.RenewTime
	return &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "Error", Message: s.identity + "\n", StartedAt: metav1.NewTime(renewed.Add(-time.Hour)),
		FinishedAt: metav1.NewTime(renewed.Add(after).Truncate(time.Second)),
	}
}

func (s *stage) kill(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	if err := s.admin.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
}

// wantTakeover waits until the standby leads, and checks that it does so for the reason given.
func (s *stage) wantTakeover(t *testing.T) {
	t.Helper()
	now := waitForHolder(t, s.admin, s.namespace, s.identity)
	if !strings.HasPrefix(now, "standby_") {
		t.Errorf("the lease went to %q", now)
	}
	s.standby.WaitForLog(t, gaveBack)
	s.standby.WaitForLog(t, `"cause":"proven"`)
	app := application(t, s.admin, s.namespace)
	process.Eventually(t, "the new leader works", func() bool { return hasDeployment(t, s.admin, app) })
	if left := getLease(t, s.admin, s.namespace).Annotations; len(left) > 0 {
		t.Errorf("the lease bears %v although it is held", left)
	}
}

// wantRefusal waits until the standby has found no proof, and checks that the lease is the leader's, as it was.
func (s *stage) wantRefusal(t *testing.T, why string) {
	t.Helper()
	s.standby.WaitForLog(t, unproven)
	s.standby.WaitForLog(t, `"why":"`+why+`"`)
	if now := holder(t, s.admin, s.namespace); now != s.identity {
		t.Errorf("the lease is held by %q", now)
	}
	if strings.Contains(s.standby.Stderr(), gaveBack) {
		t.Error("the standby says that it gave the lease back")
	}
}

// plainly gives the operator its own rights and no others.
func plainly(t *testing.T) func(string) string {
	t.Helper()
	return func(namespace string) string { return kubeconfig(t, newCluster(t), namespace) }
}

// TestTakeover kills the leader, as far as the API server can tell.
func TestTakeover(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*testing.T, *stage) corev1.ContainerStatus{
		"ended": func(t *testing.T, s *stage) corev1.ContainerStatus {
			t.Helper()
			return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, time.Second)}}
		},
		"ended in the second of its last renewal": func(t *testing.T, s *stage) corev1.ContainerStatus {
			t.Helper()
			return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, 0)}}
		},
		"restarted": func(t *testing.T, s *stage) corev1.ContainerStatus {
			t.Helper()
			end := s.end(t, 2*time.Second)
			return corev1.ContainerStatus{
				State:                corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: end.FinishedAt}},
				LastTerminationState: corev1.ContainerState{Terminated: end}, RestartCount: 1,
			}
		},
	}
	for name, status := range cases {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, plainly(t), nil)
			s.report(t, s.pod, status(t, s))
			s.wantTakeover(t)
		})
	}
}

// TestTakeoverWithOtherClocks: the leader's node is a minute ahead of, or behind, the standby's.
func TestTakeoverWithOtherClocks(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": time.Minute, "behind": -time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, plainly(t), func(held *coordinationv1.Lease) {
				held.Spec.RenewTime = new(metav1.NewMicroTime(time.Now().Add(off)))
			})
			// An end of before the last renewal, by the node's clock, proves nothing, whatever the standby's clock says.
			s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, -2*time.Second)}})
			s.wantRefusal(t, "its container ended before its last renewal, or may have, by the stamps of its node")
			s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, time.Second)}})
			s.wantTakeover(t)
		})
	}
}

// TestTakeoverRefused shows the standby what looks like a death and is no proof of one.
func TestTakeoverRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		happens func(*testing.T, *stage)
		why     string
	}{
		"force-deleted": {
			happens: func(t *testing.T, s *stage) {
				t.Helper()
				s.kill(t, s.pod)
			},
			why: "its Pod is gone, which ends no process on a node that is cut off",
		},
		"force-deleted after it was recreated": {
			happens: func(t *testing.T, s *stage) {
				t.Helper()
				s.kill(t, s.pod)
				s.standby.WaitForLog(t, unproven)
				s.pod = s.newPod(t)
				s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, time.Second)}})
			},
			why: "another Pod bears the name of its Pod",
		},
		"failed without container statuses": {
			happens: func(t *testing.T, s *stage) {
				t.Helper()
				s.pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "NodeLost"}
				if err := s.admin.Status().Update(t.Context(), s.pod); err != nil {
					t.Fatal(err)
				}
			},
			why: "its Pod's status says nothing of the container manager",
		},
		"restarted within the second": {
			happens: func(t *testing.T, s *stage) {
				t.Helper()
				end := s.end(t, 0)
				s.report(t, s.pod, corev1.ContainerStatus{
					State:                corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: end.FinishedAt}},
					LastTerminationState: corev1.ContainerState{Terminated: end}, RestartCount: 1,
				})
			},
			why: "its container ended before its last renewal, or may have, by the stamps of its node",
		},
		"ended without its word": {
			happens: func(t *testing.T, s *stage) {
				t.Helper()
				end := s.end(t, time.Minute)
				end.Message = ""
				s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: end}})
			},
			why: "its container's termination message does not name it",
		},
	}
	for name, tc := range cases {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, plainly(t), nil)
			tc.happens(t, s)
			s.wantRefusal(t, tc.why)
		})
	}
}

// TestTakeoverOfNoPod: the holder has no Pod's name, whatever Pods there are. That the standby has looked shows in
// what it does next.
func TestTakeoverOfNoPod(t *testing.T) {
	t.Parallel()
	var genuine string
	s := newStage(t, plainly(t), func(held *coordinationv1.Lease) {
		genuine = *held.Spec.HolderIdentity
		held.Spec.HolderIdentity = new("leader_" + string(uuid.NewUUID()))
	})
	s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, time.Minute)}})
	held := getLease(t, s.admin, s.namespace)
	if now := *held.Spec.HolderIdentity; now != s.identity {
		t.Fatalf("the lease is held by %q", now)
	}
	held.Spec.HolderIdentity, s.identity = &genuine, genuine
	if err := s.admin.Update(t.Context(), held); err != nil {
		t.Fatalf("the lease was not left alone: %v", err)
	}
	s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, time.Minute)}})
	s.wantTakeover(t)
}

// TestTakeoverAfterRenewal renews the lease between the proof and the standby's update of the lease.
func TestTakeoverAfterRenewal(t *testing.T) {
	t.Parallel()
	between := newProxy(t, newCluster(t).Config())
	s := newStage(t, func(string) string { return between.kubeconfig }, nil)
	renewed := make(chan error, 1)
	between.misbehave(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/leases/") && len(renewed) == 0 {
			held := getLease(t, s.admin, s.namespace)
			held.Spec.RenewTime = new(metav1.NewMicroTime(held.Spec.RenewTime.Add(time.Minute)))
			renewed <- s.admin.Update(r.Context(), held)
		}
		return false
	})
	s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: s.end(t, time.Second)}})
	s.wantRefusal(t, "its container ended before its last renewal, or may have, by the stamps of its node")
	if err := <-renewed; err != nil {
		t.Fatal(err)
	}
}

// TestTakeoverSwitchedOff leaves the lease to the normal election. That the standby has not acted shows in its log, which
// would tell of what it thinks of a Pod that is gone.
func TestTakeoverSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newStage(t, plainly(t), nil)
	s.standby.Terminate(t)
	if code := s.standby.End(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	end := s.end(t, time.Second)
	s.report(t, s.pod, corev1.ContainerStatus{State: corev1.ContainerState{Terminated: end}})
	off := launch(t, kubeconfig(t, newCluster(t), s.namespace), s.namespace, append(patient, "--leader-election-fast-takeover=false")...)
	off.WaitUntilReady(t)
	held := getLease(t, s.admin, s.namespace)
	held.Spec.LeaseDurationSeconds = new(int32(1)) // it runs out, as it would after an hour
	if err := s.admin.Update(t.Context(), held); err != nil {
		t.Fatalf("the lease was not left alone: %v", err)
	}
	off.WaitForLog(t, `"cause":"expired"`)
}
