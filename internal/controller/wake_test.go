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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/example/app-operator/internal/resources"
)

// added is a queue that notes what is added.
type added struct {
	queue
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
				r.queue.Store(new(queue(to)))
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
type ended struct{ queue }

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
		r.queue.Store(new(queue(&added{})))
		r.EnqueueAll()
		r.queue.Store(new(queue(ended{})))
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
		"with the controller": func(r *ApplicationReconciler, _ *stopping) { r.queue.Store(new(queue(ended{}))) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, informer := &ApplicationReconciler{}, &stopping{}
				r.queue.Store(new(queue(&added{})))
				time.AfterFunc(time.Minute, func() { end(r, informer) })
				began := time.Now()
				if r.synced(unsynced{}, informer) || time.Since(began) < time.Minute {
					t.Errorf("it is said to have synced, or given up, after %s", time.Since(began))
				}
			})
		})
	}
}
