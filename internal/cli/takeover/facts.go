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

// Package takeover decides how a Deployment that runs becomes an Application under its clients, step by step, and how it becomes a
// Deployment again.
//
// It is pure: it is given what was read of the cluster, and says which step comes next, what it does, which rights it needs, and what
// forbids it. Nothing is remembered but in the cluster's own objects, so that a move goes on wherever it was left. It sends nothing, reads
// no clock, and changes nothing that it is given.
package takeover

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

const (
	// AnnotationFrom is on an Application, and says which Deployment it takes over: NAME/UID.
	AnnotationFrom = "apps.example.com/taken-over-from"
	// AnnotationBefore is on an object that is given away, with the object as it was, and on a ReplicaSet that has lost its Deployment,
	// with the Deployment.
	AnnotationBefore = "apps.example.com/before-take-over"
	// AnnotationCopy is on the copy of a NetworkPolicy that the old pods have until they are gone. It names the Deployment.
	AnnotationCopy = "apps.example.com/copy-for-take-over"
)

// Facts are what was read of a move.
type Facts struct {
	// Namespace, Deployment and Application are the names of what moves.
	Namespace, Deployment, Application string
	// Old is the Deployment; nil when there is none of the name, or none but the Application's.
	Old *appsv1.Deployment
	// Sets are the ReplicaSets of the old pods.
	Sets []appsv1.ReplicaSet
	// App is the Application in the cluster, or nil.
	App *v1.Application
	// Made is the Application's own Deployment, or nil.
	Made *appsv1.Deployment
	// PodsAvailable says that the Application's Deployment is rolled out and has pods.
	PodsAvailable bool
	// Suspended says that the Application, as it is or would be, wants no pods.
	Suspended bool
	// Objects are those that are there and have a name that the Application needs, as its own or not, in the operator's order.
	Objects []Object
	// Copies are the names of the NetworkPolicies that were copied for the old pods.
	Copies []string
	// Astray says which requests would be lost, however carefully it is done.
	Astray []string
}

// Object is one that the Application needs.
type Object struct {
	Kind     schema.GroupVersionKind
	Name     string
	Adoption children.Adoption
	// Owned says that it is the Application's.
	Owned bool
	// Nobodys says that it is no other's either.
	Nobodys bool
	// Consent is the Application to which its annotation gives it.
	Consent string
	// Remembered says that how it was is on it.
	Remembered bool
	// Deleted says that it is being deleted.
	Deleted bool
}

// String returns the object as people name it.
func (o *Object) String() string { return o.Kind.Kind + " " + o.Name }

// needed reports whether pods need the object before they run.
func (o *Object) needed() bool { return o.Adoption == children.AdoptAtOnce }

// moves reports whether the object is somebody else's yet, or was and may be again.
func (o *Object) moves() bool { return !o.Owned || o.Remembered }

// From returns the value of AnnotationFrom for a Deployment.
func From(deployment metav1.Object) string {
	return deployment.GetName() + "/" + string(deployment.GetUID())
}

// FromName returns the name of the Deployment that an Application takes over, or "".
func FromName(app metav1.Object) string {
	name, _, _ := strings.Cut(app.GetAnnotations()[AnnotationFrom], "/")
	return name
}

// sameName reports whether the Application's Deployment has the name of the old one, which has to make room for it.
func (f *Facts) sameName() bool { return f.Deployment == f.Application }

// marked reports whether the Application is known to take over this Deployment.
func (f *Facts) marked() bool { return f.App != nil && FromName(f.App) == f.Deployment }

// observed reports whether the operator has looked at the Application as it is.
func (f *Facts) observed() bool {
	return f.App != nil && f.App.Status.ObservedGeneration >= f.App.Generation && f.App.Status.ObservedGeneration > 0
}

func (f *Facts) ready() bool {
	return f.observed() && meta.IsStatusConditionTrue(f.App.Status.Conditions, v1.ConditionReady)
}

// oldReady returns how many of the old pods are ready.
func (f *Facts) oldReady() int32 {
	ready := int32(0)
	for i := range f.Sets {
		ready += f.Sets[i].Status.ReadyReplicas
	}
	return ready
}

// Keeper returns the ReplicaSet that remembers the Deployment, or nil.
func (f *Facts) Keeper() *appsv1.ReplicaSet {
	at := slices.IndexFunc(f.Sets, func(set appsv1.ReplicaSet) bool { return set.Annotations[AnnotationBefore] != "" })
	if at < 0 {
		return nil
	}
	return &f.Sets[at]
}

// removing reports whether the old pods are being removed.
func (f *Facts) removing() bool {
	ends := func(object metav1.Object) bool {
		return object.GetDeletionTimestamp() != nil && slices.Contains(object.GetFinalizers(), metav1.FinalizerDeleteDependents)
	}
	return f.Old != nil && ends(f.Old) || slices.ContainsFunc(f.Sets, func(set appsv1.ReplicaSet) bool { return ends(&set) })
}

// of returns the objects of which a condition holds.
func (f *Facts) of(holds func(*Object) bool) []Object {
	var found []Object
	for i := range f.Objects {
		if holds(&f.Objects[i]) {
			found = append(found, f.Objects[i])
		}
	}
	return found
}

// named returns the objects' names, for a sentence.
func named(objects []Object) string {
	names := make([]string, 0, len(objects))
	for i := range objects {
		names = append(names, objects[i].String())
	}
	return strings.Join(names, ", ")
}

// Bystanders returns the pods that a move of the Application leaves alone, and that run: neither the old ones, which these ReplicaSets
// control, nor those that the Application has itself, of its Deployment and of its Jobs.
func Bystanders(application string, pods []corev1.Pod, sets []appsv1.ReplicaSet) []corev1.Pod {
	own := resources.Labels(application)
	return slices.DeleteFunc(slices.Clone(pods), func(pod corev1.Pod) bool {
		return isControlled(&pod, sets) || matches(own, pod.Labels) || pod.Labels[resources.LabelApplication] == application ||
			pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	})
}

// OldPods returns the pods that one of these ReplicaSets controls.
func OldPods(pods []corev1.Pod, sets []appsv1.ReplicaSet) []corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(pod corev1.Pod) bool { return !isControlled(&pod, sets) })
}

func isControlled(pod *corev1.Pod, by []appsv1.ReplicaSet) bool {
	return slices.ContainsFunc(by, func(set appsv1.ReplicaSet) bool { return metav1.IsControlledBy(pod, &set) })
}

// Astray returns what requests would be lost by a move: those of Services that lead to pods of others as well, and of Services that would
// not find the new pods.
func Astray(application string, services []corev1.Service, old, others []corev1.Pod, newLabels map[string]string) []string {
	var words []string
	for i := range services {
		service := &services[i]
		if len(service.Spec.Selector) == 0 || children.ControllingApplication(service) != "" || !slices.ContainsFunc(old, selected(service)) {
			continue
		}
		if service.Name != application && !matches(service.Spec.Selector, newLabels) {
			words = append(words, fmt.Sprintf("Service %s leads to the old pods and would not find the new ones, which lack a label of its selector; "+
				"give it a selector that finds both first", service.Name))
		}
		if at := slices.IndexFunc(others, selected(service)); service.Name == application && at >= 0 {
			words = append(words, fmt.Sprintf("Service %s leads to pods of others too, such as %s, and would not any more; "+
				"give these a Service of their own, or take from them a label of its selector, first", service.Name, others[at].Name))
		}
	}
	return words
}

func selected(by *corev1.Service) func(corev1.Pod) bool {
	return func(pod corev1.Pod) bool { return matches(by.Spec.Selector, pod.Labels) }
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// Switched reports whether requests, or whatever else acts on pods, may have been switched to the Application's.
func (f *Facts) Switched() bool {
	return len(f.of(func(o *Object) bool { return o.Owned && o.Remembered && !o.needed() })) > 0
}
