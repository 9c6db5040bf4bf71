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

package expectations

import (
	"cmp"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var (
	web   = types.NamespacedName{Namespace: "apps", Name: "web"}
	other = types.NamespacedName{Namespace: "apps", Name: "other"}
)

const kind = "Deployment"

// clocked returns a Store and its clock.
func clocked(shared bool) (*Store, *time.Time) {
	s, now := NewStore(shared), time.Unix(1000, 0)
	s.now = func() time.Time { return now }
	return s, &now
}

func TestAWriteIsPendingUntilItIsObserved(t *testing.T) {
	s, _ := clocked(false)
	if s.Pending(web) != 0 {
		t.Error("something is pending that was not written")
	}
	s.Observe(kind, web, "9")
	s.Wrote(web, kind, "10")
	for _, seen := range []string{"8", "9"} {
		if s.Observe(kind, web, seen) {
			t.Errorf("%s is awaited", seen)
		}
		if got := s.Pending(web); got != Timeout {
			t.Errorf("after %s, it waits for %s", seen, got)
		}
	}
	if s.Pending(other) != 0 {
		t.Error("another Application waits")
	}
	if !s.Observe(kind, web, "10") {
		t.Error("the event of the write is not awaited")
	}
	if s.Pending(web) != 0 || s.Observe(kind, web, "11") {
		t.Error("it is still pending")
	}
	if len(s.pending) != 0 {
		t.Errorf("it is kept: %v", s.pending)
	}
}

func TestAnotherObjectsEventShowsHowFarTheCacheHasCome(t *testing.T) {
	s, _ := clocked(false)
	s.Wrote(web, kind, "10")
	s.Observe(kind, other, "11")
	if s.Pending(web) != 0 {
		t.Error("it is pending")
	}
	s.Wrote(web, kind, "11") // a write that has changed nothing, or whose event was quicker than its answer
	if len(s.pending) != 0 {
		t.Errorf("it is kept: %v", s.pending)
	}
}

func TestInformersAreToldApart(t *testing.T) {
	for _, shared := range []bool{false, true} {
		s, _ := clocked(shared)
		s.Wrote(web, kind, "10")
		s.Observe("Service", web, "20")
		if s.Pending(web) == 0 {
			t.Error("another kind's event counts")
		}
		s.Observe(kind, types.NamespacedName{Namespace: "elsewhere", Name: "web"}, "20")
		if got := s.Pending(web) == 0; got != shared {
			t.Errorf("with shared informers %t, another namespace's event counts: %t", shared, got)
		}
	}
}

func TestTheNewestWriteCounts(t *testing.T) {
	s, _ := clocked(false)
	s.Wrote(web, kind, "12")
	s.Wrote(web, kind, "10") // the answers of two objects of a kind come in any order
	s.Observe(kind, web, "10")
	if s.Pending(web) == 0 {
		t.Error("the older write's event is enough")
	}
	s.Observe(kind, web, "12")
	s.Observe(kind, web, "3") // an informer that lists again
	s.Wrote(web, kind, "11")
	if s.Pending(web) != 0 {
		t.Error("the informer is taken for older than it was")
	}
}

func TestNothingIsWaitedForWithoutEnd(t *testing.T) {
	s, now := clocked(false)
	s.Observe(kind, web, "9")
	s.Wrote(web, kind, "10")
	*now = now.Add(Timeout - time.Second)
	if got := s.Pending(web); got != time.Second {
		t.Errorf("it waits for %s", got)
	}
	s.Observe(kind, other, "9") // it is behind, and shows something
	*now = now.Add(Timeout - time.Second)
	if got := s.Pending(web); got != time.Second {
		t.Errorf("with an informer that is behind, it waits for %s", got)
	}
	*now = now.Add(time.Second)
	if s.Pending(web) != 0 || len(s.pending) != 0 {
		t.Error("it still waits")
	}
}

// TestABusyInformerIsNotWaitedForWithoutEnd is about a write of before a backup of etcd was restored.
func TestABusyInformerIsNotWaitedForWithoutEnd(t *testing.T) {
	s, now := clocked(false)
	s.Wrote(web, kind, "1000")
	began := *now
	for s.Pending(web) > 0 && now.Sub(began) < 2*Limit {
		s.Observe(kind, other, "9")
		*now = now.Add(time.Second)
	}
	if waited := now.Sub(began); waited != Limit {
		t.Errorf("it was waited for %s, want %s", waited, Limit)
	}
}

func TestResourceVersionsThatGoBack(t *testing.T) {
	s, _ := clocked(false)
	s.Observe(kind, web, "100")
	s.Wrote(web, kind, "50")
	if s.Pending(web) != 0 {
		t.Error("it waits for a version of the past")
	}
	s.Reset(kind, "apps")
	s.Wrote(web, kind, "50")
	if s.Pending(web) == 0 {
		t.Error("it does not wait after a reset")
	}
	s.Clear(web)
	if s.Pending(web) != 0 {
		t.Error("it waits for an Application that is gone")
	}
}

// TestVersionsThatCannotBeCompared holds that they hold nobody up: of an API that is not served from etcd, for example.
func TestVersionsThatCannotBeCompared(t *testing.T) {
	s, _ := clocked(false)
	s.Observe(kind, web, "opaque")
	s.Wrote(web, kind, "more-opaque")
	if s.Pending(web) != 0 {
		t.Error("it waits")
	}
}

func TestAnEventThatShowsAWriteOfOursCallsLater(t *testing.T) {
	for name, test := range map[string]struct {
		before  func(s *Store)
		version string
		want    Call
	}{
		"the write itself":                    {want: Later},
		"a newer version":                     {version: "11", want: AtOnce},
		"another Application's":               {before: func(s *Store) { s.Clear(web); s.Wrote(other, kind, "10") }, want: AtOnce},
		"while a reconcile waits to see it":   {before: func(s *Store) { s.Pending(web) }, want: AtOnce},
		"during the reconcile that writes it": {before: func(s *Store) { s.Begin(web) }, want: AtEnd},
		"after that reconcile": {before: func(s *Store) {
			s.Begin(web)
			s.End(web)
		}, want: Later},
		"when it has been seen": {before: func(s *Store) {
			s.Observe(kind, web, "10")
			s.Pending(web)
		}, want: AtOnce},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := clocked(false)
			s.Wrote(web, kind, "10")
			if test.before != nil {
				test.before(s)
			}
			if got := s.CallFor(kind, web, cmp.Or(test.version, "10")); got != test.want {
				t.Errorf("it calls %v, want %v", got, test.want)
			}
		})
	}
}

func TestWhatIsSeenDuringAReconcileCallsAtItsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		shown, wrote []string
		want         Call
		called       bool
	}{
		"nothing":                              {wrote: []string{"10"}, want: Later},
		"its own write, before it is answered": {shown: []string{"10"}, wrote: []string{"10"}, want: Later, called: true},
		"what somebody else wrote":             {shown: []string{"9"}, wrote: []string{"10"}, want: AtOnce, called: true},
		"both":                                 {shown: []string{"10", "11"}, wrote: []string{"10"}, want: AtOnce, called: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := clocked(false)
			s.Begin(web)
			for _, version := range test.shown {
				if got := s.CallFor(kind, web, version); got != AtEnd {
					t.Errorf("%s calls %v, want %v", version, got, AtEnd)
				}
				s.Observe(kind, web, version)
			}
			for _, version := range test.wrote {
				s.Wrote(web, kind, version)
			}
			call, called := s.End(web)
			if call != test.want || called != test.called {
				t.Errorf("it calls %v, %t, want %v, %t", call, called, test.want, test.called)
			}
			s.Clear(web)
			if len(s.inProgress)+len(s.turnedAway)+len(s.pending) != 0 {
				t.Errorf("it is kept: %v, %v, %v", s.inProgress, s.turnedAway, s.pending)
			}
		})
	}
}
