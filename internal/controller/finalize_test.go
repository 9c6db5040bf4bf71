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
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

// TestWhatCannotBeLetGoOfHoldsTheApplicationBack holds that the Application does not go before all of its objects are nobody's, that a
// write which meets another one is tried again, and that all that stays is told once.
func TestWhatCannotBeLetGoOfHoldsTheApplicationBack(t *testing.T) {
	conflicts, fails := 0, true
	r, c := withErrors(t, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			data, err := patch.Data(object)
			if err != nil || !strings.Contains(string(data), `"annotations":null`) {
				return c.Patch(ctx, object, patch, options...)
			}
			switch object.(type) {
			case *appsv1.Deployment:
				if conflicts++; conflicts == 1 {
					return apierrors.NewConflict(services, "web", errors.New("somebody was quicker"))
				}
			case *corev1.Service:
				if fails {
					return errors.New("the connection is broken")
				}
			}
			return c.Patch(ctx, object, patch, options...)
		},
	})
	for i := range children.Table {
		if child := &children.Table[i]; child.Optional() {
			r.optional.note(child.Kind, func(known *optionalAPI) { known.asked = time.Now() })
		}
	}
	app := theApplication(t, c)
	app.Spec.DeletionPolicy, app.Finalizers = v1.DeletionPolicyOrphan, []string{v1.Finalizer}
	mine := metav1.ObjectMeta{Name: "web", Namespace: "apps", Annotations: map[string]string{v1.AnnotationOwner: "web/1"}}
	deployment, service := &appsv1.Deployment{ObjectMeta: mine}, &corev1.Service{ObjectMeta: *mine.DeepCopy()}
	if err := errors.Join(c.Create(t.Context(), deployment), c.Create(t.Context(), service),
		c.Update(t.Context(), app), c.Delete(t.Context(), app)); err != nil {
		t.Fatal(err)
	}

	if _, err := r.Reconcile(t.Context(), webRequest); err == nil {
		t.Error("it goes on although the Service is still its own")
	}
	if app := theApplication(t, c); len(app.Finalizers) != 1 {
		t.Errorf("the finalizers are %v", app.Finalizers)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(deployment), deployment); err != nil || len(deployment.Annotations) > 0 || conflicts != 2 {
		t.Errorf("after %d attempts the Deployment has the annotations %v: %v", conflicts, deployment.Annotations, err)
	}
	fails = false
	r.expectations.Clear(webRequest.NamespacedName)
	if _, err := r.Reconcile(t.Context(), webRequest); err != nil {
		t.Error(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), app); !apierrors.IsNotFound(err) {
		t.Errorf("the Application is still there: %v", err)
	}
	told := r.Recorder.(*events.FakeRecorder).Events
	orphaned := ""
	for len(told) > 0 {
		if said := <-told; strings.Contains(said, v1.EventOrphaned) {
			orphaned += said
		}
	}
	if !strings.Contains(orphaned, "Deployment web, Service web") || strings.Count(orphaned, v1.EventOrphaned) != 1 {
		t.Errorf("it says %q", orphaned)
	}
}

// TestADrainNamesWhatHoldsItUp holds that whoever waits for an Application to go is told on whom it depends: whose finalizers an object has,
// and which pod should have ended long ago; and that this is told when it is time, though nothing happens.
func TestADrainNamesWhatHoldsItUp(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	for i := range children.Table {
		if child := &children.Table[i]; child.Optional() {
			r.optional.note(child.Kind, func(known *optionalAPI) { known.asked = time.Now() })
		}
	}
	app := theApplication(t, c)
	app.Spec.DeletionPolicy, app.Finalizers = v1.DeletionPolicyDrain, []string{v1.Finalizer}
	labels := resources.Labels("web")
	under := func(owner client.Object, kind schema.GroupVersionKind, name string, finalizers ...string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Name: name, Namespace: "apps", UID: types.UID(name), Labels: labels, Finalizers: finalizers,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, kind)},
		}
	}
	ours := v1.GroupVersion.WithKind("Application")
	ingress := &networkingv1.Ingress{ObjectMeta: under(app, ours, "web", "ingress.k8s.aws/resources")}
	deployment := &appsv1.Deployment{ObjectMeta: under(app, ours, "web"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}}
	set := &appsv1.ReplicaSet{ObjectMeta: under(deployment, appsv1.SchemeGroupVersion.WithKind("Deployment"), "web-1")}
	pod := &corev1.Pod{
		ObjectMeta: under(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), "web-1-a", "example.com/held"), Spec: corev1.PodSpec{NodeName: "node-7"},
	}
	if err := errors.Join(c.Create(t.Context(), ingress), c.Create(t.Context(), deployment), c.Create(t.Context(), set), c.Create(t.Context(), pod),
		c.Delete(t.Context(), pod), c.Update(t.Context(), app), c.Delete(t.Context(), app)); err != nil {
		t.Fatal(err)
	}
	told := func() (string, time.Duration) {
		t.Helper()
		var result reconcile.Result
		for range 2 { // the first deletes what it can
			r.expectations.Clear(webRequest.NamespacedName)
			var err error
			if result, err = r.Reconcile(t.Context(), webRequest); err != nil {
				t.Fatal(err)
			}
		}
		return meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady).Message, result.RequeueAfter
	}
	want := "Being deleted; waiting for Ingress to be gone; it stays until whoever has put these finalizers on it takes them off: ingress.k8s.aws/resources"
	if got, _ := told(); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if err := errors.Join(c.Get(t.Context(), client.ObjectKeyFromObject(ingress), ingress),
		c.Patch(t.Context(), ingress, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))); err != nil {
		t.Fatal(err)
	}
	got, wait := told()
	if got != "Being deleted; waiting for its last pod to end" || wait <= 0 || wait > endGracePeriod {
		t.Errorf("it says %q, and looks again after %s", got, wait)
	}
	s, err := r.snapshot(t.Context(), theApplication(t, c), r.records.of(app))
	if err != nil {
		t.Fatal(err)
	}
	want = "its last pod to end: pod web-1-a should have ended and has not; node node-7 may be down, or a finalizer holds it"
	if got, again := s.lastPod(time.Now().Add(time.Hour)); got != want || !again.IsZero() {
		t.Errorf("after an hour it waits for %q and looks again at %s, want %q", got, again, want)
	}
}

func TestGivenToKubectl(t *testing.T) {
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, subresource string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, APIVersion: "v1", Subresource: subresource}
	}
	const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	given, others := entry("kubectl", apply, ""), entry("kube-controller-manager", update, "status")
	for what, test := range map[string]struct{ is, want []metav1.ManagedFieldsEntry }{
		"applied": {
			[]metav1.ManagedFieldsEntry{entry(children.FieldOwner, apply, ""), others}, []metav1.ManagedFieldsEntry{given, others},
		},
		"written otherwise, too": {
			[]metav1.ManagedFieldsEntry{entry(children.FieldOwner, update, ""), entry(children.HandOverManager, update, ""), entry(children.FieldOwner, apply, "")},
			[]metav1.ManagedFieldsEntry{given},
		},
		"applied by kubectl as well": {
			[]metav1.ManagedFieldsEntry{given, entry(children.FieldOwner, apply, ""), others}, []metav1.ManagedFieldsEntry{given, others},
		},
		"edited by kubectl as well": {
			[]metav1.ManagedFieldsEntry{entry("kubectl", update, ""), entry(children.FieldOwner, apply, "")},
			[]metav1.ManagedFieldsEntry{entry("kubectl", update, ""), given},
		},
	} {
		if diff := cmp.Diff(test.want, givenToKubectl(test.is)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
