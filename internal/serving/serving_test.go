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

package serving

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// limit is generous: a test that waits for so long has failed.
const limit = time.Minute

// serve serves the handler as the operator does, and returns the address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(handler)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// dial connects from one of this machine's many addresses.
func dial(t *testing.T, from, to string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	connection, err := dialer.DialContext(ctx, "tcp", to)
	if err != nil {
		t.Skipf("cannot connect from %s: %v", from, err) // where only 127.0.0.1 is the machine's own
	}
	t.Cleanup(func() { _ = connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	return connection
}

// ask sends a request and returns the answer's code.
func ask(t *testing.T, connection net.Conn, header string) int {
	t.Helper()
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: operator\r\n"+header+"\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

func TestOnePageIsMadeAtATime(t *testing.T) {
	var together, most atomic.Int32
	waiting := make(chan struct{})
	handler := OneAtATime(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), together.Add(1)))
		<-waiting
		together.Add(-1)
		_, _ = io.WriteString(w, "page")
	}))
	codes := make(chan int, 100)
	var all sync.WaitGroup
	for i := range 100 { // of 10 clients
		all.Go(func() {
			request := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
			request.RemoteAddr = "10.0.0." + strconv.Itoa(i%10) + ":1234"
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			if recorder.Code == http.StatusServiceUnavailable &&
				(!strings.Contains(recorder.Body.String(), busy) || recorder.Header().Get("Retry-After") == "") {
				t.Errorf("turned away with %q, and Retry-After %q", recorder.Body, recorder.Header().Get("Retry-After"))
			}
			codes <- recorder.Code
		})
	}
	for range 100 - maxRequests { // those for whom there is no place do not wait
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Fatalf("answered %d while all places were taken", code)
		}
	}
	close(waiting)
	all.Wait()
	for range maxRequests {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("answered %d to one who had a place", code)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d pages were made at a time", most.Load())
	}
}

func TestOneClientTakesFewPlaces(t *testing.T) {
	places := NewPlaces(maxRequests, maxOfSource)
	request := func(address string) *http.Request { return &http.Request{RemoteAddr: address} }
	var leave func()
	for i := range maxOfSource {
		var ok bool
		if leave, ok = places.Enter(request("[::ffff:10.0.0.1]:" + strconv.Itoa(i))); !ok {
			t.Fatalf("turned away as number %d", i)
		}
	}
	if _, ok := places.Enter(request("10.0.0.1:9")); ok {
		t.Error("one client takes more than its share")
	}
	if _, ok := places.Enter(request("10.0.0.2:9")); !ok {
		t.Error("another client is turned away for it")
	}
	leave()
	if _, ok := places.Enter(request("10.0.0.1:9")); !ok {
		t.Error("a place that is left is not free")
	}
}

// unread is a client that has sent its request, and reads nothing until it is told to.
type unread struct {
	*httptest.ResponseRecorder
	reads <-chan struct{}
}

func (u unread) Write(page []byte) (int, error) {
	<-u.reads
	return u.ResponseRecorder.Write(page)
}

// TestWhoReadsSlowlyHoldsUpNobody holds that others are served while pages are being sent.
func TestWhoReadsSlowlyHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := OneAtATime(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") }))
		ask := func(w http.ResponseWriter, address string) {
			request := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
			request.RemoteAddr = address
			handler.ServeHTTP(w, request)
		}
		reads := make(chan struct{})
		var slow sync.WaitGroup
		for range maxOfSource {
			slow.Go(func() { ask(unread{httptest.NewRecorder(), reads}, "10.0.0.2:1234") })
		}
		synctest.Wait() // until each of them has its page before it
		quick := httptest.NewRecorder()
		ask(quick, "10.0.0.1:1234")
		if quick.Code != http.StatusOK || quick.Body.String() != "page" {
			t.Errorf("answered %d and %q", quick.Code, quick.Body)
		}
		close(reads)
		slow.Wait()
	})
}

func TestWhoOpensManyConnectionsClosesTheirOwn(t *testing.T) {
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") }))
	kept := dial(t, "127.0.0.1", address)
	var greedy []net.Conn
	for range 2 * maxConnections {
		greedy = append(greedy, dial(t, "127.0.0.2", address))
	}
	if code := ask(t, kept, ""); code != http.StatusOK {
		t.Errorf("a client with one connection is answered %d", code)
	}
	if code := ask(t, dial(t, "127.0.0.3", address), ""); code != http.StatusOK {
		t.Errorf("a client that comes late is answered %d", code)
	}
	if code := ask(t, greedy[len(greedy)-1], ""); code != http.StatusOK {
		t.Errorf("the last of many connections is answered %d", code)
	}
	for _, old := range greedy[:maxConnections] {
		if _, err := old.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Fatalf("one of the oldest of many connections is open: %v", err)
		}
	}
}

func TestConnectionsThatEndAreForgotten(t *testing.T) {
	listening, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listening.Close() }()
	for range 3 {
		_ = dial(t, "127.0.0.1", listening.Addr().String())
		accepted, err := listening.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // as a server may
			_ = accepted.Close()
		}
	}
	if l := listening.(*listener); l.count != 0 || len(l.connections) != 0 {
		t.Errorf("%d connections of %d clients are counted, want none", l.count, len(l.connections))
	}
}

func TestALargeHeaderIsRefused(t *testing.T) {
	address := serve(t, http.NotFoundHandler())
	if code := ask(t, dial(t, "127.0.0.1", address), "X: "+strings.Repeat("x", 64<<10)+"\r\n"); code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered %d, want %d", code, http.StatusRequestHeaderFieldsTooLarge)
	}
}

func TestSelfSigned(t *testing.T) {
	config, err := SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	server, client := net.Pipe()
	go func() { _ = tls.Server(server, config).HandshakeContext(t.Context()) }()
	// As a scraper has to that gets a certificate nobody else has signed.
	connection := tls.Client(client, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err := connection.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := connection.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("speaks %q", got)
	}
}
