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
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/resources"
)

// CacheOptions returns what the manager's cache holds: Applications and their children in the given namespaces
// (all of them if there are none), of their pods, ReplicaSets and Jobs no more than the status is judged by, and of the
// ConfigMaps, Secrets and claims that are there their names and versions. A read of any other kind fails, so that none
// is cached by accident.
//
// Objects of the children's kinds that are not ours are known by name only: enough to see that a name is taken,
// at the cost of a few hundred bytes each.
func CacheOptions(namespaces []string, onWatchError toolscache.WatchErrorHandlerWithContext) cache.Options {
	pods := labels.SelectorFromSet(labels.Set{resources.LabelManagedBy: resources.ManagedBy})
	labelled := labels.NewSelector().Add(mustRequire(resources.LabelApplication, selection.Exists))
	transform := stripObject()
	options := cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            transform,
		DefaultWatchErrorHandler:    onWatchError,
		NewInformer:                 newInformer(transform),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}:                {Label: pods},
			&appsv1.ReplicaSet{}:         {Label: pods},
			&appsv1.ControllerRevision{}: {Label: labelled},
			&batchv1.Job{}:               {Label: labelled},
		},
	}
	if len(namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
	}
	for _, namespace := range namespaces {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	return options
}

// mustRequire returns a requirement of a label that has no values.
func mustRequire(key string, operator selection.Operator) labels.Requirement {
	requirement, err := labels.NewRequirement(key, operator, nil)
	if err != nil {
		panic(err) // a mistake in this package
	}
	return *requirement
}
