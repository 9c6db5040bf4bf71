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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

// added is a queue that notes what is added.
type added struct {
	workQueue
	requests []reconcile.Request
}

func (*added) ShuttingDown() bool { return false }

func (a *added) Add(request reconcile.Request) { a.requests = append(a.requests, request) }

// TestAListThatFailsIsTriedAgain holds that no Application is left asleep because the cache could not list them.
func TestAListThatFailsIsTriedAgain(t *testing.T) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "database"}}
	for name, wake := range map[string]func(context.Context, *ApplicationReconciler){
		"when all are woken": func(_ context.Context, r *ApplicationReconciler) { r.EnqueueAll() },
		"when those are woken that refer to an object": func(ctx context.Context, r *ApplicationReconciler) {
			r.requestsForReferrers(resources.KindSecret)(ctx, secret)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := 2
				r, _ := withErrors(t, interceptor.Funcs{List: func(
					ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption,
				) error {
					if failures > 0 {
						failures--
						return errors.New("the cache is not ready")
					}
					return c.List(ctx, list, options...)
				}})
				to := &added{}
				r.queue.work.Store(new(workQueue(to)))
				wake(t.Context(), r)
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(to.requests) != 1 || to.requests[0].NamespacedName != app("web") {
					t.Errorf("looks at %v, want web once", to.requests)
				}
			})
		})
	}
}

// ended is a queue whose controller has ended.
type ended struct{ workQueue }

func (ended) ShuttingDown() bool { return true }

// TestNobodyIsWokenAfterTheEnd holds that a list is not tried for ever.
func TestNobodyIsWokenAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lists := 0
		r, _ := withErrors(t, interceptor.Funcs{List: func(
			context.Context, client.WithWatch, client.ObjectList, ...client.ListOption,
		) error {
			lists++
			return errors.New("the cache has ended")
		}})
		r.queue.work.Store(new(workQueue(&added{})))
		r.EnqueueAll()
		r.queue.work.Store(new(workQueue(ended{})))
		time.Sleep(time.Minute)
		synctest.Wait()
		if lists != 1 {
			t.Errorf("%d lists, want 1", lists)
		}
	})
}

// unsynced is a source that does not sync before it is given up.
type unsynced struct{ source.SyncingSource }

func (unsynced) WaitForSync(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// stopping is an informer that is stopped at some time.
type stopping struct {
	cache.Informer
	stopped atomic.Bool
}

func (s *stopping) IsStopped() bool { return s.stopped.Load() }

// TestNobodyWaitsForAKindThatIsGone holds that a watch that is waited for while its kind goes is waited for no longer.
func TestNobodyWaitsForAKindThatIsGone(t *testing.T) {
	for name, end := range map[string]func(*ApplicationReconciler, *stopping){
		"with the kind":       func(_ *ApplicationReconciler, informer *stopping) { informer.stopped.Store(true) },
		"with the controller": func(r *ApplicationReconciler, _ *stopping) { r.queue.work.Store(new(workQueue(ended{}))) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, informer := &ApplicationReconciler{}, &stopping{}
				r.queue.work.Store(new(workQueue(&added{})))
				time.AfterFunc(time.Minute, func() { end(r, informer) })
				began := time.Now()
				if r.synced(unsynced{}, informer) || time.Since(began) < time.Minute {
					t.Errorf("it is said to have synced, or given up, after %s", time.Since(began))
				}
			})
		})
	}
}

// TestAFreedNameCallsWhoNeedsIt holds that an Application hears of the end of what is in its way, whether or not its spec tells the name.
func TestAFreedNameCallsWhoNeedsIt(t *testing.T) {
	for name, test := range map[string]struct {
		kind, object, reason string
		want                 bool
	}{
		"a revision of an earlier Application of the name": {children.ControllerRevision, "web-8809fdc370", v1.ReasonChildConflict, true},
		"a Job of the name of a release command's":         {children.Job, "web-release-8809fdc370", v1.ReasonChildConflict, true},
		"a ConfigMap of the name of a release command's":   {resources.KindConfigMap, "web-release.etc", v1.ReasonChildConflict, true},
		"somebody else's, with nothing in the way":         {children.ControllerRevision, "web-8809fdc370", v1.ReasonRolloutComplete, false},
		"one of another name":                              {children.ControllerRevision, "shop-8809fdc370", v1.ReasonChildConflict, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, c := withErrors(t, interceptor.Funcs{})
			web := &v1.Application{}
			if err := c.Get(t.Context(), app("web"), web); err != nil {
				t.Fatal(err)
			}
			web.Status.Conditions = []metav1.Condition{{Type: v1.ConditionReady, Status: metav1.ConditionFalse, Reason: test.reason}}
			if err := c.Status().Update(t.Context(), web); err != nil {
				t.Fatal(err)
			}
			child := children.Of(test.kind)
			gone := child.New()
			gone.SetNamespace("apps")
			gone.SetName(test.object)
			var want []reconcile.Request
			if test.want {
				want = []reconcile.Request{{NamespacedName: app("web")}}
			}
			got := r.requestsForChild(child)(t.Context(), gone)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// laterQueue is a queue that notes what is added, and what is for later.
type laterQueue struct {
	added
	after map[reconcile.Request]time.Duration
}

func (l *laterQueue) AddAfter(request reconcile.Request, after time.Duration) {
	l.after[request] = after
}

// TestItsOwnWriteCallsAnApplicationLater holds that what the operator has just written costs no reconcile of its own, and that what
// others write is looked at without delay.
func TestItsOwnWriteCallsAnApplicationLater(t *testing.T) {
	app := types.NamespacedName{Namespace: "apps", Name: "web"}
	request := reconcile.Request{NamespacedName: app}
	object := func(version string) client.Object {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
			Namespace: app.Namespace, Name: app.Name, ResourceVersion: version, OwnerReferences: []metav1.OwnerReference{
				{APIVersion: v1.GroupVersion.String(), Kind: "Application", Name: app.Name, Controller: new(true)},
			},
		}}
	}
	for name, test := range map[string]struct {
		version string
		during  bool // the reconcile that writes version 10
		waits   bool // for a Service
		result  reconcile.Result
		atOnce  []reconcile.Request
		after   time.Duration
	}{
		"its own":                            {version: "10", after: ownWriteDelay},
		"its own, before it is answered":     {version: "10", during: true, after: ownWriteDelay},
		"its own, where another is due soon": {version: "10", during: true, result: reconcile.Result{RequeueAfter: progressDebounce}},
		"its own, where another is due in the end": {
			version: "10", during: true, result: reconcile.Result{RequeueAfter: time.Hour}, after: ownWriteDelay,
		},
		"its own, while it waits for a Service": {version: "10", waits: true, after: progressDebounceWhileBusy},
		"another's":                             {version: "11", atOnce: []reconcile.Request{request}},
		"another's during the reconcile":        {version: "9", during: true, atOnce: []reconcile.Request{request}},
	} {
		t.Run(name, func(t *testing.T) {
			r := New([]string{app.Namespace})
			told := &laterQueue{after: map[reconcile.Request]time.Duration{}}
			r.queue.work.Store(new(workQueue(told)))
			r.queue.services.waiting = map[types.NamespacedName]bool{app: test.waits}
			see := func() {
				told.requests = append(told.requests, r.requestsForChild(children.Of(children.Deployment))(t.Context(), object(test.version))...)
			}
			r.expectations.Begin(app)
			if test.during {
				see()
			}
			r.expectations.Wrote(app, children.Deployment, "10")
			r.end(app, test.result)
			if !test.during {
				see()
			}
			if diff := cmp.Diff(test.atOnce, told.requests); diff != "" {
				t.Errorf("at once (-want +got):\n%s", diff)
			}
			if got := told.after[request]; got != test.after {
				t.Errorf("after %s, want %s", got, test.after)
			}
		})
	}
}
