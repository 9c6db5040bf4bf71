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
	"encoding/json"
	"fmt"
	"reflect"

	v1 "github.com/example/app-operator/api/v1"
)

// MaxApplicationBytes is how large an Application may be as JSON, its annotations and managed fields aside. The cache keeps a spec in
// memory for as long as the object lives, and whoever may create Applications may create many.
const MaxApplicationBytes = 256 << 10

// stripApplication keeps of an Application what the operator reads: no annotations, labels or managed fields, and of one
// that is too large no more than it takes to say so and to let it go. What is cached must therefore never be written back
// as a whole. A status is: the API server takes nothing but the status from that.
func stripApplication(in any) (any, error) {
	app, ok := in.(*v1.Application)
	if !ok || app.Oversized { // a transform may come twice
		return in, nil
	}
	app.Annotations, app.Labels, app.ManagedFields = nil, nil, nil
	large, err := isLarge(app)
	if err != nil {
		return nil, fmt.Errorf("encode the Application %s/%s: %w", app.Namespace, app.Name, err)
	}
	if !large {
		return app, nil
	}
	small := &v1.Application{
		TypeMeta: app.TypeMeta, Status: app.Status, Oversized: true,
		Spec: v1.ApplicationSpec{
			Replicas: app.Spec.Replicas, Suspend: app.Spec.Suspend, Paused: app.Spec.Paused, DeletionPolicy: app.Spec.DeletionPolicy,
		},
	}
	CopyIdentity(small, app)
	small.Generation, small.Finalizers = app.Generation, app.Finalizers
	return small, nil
}

// isLarge reports whether the Application is larger than MaxApplicationBytes as JSON. One whose strings alone are is not encoded: where
// there are many, that is most of what the start costs.
func isLarge(app *v1.Application) (bool, error) {
	if stringBytes(reflect.ValueOf(app.Spec)) > MaxApplicationBytes {
		return true, nil
	}
	content, err := json.Marshal(app)
	return len(content) > MaxApplicationBytes, err
}

// stringBytes returns how long all strings in a value are together.
func stringBytes(value reflect.Value) int {
	total := 0
	switch value.Kind() {
	case reflect.String:
		total = value.Len()
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			total = stringBytes(value.Elem())
		}
	case reflect.Struct:
		for _, field := range value.Fields() {
			total += stringBytes(field)
		}
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			total += stringBytes(value.Index(i))
		}
	case reflect.Map:
		for entries := value.MapRange(); entries.Next(); {
			total += stringBytes(entries.Key()) + stringBytes(entries.Value())
		}
	}
	return total
}
