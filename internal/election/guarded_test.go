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
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/rest"
)

// TestGuarded loses the Lease after the fence has let a write pass, and before it is on the wire.
func TestGuarded(t *testing.T) {
	var arrived atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	held := &term{}
	transport, err := held.guard(&rest.Config{
		Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Stands where a process may be frozen: the fence is behind, the connection ahead.
	freeze := func() {}
	between := roundTripper(func(request *http.Request) (*http.Response, error) {
		freeze()
		return transport.RoundTrip(request)
	})
	send := func() error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, server.URL+"/x", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&fence{term: held, writes: between}).RoundTrip(request)
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	held.renewed(time.Now(), time.Hour, "1")
	if err := send(); err != nil || arrived.Load() != 1 {
		t.Fatalf("of the leader: %v, %d arrived", err, arrived.Load())
	}
	before := testutil.ToFloat64(fencedWrites)
	freeze = held.ends
	if err := send(); !errors.Is(err, errLeaseEnded) || arrived.Load() != 1 {
		t.Errorf("of one that was frozen meanwhile: %v, %d arrived", err, arrived.Load())
	}
	if refused := testutil.ToFloat64(fencedWrites) - before; refused != 1 {
		t.Errorf("%v writes are counted as not sent, want 1", refused)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
