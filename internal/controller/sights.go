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

// maxLag is how long a pass leaves a child alone that it has written and that the cache does not show. Usually it takes
// milliseconds, and the event that ends it brings the next pass. Only what was made and deleted while a watch was
// interrupted has no event.
const maxLag = 30 * time.Second

// sights are how far the caches have come: the newest resource version of each kind of which there was an event. The cache
// is never older than its events. The zero value is ready.
type sights struct {
	mu     sync.Mutex
	newest map[string]string
}

// of returns a predicate that passes every event of the kind and notes how far the cache has come.
func (s *sights) of(kind string) predicate.Predicate {
	return predicate.NewPredicateFuncs(func(object client.Object) bool {
		s.note(kind, object.GetResourceVersion())
		return true
	})
}

func (s *sights) note(kind, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil {
		s.newest = map[string]string{}
	}
	if newest, seen := s.newest[kind]; seen {
		if order, err := resourceversion.CompareResourceVersion(version, newest); err != nil || order < 0 {
			return // events of a cache that starts anew come in any order
		}
	}
	s.newest[kind] = version
}

// version returns the version in which the cache shows a child: the child's own, or, if it shows none, the newest of the
// kind; "" if it has shown nothing of the kind.
func (s *sights) version(kind string, live client.Object) string {
	if live != nil {
		return live.GetResourceVersion()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest[kind]
}
