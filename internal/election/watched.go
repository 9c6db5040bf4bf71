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

package election

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
)

// objectInformer is one object, by its name, as a watch has brought it.
type objectInformer struct {
	kind, namespace, name string
	informer              toolscache.SharedIndexInformer
	tell                  func()
}

// newObjectInformer returns the object of the kind "leases" or "pods". Each change of it is told to news, which has room for one
// word: several changes are news once.
func newObjectInformer(client rest.Interface, kind, namespace, name string, news chan<- struct{}, log logr.Logger) *objectInformer {
	var object runtime.Object = &coordinationv1.Lease{}
	if kind == "pods" {
		object = &corev1.Pod{}
	}
	selector := fields.OneTermEqualSelector("metadata.name", name)
	informer := toolscache.NewSharedIndexInformer(toolscache.NewListWatchFromClient(client, kind, namespace, selector), object, 0, nil)
	tell := func() { notify(news) }
	w := &objectInformer{kind: kind, namespace: namespace, name: name, informer: informer, tell: tell}
	_, _ = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{ // fails only when it has been stopped
		AddFunc:    func(any) { tell() },
		UpdateFunc: func(any, any) { tell() },
		DeleteFunc: func(any) { tell() },
	})
	var told atomic.Bool
	_ = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *toolscache.Reflector, err error) { // fails only when it has been started
		level := 1
		if apierrors.IsForbidden(err) && told.CompareAndSwap(false, true) {
			level = 0
		}
		log.V(level).Info("Cannot watch; the election goes on without, and takes longer",
			"what", kind, "namespace", namespace, "name", name, "why", err.Error())
	})
	return w
}

// notify leaves word for whoever receives from the channel, which has room for one word: more of them are one.
func notify(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// object returns what is known of the object, or nil.
func (w *objectInformer) object() any {
	object, _, _ := w.informer.GetStore().GetByKey(w.namespace + "/" + w.name) // the store is a map
	return object
}

func (w *objectInformer) lease() *coordinationv1.Lease {
	if w == nil {
		return nil
	}
	lease, _ := w.object().(*coordinationv1.Lease)
	return lease
}

func (w *objectInformer) pod() *corev1.Pod {
	pod, _ := w.object().(*corev1.Pod)
	return pod
}

// start watches until ctx ends or stop is called, which returns when the watch has ended.
func (w *objectInformer) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { w.informer.RunWithContext(ctx) })
	running.Go(func() { // that there is no such object is news as well
		if toolscache.WaitForCacheSync(ctx.Done(), w.informer.HasSynced) {
			w.tell()
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}
