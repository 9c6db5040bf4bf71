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
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/rest"
)

var (
	// errNotLeading is why a write is not sent.
	errNotLeading = errors.New("not sent: this replica does not hold the leader lease")
	// errLeaseEnded is said of a write that failed when the Lease was not held any more. Most likely its connection has
	// refused it.
	errLeaseEnded = errors.New("the leader lease ended meanwhile")
)

// term is the time for which this process holds the Lease, by its own clock. Its zero value holds nothing.
type term struct {
	mu sync.RWMutex
	// until is when a standby may take the Lease over, at the earliest.
	until time.Time
	// held is false once the Lease has been given back, whatever until says.
	held bool
	// version is the resourceVersion of the Lease as this process has written it last.
	version string
}

// renewed notes a renewal that was sent at this time, and has given the Lease this resourceVersion. A standby counts the
// Lease's duration from when it sees the renewal, which is later.
func (t *term) renewed(sent time.Time, duration time.Duration, version string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held, t.until, t.version = true, sent.Add(duration), version
}

// endsBefore ends the term if it is older than this resourceVersion of the Lease, which is not the process's own. It
// reports whether it has ended it.
func (t *term) endsBefore(version string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	order, err := resourceversion.CompareResourceVersion(t.version, version)
	if !t.held || err != nil || order >= 0 {
		return false
	}
	t.held = false
	return true
}

// ends notes that the Lease is given back, or found to be another's.
func (t *term) ends() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = false
}

// holder reports whether this process has acquired the Lease and neither given it back nor found it taken. Its time may be
// over all the same.
func (t *term) holder() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.held
}

// left returns for how long from now nobody else can hold the Lease: zero or less when somebody may. The monotonic clock
// stands still while a machine is suspended, and the wall clock can be set: time has passed when either says so.
func (t *term) left(now time.Time) time.Duration {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if !t.held {
		return 0
	}
	return min(t.until.Sub(now), t.until.Round(0).Sub(now.Round(0)))
}

// lasts reports whether nobody else can hold the Lease at this time.
func (t *term) lasts(now time.Time) bool { return t.left(now) > 0 }

// fence sends on what reads, and what writes only while the Lease is held.
type fence struct {
	term *term
	next http.RoundTripper
	// writes has connections of its own, each a guarded one.
	writes http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (f *fence) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet {
		return f.next.RoundTrip(request)
	}
	if !f.term.lasts(time.Now()) {
		if request.Body != nil {
			_ = request.Body.Close() // as every RoundTripper has to
		}
		fencedWrites.Inc()
		return nil, fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, errNotLeading)
	}
	response, err := f.writes.RoundTrip(request)
	if err != nil && !f.term.lasts(time.Now()) {
		fencedWrites.Inc() // here, and not by connections: the transport may try another one
		return nil, fmt.Errorf("%s %s: %w: %w", request.Method, request.URL.Path, errLeaseEnded, err)
	}
	return response, err
}

// WrappedRoundTripper lets client-go see what is behind.
func (f *fence) WrappedRoundTripper() http.RoundTripper { return f.next }

// guarded is a connection that takes nothing while the Lease is not held, and delivers nothing after it. A process that
// was frozen after the fence has let a request pass, and before it is on the wire, goes on here.
type guarded struct {
	net.Conn
	term *term
}

// Write implements net.Conn. What the peer has not acknowledged when the Lease ends, the kernel sends no more: it would
// otherwise try for a quarter of an hour to deliver what a network that is cut has held up.
func (g *guarded) Write(content []byte) (int, error) {
	now := time.Now()
	left := g.term.left(now)
	if left <= 0 {
		return 0, errNotLeading // which makes the transport close it
	}
	if err := errors.Join(g.SetWriteDeadline(now.Add(left)), limitDelivery(g.Conn, left)); err != nil {
		return 0, fmt.Errorf("bound the delivery of a write: %w", err)
	}
	return g.Conn.Write(content)
}

// guard returns a transport whose connections are guarded.
func (t *term) guard(cluster *rest.Config) (http.RoundTripper, error) {
	guarding := rest.CopyConfig(cluster)
	dial := guarding.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	guarding.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &guarded{Conn: connection, term: t}, nil
	}
	return rest.TransportFor(guarding)
}
