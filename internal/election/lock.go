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
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

// Lock is the Lease over which client-go's election is held. What it adds: a standby hears of the Lease by a watch and
// need not ask, it gives the Lease back for a leader that is proven dead, and Fence keeps a process from writing that
// does not hold it.
type Lock struct {
	*resourcelock.LeaseLock
	leases    *leases
	takeover  *takeover
	events    record.EventBroadcaster
	eventSink record.EventSink
	writes    http.RoundTripper
}

// NewLock returns the lock for the process of this identity. It contacts nobody. The error says why the configuration of
// the cluster cannot be used.
func NewLock(cluster *rest.Config, options *Options, id Identity, log logr.Logger) (*Lock, error) {
	// A request that hangs must not cost the leader its whole deadline; a watch is there to last.
	patient := rest.AddUserAgent(rest.CopyConfig(cluster), "leader-election")
	quick := rest.CopyConfig(patient)
	quick.Timeout = max(options.RenewDeadline/2, time.Second)
	quickClient, err := coordinationv1client.NewForConfig(quick)
	if err != nil {
		return nil, fmt.Errorf("create the client of the Lease: %w", err)
	}
	leaseClient, err := coordinationv1client.NewForConfig(patient)
	if err != nil {
		return nil, fmt.Errorf("create the client that watches the Lease: %w", err)
	}
	coreClient, err := corev1client.NewForConfig(patient)
	if err != nil {
		return nil, fmt.Errorf("create the client that watches the leader's Pod: %w", err)
	}
	news := make(chan struct{}, 1)
	watched := newObjectInformer(leaseClient.RESTClient(), "leases", options.Namespace, options.ID, news, log)
	guarded := newLeases(quickClient.Leases(options.Namespace), options, id.String(), watched, log)
	writes, err := guarded.term.guard(cluster)
	if err != nil {
		return nil, fmt.Errorf("create the transport for writes: %w", err)
	}
	events := record.NewBroadcaster()
	return &Lock{
		writes: writes,
		LeaseLock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Namespace: options.Namespace, Name: options.ID},
			Client:    guarded,
			LockConfig: resourcelock.ResourceLockConfig{
				Identity:      id.String(),
				EventRecorder: events.NewRecorder(clientgoscheme.Scheme, corev1.EventSource{Component: id.String()}),
			},
		},
		leases:    guarded,
		takeover:  newTakeover(guarded, id, coreClient.RESTClient(), news),
		events:    events,
		eventSink: &corev1client.EventSinkImpl{Interface: coreClient.Events(options.Namespace)},
	}, nil
}

// Start watches the Lease, and the holder's Pod, until ctx ends. It returns an error, which ends the manager and the
// process, when this process has led and the Lease names another: nothing is left for it to do, and what it serves and
// logs would look like a leader's. It implements the manager's Runnable.
func (l *Lock) Start(ctx context.Context) error {
	l.events.StartRecordingToSink(l.eventSink) // until the process ends: that it stops leading is told after this
	return l.takeover.run(ctx)
}

// Leads reports whether this process holds the Lease now, and can know that it does.
func (l *Lock) Leads() bool { return l.leases.term.lasts(time.Now()) }

// NeedLeaderElection says that it runs before this process is elected, too.
func (l *Lock) NeedLeaderElection() bool { return false }

// Fence returns a configuration whose clients send no write while this process does not hold the Lease, or cannot know
// that it still does.
func (l *Lock) Fence(cluster *rest.Config) *rest.Config {
	fenced := rest.CopyConfig(cluster)
	fenced.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &fence{term: l.leases.term, next: next, writes: l.writes}
	})
	return fenced
}
