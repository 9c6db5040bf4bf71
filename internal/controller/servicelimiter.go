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
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// maxServices is how many Services are created at a time. The API server allocates addresses one after the other, so that more
// would wait for each other there, and each with a worker; a few keep it busy.
const maxServices = 4

// serviceLimiter gives out the slots in which Services are created, to those Applications first that have waited longest. An
// Application that waits occupies no worker: it is enqueued when a slot has been given to it (decision 0016).
type serviceLimiter struct {
	mu sync.Mutex
	// acquired holds the Applications that have a slot, and whether they have used it.
	acquired map[types.NamespacedName]bool
	// waiters are the Applications that wait, in their order; waiting holds the same.
	waiters []types.NamespacedName
	waiting map[types.NamespacedName]bool
	// addFirst enqueues an Application before others.
	addFirst func(types.NamespacedName)
}

// begin records that a reconcile begins. The function it returns records its end, and releases the slot that the Application had
// at the beginning, whether or not it was used. A slot that is given to the Application meanwhile is for its next reconcile.
func (l *serviceLimiter) begin(app types.NamespacedName) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, had := l.acquired[app]
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if had || l.acquired[app] {
			l.pass(app)
		}
	}
}

// tryAcquire reports whether the Application has a slot. If it has none, it waits for one.
func (l *serviceLimiter) tryAcquire(app types.NamespacedName) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acquired == nil {
		l.acquired, l.waiting = map[types.NamespacedName]bool{}, map[types.NamespacedName]bool{}
	}
	if _, taken := l.acquired[app]; taken || len(l.acquired) < maxServices {
		l.acquired[app] = true
		return true
	}
	if !l.waiting[app] {
		l.waiting[app] = true
		l.waiters = append(l.waiters, app)
	}
	return false
}

// release gives back the slot of an Application.
func (l *serviceLimiter) release(app types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass(app)
}

// pass gives the Application's slot to the one that has waited longest.
func (l *serviceLimiter) pass(app types.NamespacedName) {
	delete(l.acquired, app)
	for len(l.acquired) < maxServices && len(l.waiters) > 0 {
		next := l.waiters[0]
		l.waiters = l.waiters[1:]
		delete(l.waiting, next)
		l.acquired[next] = false
		l.addFirst(next)
	}
}

// leave removes an Application that does not exist any more from the waiters.
func (l *serviceLimiter) leave(app types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.waiting[app] {
		return
	}
	delete(l.waiting, app)
	l.waiters = slices.DeleteFunc(l.waiters, func(waits types.NamespacedName) bool { return waits == app })
}

// waits reports whether the Application waits for a slot, and whether any does.
func (l *serviceLimiter) waits(app types.NamespacedName) (itself, anybody bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting[app], len(l.waiters) > 0
}

// len returns how many Applications have a slot or wait for one.
func (l *serviceLimiter) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acquired) + len(l.waiters)
}
