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
	"net/http"
	"net/netip"
	"sync"
)

// Places bounds how many requests are worked on at a time, of all clients and of each.
type Places struct {
	total, ofSource int

	mu       sync.Mutex
	bySource map[netip.Addr]int
	taken    int
}

// NewPlaces returns so many places, of which one client, known by its address, may take so many.
func NewPlaces(total, ofSource int) *Places {
	return &Places{total: total, ofSource: ofSource, bySource: map[netip.Addr]int{}}
}

// Enter reports whether there is a place for the request, and takes it until leave is called.
func (p *Places) Enter(request *http.Request) (leave func(), ok bool) {
	source := sourceOf(request.RemoteAddr)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.total || p.bySource[source] >= p.ofSource {
		return nil, false
	}
	p.taken++
	p.bySource[source]++
	return func() { p.leave(source) }, true
}

func (p *Places) leave(source netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.bySource[source]--
	if p.bySource[source] == 0 {
		delete(p.bySource, source)
	}
}
