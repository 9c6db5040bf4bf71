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

package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/controlplane"
)

const (
	// Lease is the name of the Lease that the leader holds.
	Lease = "app-operator-leader"
	// KubeletLatency is how long a kubelet usually takes to report that a container has ended: it looks every second.
	KubeletLatency = time.Second
	// patience is how long the kubelet waits for an answer of the API server, and whoever looks for a leader for one of a replica.
	patience = 5 * time.Second

	container = "manager"
	image     = "app-operator"
)

// Home is a namespace in which replicas of the operator run, each in a Pod of its own. The Pods are objects that run
// nothing: their process runs beside the control plane, and their kubelet is played here. It reports what a real one
// does: a container that runs, that has ended, or that runs again.
type Home struct {
	cluster   *controlplane.ControlPlane
	client    client.Client
	namespace string
	binary    string
	flags     []string
	env       []string
	lifetime  context.Context // how long the kubelet is played
}

// Replica is a replica of the operator, in a Pod: one run of its container.
type Replica struct {
	*Operator

	home     *Home
	pod      types.NamespacedName
	uid      types.UID
	statuses chan<- corev1.ContainerStatus // to be reported
	status   corev1.ContainerStatus        // as the kubelet sees it; once noticed is closed, of a container that has ended
	noticed  chan struct{}
}

// NewHome makes a home of a namespace: its accounts get the real Roles, for the Applications of the watched namespace,
// which may be the same, and for the Lease. The flags are those of every replica. ctx is how long the kubelet is played.
// The client must be an administrator's.
func NewHome(
	ctx context.Context, cluster *controlplane.ControlPlane, k8s client.Client, namespace, watched, binary string, flags ...string,
) (*Home, error) {
	h := &Home{cluster: cluster, client: k8s, namespace: namespace, binary: binary, lifetime: ctx, flags: append([]string{
		"--namespace=" + watched, "--leader-elect", "--leader-election-namespace=" + namespace,
	}, flags...)}
	// Each replica has an account of its own, so that the API server can tell them apart.
	all := rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts:" + namespace}
	rights, err := Bound("role.yaml", watched, all)
	if err != nil {
		return nil, err
	}
	leaseRights, err := Bound("leader_election_role.yaml", namespace, all)
	if err != nil {
		return nil, err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: ServiceAccount, Namespace: namespace}}
	for _, object := range append(append(rights, leaseRights...), account) {
		if err := k8s.Create(ctx, object); err != nil {
			return nil, fmt.Errorf("create %T %s: %w", object, object.GetName(), err)
		}
	}
	return h, nil
}

// Setenv gives environment variables (NAME=value) to the replicas that are started from now on.
func (h *Home) Setenv(env ...string) { h.env = env }

// Start makes a Pod of that name and runs a replica in it. It returns when the replica is ready; ctx is the time for
// that. There may be a replica with the error: one that was not ready in time. A name is used only once.
func (h *Home) Start(ctx context.Context, name string) (*Replica, error) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: h.namespace,
			Labels: map[string]string{"control-plane": "controller-manager", controlplane.Unmanaged: "true"},
		},
		Spec: corev1.PodSpec{
			NodeName:                     "node-1", // so that no scheduler is involved
			ServiceAccountName:           ServiceAccount,
			AutomountServiceAccountToken: new(false),
			Containers:                   []corev1.Container{{Name: container, Image: image}},
		},
	}
	if err := h.client.Create(ctx, pod); err != nil {
		return nil, fmt.Errorf("create the Pod %s: %w", name, err)
	}
	// As many statuses as may come up while one report hangs.
	statuses := make(chan corev1.ContainerStatus, 100)
	r := &Replica{home: h, pod: client.ObjectKeyFromObject(pod), uid: pod.UID, statuses: statuses}
	go r.report(h.lifetime, statuses) //nolint:contextcheck // the kubelet goes on when the replica is ready
	return r.run(ctx)
}

// Restart runs the program again in the same Pod, as the kubelet does when it has seen the container end; so it waits for
// that first. It returns when the replica is ready. There may be a replica with the error: one that was not ready in time.
func (r *Replica) Restart(ctx context.Context) (*Replica, error) {
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%s has not ended: %w", r.Name, context.Cause(ctx))
	case <-r.noticed:
	}
	next := &Replica{home: r.home, pod: r.pod, uid: r.uid, statuses: r.statuses}
	next.status.RestartCount = r.status.RestartCount + 1
	next.status.LastTerminationState = r.status.State
	return next.run(ctx)
}

// Holds reports whether the replica is the holder of the Lease, by the name that stands in it.
func (r *Replica) Holds(holder string) bool {
	return strings.HasPrefix(holder, r.pod.Name+"_"+string(r.uid)+"_")
}

// Remove kills the process if it runs, and deletes the Pod.
func (r *Replica) Remove(ctx context.Context) error {
	if err := r.Kill(); err != nil {
		return err
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: r.pod.Namespace, Name: r.pod.Name}}
	if err := r.home.client.Delete(ctx, pod, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the Pod %s: %w", r.pod.Name, err)
	}
	return nil
}

// Holder returns who holds the Lease; it is empty when nobody does.
func (h *Home) Holder(ctx context.Context) (string, error) {
	lease := &coordinationv1.Lease{}
	if err := h.client.Get(ctx, client.ObjectKey{Namespace: h.namespace, Name: Lease}, lease); err != nil {
		return "", client.IgnoreNotFound(err)
	}
	return ptr.Deref(lease.Spec.HolderIdentity, ""), nil
}

// run starts the process, in a container as it were.
func (r *Replica) run(ctx context.Context) (*Replica, error) {
	message := filepath.Join(r.home.cluster.LogDir(), r.home.namespace+"-"+r.pod.Name+".termination")
	if err := os.WriteFile(message, nil, 0o600); err != nil {
		return nil, fmt.Errorf("make the file for the termination message: %w", err)
	}
	started := metav1.Now()
	running, err := Start(ctx, r.home.cluster, Options{
		Name: r.home.namespace + "-" + r.pod.Name, Binary: r.home.binary, Flags: r.home.flags,
		AccountNamespace: r.home.namespace, Account: ServiceAccount + "-" + r.pod.Name,
		Env: append([]string{
			"POD_NAME=" + r.pod.Name, "POD_NAMESPACE=" + r.pod.Namespace, "POD_UID=" + string(r.uid),
			"TERMINATION_MESSAGE_PATH=" + message,
		}, r.home.env...),
	})
	if running == nil {
		return nil, err
	}
	r.Operator, r.noticed = running, make(chan struct{})
	r.status = corev1.ContainerStatus{
		Name: container, Image: image, ImageID: image, Ready: true, Started: new(true),
		ContainerID:  fmt.Sprintf("test://%s-%d", r.uid, r.status.RestartCount),
		RestartCount: r.status.RestartCount, LastTerminationState: r.status.LastTerminationState,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
	}
	r.statuses <- r.status
	go r.watchOver(r.home.lifetime, message) //nolint:contextcheck // as above
	return r, err
}

// watchOver waits for the end of the process, and then takes the time that a kubelet takes to see it.
func (r *Replica) watchOver(ctx context.Context, message string) {
	select {
	case <-ctx.Done():
		return
	case <-r.Done():
	}
	end := &corev1.ContainerStateTerminated{
		ContainerID: r.status.ContainerID, ExitCode: r.exitCode(), Reason: "Error",
		StartedAt: r.status.State.Running.StartedAt, FinishedAt: metav1.Now(),
	}
	if end.ExitCode == 0 {
		end.Reason = "Completed"
	}
	if content, err := os.ReadFile(message); err == nil {
		end.Message = string(content)
	}
	r.status.State, r.status.Ready, r.status.Started = corev1.ContainerState{Terminated: end}, false, new(false)
	select {
	case <-ctx.Done():
		return
	case <-time.After(KubeletLatency):
	}
	r.statuses <- r.status
	close(r.noticed)
}

// report writes the container's statuses, each as soon as the API server takes it, unless there is a newer one.
func (r *Replica) report(ctx context.Context, statuses <-chan corev1.ContainerStatus) {
	again := time.NewTicker(5 * poll)
	defer again.Stop()
	var latest *corev1.ContainerStatus
	for {
		select {
		case <-ctx.Done():
			return
		case status := <-statuses:
			latest = &status
		case <-again.C:
		}
		if latest != nil && len(statuses) == 0 && r.write(ctx, *latest) == nil {
			latest = nil
		}
	}
}

// write writes the container's status, unless the Pod is gone.
func (r *Replica) write(ctx context.Context, status corev1.ContainerStatus) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": r.uid},
		"status":   map[string]any{"phase": corev1.PodRunning, "containerStatuses": []corev1.ContainerStatus{status}},
	})
	if err != nil {
		return fmt.Errorf("encode the status of %s: %w", r.pod.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: r.pod.Namespace, Name: r.pod.Name}}
	return client.IgnoreNotFound(r.home.client.Status().Patch(ctx, pod, client.RawPatch(types.MergePatchType, patch)))
}

// exitCode returns what the kubelet reports of an ended process: for a signal, 128 and its number.
func (r *Replica) exitCode() int32 {
	ended, ok := errors.AsType[*exec.ExitError](r.Err())
	if !ok {
		return 0
	}
	if wait, ok := ended.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		return 128 + int32(wait.Signal())
	}
	return int32(ended.ExitCode())
}
