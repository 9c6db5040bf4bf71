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
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// revisionAnnotation is where the Deployment's controller numbers ReplicaSets (kubernetes
// pkg/controller/deployment/util RevisionAnnotation).
const revisionAnnotation = "deployment.kubernetes.io/revision"

// observe reads, from the cache, what the status is judged by. The API server's answers go before it where it lags: a
// cached Deployment that is older than the written one speaks of the past, and a Service that was made is there.
func (r *ApplicationReconciler) observe(ctx context.Context, app *v1.Application) (status.Observed, error) {
	known := r.memory.of(app)
	version := r.sights.newest("Service", app.Namespace)
	seen, err := r.observeExposure(ctx, app)
	if err != nil {
		return seen, err
	}
	if seen.Service == nil {
		seen.Service, _ = known.onItsWay("Service", version).(*corev1.Service)
	}
	deployment := &appsv1.Deployment{}
	found, err := r.getControlled(ctx, app, deployment)
	if err != nil || !found {
		return seen, err
	}
	seen.Deployment = deployment
	if err := r.observeAutoscaler(ctx, app, &seen); err != nil {
		return seen, err
	}
	seen.DeploymentWritten = known.awaits("Deployment") > 0
	if written := known.onItsWay("Deployment", deployment.ResourceVersion); written != nil {
		seen.DeploymentBehind = deployment.Generation < written.GetGeneration()
	}
	if seen.DeploymentBehind || status.RolledOut(deployment) && !crashLooping(app) {
		return seen, nil
	}
	err = r.observePods(ctx, deployment, &seen)
	return seen, err
}

// observeAutoscaler reads whether the autoscaler works, if there is one that decides.
func (r *ApplicationReconciler) observeAutoscaler(ctx context.Context, app *v1.Application, seen *status.Observed) error {
	if !resources.Autoscaled(app) {
		return nil
	}
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{}
	found, err := r.getControlled(ctx, app, autoscaler)
	if found {
		seen.Autoscaler = autoscaler
	}
	return err
}

// observeExposure reads what makes the Application reachable.
func (r *ApplicationReconciler) observeExposure(ctx context.Context, app *v1.Application) (status.Observed, error) {
	var seen status.Observed
	service, ingress, route := &corev1.Service{}, &networkingv1.Ingress{}, &gatewayv1.HTTPRoute{}
	found, err := r.getControlled(ctx, app, service)
	if err != nil {
		return seen, err
	}
	if found {
		seen.Service = service
	}
	if found, err = r.getControlled(ctx, app, ingress); err != nil {
		return seen, err
	}
	if found {
		seen.Ingress = ingress
	}
	if !r.optional.watched("HTTPRoute") {
		return seen, nil
	}
	if found, err = r.getControlled(ctx, app, route); err != nil {
		return seen, err
	}
	if found {
		seen.HTTPRoute = route
	}
	return seen, nil
}

// crashLoopGracePeriod is how long a container that has crashed again and again must run before it counts as cured. Without a readiness
// probe the kubelet calls it ready as soon as it is started, and the Deployment calls itself available.
const crashLoopGracePeriod = time.Minute

// crashLooping reports whether the status says that this generation's pods crash again and again.
func crashLooping(app *v1.Application) bool {
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	return ready != nil && ready.Reason == v1.ReasonCrashLooping && ready.ObservedGeneration == app.Generation
}

// stillCrashing returns what to wait for when a pod has crashed again and again and all pods run, but not yet for long
// enough to be believed; otherwise nil.
func stillCrashing(app *v1.Application, seen status.Observed) error {
	if seen.Deployment == nil || seen.DeploymentBehind || app.Spec.Paused || !status.RolledOut(seen.Deployment) {
		return nil
	}
	for _, found := range seen.PodFaults {
		if found.Current && found.Reason == v1.ReasonCrashLooping {
			return &outcome.Waiting{Reason: found.Reason, Message: found.Message, After: crashLoopGracePeriod}
		}
	}
	return nil
}

// getControlled reads the object of the Application's name, and returns whether it exists and is the Application's. What is read
// shares memory with the cache and must not be changed.
func (r *ApplicationReconciler) getControlled(ctx context.Context, app *v1.Application, object client.Object) (bool, error) {
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(app), object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %T: %w", object, err)
	}
	return metav1.IsControlledBy(object, app), nil
}

// observePods reads how the Deployment's pods fare, the oldest pod first, so that the status does not wander from pod to
// pod.
func (r *ApplicationReconciler) observePods(ctx context.Context, deployment *appsv1.Deployment, seen *status.Observed) error {
	pods, err := r.pods(ctx, client.ObjectKeyFromObject(deployment))
	if err != nil {
		return err
	}
	newest, all, err := r.replicaSets(ctx, deployment)
	if err != nil {
		return err
	}
	now := metav1.Now()
	since := metav1.NewTime(now.Add(-crashLoopGracePeriod))
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for i := range pods {
		pod, by := &pods[i], metav1.GetControllerOf(&pods[i])
		if by == nil || !all[by.UID] {
			continue
		}
		if found := status.FaultOf(pod, since); found != nil {
			found.Current = by.UID == newest
			seen.PodFaults = append(seen.PodFaults, *found)
		}
		if found := status.UnreadyOf(pod); found != nil && by.UID == newest {
			seen.Unready = append(seen.Unready, *found)
		}
		seen.Ending = cmp.Or(seen.Ending, status.EndingOf(pod, now))
	}
	return nil
}

// pods returns the pods that bear the labels of the Application of this key and are made by a ReplicaSet. They share
// memory with the cache and must not be changed.
func (r *ApplicationReconciler) pods(ctx context.Context, app client.ObjectKey) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := r.Client.List(ctx, list, client.InNamespace(app.Namespace), client.MatchingFields{byApplication: app.Name},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool {
		by := metav1.GetControllerOf(&pod)
		return by == nil || by.Kind != "ReplicaSet"
	}), nil
}

// replicaSets returns the UID of the Deployment's newest ReplicaSet, and of each that bears the Application's label
// whether it is the Deployment's: somebody may have copied the Deployment with its labels.
func (r *ApplicationReconciler) replicaSets(
	ctx context.Context, deployment *appsv1.Deployment,
) (types.UID, map[types.UID]bool, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSetList"))
	err := r.Client.List(ctx, list,
		client.InNamespace(deployment.Namespace), client.MatchingFields{byApplication: deployment.Name},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		return "", nil, fmt.Errorf("list ReplicaSets: %w", err)
	}
	var newest types.UID
	highest := -1
	all := make(map[types.UID]bool, len(list.Items))
	for i := range list.Items {
		all[list.Items[i].UID] = metav1.IsControlledBy(&list.Items[i], deployment)
		if !all[list.Items[i].UID] {
			continue
		}
		revision, err := strconv.Atoi(list.Items[i].Annotations[revisionAnnotation])
		if err == nil && revision > highest {
			newest, highest = list.Items[i].UID, revision
		}
	}
	return newest, all, nil
}
