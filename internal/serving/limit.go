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
	"bytes"
	"maps"
	"net/http"
	"time"
)

const (
	// maxRequests is how many requests for a page are worked on at a time, those that wait for it and those that are still
	// being sent theirs included; maxOfSource is how many of them are one client's.
	maxRequests = 12
	maxOfSource = 3
	// patience is how long a request waits while others' pages are made.
	patience = 10 * time.Second
	// busy is what those are told for whom there is no place.
	busy = "too many requests for this page are being answered; try again in a few seconds"
)

// OneAtATime returns a handler that has next make one page at a time, for few requests, and that sends it from memory. So
// what next needs to make it is needed once, and is not held for a client that reads slowly. Others get 503.
func OneAtATime(next http.Handler) http.Handler {
	return &limiter{next: next, places: NewPlaces(maxRequests, maxOfSource), rendering: make(chan struct{}, 1)}
}

type limiter struct {
	next      http.Handler
	places    *Places
	rendering chan struct{}
}

// ServeHTTP implements http.Handler.
func (l *limiter) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	leave, ok := l.places.Enter(request)
	if !ok {
		refuse(w)
		return
	}
	defer leave()
	made, ok := l.render(request)
	if !ok {
		refuse(w)
		return
	}
	maps.Copy(w.Header(), made.header)
	w.WriteHeader(made.code)
	_, _ = w.Write(made.body.Bytes()) // the client's loss
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, busy, http.StatusServiceUnavailable)
}

// render has the page made when no other is being made. It reports whether that came in time.
func (l *limiter) render(request *http.Request) (*page, bool) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case l.rendering <- struct{}{}:
		defer func() { <-l.rendering }()
	case <-late.C:
		return nil, false
	case <-request.Context().Done():
		return nil, false
	}
	made := &page{header: http.Header{}, code: http.StatusOK}
	l.next.ServeHTTP(made, request)
	return made, true
}

// page is an answer in memory.
type page struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (p *page) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *page) WriteHeader(code int) { p.code = code }

// Write implements http.ResponseWriter.
func (p *page) Write(content []byte) (int, error) { return p.body.Write(content) }
