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
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/outcome"
)

// optionalAPIs knows which kinds of children the cluster serves that it need not serve. Their objects are watched from
// the start where they are served, from the first Application that wants one where they come later, and until they
// are no longer served.
type optionalAPIs struct {
	// api asks the API server.
	api rest.Interface
	// cache holds the objects of the kinds that are served.
	cache cache.Cache
	// watch has the objects of a kind enqueue their Applications. It returns a function that reports whether all that exist
	// have done so.
	watch func(*children.Child, cache.Informer) (handlerSynced func() bool, err error)

	mu    sync.Mutex // held for as long as it takes to read or write what follows, never during a request
	kinds map[string]*optionalAPI
}

// optionalAPI is what is known of one kind.
type optionalAPI struct {
	// handlerSynced reports whether the objects of the kind are in the cache and enqueue their Applications: before that, the end of
	// one would go unnoticed. It is nil while the kind is not served.
	handlerSynced func() bool
	// asked is when the API server answered last, and failed why it did not. Zero is that nothing is known.
	asked  time.Time
	failed error
	// busy says that somebody asks, or stops watching, and will note what came of it.
	busy bool
}

// start finds out which kinds are served and has them watched. It waits for the answers.
func (o *optionalAPIs) start(ctx context.Context) error {
	var failed []error
	for i := range children.Table {
		child := &children.Table[i]
		if child.Optional() && o.claim(child, 0) {
			failed = append(failed, o.ask(ctx, child))
		}
	}
	return errors.Join(failed...)
}

// ensureWatched returns nil when the objects of an optional child's kind can be read from the cache, and otherwise what is
// waited for. It does not wait itself: where the last answer is missing or old, the API server is asked beside.
func (o *optionalAPIs) ensureWatched(ctx context.Context, child *children.Child) error {
	if o.claim(child, discoveryTTL) {
		go func() { _ = o.ask(context.WithoutCancel(ctx), child) }() // the next reconcile has what came of it
	}
	known := o.known(child.Kind)
	switch {
	case known.handlerSynced != nil && known.handlerSynced():
		return nil
	case known.handlerSynced != nil:
		return syncing(fmt.Sprintf("Waiting for the %ss of this namespace to be read", child.Kind))
	case known.failed != nil:
		return known.failed
	case known.asked.IsZero():
		return syncing(fmt.Sprintf("Waiting for the API server to say whether it serves %s", child.OptionalAPI.GroupResource()))
	}
	return notInstalled(child)
}

func syncing(message string) error {
	return &outcome.Waiting{Reason: v1.ReasonRollingOut, After: syncRetry, Message: message}
}

// watched reports whether the kind was served when that was last looked at, and its objects can be read.
func (o *optionalAPIs) watched(kind string) bool {
	handlerSynced := o.known(kind).handlerSynced
	return handlerSynced != nil && handlerSynced()
}

// known returns what is known of a kind.
func (o *optionalAPIs) known(kind string) optionalAPI {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known := o.kinds[kind]; known != nil {
		return *known
	}
	return optionalAPI{}
}

// note changes what is known of a kind.
func (o *optionalAPIs) note(kind string, change func(known *optionalAPI)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kinds == nil {
		o.kinds = map[string]*optionalAPI{}
	}
	if o.kinds[kind] == nil {
		o.kinds[kind] = &optionalAPI{}
	}
	change(o.kinds[kind])
}

// claim reports whether the caller has to ask for the kind: it is not watched, the last answer is at least as old as
// this, and nobody else asks.
func (o *optionalAPIs) claim(child *children.Child, age time.Duration) (claimed bool) {
	o.note(child.Kind, func(known *optionalAPI) {
		claimed = known.handlerSynced == nil && !known.busy && time.Since(known.asked) >= age
		known.busy = known.busy || claimed
	})
	return claimed
}

// ask asks whether a kind is served, that the caller has claimed, and has it watched.
func (o *optionalAPIs) ask(ctx context.Context, child *children.Child) error {
	handlerSynced, err := o.discover(ctx, child)
	o.note(child.Kind, func(known *optionalAPI) {
		*known = optionalAPI{handlerSynced: handlerSynced, asked: time.Now(), failed: err}
	})
	return err
}

// discover returns what reports whether the objects of an optional child's kind can be read, or nil if the API server does not
// serve it.
func (o *optionalAPIs) discover(ctx context.Context, child *children.Child) (func() bool, error) {
	ctx, cancel := context.WithTimeout(ctx, cluster.DiscoveryTimeout)
	defer cancel()
	found, err := cluster.Serves(ctx, o.api, child.OptionalAPI)
	if err != nil {
		return nil, fmt.Errorf("find out whether the cluster serves %s: %w", child.OptionalAPI.GroupResource(), err)
	}
	if !found {
		return nil, nil
	}
	informer, err := o.cache.GetInformer(ctx, child.Object, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", child.OptionalAPI.GroupResource(), err)
	}
	if err := indexChildren(ctx, o.cache, child); err != nil {
		return nil, err
	}
	handlerSynced, err := o.watch(child, informer)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", child.OptionalAPI.GroupResource(), err)
	}
	ctrl.Log.WithName("controller").Info("Found an optional API; watching it", "api", child.OptionalAPI.GroupResource().String())
	return handlerSynced, nil
}

// unwatch forgets the kind that a reflector of this type description could not find any more. It returns whether there
// was one.
func (o *optionalAPIs) unwatch(ctx context.Context, description string) bool {
	for i := range children.Table {
		child := &children.Table[i]
		if !child.Optional() || typeDescription(child) != description {
			continue
		}
		lost := false
		o.note(child.Kind, func(known *optionalAPI) {
			if lost = known.handlerSynced != nil; lost {
				*known = optionalAPI{busy: true}
			}
		})
		if !lost {
			return false
		}
		if err := o.cache.RemoveInformer(ctx, child.Object); err != nil {
			ctrl.Log.WithName("controller").Error(err, "Could not stop watching", "kind", child.Kind)
		}
		o.note(child.Kind, func(known *optionalAPI) { known.busy = false })
		ctrl.Log.WithName("controller").Info("Lost an optional API; it will be used again when it is back",
			"api", child.OptionalAPI.GroupResource().String())
		return true
	}
	return false
}

// typeDescription returns how a reflector calls a child's kind.
func typeDescription(child *children.Child) string {
	if untyped, ok := child.Object.(*unstructured.Unstructured); ok {
		return untyped.GroupVersionKind().String()
	}
	return fmt.Sprintf("%T", child.Object)
}

func notInstalled(child *children.Child) error {
	return &outcome.Waiting{
		Reason: v1.ReasonAPINotInstalled, After: absentRetry,
		Message: fmt.Sprintf("%s is asked for, and the cluster does not serve %s; have its CRD installed, which the operator notices by "+
			"itself, or change the spec",
			child.Kind, child.OptionalAPI.GroupVersion().String()+" "+child.OptionalAPI.Resource),
	}
}

// isNotInstalled reports whether objects of an optional kind cannot be read because the cluster does not serve the kind.
func isNotInstalled(err error) bool {
	waiting, ok := errors.AsType[*outcome.Waiting](err)
	return ok && waiting.Reason == v1.ReasonAPINotInstalled
}

// terminating is what the API server says when something is to be made of a kind whose CRD is being deleted (kubernetes
// staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go).
const terminating = "not allowed while custom resource definition is terminating"

// notServed reports whether a request failed because the API server does not serve the kind, or soon will not.
func notServed(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) || meta.IsNoMatchError(err) ||
		apierrors.IsForbidden(err) && strings.Contains(err.Error(), terminating)
}

// OnWatchError hears of each informer that cannot list or watch. When a kind is not served any more, all Applications
// are looked at: those that want it have to say so.
func (r *ApplicationReconciler) OnWatchError(ctx context.Context, reflector *toolscache.Reflector, err error) {
	if !apierrors.IsNotFound(err) || !r.optional.unwatch(ctx, reflector.TypeDescription()) {
		cluster.LogWatchError(ctx, reflector, err)
		return
	}
	r.EnqueueAll() //nolint:contextcheck // the informer's context ends with the informer
}
