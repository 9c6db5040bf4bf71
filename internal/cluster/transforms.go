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

// Package cluster says what the operator knows of the cluster and how it is read: the scheme, the cache and what is kept of each
// object, the mapping of kinds to resources, discovery, and what a failed watch means.
//
// It decides nothing about Applications, and writes nothing.
package cluster

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// stripChild keeps of an Application's child all but other managers' entries in its managed fields, and of an
// object of others its identity, and which Application it is given to. Cached managed fields must therefore never be written back.
func stripChild(in any) (any, error) {
	object, err := meta.Accessor(in)
	if err != nil {
		return in, nil //nolint:nilerr // a tombstone has nothing to strip
	}
	row := rowOf(in)
	if row != nil && row.ApplicationOf(object) != "" {
		if row.StripStatus != nil {
			row.StripStatus(in.(children.Object))
		}
		marks := row.Marks(object) // whoever has written them
		dropForeign(object)
		if marks != nil {
			maps.Copy(marks, object.GetAnnotations())
			object.SetAnnotations(marks)
		}
		object.SetManagedFields(slices.DeleteFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
			return entry.Manager != children.FieldOwner || entry.Subresource != ""
		}))
		return in, nil
	}
	foreign := reflect.New(reflect.TypeOf(in).Elem()).Interface().(metav1.Object)
	CopyIdentity(foreign, object)
	if row != nil {
		if to := row.ConsentOf(object); to != "" {
			foreign.SetAnnotations(map[string]string{v1.AnnotationAdopt: strings.Clone(to)})
		}
	}
	switch object := in.(type) {
	case *unstructured.Unstructured:
		foreign.(*unstructured.Unstructured).SetGroupVersionKind(object.GroupVersionKind())
	case *metav1.PartialObjectMetadata:
		foreign.(*metav1.PartialObjectMetadata).TypeMeta = object.TypeMeta
	}
	return foreign, nil
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
		case *batchv1.Job:
			return stripJob(object), nil
		case *metav1.PartialObjectMetadata:
			if object.GroupVersionKind().Kind == "ReplicaSet" {
				return stripReplicaSet(object)
			}
			if row := rowOf(object); row != nil && (!row.IsNobodys(object) || row.ConsentOf(object) != "") {
				return stripChild(object)
			}
			return stripReferenced(object)
		default:
			return stripChild(object)
		}
	}
}

// rows are the table's rows by their Go types.
var rows = func() map[reflect.Type]*children.Child {
	rows := map[reflect.Type]*children.Child{}
	for i := range children.Table {
		if children.Table[i].Object.GetObjectKind().GroupVersionKind().Empty() { // which the type says
			rows[reflect.TypeOf(children.Table[i].Object)] = &children.Table[i]
		}
	}
	return rows
}()

// rowOf returns the row of an object's kind, or nil if it is no child's.
func rowOf(in any) *children.Child {
	if row, ok := rows[reflect.TypeOf(in)]; ok {
		return row
	}
	object, ok := in.(runtime.Object)
	if !ok {
		return nil
	}
	for i := range children.Table {
		of := children.Table[i].Object
		if reflect.TypeOf(of) == reflect.TypeOf(in) && of.GetObjectKind().GroupVersionKind() == object.GetObjectKind().GroupVersionKind() {
			return &children.Table[i]
		}
	}
	return nil
}

// dropForeign drops the labels and annotations that others have added: nobody reads them, and they can be large.
func dropForeign(object metav1.Object) {
	var applied strings.Builder
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == children.FieldOwner && entry.Subresource == "" && entry.FieldsV1 != nil {
			applied.WriteString(entry.FieldsV1.GetRawString())
		}
	}
	foreign := func(key, _ string) bool {
		return key != RevisionAnnotation && key != resources.LabelApplication && !strings.Contains(applied.String(), `"f:`+key+`"`)
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
	CopyIdentity(set, object)
	set.Labels = instanceLabel(object)
	if revision, ok := object.Annotations[RevisionAnnotation]; ok {
		set.Annotations = map[string]string{RevisionAnnotation: revision}
	}
	return set, nil
}

// stripJob keeps what says whose a Job is, whether it may run, and how it has ended.
func stripJob(object *batchv1.Job) *batchv1.Job {
	job := &batchv1.Job{}
	CopyIdentity(job, object)
	job.Labels = map[string]string{resources.LabelApplication: object.Labels[resources.LabelApplication]}
	if revision := object.Labels[resources.LabelRevision]; revision != "" {
		job.Labels[resources.LabelRevision] = revision
	}
	if ptr.Deref(object.Spec.Suspend, false) {
		job.Spec.Suspend = object.Spec.Suspend
	}
	if end := status.EndOf(object); end != nil {
		kept := batchv1.JobCondition{Type: end.Type, Status: end.Status}
		if end.Type == batchv1.JobFailed {
			kept.Reason, kept.Message, kept.LastTransitionTime = end.Reason, end.Message, end.LastTransitionTime
		}
		job.Status.Conditions = []batchv1.JobCondition{kept}
	}
	return job
}

// maxPortLists is how many lists of container ports are shared among pods. Beyond that many, some pods have a copy.
const maxPortLists = 1024

// stripPod returns what keeps of a pod what its faults are read from, which ports it has, and of one that is not ready what
// it waits for, and of one that has failed how its node has ended it. Pods with the same ports share their list, which known holds.
func stripPod(known *lru.Cache) toolscache.TransformFunc {
	return func(in any) (any, error) {
		object, ok := in.(*corev1.Pod)
		if !ok {
			return in, nil
		}
		pod := &corev1.Pod{}
		CopyIdentity(pod, object)
		pod.Labels = instanceLabel(object)
		if IsReleasePod(object) {
			pod.Labels = map[string]string{
				resources.LabelApplication: object.Labels[resources.LabelApplication], resources.LabelRevision: object.Labels[resources.LabelRevision],
			}
		}
		pod.Spec.Containers = stripPorts(known, object)
		pod.Status.Phase = object.Status.Phase
		if pod.Status.Phase == corev1.PodFailed {
			pod.Status.Reason, pod.Status.Message = object.Status.Reason, object.Status.Message
		}
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

// CachedPorts returns the ports that stripPod has kept of a pod.
func CachedPorts(pod *corev1.Pod) []corev1.ContainerPort {
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

// IsReleasePod reports whether a pod says that it runs the release command of an Application.
func IsReleasePod(pod metav1.Object) bool { return pod.GetLabels()[resources.LabelRevision] != "" }

// ApplicationOf returns the name of the Application that a pod or a ReplicaSet says that it is of, or "".
func ApplicationOf(object metav1.Object) string {
	if IsReleasePod(object) {
		return object.GetLabels()[resources.LabelApplication]
	}
	return object.GetLabels()[resources.LabelInstance]
}

// maxLabels is how many Applications' labels are shared among their pods and ReplicaSets, which are listed one after the other. Beyond
// that many, some have a copy.
const maxLabels = 1024

// instanceLabels has the labels that are kept of pods and ReplicaSets, by the Application's name. A map takes more memory than all else
// that is kept of their metadata.
var instanceLabels = lru.New(maxLabels)

// instanceLabel returns the label that says whose an object is. It is shared, and must not be changed.
func instanceLabel(object metav1.Object) map[string]string {
	name := object.GetLabels()[resources.LabelInstance]
	if shared, ok := instanceLabels.Get(name); ok {
		return shared.(map[string]string)
	}
	shared := map[string]string{resources.LabelInstance: name}
	instanceLabels.Add(name, shared)
	return shared
}
