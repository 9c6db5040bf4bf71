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
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestUploadsAtOnce uploads several large blobs at a time, as whoever pushes an image for several platforms does.
func TestUploadsAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer("", t.TempDir())
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // our own, on loopback
	}}
	url := "https://" + listener.Addr().String()

	var uploads sync.WaitGroup
	for range 4 {
		uploads.Go(func() { upload(t, client, url) })
	}
	uploads.Wait()
}

// upload begins an upload and sends a layer's worth of data.
func upload(t *testing.T, client *http.Client, url string) {
	t.Helper()
	begun, err := client.Post(url+"/v2/image/blobs/uploads/", "", http.NoBody)
	if err != nil {
		t.Error(err)
		return
	}
	_ = begun.Body.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, url+begun.Header.Get("Location"),
		bytes.NewReader(make([]byte, 16<<20)))
	if err != nil {
		t.Error(err)
		return
	}
	sent, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, sent.Body)
	_ = sent.Body.Close()
	if sent.StatusCode != http.StatusAccepted {
		t.Errorf("upload: %s", sent.Status)
	}
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
