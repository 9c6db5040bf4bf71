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
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// maxTurns is how many Applications get a Service at a time. The API server gives one Service at a time its address, so
// that more would wait for each other there, and each with a worker; a few keep it busy.
const maxTurns = 4

// The priorities in the queue: usual is the queue's own default, and ahead that of an Application whose turn has come, before
// what is new, so that no turn is left unused.
const (
	usual = 0
	ahead = 1
)

// turns decides whose turn it is to have made what the API server makes one at a time. Whoever has to wait gives up the
// worker, and is looked at again when the turn has come. Its zero value is ready; nothing waits before the first turn.
type turns struct {
	mu sync.Mutex
	// taken are those whose turn it is: whether they have used it.
	taken map[types.NamespacedName]bool
	// line are those who wait, the first first, and inLine the same.
	line   []types.NamespacedName
	inLine map[types.NamespacedName]bool
	// call has an Application looked at soon.
	call func(types.NamespacedName)
}

// begin notes that a pass begins. The function it returns notes the pass's end, which ends a turn, whether or not the
// pass had a use for it. A turn that comes during a pass which is not its own is for the next pass.
func (t *turns) begin(app types.NamespacedName) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, had := t.taken[app]
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if had || t.taken[app] {
			t.pass(app)
		}
	}
}

// take reports whether it is the Application's turn. If it is not, the Application waits for it.
func (t *turns) take(app types.NamespacedName) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == nil {
		t.taken, t.inLine = map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}
	}
	if _, taken := t.taken[app]; taken || len(t.taken) < maxTurns {
		t.taken[app] = true
		return true
	}
	if !t.inLine[app] {
		t.inLine[app] = true
		t.line = append(t.line, app)
	}
	return false
}

// end ends the turn of an Application that has used it.
func (t *turns) end(app types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass(app)
}

// pass passes the Application's turn on to those who have waited longest.
func (t *turns) pass(app types.NamespacedName) {
	delete(t.taken, app)
	for len(t.taken) < maxTurns && len(t.line) > 0 {
		next := t.line[0]
		t.line = t.line[1:]
		delete(t.inLine, next)
		t.taken[next] = false
		t.call(next)
	}
}

// leave takes an Application that does not exist any more out of the line.
func (t *turns) leave(app types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.inLine[app] {
		return
	}
	delete(t.inLine, app)
	t.line = slices.DeleteFunc(t.line, func(waits types.NamespacedName) bool { return waits == app })
}

// waits reports whether the Application waits for its turn, and whether any does.
func (t *turns) waits(app types.NamespacedName) (itself, anybody bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inLine[app], len(t.line) > 0
}

// inTurn returns a reconciler that ends turns with their passes, also of Applications that are gone. The priority with which
// an Application came to its pass is not that of its next one: else one that was called up would be ahead for ever, and one
// that was listed at the start behind.
func (r *ApplicationReconciler) inTurn(inner reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		defer r.turns.begin(request.NamespacedName)()
		result, err := inner.Reconcile(ctx, request)
		result.Priority = new(usual)
		return result, err
	})
}

// reconcileNamed is Reconcile for the name of an Application, which may not exist any more.
func (r *ApplicationReconciler) reconcileNamed(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	app := &v1.Application{}
	err := r.Client.Get(ctx, request.NamespacedName, app)
	if apierrors.IsNotFound(err) {
		r.memory.forget(request.NamespacedName)
		r.turns.leave(request.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read the Application: %w", err)
	}
	return r.Reconcile(ctx, app)
}

// callUp has an Application looked at before others.
func (r *ApplicationReconciler) callUp(app types.NamespacedName) {
	queue := *r.queue.Load() // there is one: a pass is under way
	request := reconcile.Request{NamespacedName: app}
	if priorities, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		priorities.AddWithOpts(priorityqueue.AddOpts{Priority: new(ahead)}, request)
		return
	}
	queue.Add(request)
}

// notYet says that the Application waits for its turn to have the child.
func notYet(child child) error {
	return &outcome.Waiting{
		Reason:  v1.ReasonRollingOut,
		Message: "Waiting for its turn to get a " + child.kind + ", of which the API server makes one at a time",
	}
}
