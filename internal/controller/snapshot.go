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

package controller

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
	"github.com/example/app-operator/internal/status"
)

// snapshot is all that a reconcile reads, read once. Its objects share memory with the cache and must not be changed.
type snapshot struct {
	plan.Snapshot
	// deployment is the Application's, or nil.
	deployment *appsv1.Deployment
	// pods are those of the Deployment's ReplicaSets, the oldest first, so that the status does not wander from pod to pod.
	pods []corev1.Pod
	// newest is the Deployment's newest ReplicaSet.
	newest types.UID
	// seen is what was seen of the Deployment, of its pods' faults and of spec.schedules.
	seen status.Observed
	// decision is which pods are wanted.
	decision revisions.Decision
}

// snapshot reads what decides about the Application. With an error, there is as much in it as was read.
func (r *ApplicationReconciler) snapshot(ctx context.Context, app *v1.Application, record *appRecord) (*snapshot, error) {
	s := &snapshot{Snapshot: plan.Snapshot{
		Inputs: resources.Inputs{Application: app},
		Live:   map[string][]children.Object{}, Unavailable: map[string]error{}, PodsUpdated: true,
	}}
	record.config.due = time.Time{} // until it is found out again
	if err := r.readDeployment(ctx, s); err != nil {
		return s, err
	}
	if err := r.readRevisions(ctx, s, record); err != nil {
		return s, err
	}
	for i := range children.Table {
		if slices.Contains(readFirst, children.Table[i].Kind) {
			continue
		}
		if err := r.readChildren(ctx, s, &children.Table[i]); err != nil {
			return s, err
		}
	}
	s.Claims = s.LiveClaims()
	if service := plan.Owned[*corev1.Service](&s.Snapshot, children.Service); service != nil {
		s.Inputs = s.WithService(service)
	}
	if s.deployment != nil {
		settled := status.RolledOut(s.deployment)
		s.PodsAvailable = settled && s.deployment.Status.AvailableReplicas > 0
		s.PodsUpdated = s.PodsUpdated && settled && s.runsNewPodsAlone()
		if !settled || !resources.PortsSettled(s.Inputs) {
			s.PodPorts = s.podPorts()
		}
	}
	r.readSchedules(ctx, s, record)
	return s, r.readReferences(ctx, s, record)
}

// readFirst are the kinds that decide which pods are wanted, and so what is read of the others.
var readFirst = []string{children.Deployment, children.ControllerRevision, children.Job}

// readDeployment reads the Deployment and its pods, and finds their faults.
func (r *ApplicationReconciler) readDeployment(ctx context.Context, s *snapshot) error {
	if err := r.readChildren(ctx, s, children.Of(children.Deployment)); err != nil {
		return err
	}
	s.deployment = plan.Owned[*appsv1.Deployment](&s.Snapshot, children.Deployment)
	s.Inputs.Live = resources.LiveFrom(s.deployment)
	if s.deployment == nil {
		return nil
	}
	if err := r.readPods(ctx, s); err != nil {
		return err
	}
	s.findFaults()
	return nil
}

// readChildren reads the objects of one kind that belong to the Application, and those whose names it needs.
func (r *ApplicationReconciler) readChildren(ctx context.Context, s *snapshot, child *children.Child) error {
	app := s.Application
	if child.Optional() && !r.canRead(ctx, s, child) {
		return nil
	}
	if !child.Many {
		return r.readOne(ctx, s, child, app.Name)
	}
	list := child.NewList()
	if err := r.Client.List(ctx, list, client.InNamespace(app.Namespace), client.MatchingFields{byApplication: app.Name},
		client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list %ss: %w", child.Kind, err)
	}
	if err := meta.EachListItem(list, func(object runtime.Object) error {
		s.Live[child.Kind] = append(s.Live[child.Kind], object.(children.Object))
		return nil
	}); err != nil {
		return err
	}
	return r.readNamed(ctx, s, child)
}

// readNamed reads the objects of one kind whose names the Application needs, and that are not read yet.
func (r *ApplicationReconciler) readNamed(ctx context.Context, s *snapshot, child *children.Child) error {
	for _, name := range child.Names(s.Inputs) {
		if s.Find(child.Kind, name) != nil {
			continue
		}
		if err := r.readOne(ctx, s, child, name); err != nil {
			return err
		}
	}
	return nil
}

// readOne reads an object that the Application may have, whoever it belongs to.
func (r *ApplicationReconciler) readOne(ctx context.Context, s *snapshot, child *children.Child, name string) error {
	object := child.New()
	key := client.ObjectKey{Namespace: s.Application.Namespace, Name: name}
	err := r.Client.Get(ctx, key, object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", child.Kind, err)
	}
	s.Live[child.Kind] = append(s.Live[child.Kind], object)
	return nil
}

// canRead reports whether the objects of an optional kind can be read from the cache; if not, it notes why. Nobody asks for a kind
// that nobody needs.
func (r *ApplicationReconciler) canRead(ctx context.Context, s *snapshot, child *children.Child) bool {
	if r.optional.watched(child.Kind) {
		return true
	}
	s.Unavailable[child.Kind] = notInstalled(child)
	configs, err := child.Build(resources.Inputs{Application: s.Application})
	// Orphan leaves nothing behind that says whose it is, and Drain has to know what still sends requests.
	drained := child.DrainPhase != 0 && s.Application.DeletionTimestamp != nil && drains(s.Application)
	if err == nil && len(configs) > 0 || drained || orphans(s.Application) {
		s.Unavailable[child.Kind] = r.optional.ensureWatched(ctx, child)
	}
	return s.Unavailable[child.Kind] == nil
}

// unread returns why the objects of a kind could not be read, so that there may be some, or nil.
func (s *snapshot) unread(child *children.Child) error {
	if why := s.Unavailable[child.Kind]; !isNotInstalled(why) {
		return why
	}
	return nil
}

// readPods reads the pods of the Deployment and its newest ReplicaSet. Others may have copied the Deployment with its labels, and
// anybody can create a pod with these: such pods do not count.
func (r *ApplicationReconciler) readPods(ctx context.Context, s *snapshot) error {
	selects := []client.ListOption{
		client.InNamespace(s.Application.Namespace), client.MatchingFields{byApplication: s.Application.Name}, client.UnsafeDisableDeepCopy,
	}
	sets := &metav1.PartialObjectMetadataList{}
	sets.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"))
	if err := r.Client.List(ctx, sets, selects...); err != nil {
		return fmt.Errorf("list ReplicaSets: %w", err)
	}
	ours := map[types.UID]bool{}
	highest := -1
	for i := range sets.Items {
		if !metav1.IsControlledBy(&sets.Items[i], s.deployment) {
			continue
		}
		ours[sets.Items[i].UID] = true
		revision, err := strconv.Atoi(sets.Items[i].Annotations[cluster.RevisionAnnotation])
		if err == nil && revision > highest {
			s.newest, highest = sets.Items[i].UID, revision
		}
	}
	pods := &corev1.PodList{}
	if err := r.Client.List(ctx, pods, selects...); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	s.pods = slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool {
		by := metav1.GetControllerOf(&pod)
		return by == nil || !ours[by.UID]
	})
	slices.SortFunc(s.pods, status.OlderPod)
	return nil
}

// runsNewPodsAlone reports whether no pod is left that runs another template than the Deployment's. One that was evicted, or that a
// node has rejected, stays for as long as its ReplicaSet, and uses nothing any more.
func (s *snapshot) runsNewPodsAlone() bool {
	return !slices.ContainsFunc(s.pods, func(pod corev1.Pod) bool {
		return metav1.GetControllerOf(&pod).UID != s.newest && !hasEnded(&pod)
	})
}

// podPorts returns the ports that the pods have: each list once, those of the oldest pods first. Pods that are being deleted come
// last; they may serve until they are gone.
func (s *snapshot) podPorts() [][]corev1.ContainerPort {
	var lists [][]corev1.ContainerPort
	for _, deleted := range []bool{false, true} {
		for i := range s.pods {
			if hasEnded(&s.pods[i]) || (s.pods[i].DeletionTimestamp != nil) != deleted {
				continue
			}
			ports := cluster.CachedPorts(&s.pods[i])
			if !slices.ContainsFunc(lists, func(known []corev1.ContainerPort) bool { return slices.Equal(known, ports) }) {
				lists = append(lists, ports)
			}
		}
	}
	return lists
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// readReferences reads what the spec refers to.
func (r *ApplicationReconciler) readReferences(ctx context.Context, s *snapshot, record *appRecord) error {
	app := s.Application
	references := resources.References(s.Running()...)
	present := make(map[resources.Reference]metav1.Object, len(references))
	for _, need := range references {
		object := cluster.ReferencedKind(need.Kind)
		err := r.Client.Get(ctx, client.ObjectKey{Namespace: app.Namespace, Name: need.Name}, object, client.UnsafeDisableDeepCopy)
		switch {
		case err == nil:
			present[need.Reference] = object
		case !apierrors.IsNotFound(err):
			return fmt.Errorf("read %s: %w", need, err)
		case !need.Optional:
			s.Missing = append(s.Missing, need.String())
		}
	}
	if app.DeletionTimestamp != nil || app.Spec.Rollout == nil || !app.Spec.Rollout.RestartOnConfigChange {
		return nil
	}
	if len(s.Missing) > 0 { // what the pods have read is all there is
		s.ConfigHash = resources.LiveConfigHash(s.deployment)
		return nil
	}
	newest, err := r.configs.hash(ctx, r.Reader, resources.References(s.Running()[0]), present)
	if err != nil {
		return err
	}
	newest = withInline(newest, resources.InlineHash(s.Running()[0]))
	if app.Status.ObservedGeneration != app.Generation || s.replacesPods() { // they are replaced anyway, for another spec or revision
		s.ConfigHash = record.config.roll(newest)
		return nil
	}
	s.ConfigHash = record.config.settle(resources.LiveConfigHash(s.deployment), newest, time.Now())
	return nil
}

// replacesPods reports whether the pods that are wanted are of another revision than those that the Deployment has, as when what they
// refer to has come at last, a release command has ended, or a rollout has failed.
func (s *snapshot) replacesPods() bool {
	return s.decision.Want != "" && s.decision.Want != resources.DeployedRevision(s.deployment)
}

// observed returns what the status is evaluated from.
func (s *snapshot) observed(last plan.LastApplied) status.Observed {
	seen := s.seen
	seen.Service = plan.Owned[*corev1.Service](&s.Snapshot, children.Service)
	seen.Ingress = plan.Owned[*networkingv1.Ingress](&s.Snapshot, children.Ingress)
	seen.HTTPRoute = plan.Owned[*gatewayv1.HTTPRoute](&s.Snapshot, children.HTTPRoute)
	seen.Decision, seen.Image = s.decision, s.Running()[0].Spec.Image
	if len(seen.PodFaults) > 0 {
		seen.PodFaults = status.WithClaims(seen.PodFaults, s.unboundClaims())
	}
	if s.deployment == nil {
		return seen
	}
	applied := last[plan.Key{Kind: children.Deployment, Name: s.Application.Name}]
	seen.DeploymentWritten = applied.UID == s.deployment.UID && applied.Generation == s.deployment.Generation
	if resources.Autoscaled(s.Application) {
		seen.Autoscaler = plan.Owned[*autoscalingv2.HorizontalPodAutoscaler](&s.Snapshot, children.HorizontalPodAutoscaler)
	}
	return seen
}

// unboundClaims returns the claims that are made for the Application's pods and have no volume yet.
func (s *snapshot) unboundClaims() []status.UnboundClaim {
	var unbound []status.UnboundClaim
	for _, name := range resources.PersistentVolumeClaimNames(s.Inputs) {
		claim, ok := s.Find(resources.KindPersistentVolumeClaim, name).(*corev1.PersistentVolumeClaim)
		if ok && children.Of(resources.KindPersistentVolumeClaim).Owns(s.Application, claim) && claim.Spec.VolumeName == "" {
			unbound = append(unbound, status.UnboundClaim{Name: name, StorageClassName: claim.Spec.StorageClassName})
		}
	}
	return unbound
}

// findFaults finds the faults and the unusual restarts of the Deployment's pods.
func (s *snapshot) findFaults() {
	seen := &s.seen
	seen.Deployment = s.deployment
	for i := range s.pods {
		if restart := status.RestartOf(&s.pods[i]); restart != nil {
			seen.Restarts = append(seen.Restarts, *restart)
		}
	}
	if status.RolledOut(s.deployment) && !crashLooping(s.Application) {
		return
	}
	now := metav1.Now()
	since := metav1.NewTime(now.Add(-crashLoopGracePeriod))
	for i := range s.pods {
		pod := &s.pods[i]
		current := metav1.GetControllerOf(pod).UID == s.newest
		fault, unready := status.FaultOf(pod, since), status.UnreadyOf(pod)
		if fault != nil {
			fault.Current = current
			seen.PodFaults = append(seen.PodFaults, *fault)
		}
		if unready != nil && current {
			seen.Unready = append(seen.Unready, *unready)
		}
		if current && fault == nil && unready == nil && isRunning(pod) {
			seen.NewAvailable = true
		}
		if current {
			seen.Ended = cmp.Or(seen.Ended, status.EndOfPod(pod))
		}
		seen.Ending = cmp.Or(seen.Ending, status.EndingOf(pod, now))
	}
}

func isRunning(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning
}

// outdate notes in what was seen what this reconcile has written. If it has changed more of the Deployment than its metadata, what
// was seen of it and of its pods is of the past. A Service that it has created says where the Application is served.
func (s *snapshot) outdate(seen *status.Observed, wrote map[plan.Key]answer) {
	deployment, ok := wrote[plan.Key{Kind: children.Deployment, Name: s.Application.Name}]
	if ok && s.deployment != nil && deployment.GetGeneration() > s.deployment.Generation {
		seen.DeploymentBehind = true
		seen.PodFaults, seen.Unready, seen.Ending, seen.Ended = nil, nil, "", ""
	}
	if created, ok := wrote[plan.Key{Kind: children.Service, Name: s.Application.Name}]; ok && seen.Service == nil {
		service := &corev1.Service{}
		if json.Unmarshal(created.content, service) == nil { // else the next reconcile reads it
			seen.Service = service
		}
	}
}

// crashLooping reports whether the status says that this generation's pods crash again and again.
func crashLooping(app *v1.Application) bool {
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	return ready != nil && ready.Reason == v1.ReasonCrashLooping && ready.ObservedGeneration == app.Generation
}
