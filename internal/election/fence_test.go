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
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestTerm(t *testing.T) {
	sent := time.Now()
	var held term
	if held.holder() || held.lasts(sent) {
		t.Error("it is held before it was acquired")
	}
	held.renewed(sent, 10*time.Second, "1")
	for after, want := range map[time.Duration]bool{
		0: true, 9 * time.Second: true, 10*time.Second - 1: true, 10 * time.Second: false, time.Hour: false,
	} {
		if got := held.lasts(sent.Add(after)); got != want {
			t.Errorf("it lasts %s after the renewal: %t, want %t", after, got, want)
		}
	}
	// While the machine was suspended the monotonic clock stood still: then only the wall clock has gone on.
	if held.lasts(sent.Add(time.Minute).Round(0)) {
		t.Error("it lasts a minute by the wall clock")
	}
	if !held.holder() {
		t.Error("a term that is over by the clock is still the process's to give back")
	}
	held.renewed(sent.Add(8*time.Second), 10*time.Second, "1")
	if !held.lasts(sent.Add(17 * time.Second)) {
		t.Error("a renewal does not count")
	}
	held.ends()
	if held.holder() || held.lasts(sent) {
		t.Error("it is held after it was given back", "1")
	}
}

// recorder is a transport that notes what reaches it.
type recorder struct{ sent []string }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.sent = append(r.sent, request.Method)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: request}, nil
}

func TestFence(t *testing.T) {
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	send := func(t *testing.T, held *term) []string {
		t.Helper()
		var arrived recorder
		transport := &fence{term: held, next: &arrived, writes: &arrived}
		for _, method := range methods {
			request, err := http.NewRequestWithContext(context.Background(), method, "http://api/apis/apps/v1/x", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := transport.RoundTrip(request)
			if err == nil {
				_ = response.Body.Close()
			} else if !errors.Is(err, errNotLeading) || !strings.Contains(err.Error(), method+" /apis/apps/v1/x") {
				t.Errorf("%s: %v", method, err)
			}
		}
		return arrived.sent
	}
	held := &term{}
	before := testutil.ToFloat64(fencedWrites)
	if sent := send(t, held); len(sent) != 1 || sent[0] != http.MethodGet {
		t.Errorf("a standby has sent %v", sent)
	}
	if refused := testutil.ToFloat64(fencedWrites) - before; refused != 4 {
		t.Errorf("%v writes are counted as not sent, want 4", refused)
	}
	held.renewed(time.Now(), time.Hour, "1")
	if sent := send(t, held); len(sent) != len(methods) {
		t.Errorf("the leader has sent %v", sent)
	}
	held.renewed(time.Now().Add(-time.Hour), time.Minute, "1")
	if sent := send(t, held); len(sent) != 1 {
		t.Errorf("a leader whose lease has run out has sent %v", sent)
	}
}
