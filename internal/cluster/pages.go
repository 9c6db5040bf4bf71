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

package cluster

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
)

// pageSize is how many objects are read at a time. Of the largest that etcd takes they are 15 MiB.
const pageSize = 10

// newInformer returns what makes informers that never hold more than a page of a list before it is stripped. Where the API
// server streams lists (WatchList, since Kubernetes 1.34), there are no pages: its objects come one by one.
func newInformer(strip toolscache.TransformFunc) func(
	toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers,
) toolscache.SharedIndexInformer {
	return func(
		source toolscache.ListerWatcher, object runtime.Object, resync time.Duration, indexers toolscache.Indexers,
	) toolscache.SharedIndexInformer {
		if both, ok := source.(*toolscache.ListWatch); ok && both.ListWithContextFunc != nil {
			both.ListWithContextFunc = inPages(strip, both.ListWithContextFunc)
		}
		return toolscache.NewSharedIndexInformer(source, object, resync, indexers)
	}
}

// inPages returns a function that lists page by page, and strips each object before the next page is read. It lists what
// is there now: for what was there, the API server would not make pages.
func inPages(strip toolscache.TransformFunc, list toolscache.ListWithContextFunc) toolscache.ListWithContextFunc {
	return func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		options.Limit, options.Continue, options.ResourceVersion, options.ResourceVersionMatch = pageSize, "", "", ""
		all := &internalversion.List{}
		for {
			page, err := list(ctx, options)
			if err != nil {
				return nil, err
			}
			about, err := meta.ListAccessor(page)
			if err != nil {
				return nil, err
			}
			if err := meta.EachListItemWithAlloc(page, func(object runtime.Object) error {
				stripped, err := strip(object)
				if err == nil {
					all.Items = append(all.Items, stripped.(runtime.Object))
				}
				return err
			}); err != nil {
				return nil, err
			}
			all.ResourceVersion, options.Continue = about.GetResourceVersion(), about.GetContinue()
			if options.Continue == "" {
				return all, nil
			}
		}
	}
}
