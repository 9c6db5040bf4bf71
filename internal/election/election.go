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

// Package election is what the operator adds to client-go's leader election: its flags and their rules, who a replica
// is, a Lease that is watched and given back for a leader that is proven dead, and a fence around what is written.
//
// It may read and write the Lease, and read the Pod of the Lease's holder; nothing else of a cluster. The election
// itself is client-go's, and the manager runs it.
package election

import (
	"errors"
	"flag"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/example/app-operator/internal/scope"
)

// The flags that BindFlags defines.
const (
	FlagEnabled       = "leader-elect"
	FlagID            = "leader-election-id"
	FlagNamespace     = "leader-election-namespace"
	FlagLeaseDuration = "leader-election-lease-duration"
	FlagRenewDeadline = "leader-election-renew-deadline"
	FlagRetryPeriod   = "leader-election-retry-period"
	FlagFastTakeover  = "leader-election-fast-takeover"
)

// Defaults of the options.
const (
	DefaultID            = "app-operator-leader"
	DefaultLeaseDuration = 15 * time.Second
	DefaultRenewDeadline = 10 * time.Second
	DefaultRetryPeriod   = 2 * time.Second
)

// Options say whether and how the replicas of the operator elect the one that acts.
type Options struct {
	// Enabled lets only the elected replica act. Without it, exactly one replica may run.
	Enabled bool
	// ID is the name of the Lease.
	ID string
	// Namespace holds the Lease.
	Namespace string
	// LeaseDuration is how long a standby waits, from the last renewal it saw, before it takes over.
	LeaseDuration time.Duration
	// RenewDeadline is how long the leader tries to renew the lease before it gives up and exits.
	RenewDeadline time.Duration
	// RetryPeriod is the pause between two attempts to acquire or renew the lease.
	RetryPeriod time.Duration
	// FastTakeover lets a standby give the lease back for a leader whose container has ended, by the kubelet's word.
	FastTakeover bool
}

// BindFlags defines the flags of leader election, with their defaults.
func (o *Options) BindFlags(fs *flag.FlagSet) {
	fs.BoolVar(&o.Enabled, FlagEnabled, false,
		"Elect a leader, so that several replicas may run and one of them acts. Without it, run one replica only.")
	fs.StringVar(&o.ID, FlagID, DefaultID, "`name` of the Lease that the leader holds.")
	fs.StringVar(&o.Namespace, FlagNamespace, "",
		"`namespace` of the Lease. (default the operator's own, that of the pod's service account)")
	fs.DurationVar(&o.LeaseDuration, FlagLeaseDuration, DefaultLeaseDuration,
		"How long a standby waits after the last renewal it saw before it takes over: whole seconds, above --"+FlagRenewDeadline+".")
	fs.DurationVar(&o.RenewDeadline, FlagRenewDeadline, DefaultRenewDeadline,
		"How long the leader tries to renew the lease before it gives up and exits: above 1.2 x --"+FlagRetryPeriod+".")
	fs.DurationVar(&o.RetryPeriod, FlagRetryPeriod, DefaultRetryPeriod,
		"Pause between two renewals of the lease, and between two looks at it where it cannot be watched.")
	fs.BoolVar(&o.FastTakeover, FlagFastTakeover, true,
		"Take over as soon as the kubelet reports the end of the leader's container, instead of waiting until the lease has "+
			"expired. Needs "+EnvPodName+", "+EnvPodNamespace+" and "+EnvPodUID+" in the environment.")
}

// Validate returns everything that is wrong with the options, joined. The values are checked whether election
// is enabled or not, so that a mistake does not wait for the day it is switched on; an unknown namespace
// matters only when it is enabled.
func (o *Options) Validate() error {
	problems := o.validateNames()
	return errors.Join(append(problems, o.validateDurations()...)...)
}

func (o *Options) validateNames() []error {
	var problems []error
	if len(validation.IsDNS1123Subdomain(o.ID)) > 0 {
		problems = append(problems, fmt.Errorf("--%s=%q: is not the name of a Lease: lower-case letters, digits, '-' and "+
			"'.', starting and ending with a letter or digit, at most 253 characters", FlagID, o.ID))
	}
	if o.Namespace == "" {
		if o.Enabled {
			problems = append(problems, fmt.Errorf("--%s is empty, and the operator's own namespace is not known "+
				"outside a pod: give the namespace that holds the Lease", FlagNamespace))
		}
		return problems
	}
	if err := scope.ValidateName(o.Namespace); err != nil {
		problems = append(problems, fmt.Errorf("--%s=%q: %w", FlagNamespace, o.Namespace, err))
	}
	return problems
}

func (o *Options) validateDurations() []error {
	var problems []error
	refuse := func(name string, value time.Duration, rule string, args ...any) {
		problems = append(problems, fmt.Errorf("--%s=%s: %s", name, value, fmt.Sprintf(rule, args...)))
	}
	if o.LeaseDuration < time.Second || o.LeaseDuration%time.Second != 0 {
		// A standby goes by the seconds in the Lease: of 1.9s it would see 1s, and take over from a live leader.
		refuse(FlagLeaseDuration, o.LeaseDuration, "must be whole seconds, 1s or more, because a Lease counts in seconds")
	}
	if o.RenewDeadline <= 0 {
		refuse(FlagRenewDeadline, o.RenewDeadline, "must be above zero")
	}
	if o.RetryPeriod < attempt {
		refuse(FlagRetryPeriod, o.RetryPeriod, "must be %s or more, or the leader would do little else than renew", attempt)
	}
	if o.LeaseDuration <= o.RenewDeadline {
		refuse(FlagLeaseDuration, o.LeaseDuration, "must be above --%s (%s), or a standby takes over from a leader "+
			"that still tries to renew; raise the one or lower the other", FlagRenewDeadline, o.RenewDeadline)
	}
	if least := time.Duration(leaderelection.JitterFactor * float64(o.RetryPeriod)); o.RenewDeadline <= least {
		refuse(FlagRenewDeadline, o.RenewDeadline, "must be above %g x --%s (%g x %s = %s), or one failed attempt loses "+
			"the lease; raise the one or lower the other", leaderelection.JitterFactor, FlagRetryPeriod,
			leaderelection.JitterFactor, o.RetryPeriod, least)
	}
	return problems
}

// elsewhere is what the name of the Lease ends with where it is in a namespace that is served: an operator whose own that
// namespace is has one there without it.
const elsewhere = "-served"

// Elsewhere returns the Lease that may take the place of the one in the operator's own namespace: OLM v1 grants no right but
// in the one namespace that is served. It returns none where several are served, or that one.
func (o *Options) Elsewhere(served []string) types.NamespacedName {
	if len(served) != 1 || o.Namespace == "" || served[0] == o.Namespace {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: served[0], Name: o.ID + elsewhere}
}

// Apply hands the options to the manager, and the lock, which must have been made from them. The lease is released when
// the manager stops, so that a standby need not wait for it to expire; that is safe only because the process ends as soon
// as the manager has stopped.
func (o *Options) Apply(options *manager.Options, lock resourcelock.Interface) {
	options.LeaderElection = o.Enabled
	options.LeaderElectionID = o.ID
	options.LeaderElectionNamespace = o.Namespace
	options.LeaderElectionReleaseOnCancel = true
	options.LeaderElectionResourceLockInterface = lock
	options.LeaseDuration = &o.LeaseDuration
	// The lock spaces the renewals. An elector that waits for one gets the time of the pause on top, but not so much that
	// it would try on for long when a standby may have taken over; what is written in that time, the fence refuses.
	options.RenewDeadline = new(min(o.RenewDeadline+o.RetryPeriod, o.LeaseDuration-time.Millisecond))
	options.RetryPeriod = new(attempt)
}
