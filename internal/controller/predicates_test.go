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
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

// passes are the events that a predicate lets pass.
type passes struct {
	create, update, delete bool
}

// checkPasses asks a predicate about an object that was before and is now.
func checkPasses(t *testing.T, filter predicate.Predicate, before, now client.Object, want passes) {
	t.Helper()
	got := passes{
		create: filter.Create(event.CreateEvent{Object: now}),
		update: filter.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: now}),
		delete: filter.Delete(event.DeleteEvent{Object: now}),
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(passes{})); diff != "" {
		t.Errorf("what passes (-want +got):\n%s", diff)
	}
}

func TestChildNews(t *testing.T) {
	service := func(owners []metav1.OwnerReference) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "my-app", OwnerReferences: owners}}
	}
	labelledService := service(ofMyApp)
	labelledService.Labels = map[string]string{"team": "shop"}
	ours, strangers := service(ofMyApp), service(ownedBy("example.com/v1", "Database", "my-app"))
	tests := []struct {
		name        string
		before, now client.Object
		want        passes
	}{
		{"a child", ours, labelledService, passes{create: true, update: true, delete: true}},
		{"a child in another version with nothing new", ours, ours, passes{create: true, delete: true}},
		{"a stranger's object, whose end frees a name", strangers, strangers, passes{delete: true}},
		{"nobody's object, whose end frees a name", service(nil), service(nil), passes{delete: true}},
		{"a child whose owner reference was taken away", ours, service(nil), passes{update: true, delete: true}},
		{"a child that somebody else has taken over", ours, strangers, passes{update: true, delete: true}},
		{"an object that became a child", service(nil), ours, passes{create: true, update: true, delete: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			checkPasses(t, New(nil).childChanged(&children.Child{Kind: "Service"}), test.before, test.now, test.want)
		})
	}
}

func TestPodNews(t *testing.T) {
	pod := func(edits ...func(*corev1.Pod)) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "my-app-1"}, Status: corev1.PodStatus{
			Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "my-app"}},
		}}
		for _, edit := range edits {
			edit(pod)
		}
		return pod
	}
	waiting := func(reason, message string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
		}
	}
	crashing := func(backOff string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			waiting("CrashLoopBackOff", backOff)(pod)
			pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1}
			pod.Status.ContainerStatuses[0].RestartCount++
		}
	}
	ready := func(pod *corev1.Pod) { pod.Status.ContainerStatuses[0].Ready = true }
	going := func(pod *corev1.Pod) { pod.DeletionTimestamp = &metav1.Time{} }
	tests := []struct {
		name        string
		before, now client.Object
		want        passes
	}{
		{"a pod that does well", pod(), pod(ready), passes{delete: true}},
		{"a pod that is being made", pod(), pod(waiting("ContainerCreating", "")), passes{delete: true}},
		{"a new fault", pod(), pod(crashing("10s")), passes{create: true, update: true, delete: true}},
		{"the same fault", pod(crashing("10s")), pod(crashing("5m")), passes{create: true, delete: true}},
		{
			"another fault of the same kind", pod(waiting("ErrImagePull", "not found")), pod(waiting("ErrImagePull", "unauthorized")),
			passes{create: true, update: true, delete: true},
		},
		{"a cured fault", pod(crashing("10s")), pod(ready), passes{update: true, delete: true}},
		{"a pod with a fault that is deleted", pod(crashing("10s")), pod(crashing("10s"), going), passes{update: true, delete: true}},
		{"a pod without a fault that is deleted", pod(), pod(going), passes{delete: true}},
		{"what is no pod", &appsv1.ReplicaSet{}, &appsv1.ReplicaSet{}, passes{delete: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { checkPasses(t, podFaultChanged(), test.before, test.now, test.want) })
	}
}

func TestComesAndGoes(t *testing.T) {
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "builder"}}
	t.Run("comes", func(t *testing.T) { checkPasses(t, onCreate(), object, object, passes{create: true}) })
	t.Run("comes or goes", func(t *testing.T) {
		checkPasses(t, onCreateOrDelete(), object, object, passes{create: true, delete: true})
	})
}

func TestLabelled(t *testing.T) {
	tests := []struct {
		name   string
		object client.Object
		want   []reconcile.Request
	}{
		{
			name: "a pod of an Application", want: requests("my-app"),
			object: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "my-app-1", Namespace: "shop", Labels: resources.Labels("my-app")}},
		},
		{
			name: "a ReplicaSet of an Application, by its metadata", want: requests("my-app"),
			object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: resources.Labels("my-app")}},
		},
		{
			name: "a pod that bears only part of our labels", want: nil,
			object: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: map[string]string{resources.LabelManagedBy: resources.ManagedBy}}},
		},
		{name: "a pod without labels", object: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}, want: nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, requestForLabel(t.Context(), test.object)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func requests(names ...string) []reconcile.Request {
	var all []reconcile.Request
	for _, name := range names {
		all = append(all, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: name}})
	}
	return all
}

// listing is a client that lists Applications.
type listing struct {
	client.Client
	found  []string
	err    error
	option client.ListOptions
}

func (l *listing) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	l.option = *(&client.ListOptions{}).ApplyOptions(options)
	for _, name := range l.found {
		app := v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}}
		if name == "restarting" {
			app.Spec.Rollout = &v1.RolloutSpec{RestartOnConfigChange: true}
		}
		list.(*v1.ApplicationList).Items = append(list.(*v1.ApplicationList).Items, app)
	}
	return l.err
}

func TestReferringTo(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "credentials", Namespace: "shop"}}
	tests := []struct {
		name    string
		listing listing
		// all are those that refer to it, restarted those that restart when it changes.
		all, restarted []reconcile.Request
	}{
		{
			name: "all Applications that refer to it", listing: listing{found: []string{"a", "restarting"}},
			all: requests("a", "restarting"), restarted: requests("restarting"),
		},
		{name: "nobody refers to it"},
		{name: "the cache cannot be read", listing: listing{err: errors.New("no informer")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reconciler := &ApplicationReconciler{Client: &test.listing}
			if diff := cmp.Diff(test.all, reconciler.requestsForReferrers("Secret")(t.Context(), secret)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			asked := test.listing.option
			if asked.Namespace != "shop" || asked.FieldSelector.String() != byReference+"=Secret credentials" {
				t.Errorf("asked for namespace %q, fields %v", asked.Namespace, asked.FieldSelector)
			}
			if diff := cmp.Diff(test.restarted, reconciler.requestsForConfig("Secret")(t.Context(), secret)); diff != "" {
				t.Errorf("requests of a change (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	old := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "1"}}
	changed := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "2"}}
	passes := onUpdate()
	if !passes.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: changed}) {
		t.Error("a new version does not pass")
	}
	if passes.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: old}) {
		t.Error("a resync passes")
	}
	if passes.Create(event.CreateEvent{Object: old}) || passes.Delete(event.DeleteEvent{Object: old}) {
		t.Error("an object that comes or goes passes")
	}
}

func ownedBy(apiVersion, kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{
		APIVersion: apiVersion, Kind: kind, Name: name, UID: "owner", Controller: new(true), BlockOwnerDeletion: new(true),
	}}
}

var ofMyApp = ownedBy("apps.example.com/v1", "Application", "my-app")
