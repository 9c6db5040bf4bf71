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

package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/outcome"
)

// served is a cluster that serves, or does not serve, the resources of a child.
type served struct {
	cache.Cache
	status    int
	resources []string
	asked     int
	removed   int
}

func (c *served) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.asked++
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(c.status)
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}}
	for _, name := range c.resources {
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: name})
	}
	_ = json.NewEncoder(w).Encode(list)
}

func (c *served) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return nil, nil
}

func (c *served) IndexField(context.Context, client.Object, string, client.IndexerFunc) error {
	return nil
}

func (c *served) RemoveInformer(context.Context, client.Object) error {
	c.removed++
	return nil
}

// newOptionalKinds returns the kinds of the cluster, whose objects wake their Applications when awake says so.
func newOptionalKinds(t *testing.T, c *served, awake *bool) *optionalAPIs {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	asks, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return &optionalAPIs{
		api: asks.RESTClient(), cache: c,
		watch: func(*children.Child, cache.Informer) (func() bool, error) { return func() bool { return *awake }, nil },
	}
}

func theRoute(t *testing.T) *children.Child {
	t.Helper()
	for i := range children.Table {
		if children.Table[i].Kind == children.HTTPRoute {
			return &children.Table[i]
		}
	}
	t.Fatal("there is no such child")
	return nil
}

// waitsFor complains if the error is not a Waiting of this reason; "" is no error.
func waitsFor(t *testing.T, err error, reason string) {
	t.Helper()
	waiting, ok := errors.AsType[*outcome.Waiting](err)
	switch {
	case reason == "" && err != nil:
		t.Errorf("got %v, want none", err)
	case reason != "" && (!ok || waiting.Reason != reason || waiting.After == 0):
		t.Errorf("got %v, want to wait for a while because of %s", err, reason)
	}
}

// settle waits until nobody asks for the kind any more.
func settle(t *testing.T, kinds *optionalAPIs, kind string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for kinds.known(kind).busy {
		select {
		case <-deadline:
			t.Fatal("there is no answer")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestAnOptionalKindComesAndGoes(t *testing.T) {
	route, awake := theRoute(t), false
	c := &served{status: http.StatusNotFound}
	kinds := newOptionalKinds(t, c, &awake)

	_ = kinds.ensureWatched(t.Context(), route) // which asks, and has the answer the next time at the latest
	settle(t, kinds, route.Kind)
	waitsFor(t, kinds.ensureWatched(t.Context(), route), v1.ReasonAPINotInstalled)
	waitsFor(t, kinds.ensureWatched(t.Context(), route), v1.ReasonAPINotInstalled)
	if c.asked != 1 || kinds.watched(route.Kind) {
		t.Errorf("the API server was asked %d times in a row", c.asked)
	}

	c.status, c.resources = http.StatusOK, []string{"gateways", "httproutes"}
	kinds.kinds[route.Kind].asked = time.Now().Add(-time.Hour)
	_ = kinds.ensureWatched(t.Context(), route)
	settle(t, kinds, route.Kind)
	waitsFor(t, kinds.ensureWatched(t.Context(), route), v1.ReasonRollingOut)
	if kinds.watched(route.Kind) {
		t.Error("it is served before its objects wake anybody")
	}
	awake = true
	waitsFor(t, kinds.ensureWatched(t.Context(), route), "")
	if !kinds.watched(route.Kind) || c.asked != 2 {
		t.Errorf("served: %v, after %d questions", kinds.watched(route.Kind), c.asked)
	}

	if kinds.unwatch(t.Context(), "*v1.Service") || c.removed != 0 {
		t.Error("another kind's loss is not this one's")
	}
	if !kinds.unwatch(t.Context(), fmt.Sprintf("%T", route.Object)) || c.removed != 1 || kinds.watched(route.Kind) {
		t.Error("it is not lost")
	}
	if kinds.unwatch(t.Context(), fmt.Sprintf("%T", route.Object)) {
		t.Error("it is lost twice")
	}
	c.resources = []string{"gateways"}          // the group, without the kind
	_ = kinds.ensureWatched(t.Context(), route) // which asks, and has the answer the next time at the latest
	settle(t, kinds, route.Kind)
	waitsFor(t, kinds.ensureWatched(t.Context(), route), v1.ReasonAPINotInstalled)
}

func TestAnAnswerThatDoesNotComeIsNoAbsence(t *testing.T) {
	awake := true
	kinds := newOptionalKinds(t, &served{status: http.StatusInternalServerError}, &awake)
	if kinds.start(t.Context()) == nil {
		t.Error("nobody is told")
	}
	err := kinds.ensureWatched(t.Context(), theRoute(t))
	if _, ok := errors.AsType[*outcome.Waiting](err); ok || err == nil {
		t.Errorf("got %v, want an error that is tried again", err)
	}
}

// TestAnAnswerThatDoesNotComeHoldsUpNobody has the API server take its time. Neither who wants the kind waits for it, nor
// who only wants to know whether it is there, nor who hears that another one has gone.
func TestAnAnswerThatDoesNotComeHoldsUpNobody(t *testing.T) {
	answer := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-answer:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(answer)
	asks, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	kinds := &optionalAPIs{api: asks.RESTClient(), cache: &served{}}
	route := theRoute(t)

	done := make(chan struct{})
	go func() {
		defer close(done)
		waitsFor(t, kinds.ensureWatched(t.Context(), route), v1.ReasonRollingOut)
		waitsFor(t, kinds.ensureWatched(t.Context(), route), v1.ReasonRollingOut)
		if kinds.watched(route.Kind) || kinds.watched("ServiceMonitor") || kinds.unwatch(t.Context(), typeDescription(route)) {
			t.Error("it is known before it is answered")
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("somebody waits for the API server")
	}
}

func TestNotServed(t *testing.T) {
	resource := schema.GroupResource{Group: "gateway.networking.k8s.io", Resource: "httproutes"}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":            {nil, false},
		"gone":               {apierrors.NewNotFound(resource, "web"), true},
		"not to be made":     {apierrors.NewMethodNotSupported(resource, "patch"), true},
		"unknown":            {&meta.NoKindMatchError{}, true},
		"going":              {apierrors.NewForbidden(resource, "web", errors.New("create "+terminating)), true},
		"forbidden":          {apierrors.NewForbidden(resource, "web", errors.New("no")), false},
		"broken connections": {errors.New("connection refused"), false},
	} {
		if got := notServed(test.err); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
