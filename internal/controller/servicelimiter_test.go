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
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/expectations"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/resources"
)

func app(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "apps", Name: name}
}

// newLimiter returns a limiter, and whom it has called.
func newLimiter() (*serviceLimiter, *[]string) {
	var called []string
	return &serviceLimiter{addFirst: func(app types.NamespacedName) { called = append(called, app.Name) }}, &called
}

// fill has others take all turns, and returns who they are.
func (l *serviceLimiter) fill() []types.NamespacedName {
	var others []types.NamespacedName
	for i := range maxServices {
		others = append(others, app(fmt.Sprintf("other-%d", i)))
		l.tryAcquire(others[i])
	}
	return others
}

func TestServiceLimiter(t *testing.T) {
	limiter, called := newLimiter()
	check := func(when string, want ...string) {
		t.Helper()
		if !slices.Equal(*called, want) {
			t.Errorf("%s: called %v, want %v", when, *called, want)
		}
	}
	if !limiter.tryAcquire(app("a")) {
		t.Error("the first has to wait for nobody")
	}
	limiter.release(app("a"))
	others := limiter.fill()
	for _, later := range []string{"c", "d", "c"} {
		if limiter.tryAcquire(app(later)) {
			t.Errorf("%s does not wait for the others", later)
		}
	}
	if itself, anybody := limiter.waits(others[0]); itself || !anybody {
		t.Errorf("one of the others waits: %v, anybody: %v", itself, anybody)
	}
	if itself, _ := limiter.waits(app("c")); !itself {
		t.Error("c does not wait")
	}
	check("while all turns are taken")
	limiter.release(others[0])
	check("after the first", "c")
	limiter.release(others[0])
	check("one turn ends once", "c")
	if limiter.tryAcquire(app("e")) {
		t.Error("e takes what is c's")
	}
	if !limiter.tryAcquire(app("c")) {
		t.Error("c was called and has no turn")
	}
	limiter.release(app("c"))
	limiter.release(others[1])
	check("in the order in which they came", "c", "d", "e")
}

func TestATurnEndsWithItsPass(t *testing.T) {
	limiter, called := newLimiter()
	pass := func(name string, does func()) {
		t.Helper()
		defer limiter.begin(app(name))()
		does()
	}
	others := limiter.fill()
	waits := func(name string) { pass(name, func() { limiter.tryAcquire(app(name)) }) }
	waits("c")
	waits("d")
	limiter.release(others[0])
	pass("e", func() {
		limiter.tryAcquire(app("e"))
		limiter.release(others[1])
		pass("c", func() { limiter.release(app("c")) })
	})
	if want := []string{"c", "d", "e"}; !slices.Equal(*called, want) {
		t.Fatalf("called %v, want %v", *called, want)
	}
	if limiter.tryAcquire(app("f")) {
		t.Error("a turn is lost that came in a pass which could not use it any more")
	}
	pass("d", func() {}) // it is gone, or has no use for its turn any more
	if want := []string{"c", "d", "e", "f"}; !slices.Equal(*called, want) {
		t.Errorf("called %v, want %v", *called, want)
	}
}

// TestAPriorityIsOfOneReconcile holds that an Application that was called up, or that was only listed at the start, is reconciled
// again like any other.
func TestAPriorityIsOfOneReconcile(t *testing.T) {
	failure := errors.New("no answer")
	for name, fails := range map[string]error{"that waits": nil, "that failed": failure} {
		t.Run(name, func(t *testing.T) {
			r, _ := withErrors(t, interceptor.Funcs{Apply: func(
				ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption,
			) error {
				return errors.Join(fails, c.Apply(ctx, config, options...))
			}})
			for range 2 { // the second waits for the cache
				result, err := r.Reconcile(t.Context(), webRequest)
				if result.Priority == nil || *result.Priority != 0 { // without one, the queue keeps that of the reconcile
					t.Errorf("comes back with priority %v, want 0; error %v", result.Priority, err)
				}
			}
		})
	}
}

// inLine returns a reconciler whose turns are taken by others, and a function that ends the turn of one of them.
func inLine(t *testing.T) (r *ApplicationReconciler, c client.Client, called *[]string, end func()) {
	t.Helper()
	r, c = withErrors(t, interceptor.Funcs{})
	limiter, called := newLimiter()
	r.queue.services.addFirst = limiter.addFirst
	others := r.queue.services.fill()
	return r, c, called, func() { r.queue.services.release(others[0]) }
}

// webRequest is for the Application web.
var webRequest = reconcile.Request{NamespacedName: app("web")}

// reconcileOnce reconciles the Application when the cache shows all that was written.
func reconcileOnce(t *testing.T, r *ApplicationReconciler, _ client.Client) reconcile.Result {
	t.Helper()
	result, err := reconcileObserved(t, r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func reconcileObserved(t *testing.T, r *ApplicationReconciler) (reconcile.Result, error) {
	t.Helper()
	r.expectations.Clear(app("web")) // the fake client has no events
	return r.Reconcile(t.Context(), webRequest)
}

func TestADeploymentDoesNotWaitForOthersServices(t *testing.T) {
	synctest.Test(t, aDeploymentDoesNotWait)
}

func aDeploymentDoesNotWait(t *testing.T) {
	r, c, called, end := inLine(t)
	if result := reconcileOnce(t, r, c); result.RequeueAfter != 0 {
		t.Errorf("looks again after %s, although it is called", result.RequeueAfter)
	}
	key := app("web")
	if err := c.Get(t.Context(), key, &appsv1.Deployment{}); err != nil {
		t.Errorf("the Deployment: %v", err)
	}
	if err := c.Get(t.Context(), key, &corev1.Service{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the Service: %v, want none yet", err)
	}
	ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
	if ready.Reason != v1.ReasonRollingOut || !strings.Contains(ready.Message, "its turn to create the Service") {
		t.Errorf("Ready says %s: %s", ready.Reason, ready.Message)
	}
	end()
	if !slices.Equal(*called, []string{"web"}) {
		t.Fatalf("called %v", *called)
	}
	reconcileOnce(t, r, c)
	if err := c.Get(t.Context(), key, &corev1.Service{}); err != nil {
		t.Errorf("the Service, at last: %v", err)
	}
}

func TestARepairDoesNotWaitForItsTurn(t *testing.T) {
	r, c, _, _ := inLine(t)
	web := theApplication(t, c)
	throttled, _ := plan.For(web, &plan.Snapshot{Inputs: resources.Inputs{Application: web}}, plan.LastApplied{})
	for _, step := range throttled {
		if step.NeedsSlot() {
			r.records.of(web).lastApplied.MarkInSync(step.Key(), step.Hash, &corev1.Service{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "1"}})
		}
	}
	reconcileOnce(t, r, c)
	if err := c.Get(t.Context(), app("web"), &corev1.Service{}); err != nil {
		t.Errorf("what served before is not back: %v", err)
	}
}

// TestNothingIsWrittenAgainBeforeTheCacheShowsIt holds that a reconcile waits for the cache to show what was written.
func TestNothingIsWrittenAgainBeforeTheCacheShowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		applies := 0
		r, c := withErrors(t, interceptor.Funcs{Apply: func(
			ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption,
		) error {
			applies++
			return c.Apply(ctx, config, options...)
		}})
		reconcileOnce(t, r, c)
		first := applies
		web := theApplication(t, c)
		web.Spec.Image = "nginx:1.30"
		if err := c.Update(t.Context(), web); err != nil {
			t.Fatal(err)
		}
		result, err := r.Reconcile(t.Context(), webRequest)
		if err != nil || applies != first || result.RequeueAfter != expectations.Timeout {
			t.Errorf("%d applies after %d; it is reconciled again after %s, error %v", applies, first, result.RequeueAfter, err)
		}
		for i := range children.Table { // as the informers do
			observe := r.childChanged(&children.Table[i])
			observe.Create(event.CreateEvent{Object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", ResourceVersion: "1000"}}})
		}
		if _, err := r.Reconcile(t.Context(), webRequest); err != nil || applies != first {
			t.Errorf("the Application's own status is not waited for: %d applies, error %v", applies, err)
		}
		r.applicationObserved().Update(event.UpdateEvent{ObjectNew: theApplication(t, c)})
		if _, err := r.Reconcile(t.Context(), webRequest); err != nil || applies == first {
			t.Errorf("%d applies when all is observed, error %v", applies, err)
		}
	})
}
