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
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/utils/ptr"
)

// annotationGivenBackFor says for whom a standby has given the Lease back. The next holder takes it off.
const annotationGivenBackFor = "apps.example.com/given-back-for"

// attempt is the pause between two looks of the elector at the Lease. It is short because a standby looks at what its
// watch has brought, and a leader's renewals are spaced here.
const attempt = 100 * time.Millisecond

// leases is the Lease as client-go's LeaseLock reads and writes it. The elector is one goroutine, and the only caller of
// Get, Create and Update.
//
// A Lease from the watch may be old. No harm comes of it: each update has the resourceVersion of what was read.
type leases struct {
	coordinationv1client.LeaseInterface
	options *Options
	me      string
	watched *objectInformer
	term    *term
	log     logr.Logger

	// wake ends the pause before a renewal: the Lease is not what it should be.
	wake chan struct{}
	// taken receives a word when this process has led, and the Lease names another one.
	taken chan struct{}
	elector
}

// elector is what the elector's goroutine keeps between its calls.
type elector struct {
	// read is the Lease as the elector knows it.
	read *coordinationv1.Lease
	// staleRV is the resourceVersion that the watch had brought when an update failed. Until it brings another one, it is
	// taken for being behind.
	staleRV string
	// led says that this process has led. It asks the API server from then on, and at once: should it have lost the Lease, it
	// wins it back or ends.
	led bool
	// asked is when the API server was last asked for the Lease, sent when it was last asked to renew it.
	asked, sent time.Time
	// freshRead is set by Get until the next Update: the elector knows the present Lease, and does not renew blindly.
	freshRead bool
}

// newLeases returns the Lease of the namespace and name in the options, for the process of the identity me. No other
// place makes a leases, tests included: a channel that is nil is waited for without a word.
func newLeases(
	api coordinationv1client.LeaseInterface, options *Options, me string, watched *objectInformer, log logr.Logger,
) *leases {
	return &leases{
		LeaseInterface: api, options: options, me: me, watched: watched, log: log,
		term: &term{}, wake: make(chan struct{}, 1), taken: make(chan struct{}, 1), elector: elector{},
	}
}

// Leases implements coordinationv1client.LeasesGetter, for the one namespace there is.
func (l *leases) Leases(string) coordinationv1client.LeaseInterface { return l }

// Get returns the Lease: to a standby what the watch has brought, or what the API server says, a retry period apart, and to
// a process that has led what the API server says.
func (l *leases) Get(ctx context.Context, name string, options metav1.GetOptions) (*coordinationv1.Lease, error) {
	l.freshRead = true
	if !l.term.holder() && !l.led {
		if seen := l.watched.lease(); seen != nil && seen.ResourceVersion != l.staleRV {
			l.read = seen.DeepCopy() // LeaseLock writes into what it gets
			return l.read.DeepCopy(), nil
		}
		if err := pause(ctx, l.asked.Add(l.options.RetryPeriod), nil); err != nil {
			return nil, err
		}
		l.asked = time.Now()
	}
	lease, err := l.LeaseInterface.Get(ctx, name, options)
	if apierrors.IsNotFound(err) {
		l.stopsLeading() // until it is made again
	}
	if err != nil {
		return nil, err
	}
	l.read = lease.DeepCopy()
	switch holder := ptr.Deref(lease.Spec.HolderIdentity, ""); {
	case holder == l.me:
	case holder != "" && l.led:
		l.stopsLeading()
		notify(l.taken)
	default:
		l.stopsLeading() // the elector may win it back, but nothing else goes on
	}
	return lease, nil
}

// Create makes the Lease, and this process its first holder.
func (l *leases) Create(
	ctx context.Context, lease *coordinationv1.Lease, options metav1.CreateOptions,
) (*coordinationv1.Lease, error) {
	sent := time.Now()
	created, err := l.LeaseInterface.Create(ctx, lease, options)
	if err != nil {
		return created, err // which is empty; LeaseLock keeps it all the same, and could not do with nil
	}
	l.sent = sent
	l.term.renewed(sent, l.options.LeaseDuration, created.ResourceVersion)
	l.leads(created, causeCreated)
	return created, nil
}

// Update acquires, renews or gives back the Lease, as its holder says. Renewals are a retry period apart.
func (l *leases) Update(
	ctx context.Context, lease *coordinationv1.Lease, options metav1.UpdateOptions,
) (*coordinationv1.Lease, error) {
	blind := !l.freshRead
	l.freshRead = false
	if ptr.Deref(lease.Spec.HolderIdentity, "") != l.me {
		l.stopsLeading() // before anybody can know
		if l.read == nil || ptr.Deref(l.read.Spec.HolderIdentity, "") != l.me {
			// The elector goes by what it observed last: one that was frozen would give back another's Lease.
			return lease, nil
		}
		return l.LeaseInterface.Update(ctx, lease, options)
	}
	cause := ""
	if !l.term.holder() {
		cause = l.cause()
		delete(lease.Annotations, annotationGivenBackFor)
	} else if blind {
		switch err := pause(ctx, l.sent.Add(l.options.RetryPeriod), l.wake); {
		case errors.Is(err, context.Canceled):
			return lease, nil // the election is over, and has not failed; the next that is written is the release
		case err != nil:
			return nil, err
		}
		lease.Spec.RenewTime = new(metav1.NowMicro())
	}
	l.sent = time.Now()
	updated, err := l.LeaseInterface.Update(ctx, lease, options)
	if err != nil {
		if seen := l.watched.lease(); seen != nil {
			l.staleRV = seen.ResourceVersion
		}
		return nil, err
	}
	l.term.renewed(l.sent, l.options.LeaseDuration, updated.ResourceVersion)
	if cause != "" {
		l.leads(updated, cause)
	}
	return updated, nil
}

// cause returns why the Lease, as read last, can be acquired.
func (l *leases) cause() string {
	switch {
	case l.read == nil || ptr.Deref(l.read.Spec.HolderIdentity, "") != "":
		return causeExpired
	case l.read.Annotations[annotationGivenBackFor] != "":
		return causeProven
	default:
		return causeReleased
	}
}

// leads tells that this process has become the leader.
func (l *leases) leads(lease *coordinationv1.Lease, cause string) {
	l.led = true
	takeovers.WithLabelValues(cause).Inc()
	leaderSince.WithLabelValues().Set(float64(lease.Spec.AcquireTime.UnixMilli()) / 1000)
	showHolder(l.me)
	l.log.Info("Became the leader", "lease", lease.Namespace+"/"+lease.Name, "cause", cause)
}

// stopsLeading keeps this process from writing anything more.
func (l *leases) stopsLeading() {
	l.term.ends()
	leaderSince.Reset()
}

// giveBack gives the Lease back for its holder, as the holder itself does when it stops: unless anything about it has
// changed since it was seen.
func (l *leases) giveBack(ctx context.Context, seen *coordinationv1.Lease) error {
	lease := seen.DeepCopy()
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, annotationGivenBackFor, *lease.Spec.HolderIdentity)
	now := metav1.NowMicro()
	lease.Spec.HolderIdentity = new("")
	lease.Spec.LeaseDurationSeconds = new(int32(1))
	lease.Spec.AcquireTime, lease.Spec.RenewTime = &now, &now
	_, err := l.LeaseInterface.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}

// renewNow has the leader renew at once, and so find out.
func (l *leases) renewNow() { notify(l.wake) }

// observe is told what the watch has brought. When it is later than what this process has written, and does not name it,
// the process writes nothing more, without a question to the API server. What is earlier is from before it led, or from
// before a backup of etcd was restored: a renewal finds out.
func (l *leases) observe(lease *coordinationv1.Lease) {
	if ptr.Deref(lease.Spec.HolderIdentity, "") == l.me {
		return
	}
	if l.term.endsBefore(lease.ResourceVersion) {
		leaderSince.Reset()
		l.log.Info("Somebody else has written the lease that this process held; nothing more is written",
			"holder", ptr.Deref(lease.Spec.HolderIdentity, ""))
	}
	l.renewNow()
}

// pause waits until the time has come, or somebody wakes it.
func pause(ctx context.Context, until time.Time, wake <-chan struct{}) error {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
	return ctx.Err()
}
