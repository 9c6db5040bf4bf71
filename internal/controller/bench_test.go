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
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/resources"
)

// BenchmarkReconcile measures a reconcile over an Application, complete or with a rollout under way, of which nothing has changed
// since the last pass or since this process began. What it reads is in a real cache, and it writes nothing.
func BenchmarkReconcile(b *testing.B) {
	r := resting(b)
	pass := func(b *testing.B) {
		b.Helper()
		if _, err := r.Reconcile(b.Context(), webRequest); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("looked-at=before", func(b *testing.B) {
		b.ReportAllocs()
		pass(b)
		for b.Loop() {
			pass(b)
		}
	})
	b.Run("looked-at=never", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.records.clear(webRequest.NamespacedName)
			pass(b)
		}
	})
}

// resting returns a reconciler and an Application for which there is nothing to do. A write fails.
func resting(b *testing.B) *ApplicationReconciler {
	b.Helper()
	scheme, err := cluster.NewScheme()
	check(b, err)
	world := likeServed(b, indexed(fake.NewClientBuilder().WithScheme(scheme).WithReturnManagedFields().
		WithStatusSubresource(&v1.Application{}, &appsv1.Deployment{}).
		WithObjects(&v1.Application{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "1", Generation: 1},
			Spec:       v1.ApplicationSpec{Image: "nginx:1.29", Port: new(int32(80))},
		})).
		Build())
	key := client.ObjectKey{Namespace: "apps", Name: "web"}
	maker := New(nil)
	maker.Client, maker.Recorder = client.WithFieldOwner(world, children.FieldOwner), events.NewFakeRecorder(10)
	for range 2 { // the second sees the rollout complete
		maker.expectations.Clear(key)
		_, err := maker.Reconcile(b.Context(), webRequest)
		check(b, err)
		deployment := &appsv1.Deployment{}
		check(b, world.Get(b.Context(), key, deployment))
		deployment.Status = appsv1.DeploymentStatus{
			ObservedGeneration: deployment.Generation, Replicas: 1, ReadyReplicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1,
		}
		check(b, world.Status().Update(b.Context(), deployment))
	}
	maker.expectations.Clear(key)
	_, err = maker.Reconcile(b.Context(), webRequest)
	check(b, err)
	r := New([]string{"apps"})
	r.Recorder = events.NewFakeRecorder(1)
	r.Client = client.WithFieldOwner(readOnly(b, r, world), children.FieldOwner)
	return r
}

// readOnly returns a client that reads what is in the world from a cache as the manager has it, and cannot write.
func readOnly(b *testing.B, r *ApplicationReconciler, world client.Client) client.Client {
	b.Helper()
	server := httptest.NewServer(&listed{b: b, world: world})
	b.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	options := cluster.CacheOptions([]string{"apps"}, r.OnWatchError)
	options.Scheme = world.Scheme()
	mapper := meta.NewDefaultRESTMapper(nil)
	for kind := range world.Scheme().AllKnownTypes() {
		mapper.Add(kind, meta.RESTScopeNamespace)
	}
	mapper.Add(resources.ServiceMonitorKind, meta.RESTScopeNamespace)
	options.Mapper = mapper
	objects, err := cache.New(config, options)
	check(b, err)
	check(b, startInformers(objects))
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	go func() { _ = objects.Start(ctx) }()
	if !objects.WaitForCacheSync(ctx) {
		b.Fatal("the cache has not synced")
	}
	reading, err := client.New(config, client.Options{
		Scheme: world.Scheme(), Mapper: mapper, Cache: &client.CacheOptions{Reader: objects, Unstructured: true},
	})
	check(b, err)
	return reading
}

// listed answers lists with what is in a world; it knows no watches and takes no writes.
type listed struct {
	b     *testing.B
	world client.Client
}

func (l *listed) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodGet {
		http.Error(w, "this world does not change", http.StatusMethodNotAllowed)
		return
	}
	if request.URL.Query().Get("sendInitialEvents") != "" {
		http.Error(w, "give me a list", http.StatusUnprocessableEntity)
		return
	}
	if request.URL.Query().Get("watch") != "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-request.Context().Done()
		return
	}
	path := strings.Split(request.URL.Path, "/")
	list := &unstructured.UnstructuredList{}
	version := strings.TrimPrefix(strings.Join(path[2:len(path)-3], "/"), "/")
	for kind := range l.world.Scheme().AllKnownTypes() {
		plural, _ := meta.UnsafeGuessKindToResource(kind)
		if kind.GroupVersion().String() == version && plural.Resource == path[len(path)-1] {
			list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		}
	}
	if err := l.world.List(request.Context(), list); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for i := range list.Items {
		disownStatus(l.b, &list.Items[i])
	}
	list.SetResourceVersion("1")
	w.Header().Set("Content-Type", "application/json")
	check(l.b, json.NewEncoder(w).Encode(list))
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
