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
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/children"
)

// handOver gives the child's field to another field manager, in which it stays until somebody else decides it. A conflict with
// others says that somebody has decided it already.
func (r *ApplicationReconciler) handOver(ctx context.Context, w write) error {
	field, decided := w.Child.HandOver, w.Live
	if field.Like != nil {
		decided = field.Like(w.Live)
		if err := r.Client.Create(ctx, decided, client.DryRunAll); err != nil {
			return err
		}
	}
	value := field.Value(decided)
	if value == nil {
		return nil
	}
	kind, err := r.Client.GroupVersionKindFor(w.Live)
	if err != nil {
		return fmt.Errorf("find the kind of %s: %w", w.Child.Kind, err)
	}
	config := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{field.Field: value}}}
	config.SetGroupVersionKind(kind)
	config.SetNamespace(w.Live.GetNamespace())
	config.SetName(w.Live.GetName())
	config.SetUID(w.Live.GetUID())
	options := []client.ApplyOption{client.FieldOwner(children.HandOverManager)}
	if field.Forced {
		options = append(options, client.ForceOwnership)
	}
	err = r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(config), options...)
	if apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) && !conflictsWithUs(err) {
		return nil
	}
	return err
}

// conflictsWithUs reports whether a conflict is with a value that we have applied since the cache saw the object.
func conflictsWithUs(err error) bool {
	return strings.Contains(err.Error(), fmt.Sprintf("conflict with %q", children.FieldOwner))
}
