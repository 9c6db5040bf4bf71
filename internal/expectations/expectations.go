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

// Package expectations knows which writes of the operator its cache does not show yet. A reconcile that began before the cache
// shows them would judge by the past: it would write again what it has written, and take its own writes for somebody else's.
// So each reconcile passes one gate, Pending, as in Kubernetes' own controllers (pkg/controller/util/consistency) and in
// Kueue (pkg/util/expectations).
//
// The package makes no requests. It compares resource versions, which is allowed since Kubernetes 1.35 and was possible
// before (decision 0020).
package expectations

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Timeout is how long Pending waits for a write while its informer shows nothing at all. Usually the cache shows a write within
// milliseconds. It never shows one that was made and deleted while the watch was interrupted, and it cannot show one of before a
// backup of etcd was restored. An informer that shows events, and is minutes behind, is waited for.
const Timeout = 30 * time.Second

// Limit is how long Pending waits for a write in any case. Resource versions that have gone back would be waited for without end
// where the informer shows events.
const Limit = 15 * time.Minute

// Store holds, for each Application, the writes that the cache does not show yet, and for each informer the newest resource
// version that it has shown. It holds nothing of an Application that is not being reconciled and whose writes are all
// observed, so it is as large as what is being written. Its methods may be called concurrently.
type Store struct {
	shared bool
	now    func() time.Time

	mu sync.Mutex
	// observed has the newest resource version that each informer has shown, and when it last showed anything.
	observed map[informerKey]versionAt
	// pending has, by kind, the newest write of each Application that the cache does not show, and when it was answered.
	pending map[types.NamespacedName]map[string]versionAt
	// turnedAway has the Applications whose reconcile was told to wait.
	turnedAway map[types.NamespacedName]bool
	// inProgress has the Applications that are being reconciled.
	inProgress map[types.NamespacedName]*passage
}

// passage is one reconcile while it lasts: what it has written, and what the cache has shown of the Application meanwhile. The cache
// may show a write before it is answered.
type passage struct{ wrote, shown []version }

// version is a resource version of an object of a kind.
type version struct{ kind, resourceVersion string }

// informerKey names an informer.
type informerKey struct{ kind, namespace string }

// versionAt is a resource version at a time.
type versionAt struct {
	resourceVersion string
	at              time.Time
}

// NewStore returns an empty Store. With sharedInformers, one informer serves all namespaces; otherwise each kind and namespace
// has one of its own, and their versions are not compared with each other.
func NewStore(sharedInformers bool) *Store {
	return &Store{
		shared: sharedInformers, now: time.Now,
		observed: map[informerKey]versionAt{}, pending: map[types.NamespacedName]map[string]versionAt{},
		turnedAway: map[types.NamespacedName]bool{}, inProgress: map[types.NamespacedName]*passage{},
	}
}

func (s *Store) informer(kind, namespace string) informerKey {
	if s.shared {
		return informerKey{kind: kind}
	}
	return informerKey{kind, namespace}
}

// Wrote records that the API server has answered a write of the Application's object of this kind with this resource version.
// The kind may be the Application's own.
func (s *Store) Wrote(app types.NamespacedName, kind, resourceVersion string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.inProgress[app]; now != nil {
		now.wrote = append(now.wrote, version{kind, resourceVersion})
	}
	if s.isObserved(kind, app.Namespace, resourceVersion) {
		return
	}
	if s.pending[app] == nil {
		s.pending[app] = map[string]versionAt{}
	}
	if before, ok := s.pending[app][kind]; ok && older(resourceVersion, before.resourceVersion) {
		return
	}
	s.pending[app][kind] = versionAt{resourceVersion: resourceVersion, at: s.now()}
}

// Observe records that the informer of the kind has shown this resource version, of an object that belongs to the Application
// of this name. It reports whether the event shows a write of that Application that is pending: then its reconcile waits for it.
// Pending removes such a write. An informer replaces its store before it calls its handlers, also when it lists again.
func (s *Store) Observe(kind string, app types.NamespacedName, resourceVersion string) (awaited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.informer(kind, app.Namespace)
	newest, ok := s.observed[key]
	if !ok || older(newest.resourceVersion, resourceVersion) { // an informer that lists again shows its objects in any order
		newest.resourceVersion = resourceVersion
	}
	newest.at = s.now()
	s.observed[key] = newest
	expected, ok := s.pending[app][kind]
	return ok && !older(resourceVersion, expected.resourceVersion)
}

// Pending returns for how long the Application's reconcile has to wait at most until the cache shows all its writes; 0 if it
// does.
func (s *Store) Pending(app types.NamespacedName) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var longest time.Duration
	for kind, expected := range s.pending[app] {
		idle := expected.at
		if shown := s.observed[s.informer(kind, app.Namespace)].at; shown.After(idle) {
			idle = shown
		}
		wait := min(idle.Add(Timeout).Sub(s.now()), expected.at.Add(Limit).Sub(s.now()))
		if wait <= 0 || s.isObserved(kind, app.Namespace, expected.resourceVersion) {
			delete(s.pending[app], kind)
			continue
		}
		longest = max(longest, wait)
	}
	if len(s.pending[app]) == 0 {
		delete(s.pending, app)
	}
	if longest > 0 {
		s.turnedAway[app] = true
	} else {
		delete(s.turnedAway, app)
	}
	return longest
}

// Call is what an event calls for.
type Call int

// What an event calls for: a reconcile at once, because it may show what is new; one that can wait, because it shows no more than what
// the operator has written itself; or what End says.
const (
	AtOnce Call = iota
	Later
	AtEnd
)

// CallFor returns what the appearance of this resource version calls for, of an object of the kind that belongs to the Application.
func (s *Store) CallFor(kind string, app types.NamespacedName, resourceVersion string) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.inProgress[app]; now != nil {
		now.shown = append(now.shown, version{kind, resourceVersion})
		return AtEnd
	}
	expected, ok := s.pending[app][kind]
	if ok && expected.resourceVersion == resourceVersion && !s.turnedAway[app] {
		return Later
	}
	return AtOnce
}

// Begin records that a reconcile of the Application begins.
func (s *Store) Begin(app types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inProgress[app] = &passage{}
}

// End records that it has ended. It reports whether anything has called for the next one meanwhile, and for what.
func (s *Store) End(app types.NamespacedName) (call Call, called bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := s.inProgress[app]
	delete(s.inProgress, app)
	for _, shown := range ended.shown {
		if !slices.Contains(ended.wrote, shown) {
			return AtOnce, true
		}
	}
	return Later, len(ended.shown) > 0
}

// Clear drops the writes of an Application that does not exist any more.
func (s *Store) Clear(app types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, app)
	delete(s.turnedAway, app)
}

// Len returns how many entries it has: Applications with pending writes, that were told to wait, or that are being reconciled. What
// informers have shown is not in it: that is as much as there are informers.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) + len(s.turnedAway) + len(s.inProgress)
}

// Reset forgets how far the informer of the kind has come, until its next event: resource versions have gone back, as after a
// backup of etcd was restored.
func (s *Store) Reset(kind, namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.observed, s.informer(kind, namespace))
}

func (s *Store) isObserved(kind, namespace, resourceVersion string) bool {
	newest, ok := s.observed[s.informer(kind, namespace)]
	return ok && !older(newest.resourceVersion, resourceVersion)
}

// older reports whether a is an older resource version than b. Of versions that cannot be compared, none is older: nothing is
// waited for.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}
