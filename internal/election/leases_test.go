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
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// stored is a Lease that notes what is written.
type stored struct {
	coordinationv1client.LeaseInterface
	lease  *coordinationv1.Lease
	writes int
}

func (s *stored) Get(context.Context, string, metav1.GetOptions) (*coordinationv1.Lease, error) {
	return s.lease.DeepCopy(), nil
}

func (s *stored) Update(_ context.Context, lease *coordinationv1.Lease, _ metav1.UpdateOptions) (*coordinationv1.Lease, error) {
	s.writes++
	s.lease = lease.DeepCopy()
	return lease, nil
}

// TestRelease has the elector give the Lease back, as it does when it ends: it looks, and then writes that nobody holds it.
func TestRelease(t *testing.T) {
	for holder, want := range map[string]int{"me": 1, "another": 0, "": 0} {
		t.Run("held by "+holder, func(t *testing.T) {
			api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder}}}
			l := &leases{LeaseInterface: api, options: &Options{RetryPeriod: time.Hour}, me: "me", term: &term{}}
			l.term.renewed(time.Now(), time.Hour)
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

// TestRenewals: what the elector renews blindly is a retry period apart, and bears the time at which it is sent.
func TestRenewals(t *testing.T) {
	const period = 20 * time.Millisecond
	me := "me"
	api := &stored{lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &me}}}
	l := &leases{LeaseInterface: api, options: &Options{RetryPeriod: period, LeaseDuration: time.Minute}, me: me, term: &term{}}
	l.term.renewed(time.Now(), time.Minute)
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
