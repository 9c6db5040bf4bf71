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

package namespacecache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/example/app-operator/internal/preflight"
)

// slow is the cache of a namespace that takes its time to be read.
type slow struct {
	cache.Cache
	read chan struct{}
}

func (s slow) Start(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (s slow) WaitForCacheSync(ctx context.Context) bool {
	select {
	case <-s.read:
		return true
	case <-ctx.Done():
		return false
	}
}

// grants is an API server that grants every right it is asked for, and counts how many.
type grants struct{ asked atomic.Int32 }

func (g *grants) RoundTrip(request *http.Request) (*http.Response, error) {
	g.asked.Add(1)
	answer := `{"apiVersion":"` + authorizationv1.SchemeGroupVersion.String() + `","kind":"SelfSubjectAccessReview","status":{"allowed":true}}`
	return &http.Response{
		StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewBufferString(answer)), Request: request,
	}, nil
}

// TestASlowNamespaceIsAskedForNoRights holds that a namespace which takes long to be read costs an API server that is slow no questions,
// unless something was forbidden, and is served when it has been read.
func TestASlowNamespaceIsAskedForNoRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, read := &grants{}, make(chan struct{})
		config := &rest.Config{Host: "http://api", Transport: api, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
		check, err := preflight.NewCheck(config, preflight.Startup{Namespaces: []string{"apps"}})
		if err != nil {
			t.Fatal(err)
		}
		p := &part{
			Cache: slow{read: read}, namespace: "apps", check: check, onServed: func() {},
			settled: make(chan struct{}), doubts: make(chan struct{}, 1),
		}
		go p.tend(t.Context())

		time.Sleep(othersPatience / 2)
		if p.isSettled() {
			t.Error("the other namespaces do not wait for one that takes a moment")
		}
		time.Sleep(10*fillPatience - othersPatience/2)
		if asked := api.asked.Load(); asked > 0 {
			t.Errorf("it has asked %d times", asked)
		}
		p.recheckIfForbidden(apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New("no")))
		time.Sleep(2 * fillPatience)
		if api.asked.Load() == 0 {
			t.Error("it has not asked although something was forbidden")
		}
		if p.served() {
			t.Error("it is served although it has not been read")
		}
		if !p.isSettled() {
			t.Errorf("after %s the other namespaces wait for it", 12*fillPatience)
		}
		close(read)
		synctest.Wait()
		if !p.served() || !p.isSettled() {
			t.Error("it is not served")
		}
	})
}
