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
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// The priorities in the queue: usual is the queue's own default. An Application that has been given a slot comes first, before
// new ones, so that no slot is left unused.
const (
	usual = 0
	ahead = 1
)

// queue is where Applications wait: for a worker in the controller's work queue, which there is once the controller has started, and
// before that, if they are to have a Service created, for a slot.
type queue struct {
	work     atomic.Pointer[workQueue]
	services serviceLimiter
}

type workQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// started reports whether the controller has started. Until then every Application is still to be reconciled.
func (q *queue) started() bool { return q.work.Load() != nil }

// running reports whether the controller has started and has not ended.
func (q *queue) running() bool { return q.started() && !(*q.work.Load()).ShuttingDown() }

// busy reports whether Applications wait for a worker.
func (q *queue) busy() bool { return q.started() && (*q.work.Load()).Len() > 0 }

// add enqueues an Application, if the controller has started.
func (q *queue) add(app types.NamespacedName) {
	if q.started() {
		(*q.work.Load()).Add(reconcile.Request{NamespacedName: app})
	}
}

// addFirst enqueues an Application before others.
func (q *queue) addFirst(app types.NamespacedName) {
	work := *q.work.Load() // there is one: a reconcile is in progress
	request := reconcile.Request{NamespacedName: app}
	if priorities, ok := work.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		priorities.AddWithOpts(priorityqueue.AddOpts{Priority: new(ahead)}, request)
		return
	}
	work.Add(request)
}

// addLater has an Application reconciled after a while, unless something else calls before. It reports whether the controller has
// started.
func (q *queue) addLater(app types.NamespacedName) bool {
	if !q.started() {
		return false
	}
	after := ownWriteDelay
	if waits, _ := q.services.waits(app); waits { // its turn calls it
		after = progressDebounceWhileBusy
	}
	(*q.work.Load()).AddAfter(reconcile.Request{NamespacedName: app}, after)
	return true
}
