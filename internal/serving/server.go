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

// Package serving serves HTTP to clients that nobody vouches for: whatever they do, they cost the process little memory.
//
// Every pod of the cluster may reach the ports of the operator, unless a NetworkPolicy keeps it out. So connections,
// requests, headers, pages and the time that each may take have bounds here, and a client that asks for more than its
// share takes it from itself.
package serving

import (
	"net/http"
	"time"
)

const (
	// maxHeader is more than any token takes. Go adds 4 KiB.
	maxHeader = 16 << 10
	// readTimeout is what a client gets to send a request, and to finish the handshake of TLS.
	readTimeout = 10 * time.Second
	// writeTimeout is what a client gets from the end of its request's header until it has the whole answer.
	writeTimeout = 20 * time.Second
	// idleTimeout is how long a connection stays open without a request.
	idleTimeout = time.Minute
)

// NewServer returns a server of HTTP/1.1. A scrape needs no HTTP/2, whose streams can be opened and reset en masse.
func NewServer(handler http.Handler) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: handler, Protocols: protocols, MaxHeaderBytes: maxHeader,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
}
