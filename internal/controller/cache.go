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
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// NewScheme returns a scheme that knows all kinds the operator reads and writes.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1.AddToScheme, gatewayv1.Install,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register kinds: %w", err)
		}
	}
	// The options of requests, for a kind that has no Go type here.
	metav1.AddToGroupVersion(scheme, resources.ServiceMonitorKind.GroupVersion())
	return scheme, nil
}

// CacheOptions returns what the manager's cache holds: Applications and their children in the given namespaces
// (all of them if there are none), of their pods and ReplicaSets no more than the status is judged by, and of the
// ConfigMaps, Secrets and claims that are there their names and versions. A read of any other kind fails, so that none
// is cached by accident.
//
// Objects of the children's kinds that are not ours are known by name only: enough to see that a name is taken,
// at the cost of a few hundred bytes each.
func (r *ApplicationReconciler) CacheOptions(namespaces []string) cache.Options {
	pods := labels.SelectorFromSet(labels.Set{resources.LabelManagedBy: resources.ManagedBy})
	transform := stripObject()
	options := cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            transform,
		DefaultWatchErrorHandler:    r.onWatchError,
		NewInformer:                 newInformer(transform),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}:        {Label: pods},
			&appsv1.ReplicaSet{}: {Label: pods},
		},
	}
	r.sights.together = len(namespaces) == 0
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
	}
	for _, namespace := range namespaces {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return options
}

// isApplication reports whether a reference is to an Application.
func isApplication(reference metav1.OwnerReference) bool {
	group, err := schema.ParseGroupVersion(reference.APIVersion)
	return err == nil && group.Group == v1.GroupVersion.Group && reference.Kind == "Application"
}

// ofAnApplication reports whether an Application controls the object.
func ofAnApplication(object metav1.Object) bool {
	by := metav1.GetControllerOf(object)
	return by != nil && isApplication(*by)
}

// stripChild keeps of an Application's child all but other managers' entries in its managed fields, and of a
// stranger's object its identity. Cached managed fields must therefore never be written back.
func stripChild(in any) (any, error) {
	object, err := meta.Accessor(in)
	if err != nil {
		return in, nil //nolint:nilerr // a tombstone has nothing to strip
	}
	if ofAnApplication(object) {
		dropStatus(in)
		dropForeign(object)
		object.SetManagedFields(slices.DeleteFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
			return entry.Manager != FieldOwner || entry.Subresource != ""
		}))
		return in, nil
	}
	stranger := reflect.New(reflect.TypeOf(in).Elem()).Interface().(metav1.Object)
	copyIdentity(stranger, object)
	if untyped, ok := in.(*unstructured.Unstructured); ok {
		stranger.(*unstructured.Unstructured).SetGroupVersionKind(untyped.GroupVersionKind())
	}
	return stranger, nil
}

// stripObject returns what keeps of an object what is read of its kind.
func stripObject() toolscache.TransformFunc {
	stripPod := stripPod(lru.New(maxPortLists))
	return func(in any) (any, error) {
		switch object := in.(type) {
		case toolscache.DeletedFinalStateUnknown:
			return in, nil
		case *v1.Application:
			return stripApplication(object)
		case *corev1.Pod:
			return stripPod(object)
		case *metav1.PartialObjectMetadata:
			if object.GroupVersionKind().Kind == "ReplicaSet" {
				return stripReplicaSet(object)
			}
			return stripReferenced(object)
		default:
			return stripChild(object)
		}
	}
}

// dropForeign drops the labels and annotations that others have added: nobody reads them, and they can be large.
func dropForeign(object metav1.Object) {
	var applied strings.Builder
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == FieldOwner && entry.Subresource == "" && entry.FieldsV1 != nil {
			applied.WriteString(entry.FieldsV1.GetRawString())
		}
	}
	foreign := func(key, _ string) bool {
		return key != revisionAnnotation && !strings.Contains(applied.String(), `"f:`+key+`"`)
	}
	for _, field := range []struct {
		get func() map[string]string
		set func(map[string]string)
	}{{object.GetLabels, object.SetLabels}, {object.GetAnnotations, object.SetAnnotations}} {
		entries := field.get() // of an untyped object, a copy
		maps.DeleteFunc(entries, foreign)
		field.set(entries)
	}
}

// dropStatus drops what nobody reads and what others write all the time: an autoscaler tells of its metrics every 15
// seconds. Whether it works is kept.
func dropStatus(in any) {
	switch object := in.(type) {
	case *autoscalingv2.HorizontalPodAutoscaler:
		object.Status = autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: stripAutoscalerConditions(object.Status.Conditions)}
	case *policyv1.PodDisruptionBudget:
		object.Status = policyv1.PodDisruptionBudgetStatus{}
	case *gatewayv1.HTTPRoute:
		object.Status = gatewayv1.HTTPRouteStatus{}
	case *unstructured.Unstructured:
		unstructured.RemoveNestedField(object.Object, "status")
	}
}

// ofPod is how an autoscaler names a pod in its messages. After each rollout it is another one.
var ofPod = regexp.MustCompile(` of Pod [^ ,;]+`)

// stripAutoscalerConditions keeps what says whether the autoscaler works, and why not.
func stripAutoscalerConditions(
	conditions []autoscalingv2.HorizontalPodAutoscalerCondition,
) []autoscalingv2.HorizontalPodAutoscalerCondition {
	var kept []autoscalingv2.HorizontalPodAutoscalerCondition
	for _, condition := range conditions {
		if condition.Type != autoscalingv2.ScalingActive && condition.Type != autoscalingv2.AbleToScale {
			continue
		}
		if condition.Status == corev1.ConditionTrue { // its reason and words change all the time
			condition.Reason, condition.Message = "", ""
		}
		condition.Message = ofPod.ReplaceAllString(condition.Message, "")
		kept = append(kept, condition)
	}
	return kept
}

// stripReferenced keeps what says that an object is there, and in which version.
func stripReferenced(in any) (any, error) {
	object, ok := in.(*metav1.PartialObjectMetadata)
	if !ok {
		return in, nil
	}
	return &metav1.PartialObjectMetadata{
		TypeMeta: object.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{
			Namespace: object.Namespace, Name: object.Name, UID: object.UID, ResourceVersion: object.ResourceVersion,
		},
	}, nil
}

// stripReplicaSet keeps what says whose a ReplicaSet is and which revision.
func stripReplicaSet(in any) (any, error) {
	object, ok := in.(*metav1.PartialObjectMetadata)
	if !ok {
		return in, nil
	}
	set := &metav1.PartialObjectMetadata{TypeMeta: object.TypeMeta}
	copyIdentity(set, object)
	set.Labels = instanceLabel(object)
	if revision, ok := object.Annotations[revisionAnnotation]; ok {
		set.Annotations = map[string]string{revisionAnnotation: revision}
	}
	return set, nil
}

// maxPortLists is how many lists of container ports are shared among pods. Beyond that many, some pods have a copy.
const maxPortLists = 1024

// stripPod returns what keeps of a pod what its faults are read from, which ports it has, and of one that is not ready what
// it waits for. Pods with the same ports share
// their list, which known holds.
func stripPod(known *lru.Cache) toolscache.TransformFunc {
	return func(in any) (any, error) {
		object, ok := in.(*corev1.Pod)
		if !ok {
			return in, nil
		}
		pod := &corev1.Pod{}
		copyIdentity(pod, object)
		pod.Labels = instanceLabel(object)
		pod.Spec.Containers = stripPorts(known, object)
		pod.Status.Phase = object.Status.Phase
		pod.Status.Conditions = stripConditions(object.Status.Conditions)
		pod.Status.InitContainerStatuses = stripContainers(object.Status.InitContainerStatuses)
		pod.Status.ContainerStatuses = stripContainers(object.Status.ContainerStatuses)
		if pod.DeletionTimestamp != nil || status.UnreadyOf(pod) != nil {
			pod.Spec.NodeName = object.Spec.NodeName
		}
		return pod, nil
	}
}

// maxPodPorts is how many ports an Application can have. Other pods with our labels may have any number.
const maxPodPorts = 17

// stripPorts returns a container that has nothing but the ports of the one that runs the Application's image; none if there
// are no ports.
func stripPorts(known *lru.Cache, pod *corev1.Pod) []corev1.Container {
	if len(pod.Spec.Containers) == 1 && pod.Spec.Containers[0].Name == "" { // stripped before
		return pod.Spec.Containers
	}
	main := resources.MainContainer(&pod.Spec, pod.Labels[resources.LabelInstance])
	if main == nil || len(main.Ports) == 0 || len(main.Ports) > maxPodPorts {
		return nil
	}
	var key strings.Builder
	for _, port := range main.Ports {
		fmt.Fprintf(&key, "%s:%d/%s ", port.Name, port.ContainerPort, port.Protocol)
	}
	if shared, ok := known.Get(key.String()); ok {
		return shared.([]corev1.Container)
	}
	ports := make([]corev1.ContainerPort, 0, len(main.Ports))
	for _, port := range main.Ports { // their names without the rest of the message that they were decoded from
		ports = append(ports, corev1.ContainerPort{
			Name: strings.Clone(port.Name), ContainerPort: port.ContainerPort, Protocol: port.Protocol,
		})
	}
	shared := []corev1.Container{{Ports: ports}}
	known.Add(key.String(), shared)
	return shared
}

// cachedPorts returns the ports that stripPod has kept of a pod.
func cachedPorts(pod *corev1.Pod) []corev1.ContainerPort {
	if len(pod.Spec.Containers) == 0 {
		return nil
	}
	return pod.Spec.Containers[0].Ports
}

// judgedConditions are the types of the conditions that a pod's state is judged by.
var judgedConditions = []corev1.PodConditionType{
	corev1.PodScheduled, corev1.PodReadyToStartContainers, corev1.ContainersReady, corev1.PodReady,
}

// stripConditions keeps those of the conditions that a pod's state is judged by which are not True.
func stripConditions(conditions []corev1.PodCondition) []corev1.PodCondition {
	var kept []corev1.PodCondition
	for _, condition := range conditions {
		if slices.Contains(judgedConditions, condition.Type) && condition.Status != corev1.ConditionTrue {
			condition.LastProbeTime = metav1.Time{}
			kept = append(kept, condition)
		}
	}
	return kept
}

// stripContainers keeps the containers that are not ready, wait or have ended before: others have no fault, whatever else
// they are.
func stripContainers(containers []corev1.ContainerStatus) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for _, container := range containers {
		if container.Ready && container.State.Waiting == nil && container.LastTerminationState.Terminated == nil {
			continue
		}
		kept = append(kept, corev1.ContainerStatus{
			Name:                 container.Name,
			State:                container.State,
			LastTerminationState: container.LastTerminationState,
			Ready:                container.Ready,
			Started:              container.Started,
			RestartCount:         container.RestartCount,
		})
	}
	return kept
}

// copyIdentity copies what says which object it is, who controls it, and whether it is going.
func copyIdentity(to, from metav1.Object) {
	to.SetNamespace(from.GetNamespace())
	to.SetName(from.GetName())
	to.SetUID(from.GetUID())
	to.SetResourceVersion(from.GetResourceVersion())
	to.SetCreationTimestamp(from.GetCreationTimestamp())
	to.SetDeletionTimestamp(from.GetDeletionTimestamp())
	to.SetOwnerReferences(nil)
	if by := metav1.GetControllerOf(from); by != nil {
		to.SetOwnerReferences([]metav1.OwnerReference{*by})
	}
}

func instanceLabel(object metav1.Object) map[string]string {
	return map[string]string{resources.LabelInstance: object.GetLabels()[resources.LabelInstance]}
}
