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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/outcome"
)

// kubectl is the field manager of kubectl apply --server-side.
const kubectl = "kubectl"

// orphans reports whether an Application is being deleted and all that was made for it is to stay.
func orphans(app *v1.Application) bool {
	return app.DeletionTimestamp != nil && app.Spec.DeletionPolicy == v1.DeletionPolicyOrphan
}

// orphan has the Application's objects be nobody's, and notes which stay. The garbage collector takes what is expendable: that has an
// owner reference. Where the deletion came before the others had lost theirs, they lose it here.
func (r *ApplicationReconciler) orphan(ctx context.Context, record *record, s *snapshot) error {
	app := s.Application
	for i := range children.Table {
		child := &children.Table[i]
		if why := s.Unavailable[child.Kind]; why != nil && !isNotInstalled(why) {
			return why
		}
		for _, live := range s.Live[child.Kind] {
			if !child.Owns(app, live) || live.GetDeletionTimestamp() != nil || isExpendable(child, live) {
				continue
			}
			if !child.Retained {
				if err := r.letGoOf(ctx, app, child, live); err != nil {
					return outcome.FromAPI(err, child.Kind)
				}
			}
			if name := child.Kind + " " + live.GetName(); !slices.Contains(record.orphaned, name) {
				record.orphaned = append(record.orphaned, name)
			}
		}
	}
	return nil
}

// isExpendable reports whether an object means nothing without its Application: it may go with it.
func isExpendable(child *children.Child, live children.Object) bool {
	if !child.Expendable || child.Retire == nil {
		return child.Expendable
	}
	_, deletable, err := child.Retire(live, false)
	return deletable && err == nil
}

// letGoOf has an object be nobody's: it loses its owner reference and its mark, and what the operator has applied of it becomes kubectl's.
// So whoever applies it next with kubectl meets no conflict with an operator that is out of it, and can take away what was applied.
func (r *ApplicationReconciler) letGoOf(ctx context.Context, app *v1.Application, child *children.Child, live children.Object) error {
	for attempt := 1; ; attempt++ {
		now := child.New()
		err := readChild(ctx, r.Client, live, now)
		if err != nil || !child.Owns(app, now) {
			return client.IgnoreNotFound(err)
		}
		before := now.DeepCopyObject().(client.Object)
		now.SetOwnerReferences(slices.DeleteFunc(now.GetOwnerReferences(), func(by metav1.OwnerReference) bool { return by.UID == app.UID }))
		annotations := now.GetAnnotations()
		delete(annotations, v1.AnnotationOwner)
		now.SetAnnotations(annotations)
		now.SetManagedFields(givenToKubectl(now.GetManagedFields()))
		err = r.Client.Patch(ctx, now, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if !apierrors.IsConflict(err) || attempt == maxAttempts {
			return client.IgnoreNotFound(err)
		}
	}
}

// givenToKubectl returns the managed fields with kubectl in the operator's place. An object that kubectl has applied as well is its own
// already.
func givenToKubectl(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	applies := func(manager string) func(metav1.ManagedFieldsEntry) bool {
		return func(entry metav1.ManagedFieldsEntry) bool {
			return entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
		}
	}
	taken := slices.ContainsFunc(entries, applies(kubectl))
	next := make([]metav1.ManagedFieldsEntry, 0, len(entries))
	for _, entry := range entries {
		switch {
		case applies(children.FieldOwner)(entry) && !taken:
			entry.Manager = kubectl
		case entry.Manager == children.FieldOwner || entry.Manager == children.HandOverManager:
			continue
		}
		next = append(next, entry)
	}
	return next
}

// reportOrphaned says what stays of an Application that was let go of.
func (r *ApplicationReconciler) reportOrphaned(ctx context.Context, app *v1.Application, record *record) {
	if len(record.orphaned) == 0 {
		return
	}
	r.event(app, corev1.EventTypeNormal, v1.EventOrphaned, fmt.Sprintf(
		"The Application goes, and these stay and are nobody's: %s", strings.Join(record.orphaned, ", ")))
	logf.FromContext(ctx).Info("The Application goes, and its objects stay", "objects", len(record.orphaned))
}
