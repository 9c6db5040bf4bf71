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

package election

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
)

// stored is a Lease that notes what is written, and fails as it is told.
type stored struct {
	coordinationv1client.LeaseInterface
	lease  *coordinationv1.Lease
	writes int
	// fails is how the next requests fail.
	fails []error
}

func (s *stored) fail() error {
	if len(s.fails) == 0 {
		return nil
	}
	err := s.fails[0]
	s.fails = s.fails[1:]
	return err
}

func (s *stored) Get(context.Context, string, metav1.GetOptions) (*coordinationv1.Lease, error) {
	if err := s.fail(); err != nil {
		return &coordinationv1.Lease{}, err // as the real client does
	}
	return s.lease.DeepCopy(), nil
}

func (s *stored) Create(context.Context, *coordinationv1.Lease, metav1.CreateOptions) (*coordinationv1.Lease, error) {
	return &coordinationv1.Lease{}, s.fail()
}

func (s *stored) Update(_ context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	if err := s.fail(); err != nil {
		return &coordinationv1.Lease{}, err
	}
	s.writes++
	s.lease = lease.DeepCopy()
	return lease, nil
}

// TestRelease has the elector give the Lease back, as it does when it ends: it looks, and then writes that nobody holds it.
func TestRelease(t *testing.T) {
	for holder, want := range map[string]int{"me": 1, "another": 0, "": 0} {
		t.Run("held by "+holder, func(t *testing.T) {
			api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder}}}
			l := newLeases(api, &Options{RetryPeriod: time.Hour}, "me", nil, logr.Discard())
			l.term.renewed(time.Now(), time.Hour, "1")
			lease, err := l.Get(t.Context(), "lease", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			lease.Spec.HolderIdentity = new("")
			if _, err := l.Update(t.Context(), lease, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			if api.writes != want {
				t.Errorf("%d writes, want %d", api.writes, want)
			}
			if l.term.lasts(time.Now()) {
				t.Error("this process still calls itself leader")
			}
		})
	}
}

// TestReleaseAfterConflict: a renewal that was under way lands before the release. The elector looks again and repeats it,
// and finds the Lease as it is, not as the watch, which has been stopped, had it.
func TestReleaseAfterConflict(t *testing.T) {
	me := "me"
	api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &me}}}
	api.lease.ResourceVersion = "2"
	watched := newObjectInformer(nil, "leases", "ns", "lease", make(chan struct{}, 1), logr.Discard())
	stale := api.lease.DeepCopy()
	stale.Namespace, stale.Name, stale.ResourceVersion = "ns", "lease", "1"
	if err := watched.informer.GetStore().Add(stale); err != nil {
		t.Fatal(err)
	}
	l := newLeases(api, &Options{RetryPeriod: time.Hour}, me, watched, logr.Discard())
	l.led = true
	l.term.renewed(time.Now(), time.Hour, "1")
	release := func() error {
		lease, err := l.Get(t.Context(), "lease", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if lease.ResourceVersion != "2" {
			t.Fatalf("the elector sees version %s", lease.ResourceVersion)
		}
		lease.Spec.HolderIdentity = new("")
		_, err = l.Update(t.Context(), lease, metav1.UpdateOptions{})
		return err
	}
	api.fails = []error{nil, apierrors.NewConflict(schema.GroupResource{}, "lease", errors.New("renewed"))}
	if err := release(); !apierrors.IsConflict(err) {
		t.Fatalf("the first release: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if *api.lease.Spec.HolderIdentity != "" {
		t.Errorf("the lease is still held by %s", *api.lease.Spec.HolderIdentity)
	}
}

// TestLeaseGone: somebody deletes the leader's Lease, and it cannot be made again.
func TestLeaseGone(t *testing.T) {
	gone := apierrors.NewNotFound(schema.GroupResource{}, "lease")
	api := &stored{fails: []error{gone, errors.New("forbidden")}}
	l := newLeases(api, &Options{RetryPeriod: time.Hour}, "me", nil, logr.Discard())
	l.term.renewed(time.Now(), time.Hour, "1")
	if _, err := l.Get(t.Context(), "lease", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if l.term.lasts(time.Now()) {
		t.Error("a process without a Lease may write")
	}
	lease, err := l.Create(t.Context(), &coordinationv1.Lease{}, metav1.CreateOptions{})
	if err == nil || lease == nil {
		t.Errorf("Create() = %v, %v; client-go's lock keeps the first and reads it later", lease, err)
	}
}

// TestWoken: a leader that hears that its Lease is not its own any more looks at once. The lock is the program's.
func TestWoken(t *testing.T) {
	options := &Options{Namespace: "ns", ID: "lease", RetryPeriod: time.Hour, LeaseDuration: time.Hour, RenewDeadline: time.Hour}
	id := Identity{text: "me"}
	lock, err := NewLock(&rest.Config{Host: "https://nowhere.invalid"}, options, id, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	l := lock.leases
	api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: new("me")}}}
	l.LeaseInterface = api
	l.sent = time.Now()
	l.term.renewed(l.sent, time.Hour, "2")
	lost := &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: new("another")}}
	for _, version := range []string{"1", "1"} { // of before it led; nobody waits for it to be heard
		lost.ResourceVersion = version
		l.observe(lost)
	}
	if !lock.Leads() {
		t.Error("a Lease of before it led has ended the term")
	}
	if _, err := l.Update(t.Context(), api.lease.DeepCopy(), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if api.writes != 1 {
		t.Errorf("%d renewals, want 1", api.writes)
	}
}

// TestTaken: a leader that hears that somebody has written its Lease after it writes nothing more, before it has asked.
func TestTaken(t *testing.T) {
	for holder, ends := range map[string]bool{"me": false, "another": true, "": true} {
		t.Run("held by "+holder, func(t *testing.T) {
			l := newLeases(&stored{}, &Options{}, "me", nil, logr.Discard())
			l.term.renewed(time.Now(), time.Hour, "9")
			l.observe(&coordinationv1.Lease{
				ObjectMeta: metav1.ObjectMeta{ResourceVersion: "10"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder},
			})
			if l.term.lasts(time.Now()) == ends {
				t.Errorf("it writes on: %t", ends)
			}
		})
	}
}

// TestEndsOnceTaken: who has led ends when it finds another in the Lease, and not when it finds nobody, and may win it back.
func TestEndsOnceTaken(t *testing.T) {
	for holder, want := range map[string]int{"me": 0, "another": 1, "": 0} {
		t.Run("held by "+holder, func(t *testing.T) {
			api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder}}}
			l := newLeases(api, &Options{}, "me", nil, logr.Discard())
			l.led = true
			l.term.renewed(time.Now(), time.Hour, "1")
			if _, err := l.Get(t.Context(), "lease", metav1.GetOptions{}); err != nil {
				t.Fatal(err)
			}
			if len(l.taken) != want {
				t.Errorf("%d words that it is to end, want %d", len(l.taken), want)
			}
		})
	}
}

// TestRenewals: what the elector renews blindly is a retry period apart, and has the time at which it is sent.
func TestRenewals(t *testing.T) {
	const period = 20 * time.Millisecond
	me := "me"
	api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &me}}}
	l := newLeases(api, &Options{RetryPeriod: period, LeaseDuration: time.Minute}, me, nil, logr.Discard())
	l.term.renewed(time.Now(), time.Minute, "1")
	renew := func(ctx context.Context) (time.Time, error) {
		stale := api.lease.DeepCopy()
		stale.Spec.RenewTime = new(metav1.NewMicroTime(time.Unix(0, 0)))
		_, err := l.Update(ctx, stale, metav1.UpdateOptions{})
		return api.lease.Spec.RenewTime.Time, err
	}
	before, err := renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		sent, err := renew(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if apart := sent.Sub(before); apart < period {
			t.Errorf("two renewals are %s apart, want at least %s", apart, period)
		}
		before = sent
	}
	l.options.RetryPeriod = time.Hour
	writes := api.writes
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := renew(over); err != nil {
		t.Errorf("an election that is over has failed: %v", err)
	}
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := renew(late); err == nil {
		t.Error("a renewal that is too late has succeeded")
	}
	if api.writes != writes {
		t.Error("a renewal was sent before its time")
	}
}
