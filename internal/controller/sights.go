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
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// expectationTimeout is how long the cache is waited for to show what was written. Usually it takes milliseconds, and the event that
// shows it brings the next pass. Only what was written and deleted while a watch was interrupted has no such event.
const expectationTimeout = 30 * time.Second

// sights are how far the caches have come: the newest resource version of each kind and namespace of which there was an
// event. A cache is never older than its events. The zero value is ready.
type sights struct {
	// together says that one watch of a kind serves all namespaces, which are then not told apart: namespaces come and go.
	together bool

	mu    sync.Mutex
	known map[sight]string
}

// sight is what has its own watch: with several namespaces, a kind has several.
type sight struct{ kind, namespace string }

func (s *sights) sight(kind, namespace string) sight {
	if s.together {
		return sight{kind: kind}
	}
	return sight{kind, namespace}
}

// of returns a predicate that passes every event of the kind, and notes how far the cache has come.
func (s *sights) of(kind string) predicate.Predicate {
	return predicate.NewPredicateFuncs(func(object client.Object) bool {
		s.note(s.sight(kind, object.GetNamespace()), object.GetResourceVersion())
		return true
	})
}

func (s *sights) note(at sight, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[sight]string{}
	}
	if newest, seen := s.known[at]; seen {
		if order, err := resourceversion.CompareResourceVersion(version, newest); err != nil || order < 0 {
			return // a cache that is filled anew tells in any order
		}
	}
	s.known[at] = version
}

// newest returns the newest version that the cache has shown of the kind in the namespace, or "" if it has shown none.
func (s *sights) newest(kind, namespace string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[s.sight(kind, namespace)]
}

// forget drops what is known of the kind in the namespace, until the next event.
func (s *sights) forget(kind, namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, s.sight(kind, namespace))
}
