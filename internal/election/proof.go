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
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// seenEnds are the reasons of ends that the container runtime has seen: containerd's and CRI-O's words. Any other is none
// of a process that has run and ended, or made up where somebody has lost sight of it, such as the kubelet's
// ContainerStatusUnknown and containerd's Unknown.
var seenEnds = []string{"Completed", "Error", "OOMKilled"}

// madeUp is the exit code that the container runtimes give where they could not find out: containerd when a shim has died
// and cleaning up after it has failed (core/runtime/v2 cleanupAfterDeadShim), CRI-O when `runc state` has failed and
// there is no exit file (internal/oci UpdateContainerStatus). The process may live. The operator never exits with it.
const madeUp = 255

// Why nothing is proven although the leader does not look well: its Lease has to expire.
const (
	doubtGone      = "its Pod is gone, which ends no process on a node that is cut off"
	doubtReplaced  = "another Pod bears the name of its Pod"
	doubtNoStatus  = "its Pod's status says nothing of the container " + Container
	doubtNotQuoted = "its container's termination message does not name it"
	doubtUnseen    = "nobody has seen the end of its container"
	doubtStamps    = "its container ended before its last renewal, or may have, by the stamps of its node"
)

// provenDead returns the report by which the kubelet proves that the process which holds the Lease cannot be alive.
// Without a proof it returns nil, and what speaks against one unless the holder looks alive. It is pure, and the only
// place that decides this; docs/decisions/0012 has the argument.
//
// A process writes its identity into its container's termination message when it starts, and the kubelet quotes that
// message once the container has ended. Each container has a file of its own, so the quote says that this process has
// ended, without a comparison of clocks, and whatever has been started since. Time can only contradict it: both stamps
// are the node's, and an end before the holder's last renewal is one that nothing explains.
func provenDead(lease *coordinationv1.Lease, pod *corev1.Pod) (end *corev1.ContainerStateTerminated, doubt string) {
	holder, ok := parseIdentity(ptr.Deref(lease.Spec.HolderIdentity, ""))
	switch {
	case !ok || lease.Spec.RenewTime == nil:
		return nil, ""
	case pod == nil:
		return nil, doubtGone
	case pod.Name != holder.Pod || string(pod.UID) != holder.UID:
		return nil, doubtReplaced
	}
	index := slices.IndexFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool { return status.Name == Container })
	if index < 0 {
		return nil, doubtNoStatus
	}
	status := pod.Status.ContainerStatuses[index]
	renewed := lease.Spec.RenewTime.Time
	// The kubelet's stamps are whole seconds, rounded down.
	if end := status.State.Terminated; end != nil {
		if doubt = distrust(end, holder); doubt == "" {
			return notBefore(end, renewed.Truncate(time.Second))
		}
	}
	// Another container runs, waits to run, or has ended in its place: then the second of the renewal is not enough.
	if end := status.LastTerminationState.Terminated; end != nil && quoted(end.Message, holder.String()) {
		if doubt = distrust(end, holder); doubt == "" {
			return notBefore(end, renewed.Truncate(time.Second).Add(time.Second))
		}
	}
	return nil, doubt
}

// notBefore returns the end, unless it is of before this time.
func notBefore(end *corev1.ContainerStateTerminated, earliest time.Time) (*corev1.ContainerStateTerminated, string) {
	if end.FinishedAt.Time.Before(earliest) {
		return nil, doubtStamps
	}
	return end, ""
}

// distrust says why the end of a container is not, or not known to be, the end of the holder: "" if it is.
func distrust(end *corev1.ContainerStateTerminated, holder Identity) string {
	switch {
	case end.FinishedAt.IsZero() || !slices.Contains(seenEnds, end.Reason) || end.ExitCode < 0 || end.ExitCode == madeUp:
		return doubtUnseen
	case !quoted(end.Message, holder.String()):
		return doubtNotQuoted
	}
	return ""
}

// quoted reports whether a line of the message is the identity.
func quoted(message, identity string) bool {
	for line := range strings.Lines(message) {
		if strings.TrimSpace(line) == identity {
			return true
		}
	}
	return false
}
