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
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

func TestBindFlags(t *testing.T) {
	defaults := Options{
		ID: "app-operator-leader", LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		FastTakeover: true,
	}
	cases := []struct {
		name string
		args []string
		want Options
	}{
		{name: "defaults", want: defaults},
		{
			name: "all given",
			args: []string{
				"--leader-elect", "--leader-election-id=x", "--leader-election-namespace=ns",
				"--leader-election-lease-duration=60s", "--leader-election-renew-deadline=40s", "--leader-election-retry-period=5s",
				"--leader-election-fast-takeover=false",
			},
			want: Options{
				Enabled: true, ID: "x", Namespace: "ns",
				LeaseDuration: time.Minute, RenewDeadline: 40 * time.Second, RetryPeriod: 5 * time.Second,
			},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var got Options
			fs := flag.NewFlagSet("test", flag.ContinueOnError)
			fs.SetOutput(io.Discard)
			got.BindFlags(fs)
			if err := fs.Parse(tc.args); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	cases := []struct {
		name string
		edit func(*Options)
		// complaints are the lines of the error, each given by the parts it must contain.
		complaints [][]string
	}{
		{name: "as bound, in a pod", edit: func(*Options) {}},
		{name: "disabled outside a pod", edit: func(o *Options) { o.Enabled, o.Namespace = false, "" }},
		{
			name: "enabled outside a pod", edit: func(o *Options) { o.Namespace = "" },
			complaints: [][]string{{"--leader-election-namespace", "is empty", "give the namespace"}},
		},
		{
			name: "namespace is no label", edit: func(o *Options) { o.Namespace = "a.b" },
			complaints: [][]string{{`--leader-election-namespace="a.b"`, "name of a namespace", "lower-case"}},
		},
		{
			name: "a bad namespace is refused even when disabled",
			edit: func(o *Options) { o.Enabled, o.Namespace = false, "A" },
			complaints: [][]string{
				{`--leader-election-namespace="A"`},
			},
		},
		{
			name: "id is no name", edit: func(o *Options) { o.ID = "My Leader" },
			complaints: [][]string{{`--leader-election-id="My Leader"`, "name of a Lease"}},
		},
		{
			name: "id is empty", edit: func(o *Options) { o.ID = "" },
			complaints: [][]string{{`--leader-election-id=""`, "name of a Lease"}},
		},
		{name: "id with dots", edit: func(o *Options) { o.ID = "leader.apps.example.com" }},
		{
			name: "lease equals renew", edit: func(o *Options) { o.LeaseDuration = 10 * time.Second },
			complaints: [][]string{{"--leader-election-lease-duration=10s", "must be above --leader-election-renew-deadline (10s)"}},
		},
		{
			name: "lease below renew", edit: func(o *Options) { o.LeaseDuration = 9 * time.Second },
			complaints: [][]string{{"--leader-election-lease-duration=9s", "must be above --leader-election-renew-deadline (10s)"}},
		},
		{name: "lease just above renew", edit: func(o *Options) { o.LeaseDuration = 11 * time.Second }},
		{
			name: "lease not in whole seconds", edit: func(o *Options) { o.LeaseDuration = 11500 * time.Millisecond },
			complaints: [][]string{{"--leader-election-lease-duration=11.5s", "whole seconds"}},
		},
		{
			name: "renew equals 1.2 x retry",
			edit: func(o *Options) { o.RenewDeadline, o.RetryPeriod = 6*time.Second, 5*time.Second },
			complaints: [][]string{
				{"--leader-election-renew-deadline=6s", "must be above 1.2 x --leader-election-retry-period (1.2 x 5s = 6s)"},
			},
		},
		{name: "renew just above 1.2 x retry", edit: func(o *Options) { o.RenewDeadline, o.RetryPeriod = 6001*time.Millisecond, 5*time.Second }},
		{
			name: "zero retry", edit: func(o *Options) { o.RetryPeriod = 0 },
			complaints: [][]string{{"--leader-election-retry-period=0s", "must be 100ms or more"}},
		},
		{
			name: "negative retry", edit: func(o *Options) { o.RetryPeriod = -time.Second },
			complaints: [][]string{{"--leader-election-retry-period=-1s", "must be 100ms or more"}},
		},
		{
			name: "everything at once",
			edit: func(o *Options) {
				*o = Options{Enabled: true, ID: "/", Namespace: "_", LeaseDuration: time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 3 * time.Second}
			},
			complaints: [][]string{
				{`--leader-election-id="/"`},
				{`--leader-election-namespace="_"`},
				{"--leader-election-lease-duration=1s", "(2s)"},
				{"--leader-election-renew-deadline=2s", "(1.2 x 3s = 3.6s)"},
			},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			o := Options{
				Enabled: true, ID: DefaultID, Namespace: "operators",
				LeaseDuration: DefaultLeaseDuration, RenewDeadline: DefaultRenewDeadline, RetryPeriod: DefaultRetryPeriod,
			}
			tc.edit(&o)
			err := o.Validate()
			if len(tc.complaints) == 0 {
				if err != nil {
					t.Fatalf("Validate() = %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("Validate() = nil, want an error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.complaints) {
				t.Fatalf("%d complaints, want %d:\n%v", len(lines), len(tc.complaints), err)
			}
			for i, parts := range tc.complaints {
				for _, part := range parts {
					if !strings.Contains(lines[i], part) {
						t.Errorf("complaint %d lacks %q: %s", i, part, lines[i])
					}
				}
			}
		})
	}
}

func TestApply(t *testing.T) {
	cases := []struct {
		name                       string
		lease, renew, retry        time.Duration
		wantDeadline, wantAttempts time.Duration
	}{
		{
			name: "the defaults", lease: DefaultLeaseDuration, renew: DefaultRenewDeadline, retry: DefaultRetryPeriod,
			wantDeadline: 12 * time.Second, wantAttempts: attempt,
		},
		{
			name: "a deadline that ends with the lease", lease: 11 * time.Second, renew: 10 * time.Second, retry: 2 * time.Second,
			wantDeadline: 11*time.Second - time.Millisecond, wantAttempts: attempt,
		},
		{
			name: "the shortest", lease: time.Second, renew: 500 * time.Millisecond, retry: attempt,
			wantDeadline: 600 * time.Millisecond, wantAttempts: attempt,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			o := Options{
				Enabled: true, ID: "id", Namespace: "ns", LeaseDuration: tc.lease, RenewDeadline: tc.renew, RetryPeriod: tc.retry,
			}
			lock := &resourcelock.LeaseLock{}
			var got manager.Options
			o.Apply(&got, lock)
			if !got.LeaderElection || got.LeaderElectionID != "id" || got.LeaderElectionNamespace != "ns" {
				t.Errorf("election = %t %q in %q", got.LeaderElection, got.LeaderElectionID, got.LeaderElectionNamespace)
			}
			if got.LeaderElectionResourceLockInterface != resourcelock.Interface(lock) {
				t.Error("the election is not held over the lock")
			}
			if !got.LeaderElectionReleaseOnCancel {
				t.Error("the lease is not released when the manager stops")
			}
			if *got.LeaseDuration != tc.lease || *got.RenewDeadline != tc.wantDeadline || *got.RetryPeriod != tc.wantAttempts {
				t.Errorf("durations = %s %s %s, want %s %s %s", *got.LeaseDuration, *got.RenewDeadline, *got.RetryPeriod,
					tc.lease, tc.wantDeadline, tc.wantAttempts)
			}
		})
	}
}
