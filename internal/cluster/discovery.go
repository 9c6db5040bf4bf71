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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// Serves reports whether the API server serves a resource.
func Serves(ctx context.Context, api rest.Interface, resource schema.GroupVersionResource) (bool, error) {
	var served metav1.APIResourceList
	err := api.Get().AbsPath("/apis/" + resource.GroupVersion().String()).MaxRetries(0).Do(ctx).Into(&served)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for i := range served.APIResources {
		if served.APIResources[i].Name == resource.Resource {
			return true, nil
		}
	}
	return false, nil
}

// DiscoveryTimeout is how long the API server may take to say what it serves.
const DiscoveryTimeout = 10 * time.Second
