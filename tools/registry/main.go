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

// Command registry serves images by TLS, for the kind cluster of this repository. Blobs are kept on disk, manifests in
// memory: after a restart, push again.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", ":5001", "where to listen")
	certificate := flag.String("certificate", "tls.crt", "file with the certificate")
	key := flag.String("key", "tls.key", "file with the key of the certificate")
	blobs := flag.String("blobs", "blobs", "folder for the blobs; it is made if it is missing")
	flag.Parse()

	if err := os.MkdirAll(*blobs, 0o700); err != nil {
		log.Fatal(err)
	}

	log.Fatal(newServer(*address, *blobs).ListenAndServeTLS(*certificate, *key))
}

// newServer returns the registry, which keeps its blobs in the folder.
func newServer(address, blobs string) *http.Server {
	// The library reads one upload at a time. Over HTTP/2 the uploads that wait would fill the connection that the one has
	// to come through, and all of them would wait for ever.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Addr:      address,
		Protocols: &protocols,
		// One line for each request tells which name a node asked for.
		Handler:           registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs))),
		ReadHeaderTimeout: 10 * time.Second,
	}
}
