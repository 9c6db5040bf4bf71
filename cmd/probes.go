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

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"github.com/example/app-operator/internal/serving"
)

// syncWait is how long a probe waits for caches that have not synced; the kubelet gives up after a second.
const syncWait = 500 * time.Millisecond

// probes answers the kubelet from the first moment, before there is a manager: while the operator waits for the
// CRD it is alive but not ready, and must not be restarted for it. The manager's own probe server could only start
// when that wait is over.
type probes struct {
	ready atomic.Pointer[healthz.Checker]
}

// serveProbes serves /readyz and /healthz until the process ends: one that shuts down is still alive.
func serveProbes(address string) (*probes, error) {
	p := &probes{}
	p.waitFor(errors.New("the start of the operator"))
	if address == disabled {
		return p, nil
	}
	listener, err := serving.Listen(address)
	if err != nil {
		return nil, bindError(flagProbeAddress, address, err)
	}
	log := ctrl.Log.WithName("probes")
	log.Info("Serving probes", "address", listener.Addr().String())
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, r, *p.ready.Load()) })
	// The process answers, so it is alive: a reconcile that hangs is ended by its time-out, and a lost lease ends the process.
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { answer(w, r, healthz.Ping) })
	server := serving.NewServer(mux)
	go func() { log.Error(server.Serve(listener), "Stopped serving probes") }()
	return p, nil
}

func answer(w http.ResponseWriter, r *http.Request, check healthz.Checker) {
	if err := check(r); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok"))
}

// waitFor makes the operator not ready, and the probe say what it waits for.
func (p *probes) waitFor(what error) {
	err := fmt.Errorf("waiting for %w", what)
	var check healthz.Checker = func(*http.Request) error { return err }
	p.ready.Store(&check)
}

// follow makes the operator ready once the caches are synced, whether it is the leader or stands by.
func (p *probes) follow(caches cache.Cache) {
	var ready healthz.Checker = func(r *http.Request) error {
		if !synced(r.Context(), caches) {
			return errors.New("waiting for the caches to sync")
		}
		return nil
	}
	p.ready.Store(&ready)
}

func synced(ctx context.Context, caches cache.Cache) bool {
	ctx, cancel := context.WithTimeout(ctx, syncWait)
	defer cancel()
	return caches.WaitForCacheSync(ctx)
}

// bindError says which flag to change when an address cannot be listened on.
func bindError(flagName, address string, err error) error {
	if cause, ok := errors.AsType[*net.OpError](err); ok {
		err = cause.Err // without the address, which is in the message already
	}
	return fmt.Errorf("--%s=%q: cannot listen there: %w", flagName, address, err)
}
