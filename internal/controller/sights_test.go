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
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"

	v1 "github.com/example/app-operator/api/v1"
)

func TestSights(t *testing.T) {
	var seen sights
	is := func(kind, namespace, want string) {
		t.Helper()
		if got := seen.newest(kind, namespace); got != want {
			t.Errorf("%s in %s: the cache has come to %q, want %q", kind, namespace, got, want)
		}
	}
	in := func(namespace, version string) *corev1.Service {
		service := serviceIn(version)
		service.Namespace = namespace
		return service
	}
	is("Service", "a", "")
	services := seen.of("Service")
	if !services.Create(event.CreateEvent{Object: in("a", "99")}) {
		t.Error("an event is kept from who waits for it")
	}
	is("Service", "a", "99")
	services.Update(event.UpdateEvent{ObjectOld: in("a", "99"), ObjectNew: in("a", "101")})
	is("Service", "a", "101")
	services.Create(event.CreateEvent{Object: in("a", "100")})
	is("Service", "a", "101")
	services.Delete(event.DeleteEvent{Object: in("a", "102")})
	is("Service", "a", "102")
	seen.of("Ingress").Create(event.CreateEvent{Object: in("a", "200")})
	services.Create(event.CreateEvent{Object: in("b", "300")})
	is("Service", "a", "102")
	is("Ingress", "a", "200")
	is("Service", "b", "300")
	seen.forget("Service", "b")
	is("Service", "b", "")
	is("Service", "a", "102")
}

// TestSightsOfAllNamespacesTogether holds that what is known does not grow with namespaces that come and go.
func TestSightsOfAllNamespacesTogether(t *testing.T) {
	r := &ApplicationReconciler{}
	r.CacheOptions(nil)
	services := r.sights.of("Service")
	for i := range 100 {
		service := serviceIn(fmt.Sprint(i + 1))
		service.Namespace = fmt.Sprint("namespace-", i)
		services.Create(event.CreateEvent{Object: service})
	}
	if got := len(r.sights.known); got != 1 {
		t.Errorf("%d versions are known of one kind, which has one watch", got)
	}
	if got := r.sights.newest("Service", "another"); got != "100" {
		t.Errorf("the cache has come to %q, want 100", got)
	}
}

// TestNothingIsSettledBeforeTheDeploymentIsSeen holds that pods keep what they use while the Deployment that gives it up is on
// its way to the cache.
func TestNothingIsSettledBeforeTheDeploymentIsSeen(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	web := theApplication(t, c)
	check := func(want bool) {
		t.Helper()
		settled, err := r.settled(t.Context(), web, nil)
		if err != nil || settled != want {
			t.Errorf("settled: %v, want %v; error %v", settled, want, err)
		}
	}
	check(true)
	r.memory.of(web).wasMade("Deployment", 7, serviceIn("100"))
	check(false)
	r.memory.of(web).isRight("Deployment", 7, serviceIn("100"))
	check(true)
}

// TestThereAndBackBeforeTheCacheShowsIt holds that an Application whose spec changes, and changes back, is not called Ready by
// what was there before both.
func TestThereAndBackBeforeTheCacheShowsIt(t *testing.T) {
	var shown *appsv1.Deployment
	r, c := withErrors(t, interceptor.Funcs{
		Get: func(
			ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption,
		) error {
			if deployment, ok := object.(*appsv1.Deployment); ok && shown != nil {
				shown.DeepCopyInto(deployment)
				return nil
			}
			return c.Get(ctx, key, object, options...)
		},
		Apply: func( // which counts generations, as the API server does
			ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption,
		) error {
			err := c.Apply(ctx, config, options...)
			if deployment, ok := config.(*appsv1ac.DeploymentApplyConfiguration); ok && shown != nil {
				deployment.WithGeneration(shown.Generation + 1)
			}
			return err
		},
	})
	reconcileOnce(t, r, c)
	before := &appsv1.Deployment{}
	if err := c.Get(t.Context(), app("web"), before); err != nil {
		t.Fatal(err)
	}
	before.Status = appsv1.DeploymentStatus{
		ObservedGeneration: before.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
	}
	shown = before // from here on the cache lags
	ready := func() *metav1.Condition {
		t.Helper()
		reconcileOnce(t, r, c)
		return meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
	}
	if now := ready(); now.Status != metav1.ConditionTrue {
		t.Fatalf("Ready is %s at first: %s", now.Status, now.Message)
	}
	for i, image := range []string{"nginx:1.30", "nginx:1.29"} {
		web := theApplication(t, c)
		web.Spec.Image = image
		web.Generation = int64(i + 2)
		if err := c.Update(t.Context(), web); err != nil {
			t.Fatal(err)
		}
		if now := ready(); now.Status == metav1.ConditionTrue {
			t.Errorf("with %s it is called Ready by pods of another time", image)
		}
	}
	shown = nil
	reconcileOnce(t, r, c)
	after := &appsv1.Deployment{}
	if err := c.Get(t.Context(), app("web"), after); err != nil {
		t.Fatal(err)
	}
	if got := after.Spec.Template.Spec.Containers[0].Image; got != "nginx:1.29" {
		t.Errorf("when the cache has caught up the pods run %s", got)
	}
}
