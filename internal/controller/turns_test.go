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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

func app(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "apps", Name: name}
}

// newTurns returns turns, and whom they have called.
func newTurns() (*turns, *[]string) {
	var called []string
	return &turns{call: func(app types.NamespacedName) { called = append(called, app.Name) }}, &called
}

// fill has others take all turns, and returns who they are.
func (t *turns) fill() []types.NamespacedName {
	var others []types.NamespacedName
	for i := range maxTurns {
		others = append(others, app(fmt.Sprintf("other-%d", i)))
		t.take(others[i])
	}
	return others
}

func TestTurns(t *testing.T) {
	turns, called := newTurns()
	check := func(when string, want ...string) {
		t.Helper()
		if !slices.Equal(*called, want) {
			t.Errorf("%s: called %v, want %v", when, *called, want)
		}
	}
	if !turns.take(app("a")) {
		t.Error("the first has to wait for nobody")
	}
	turns.end(app("a"))
	others := turns.fill()
	for _, later := range []string{"c", "d", "c"} {
		if turns.take(app(later)) {
			t.Errorf("%s does not wait for the others", later)
		}
	}
	if itself, anybody := turns.waits(others[0]); itself || !anybody {
		t.Errorf("one of the others waits: %v, anybody: %v", itself, anybody)
	}
	if itself, _ := turns.waits(app("c")); !itself {
		t.Error("c does not wait")
	}
	check("while all turns are taken")
	turns.end(others[0])
	check("after the first", "c")
	turns.end(others[0])
	check("one turn ends once", "c")
	if turns.take(app("e")) {
		t.Error("e takes what is c's")
	}
	if !turns.take(app("c")) {
		t.Error("c was called and has no turn")
	}
	turns.end(app("c"))
	turns.end(others[1])
	check("in the order in which they came", "c", "d", "e")
}

func TestATurnEndsWithItsPass(t *testing.T) {
	turns, called := newTurns()
	r := &ApplicationReconciler{}
	r.turns.call = turns.call
	pass := func(name string, does func()) {
		t.Helper()
		inner := reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			does()
			return reconcile.Result{}, nil
		})
		if _, err := r.inTurn(inner).Reconcile(t.Context(), reconcile.Request{NamespacedName: app(name)}); err != nil {
			t.Fatal(err)
		}
	}
	others := r.turns.fill()
	waits := func(name string) { pass(name, func() { r.turns.take(app(name)) }) }
	waits("c")
	waits("d")
	r.turns.end(others[0])
	pass("e", func() {
		r.turns.take(app("e"))
		r.turns.end(others[1])
		pass("c", func() { r.turns.end(app("c")) })
	})
	if want := []string{"c", "d", "e"}; !slices.Equal(*called, want) {
		t.Fatalf("called %v, want %v", *called, want)
	}
	if r.turns.take(app("f")) {
		t.Error("a turn is lost that came in a pass which could not use it any more")
	}
	pass("d", func() {}) // it is gone, or has no use for its turn any more
	if want := []string{"c", "d", "e", "f"}; !slices.Equal(*called, want) {
		t.Errorf("called %v, want %v", *called, want)
	}
}

// TestAPriorityIsOfOnePass holds that an Application that was called up, or that was only listed at the start, is looked at
// again like any other.
func TestAPriorityIsOfOnePass(t *testing.T) {
	for name, outcome := range map[string]struct {
		result reconcile.Result
		err    error
	}{
		"that comes back later": {result: reconcile.Result{RequeueAfter: 1}},
		"that failed":           {err: errors.New("no answer")},
	} {
		t.Run(name, func(t *testing.T) {
			r := &ApplicationReconciler{}
			result, err := r.inTurn(reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
				return outcome.result, outcome.err
			})).Reconcile(t.Context(), reconcile.Request{NamespacedName: app("web")})
			if !errors.Is(err, outcome.err) || result.RequeueAfter != outcome.result.RequeueAfter {
				t.Errorf("result %v, error %v", result, err)
			}
			if result.Priority == nil || *result.Priority != 0 { // without one, the queue keeps that of the pass
				t.Errorf("comes back with priority %v, want 0", result.Priority)
			}
		})
	}
}

// inLine returns a reconciler whose turns are taken by others, and a function that ends the turn of one of them.
func inLine(t *testing.T) (r *ApplicationReconciler, c client.Client, called *[]string, end func()) {
	t.Helper()
	r, c = withErrors(t, interceptor.Funcs{})
	turns, called := newTurns()
	r.turns.call = turns.call
	others := r.turns.fill()
	return r, c, called, func() { r.turns.end(others[0]) }
}

func reconcileOnce(t *testing.T, r *ApplicationReconciler, c client.Client) reconcile.Result {
	t.Helper()
	result, err := r.Reconcile(t.Context(), theApplication(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestADeploymentDoesNotWaitForOthersServices(t *testing.T) {
	synctest.Test(t, aDeploymentDoesNotWait)
}

func aDeploymentDoesNotWait(t *testing.T) {
	r, c, called, end := inLine(t)
	if result := reconcileOnce(t, r, c); result.RequeueAfter != expectationTimeout {
		t.Errorf("looks again after %s; it is called, and what it wrote should be seen after %s", result.RequeueAfter, expectationTimeout)
	}
	key := app("web")
	if err := c.Get(t.Context(), key, &appsv1.Deployment{}); err != nil {
		t.Errorf("the Deployment: %v", err)
	}
	if err := c.Get(t.Context(), key, &corev1.Service{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the Service: %v, want none yet", err)
	}
	ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
	if ready.Reason != v1.ReasonRollingOut || !strings.Contains(ready.Message, "its turn to get a Service") {
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
	at := slices.IndexFunc(children, func(child child) bool { return child.throttled })
	config, err := children[at].build(resources.Inputs{Application: web})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := desiredHash(config)
	if err != nil {
		t.Fatal(err)
	}
	r.memory.of(web).isRight(children[at].kind, sum, serviceIn("1")) // until somebody deleted it
	reconcileOnce(t, r, c)
	if err := c.Get(t.Context(), app("web"), &corev1.Service{}); err != nil {
		t.Errorf("what served before is not back: %v", err)
	}
}

// TestANewServiceIsSeenBeforeTheCacheShowsIt holds that what was made is neither made again nor missed.
func TestANewServiceIsSeenBeforeTheCacheShowsIt(t *testing.T) {
	synctest.Test(t, aNewServiceIsSeen)
}

func aNewServiceIsSeen(t *testing.T) {
	applies := 0
	r, c := withErrors(t, interceptor.Funcs{
		Get: func(
			ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption,
		) error {
			if _, ok := object.(*corev1.Service); ok {
				return apierrors.NewNotFound(schema.GroupResource{Resource: "services"}, key.Name)
			}
			return c.Get(ctx, key, object, options...)
		},
		Apply: func(
			ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption,
		) error {
			if _, ok := config.(*corev1ac.ServiceApplyConfiguration); ok {
				applies++
			}
			return c.Apply(ctx, config, options...)
		},
	})
	check := func(when string, wantApplies int) {
		t.Helper()
		if result := reconcileOnce(t, r, c); result.RequeueAfter != expectationTimeout {
			t.Errorf("%s it is looked at again after %s, want %s", when, result.RequeueAfter, expectationTimeout)
		}
		if got := theApplication(t, c).Status.URL; got != "http://web.apps.svc" {
			t.Errorf("%s the URL is %q: another pass would have to write the status again", when, got)
		}
		if waits, _ := r.turns.waits(app("web")); waits {
			t.Errorf("%s it waits for what it has", when)
		}
		if applies != wantApplies {
			t.Errorf("%s it has been applied %d times, want %d", when, applies, wantApplies)
		}
	}
	check("in its own turn", 1)
	r.turns.fill()
	check("when others have all turns", 1)
	r.sights.note(sight{"Service", "apps"}, "1")
	check("when the cache has shown it, and it is gone,", 2)
}
