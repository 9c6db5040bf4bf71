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

// Package namespacecache is a cache of several namespaces, of which some may not be readable yet, or not any more. Such a namespace
// is not served, and the others are; it is served as soon as the rights are there.
//
// It asks for rights and fills caches. It knows nothing of Applications but that one which cannot be read is not there.
package namespacecache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/preflight"
)

const (
	// askRightsAgain is the pause between two questions for a right that is missing.
	askRightsAgain = 5 * time.Second
	// doubtAgain is the least pause between two checks of a namespace in which something was forbidden.
	doubtAgain = 30 * time.Second
	// fillPatience is how long a namespace may take to be read until its rights are looked at again, if anything was forbidden.
	fillPatience = 10 * time.Second
	// othersPatience is how long the other namespaces wait for one that takes long to be read, when the operator starts.
	othersPatience = time.Minute
)

// part is the cache of one of the namespaces that are to be served, and what is known of the rights there. A namespace is
// served as a whole or not at all: of one that may be read in part, half the objects would seem to be missing.
type part struct {
	cache.Cache
	namespace string
	check     *preflight.Check
	// onServed is called when the namespace comes to be served.
	onServed func()

	// settled is closed when it is known for the first time whether the namespace can be served.
	settled chan struct{}
	once    sync.Once
	// filled says that everything has been read, and missing that rights have been found to be missing.
	filled, missing atomic.Bool
	// doubts holds something when a request was forbidden.
	doubts chan struct{}
}

// Factory makes the manager's cache: of each namespace for itself, so that one whose objects may not be read does not keep the
// operator from serving the others.
type Factory struct {
	// Cluster is the configuration with which rights are asked for.
	Cluster *rest.Config
	// Absent are the namespaces in which rights are missing, as far as is known.
	Absent []string
	// OnServed is called when a namespace comes to be served.
	OnServed func()
	// OnWatchError hears of each informer that cannot list or watch.
	OnWatchError toolscache.WatchErrorHandlerWithContext

	parts namespaces
}

// NewCache is for the manager's options. Without namespaces, the cache is controller-runtime's own, of all of them.
func (f *Factory) NewCache(config *rest.Config, options cache.Options) (cache.Cache, error) {
	if len(options.DefaultNamespaces) == 0 {
		return cache.New(config, options)
	}
	parts := namespaces{}
	for namespace, one := range options.DefaultNamespaces {
		check, err := preflight.NewCheck(f.Cluster, preflight.Startup{Namespaces: []string{namespace}})
		if err != nil {
			return nil, fmt.Errorf("use the configuration of the cluster: %w", err)
		}
		p := &part{
			namespace: namespace, check: check, onServed: f.OnServed,
			settled: make(chan struct{}), doubts: make(chan struct{}, 1),
		}
		p.missing.Store(slices.Contains(f.Absent, namespace))
		options.DefaultNamespaces = map[string]cache.Config{namespace: one}
		options.DefaultWatchErrorHandler = func(ctx context.Context, reflector *toolscache.Reflector, err error) {
			p.recheckIfForbidden(err)
			f.OnWatchError(ctx, reflector, err)
		}
		if p.Cache, err = cache.New(config, options); err != nil {
			return nil, err
		}
		metrics.LacksNamespace(namespace)
		parts[namespace] = p
	}
	f.parts = parts
	return parts, nil
}

// RecheckIfForbidden has the rights in a namespace checked if the error of a reconcile says that something is forbidden there.
func (f *Factory) RecheckIfForbidden(namespace string, err error) {
	if part := f.parts[namespace]; part != nil {
		part.recheckIfForbidden(err)
	}
}

// tend fills the cache of the namespace as soon as its objects may be read, and looks after the rights. It returns when ctx
// ends.
func (p *part) tend(ctx context.Context) {
	if p.missing.Load() {
		p.await(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	running := make(chan struct{})
	go func() {
		defer close(running)
		if err := p.Start(ctx); err != nil {
			p.log("Could not start the cache of a namespace", err)
		}
	}()
	defer func() { <-running }()
	for began := time.Now(); !p.fill(ctx); {
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= othersPatience {
			p.letOthersBegin()
		}
		select {
		case <-p.doubts:
			p.await(ctx)
		default: // the API server is slow, and more questions would make it slower
		}
	}
	p.filled.Store(true)
	p.serve()
	for pause(ctx, 0, p.doubts) {
		p.await(ctx)
		pause(ctx, doubtAgain, nil)
	}
}

// fill waits for a while until everything has been read, and reports whether it has.
func (p *part) fill(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, fillPatience)
	defer cancel()
	return p.WaitForCacheSync(ctx)
}

// await returns when no right is missing. Meanwhile the namespace is not served.
func (p *part) await(ctx context.Context) {
	for ctx.Err() == nil {
		err := p.check.Rights(ctx)
		lacks, missing := errors.AsType[*preflight.MissingRightsError](err)
		switch {
		case err == nil:
			if p.missing.Swap(false) && p.filled.Load() {
				p.serve()
			}
			return
		case missing:
			p.leaveOut(err)
			for ctx.Err() == nil && p.check.StillMissing(ctx, lacks) {
				pause(ctx, askRightsAgain, nil)
			}
		default: // no answer says nothing
			pause(ctx, askRightsAgain, nil)
		}
	}
}

// leaveOut has the namespace not served, for now.
func (p *part) leaveOut(why error) {
	if !p.missing.Swap(true) || !p.isSettled() {
		p.log("Not serving a namespace until all rights are there; serving the others", why)
	}
	metrics.LacksNamespace(p.namespace)
	p.settle()
}

// letOthersBegin has nobody wait any longer for a namespace that cannot be read, or that takes long: it is served when it has been.
func (p *part) letOthersBegin() {
	if !p.isSettled() {
		p.log("Not serving a namespace until its objects have been read; serving the others", fmt.Errorf("not all were read within %s", othersPatience))
	}
	p.settle()
}

// serve has the namespace served, from now on.
func (p *part) serve() {
	ctrl.Log.WithName("cache").Info("Serving a namespace", "namespace", p.namespace)
	metrics.ServesNamespace(p.namespace)
	p.settle()
	p.onServed() // what came meanwhile was not there to be looked at
}

func (p *part) settle() { p.once.Do(func() { close(p.settled) }) }

func (p *part) isSettled() bool {
	select {
	case <-p.settled:
		return true
	default:
		return false
	}
}

// served reports whether the namespace is served now.
func (p *part) served() bool { return p.filled.Load() && !p.missing.Load() }

// recheckIfForbidden has the rights checked if something was forbidden.
func (p *part) recheckIfForbidden(err error) {
	if !apierrors.IsForbidden(err) {
		return
	}
	select {
	case p.doubts <- struct{}{}:
	default:
	}
}

func (p *part) log(message string, err error) {
	ctrl.Log.WithName("cache").Error(err, message, "namespace", p.namespace)
}

// pause returns after a while, or when something is in the channel; with a while of zero no sooner. It reports whether ctx
// goes on.
func pause(ctx context.Context, while time.Duration, wake <-chan struct{}) bool {
	var over <-chan time.Time
	if while > 0 {
		over = time.After(while)
	}
	select {
	case <-ctx.Done():
	case <-over:
	case <-wake:
	}
	return ctx.Err() == nil
}

// errNotServed is why nothing can be read of a namespace.
func errNotServed(namespace string) error {
	return fmt.Errorf("the namespace %s is not served: rights are missing there", namespace)
}
