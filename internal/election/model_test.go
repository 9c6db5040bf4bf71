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
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The model is the election among three processes, with everything that may happen between two steps of any of them:
// each interleaving up to a bound is tried. Its processes are the two that run one after the other in the containers of
// a leader's Pod, and a standby in another Pod. Only the standby's decision is not modelled: it is provenDead.
//
// What the model grants the environment is more than any cluster has: stamps of a node's clock are arbitrary, views are
// arbitrarily old, a renewal may be under way for ever, a process may stop for ever without dying, Pods are
// force-deleted, replaced, marked as failed, and given ends that the kubelet or the container runtime has made up, at any time.
const (
	first, second, standby, nobody = 0, 1, 2, 3

	horizon  = 3 // the last tick
	versions = 4 // of the Lease
	duration = 2 // of the Lease, in ticks
	stamps   = 2 // a node's clock shows one of so many seconds, whenever it is asked
)

// What may be read in the status of the leader's Pod.
const (
	running1    = iota // the first container runs
	ended1             // it has ended
	running2           // the second one runs, the first one is its last state
	ended2             // it has ended as well
	unknown            // the kubelet has lost sight of the container and made up an end
	lost               // the container runtime has, and the kubelet quotes the message
	madeUpEnd          // the container runtime could not find out, says that there was an error, and the kubelet quotes the message
	failed             // marked as failed by others than the kubelet, without container statuses
	gone               // deleted by force, or collected
	replaced           // another Pod has its name
	podStatuses        // how many there are
)

type modelProcess struct {
	started, dead bool
	// until is by when the process has to stop calling itself leader: 0 if it does not.
	until int8
	// end is what the node's clock showed when it died.
	end int8
}

// modelLease is a version of the Lease.
type modelLease struct {
	version, holder int8
	// renewed is the holder's stamp, at is when the API server took it.
	renewed, at int8
}

type modelState struct {
	now       int8
	processes [3]modelProcess
	lease     modelLease
	// flight is a renewal under way, by a process that read this version of the Lease; sent says when.
	flight modelLease
	sent   int8
	// What the standby has seen last, of the Lease and of the leader's Pod. It may be long out of date.
	leaseSeen modelLease
	podSeen   int8
}

// leads reports whether the process calls itself leader: it does so while it is alive, frozen or not.
func (s *modelState) leads(process int8) bool {
	p := s.processes[process]
	return p.started && !p.dead && p.until > s.now
}

// free reports whether the normal election lets somebody have the Lease: whoever waits counts from when it sees a renewal,
// which is no earlier than the API server took it.
func (s *modelState) free() bool {
	return s.lease.holder == nobody || s.now >= s.lease.at+duration
}

// next returns the states one step on.
func (s modelState) next() []modelState {
	var states []modelState
	add := func(change func(*modelState)) {
		next := s
		change(&next)
		states = append(states, next)
	}
	if s.now < horizon {
		add(func(n *modelState) { n.now++ })
	}
	for p := range int8(3) {
		states = append(states, s.steps(p)...)
	}
	if s.flight.version != 0 {
		add(func(n *modelState) { n.flight, n.sent = modelLease{}, 0 }) // lost
		if s.flight.version == s.lease.version {
			for stamp := range int8(stamps) {
				add(func(n *modelState) {
					holder := n.flight.holder
					n.lease = modelLease{version: n.lease.version + 1, holder: holder, renewed: stamp, at: n.now}
					if !n.processes[holder].dead {
						n.processes[holder].until = n.sent + duration
					}
					n.flight, n.sent = modelLease{}, 0
				})
			}
		}
	}
	for _, status := range s.reports() {
		add(func(n *modelState) { n.podSeen = status })
	}
	add(func(n *modelState) { n.leaseSeen = n.lease })
	return states
}

// steps returns what one process may do, or have done to it.
func (s modelState) steps(p int8) []modelState {
	var states []modelState
	process := s.processes[p]
	switch {
	case process.dead:
		return nil
	case !process.started:
		// The kubelet starts a container when the one before it has ended.
		if p == second && s.processes[first].dead {
			s.processes[second].started = true
			return []modelState{s}
		}
		return nil
	}
	for stamp := range int8(stamps) {
		if p != standby {
			next := s
			next.processes[p].dead, next.processes[p].end = true, stamp
			states = append(states, next)
		}
		if s.free() && s.lease.version < versions {
			next := s
			next.lease = modelLease{version: s.lease.version + 1, holder: p, renewed: stamp, at: s.now}
			next.processes[p].until = s.now + duration
			states = append(states, next)
		}
	}
	if s.leads(p) && s.lease.holder == p && s.flight.version == 0 && s.lease.version < versions {
		next := s
		next.flight, next.sent = modelLease{version: s.lease.version, holder: p}, s.now
		states = append(states, next)
	}
	return states
}

// reports returns what the standby may see of the leader's Pod: the truth, by the kubelet, or what others make of it.
func (s modelState) reports() []int8 {
	if s.podSeen == gone || s.podSeen == replaced {
		return []int8{replaced}
	}
	truth := int8(running1)
	switch {
	case s.processes[second].dead:
		truth = ended2
	case s.processes[second].started:
		truth = running2
	case s.processes[first].dead:
		truth = ended1
	}
	return []int8{truth, unknown, lost, madeUpEnd, failed, gone}
}

// rule decides by what the standby has seen whether the holder is dead.
type rule func(*coordinationv1.Lease, *corev1.Pod) bool

// explore tries every interleaving. It returns how many states there are, how often a Lease was given back, and the
// first state in which a rule of the election is broken, with what is broken.
func explore(dead rule) (states, givenBack int, broken string) {
	start := modelState{podSeen: running1, lease: modelLease{version: 1, holder: nobody}}
	start.processes[first].started, start.processes[standby].started = true, true
	seen := map[modelState]bool{start: true}
	decided := map[modelState]bool{}
	for queue := []modelState{start}; len(queue) > 0; {
		state := queue[0]
		queue = queue[1:]
		leaders := 0
		for p := range int8(3) {
			if state.leads(p) {
				leaders++
			}
		}
		if leaders > 1 {
			return len(seen), givenBack, "two processes call themselves leader"
		}
		next := state.next()
		if holder := state.leaseSeen.holder; state.leaseSeen.version == state.lease.version && holder < standby && state.decides(decided, dead) {
			if !state.processes[holder].dead {
				return len(seen), givenBack, "the Lease of a process that lives was given back"
			}
			givenBack++
			state.lease = modelLease{version: state.lease.version + 1, holder: nobody, at: state.now}
			next = append(next, state)
		}
		for _, state := range next {
			if !seen[state] {
				seen[state] = true
				queue = append(queue, state)
			}
		}
	}
	return len(seen), givenBack, ""
}

// decides asks the rule, once for all states in which the standby has seen the same.
func (s modelState) decides(decided map[modelState]bool, dead rule) bool {
	key := modelState{leaseSeen: s.leaseSeen, podSeen: s.podSeen}
	for p := range int8(2) {
		key.processes[p].end = s.processes[p].end
	}
	answer, ok := decided[key]
	if !ok {
		answer = dead(s.leaseAsSeen(), s.podAsSeen())
		decided[key] = answer
	}
	return answer
}

var (
	modelEpoch      = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	modelIdentities = [4]string{
		first:   "leader_0b9b8a6e-0f4e-4f0e-8f4e-0b9b8a6e0f4e_11111111-0f4e-4f0e-8f4e-0b9b8a6e0f4e",
		second:  "leader_0b9b8a6e-0f4e-4f0e-8f4e-0b9b8a6e0f4e_22222222-0f4e-4f0e-8f4e-0b9b8a6e0f4e",
		standby: "standby_7c9b8a6e-0f4e-4f0e-8f4e-0b9b8a6e0f4e_33333333-0f4e-4f0e-8f4e-0b9b8a6e0f4e",
	}
)

// leaseAsSeen renders what the standby has read. Half a second lies between a renewal's stamp and the kubelet's whole ones.
func (s modelState) leaseAsSeen() *coordinationv1.Lease {
	renewed := metav1.NewMicroTime(modelEpoch.Add(time.Duration(s.leaseSeen.renewed)*time.Second + time.Second/2))
	return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
		HolderIdentity: new(modelIdentities[s.leaseSeen.holder]), AcquireTime: &renewed, RenewTime: &renewed,
	}}
}

func (s modelState) podAsSeen() *corev1.Pod {
	holder, _ := parseIdentity(modelIdentities[first])
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: holder.Pod, UID: types.UID(holder.UID)}}
	end := func(process int8) *corev1.ContainerStateTerminated {
		return &corev1.ContainerStateTerminated{
			ExitCode:   137,
			Reason:     "Error",
			FinishedAt: metav1.NewTime(modelEpoch.Add(time.Duration(s.processes[process].end) * time.Second)),
			Message:    modelIdentities[process] + "\n",
		}
	}
	status := corev1.ContainerStatus{Name: Container}
	switch s.podSeen {
	case running1:
		status.State.Running = &corev1.ContainerStateRunning{}
	case ended1:
		status.State.Terminated = end(first)
	case running2:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: end(first).FinishedAt}
		status.LastTerminationState.Terminated = end(first)
	case ended2:
		status.State.Terminated = end(second)
		status.LastTerminationState.Terminated = end(first)
	case unknown:
		status.State.Terminated = &corev1.ContainerStateTerminated{
			ExitCode: 137, Reason: "ContainerStatusUnknown", Message: "The container could not be located",
		}
	case lost:
		status.State.Terminated = end(first)
		status.State.Terminated.Reason = "Unknown"
	case madeUpEnd:
		status.State.Terminated = end(first)
		status.State.Terminated.ExitCode = madeUp
	case failed:
		pod.Status.Phase = corev1.PodFailed
		return pod
	case gone:
		return nil
	case replaced:
		pod.UID = "9d9b8a6e-0f4e-4f0e-8f4e-0b9b8a6e0f4e"
		status.State.Running = &corev1.ContainerStateRunning{}
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	return pod
}

// TestModel tries every interleaving under the rule as it is.
func TestModel(t *testing.T) {
	states, givenBack, broken := explore(func(lease *coordinationv1.Lease, pod *corev1.Pod) bool {
		end, _ := provenDead(lease, pod)
		return end != nil
	})
	if broken != "" {
		t.Errorf("%s, after %d states", broken, states)
	}
	if givenBack == 0 {
		t.Error("the Lease was never given back: the model shows nothing")
	}
	t.Logf("%d states, the Lease given back in %d of them", states, givenBack)
}

// TestModelFindsFault tries rules that look reasonable and are wrong, the other way round: the model must show it.
func TestModelFindsFault(t *testing.T) {
	rules := map[string]rule{
		"a Pod that is gone is dead": func(_ *coordinationv1.Lease, pod *corev1.Pod) bool { return pod == nil },
		"a Pod that has failed is dead": func(_ *coordinationv1.Lease, pod *corev1.Pod) bool {
			return pod != nil && pod.Status.Phase == corev1.PodFailed
		},
		"a Pod of another UID is a restart": func(lease *coordinationv1.Lease, pod *corev1.Pod) bool {
			holder, ok := parseIdentity(*lease.Spec.HolderIdentity)
			return ok && pod != nil && string(pod.UID) != holder.UID
		},
		"any end of the container is the holder's": func(_ *coordinationv1.Lease, pod *corev1.Pod) bool {
			return pod != nil && len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].State.Terminated != nil
		},
		"a quote is enough": func(lease *coordinationv1.Lease, pod *corev1.Pod) bool {
			holder, ok := parseIdentity(*lease.Spec.HolderIdentity)
			if !ok || pod == nil || len(pod.Status.ContainerStatuses) == 0 {
				return false
			}
			end := pod.Status.ContainerStatuses[0].State.Terminated
			return end != nil && quoted(end.Message, holder.String())
		},
		"a quote and a reason that the runtime knows are enough": func(lease *coordinationv1.Lease, pod *corev1.Pod) bool {
			holder, ok := parseIdentity(*lease.Spec.HolderIdentity)
			if !ok || pod == nil || len(pod.Status.ContainerStatuses) == 0 {
				return false
			}
			end := pod.Status.ContainerStatuses[0].State.Terminated
			return end != nil && slices.Contains(seenEnds, end.Reason) && quoted(end.Message, holder.String())
		},
		// The node's clock was set back between the restart and the second process's renewal.
		"an end later than the renewal is the holder's": func(lease *coordinationv1.Lease, pod *corev1.Pod) bool {
			if pod == nil || len(pod.Status.ContainerStatuses) == 0 {
				return false
			}
			status := pod.Status.ContainerStatuses[0]
			for _, end := range []*corev1.ContainerStateTerminated{status.State.Terminated, status.LastTerminationState.Terminated} {
				if end != nil && end.FinishedAt.After(lease.Spec.RenewTime.Time) {
					return true
				}
			}
			return false
		},
	}
	for name, wrong := range rules {
		t.Run(name, func(t *testing.T) {
			if states, _, broken := explore(wrong); broken == "" {
				t.Errorf("no fault found in %d states", states)
			}
		})
	}
}
