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
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// namespaces is a cache of several namespaces, by their names. It does what controller-runtime's own does, for the
// namespaces that are served: of the others there is nothing in it, and nobody waits for them.
type namespaces map[string]*part

var _ cache.Cache = namespaces{}

// Start implements cache.Cache.
func (n namespaces) Start(ctx context.Context) error {
	var running sync.WaitGroup
	for _, part := range n {
		running.Go(func() { part.tend(ctx) })
	}
	running.Wait()
	return nil
}

// WaitForCacheSync waits until it is known of each namespace whether it can be served, and one of them is.
func (n namespaces) WaitForCacheSync(ctx context.Context) bool {
	for _, part := range n {
		select {
		case <-part.settled:
		case <-ctx.Done():
			return false
		}
	}
	for !n.anyFilled() {
		if !pause(ctx, syncPoll, nil) {
			return false
		}
	}
	return true
}

// syncPoll is how often it is looked whether the first namespace is served.
const syncPoll = 100 * time.Millisecond

func (n namespaces) anyFilled() bool {
	for _, part := range n {
		if part.filled.Load() {
			return true
		}
	}
	return false
}

// Get reads an object. An Application of a namespace that is not served is not there; anything else there cannot be read,
// since its absence would mean something.
func (n namespaces) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	part := n[key.Namespace]
	if part != nil && part.served() {
		return part.Get(ctx, key, object, options...)
	}
	if _, ok := object.(*v1.Application); ok {
		return apierrors.NewNotFound(schema.GroupResource{Group: v1.GroupVersion.Group, Resource: "applications"}, key.Name)
	}
	return errNotServed(key.Namespace)
}

// List reads the objects of one namespace, or of all that are served.
func (n namespaces) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(options)
	if asked.Namespace != "" {
		part := n[asked.Namespace]
		if part != nil && part.served() {
			return part.List(ctx, list, options...)
		}
		if _, ok := list.(*v1.ApplicationList); ok {
			return nil
		}
		return errNotServed(asked.Namespace)
	}
	var all []runtime.Object
	for _, part := range n {
		if !part.served() {
			continue
		}
		one := list.DeepCopyObject().(client.ObjectList)
		if err := part.List(ctx, one, options...); err != nil {
			return err
		}
		items, err := meta.ExtractList(one)
		if err != nil {
			return fmt.Errorf("read a list: %w", err)
		}
		all = append(all, items...)
	}
	return meta.SetList(list, all)
}

// IndexField implements cache.Cache.
func (n namespaces) IndexField(ctx context.Context, object client.Object, field string, value client.IndexerFunc) error {
	for _, part := range n {
		if err := part.IndexField(ctx, object, field, value); err != nil {
			return err
		}
	}
	return nil
}

// GetInformer returns the informers of all namespaces as one. It does not wait for any.
func (n namespaces) GetInformer(
	ctx context.Context, object client.Object, _ ...cache.InformerGetOption,
) (cache.Informer, error) {
	return n.informers(func(part *part) (cache.Informer, error) {
		return part.GetInformer(ctx, object, cache.BlockUntilSynced(false))
	})
}

// GetInformerForKind returns the informers of all namespaces as one. It does not wait for any.
func (n namespaces) GetInformerForKind(
	ctx context.Context, kind schema.GroupVersionKind, _ ...cache.InformerGetOption,
) (cache.Informer, error) {
	return n.informers(func(part *part) (cache.Informer, error) {
		return part.GetInformerForKind(ctx, kind, cache.BlockUntilSynced(false))
	})
}

func (n namespaces) informers(get func(*part) (cache.Informer, error)) (cache.Informer, error) {
	all := informers{}
	for _, part := range n {
		one, err := get(part)
		if err != nil {
			return nil, err
		}
		all[part] = one
	}
	return all, nil
}

// RemoveInformer implements cache.Cache.
func (n namespaces) RemoveInformer(ctx context.Context, object client.Object) error {
	failed := make([]error, 0, len(n))
	for _, part := range n {
		failed = append(failed, part.RemoveInformer(ctx, object))
	}
	return errors.Join(failed...)
}

// informers are those of a kind, by namespace.
type informers map[*part]cache.Informer

// AddEventHandler implements cache.Informer.
func (i informers) AddEventHandler(
	handler toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.register(func(one cache.Informer) (toolscache.ResourceEventHandlerRegistration, error) {
		return one.AddEventHandler(handler)
	})
}

// AddEventHandlerWithResyncPeriod implements cache.Informer.
func (i informers) AddEventHandlerWithResyncPeriod(
	handler toolscache.ResourceEventHandler, period time.Duration,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.register(func(one cache.Informer) (toolscache.ResourceEventHandlerRegistration, error) {
		return one.AddEventHandlerWithResyncPeriod(handler, period)
	})
}

// AddEventHandlerWithOptions implements cache.Informer.
func (i informers) AddEventHandlerWithOptions(
	handler toolscache.ResourceEventHandler, options toolscache.HandlerOptions,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.register(func(one cache.Informer) (toolscache.ResourceEventHandlerRegistration, error) {
		return one.AddEventHandlerWithOptions(handler, options)
	})
}

func (i informers) register(
	add func(cache.Informer) (toolscache.ResourceEventHandlerRegistration, error),
) (toolscache.ResourceEventHandlerRegistration, error) {
	all := registrations{}
	for part, one := range i {
		registration, err := add(one)
		if err != nil {
			return nil, err
		}
		all[part] = registration
	}
	return all, nil
}

// RemoveEventHandler implements cache.Informer.
func (i informers) RemoveEventHandler(registration toolscache.ResourceEventHandlerRegistration) error {
	all, ok := registration.(registrations)
	if !ok {
		return fmt.Errorf("a registration of another informer: %T", registration)
	}
	failed := make([]error, 0, len(i))
	for part, one := range i {
		failed = append(failed, one.RemoveEventHandler(all[part]))
	}
	return errors.Join(failed...)
}

// AddIndexers implements cache.Informer.
func (i informers) AddIndexers(indexers toolscache.Indexers) error {
	failed := make([]error, 0, len(i))
	for _, one := range i {
		failed = append(failed, one.AddIndexers(indexers))
	}
	return errors.Join(failed...)
}

// HasSynced reports whether what is served has been read.
func (i informers) HasSynced() bool { return synced(i) }

// HasSyncedChecker implements cache.Informer.
func (i informers) HasSyncedChecker() toolscache.DoneChecker { return checker(i) }

// IsStopped reports whether none runs any more.
func (i informers) IsStopped() bool {
	for _, one := range i {
		if !one.IsStopped() {
			return false
		}
	}
	return true
}

// registrations are those of a handler, by namespace.
type registrations map[*part]toolscache.ResourceEventHandlerRegistration

// HasSynced reports whether the handler has heard of all that is served.
func (r registrations) HasSynced() bool { return synced(r) }

// HasSyncedChecker implements toolscache.ResourceEventHandlerRegistration.
func (r registrations) HasSyncedChecker() toolscache.DoneChecker { return checker(r) }

// syncing is what can be waited for.
type syncing interface {
	HasSynced() bool
	HasSyncedChecker() toolscache.DoneChecker
}

// synced reports whether that of each namespace is synced, those aside that are not served.
func synced[S syncing](all map[*part]S) bool {
	for part, one := range all {
		if !part.isSettled() || part.served() && !one.HasSynced() {
			return false
		}
	}
	return true
}

// done is closed when that of each namespace has synced, those aside that are not served.
type done struct {
	name   string
	closed chan struct{}
}

func checker[S syncing](all map[*part]S) toolscache.DoneChecker {
	names := make([]string, 0, len(all))
	for part, one := range all {
		names = append(names, part.namespace+": "+one.HasSyncedChecker().Name())
	}
	d := done{name: strings.Join(names, ", "), closed: make(chan struct{})}
	go func() {
		for part, one := range all {
			<-part.settled
			if part.served() {
				<-one.HasSyncedChecker().Done()
			}
		}
		close(d.closed)
	}()
	return d
}

// Name implements toolscache.DoneChecker.
func (d done) Name() string { return d.name }

// Done implements toolscache.DoneChecker.
func (d done) Done() <-chan struct{} { return d.closed }
