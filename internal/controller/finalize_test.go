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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
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
