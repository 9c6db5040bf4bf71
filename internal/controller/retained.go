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
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
)

// reportRetained says, once, what stays of an Application that is gone. Nothing is said of one that this process has not known.
func (r *ApplicationReconciler) reportRetained(ctx context.Context, app types.NamespacedName) {
	uid, ok := r.records.uidOf(app)
	if !ok {
		return
	}
	var left []string
	for i := range children.Table {
		if child := &children.Table[i]; child.Retained {
			left = append(left, r.namesOf(ctx, app, child)...)
		}
	}
	if len(left) == 0 {
		return
	}
	gone := &v1.Application{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: "Application"},
		ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: app.Name, UID: uid},
	}
	r.event(gone, corev1.EventTypeNormal, v1.EventRetained, fmt.Sprintf(
		"Kept %s; delete what is not needed any more, or have an Application of the same name take it up again", strings.Join(left, ", ")))
	logf.FromContext(ctx).Info("The Application is gone, and its claims stay", "claims", len(left))
}

// namesOf returns kind and name of each of the Application's objects of the kind.
func (r *ApplicationReconciler) namesOf(ctx context.Context, app types.NamespacedName, child *children.Child) []string {
	list := child.NewList()
	if err := r.Client.List(ctx, list, client.InNamespace(app.Namespace), client.MatchingFields{byApplication: app.Name},
		client.UnsafeDisableDeepCopy); err != nil {
		logf.FromContext(ctx).Error(err, "Could not list what stays of an Application", "kind", child.Kind)
		return nil
	}
	var names []string
	_ = meta.EachListItem(list, func(object runtime.Object) error { // it returns what the function does
		if left := object.(children.Object); left.GetDeletionTimestamp() == nil {
			names = append(names, child.Kind+" "+left.GetName())
		}
		return nil
	})
	slices.Sort(names)
	return names
}
