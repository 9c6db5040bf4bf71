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

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli/takeover"
)

// do does what is left of a step. It is called until the step is done, and does nothing twice.
func (m *move) do(ctx context.Context, kind takeover.Kind) error {
	isNeeded := func(o *takeover.Object) bool { return o.Adoption == children.AdoptAtOnce }
	steps := map[takeover.Kind]func(context.Context) error{
		takeover.Create:    m.create,
		takeover.Protect:   m.protect,
		takeover.GiveFirst: func(ctx context.Context) error { return m.each(ctx, isNeeded, m.give) },
		takeover.LetGo:     m.letGo,
		takeover.Give: func(ctx context.Context) error {
			return m.each(ctx, func(o *takeover.Object) bool { return !o.Owned }, m.give)
		},
		takeover.Remove: m.remove,
		takeover.Pause: func(ctx context.Context) error {
			return m.patchApp(ctx, func(app *v1.Application) { app.Spec.Paused = true })
		},
		takeover.TakeBack: func(ctx context.Context) error {
			return m.each(ctx, func(o *takeover.Object) bool { return !o.Owned }, m.takeBack)
		},
		takeover.Restore:  m.restoreAll,
		takeover.Delete:   m.deleteApp,
		takeover.Recreate: m.recreate,
		takeover.Tidy:     m.tidy,
	}
	if step := steps[kind]; step != nil {
		return step(ctx)
	}
	return nil
}

// each reads the objects of which a condition holds, as they are now, and does something to them.
func (m *move) each(ctx context.Context, holds func(*takeover.Object) bool, do func(context.Context, *unstructured.Unstructured) error) error {
	for i := range m.seen.Objects {
		o := &m.seen.Objects[i]
		if !holds(o) {
			continue
		}
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(o.Kind)
		if err := m.connection.Get(ctx, client.ObjectKey{Namespace: m.connection.Namespace, Name: o.Name}, live); err != nil {
			return err
		}
		if err := do(ctx, live); err != nil {
			return fmt.Errorf("%s: %w", o, err)
		}
	}
	return nil
}

func (m *move) update(ctx context.Context, object client.Object) error {
	return m.connection.Update(ctx, object, client.FieldOwner(fieldManager))
}

// create creates the Application, or has the one that is there go on.
func (m *move) create(ctx context.Context) error {
	from := m.deployment + "/"
	if m.seen.Old != nil {
		from = takeover.From(m.seen.Old)
	}
	mark := func(app *v1.Application) {
		app.Spec.Paused = false
		if takeover.FromName(app) == "" {
			metav1.SetMetaDataAnnotation(&app.ObjectMeta, takeover.AnnotationFrom, from)
		}
	}
	if m.seen.App != nil {
		return m.patchApp(ctx, mark)
	}
	app := m.seen.wanted.DeepCopy()
	mark(app)
	return m.connection.Create(ctx, app, client.FieldOwner(fieldManager))
}

// patchApp writes what edit has changed of the Application, and nothing else of it.
func (m *move) patchApp(ctx context.Context, edit func(*v1.Application)) error {
	before := m.seen.App
	after := before.DeepCopy()
	edit(after)
	if content, err := client.MergeFrom(before).Data(after); err != nil || string(content) == "{}" {
		return err
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return m.connection.Patch(ctx, after, patch, client.FieldOwner(fieldManager))
}

// protect copies the NetworkPolicies of the old pods.
func (m *move) protect(ctx context.Context) error {
	return m.each(ctx, func(o *takeover.Object) bool { return o.Kind.Kind == "NetworkPolicy" && !o.Owned }, func(ctx context.Context, live *unstructured.Unstructured) error {
		made, err := takeover.CopyOf(live, m.deployment)
		if err != nil {
			return err
		}
		err = m.connection.Create(ctx, made, client.FieldOwner(fieldManager))
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

// give gives an object away, and has it remember how it was.
func (m *move) give(ctx context.Context, live *unstructured.Unstructured) error {
	annotations := live.GetAnnotations()
	if metav1.GetControllerOf(live) != nil || annotations[takeover.AnnotationBefore] != "" && annotations[v1.AnnotationAdopt] == m.seen.Application {
		return nil
	}
	before, err := takeover.Remember(live)
	if err != nil {
		return err
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[takeover.AnnotationBefore], annotations[v1.AnnotationAdopt] = before, m.seen.Application
	live.SetAnnotations(annotations)
	return m.update(ctx, live)
}

// takeBack takes off what a move has left on an object that it has given, unless the operator has taken that since it was looked at: then it is
// given back, which needs what it remembers.
func (m *move) takeBack(ctx context.Context, live *unstructured.Unstructured) error {
	if children.Of(live.GetKind()).ApplicationOf(live) != "" {
		return nil
	}
	return m.forget(ctx, live)
}

// forget takes off what a move has left on an object.
func (m *move) forget(ctx context.Context, live *unstructured.Unstructured) error {
	annotations := live.GetAnnotations()
	before := len(annotations)
	delete(annotations, takeover.AnnotationBefore)
	delete(annotations, v1.AnnotationAdopt)
	if len(annotations) == before {
		return nil
	}
	live.SetAnnotations(annotations)
	return m.update(ctx, live)
}

// restoreAll makes the objects what they were: first what leads to pods, and when that is known everywhere, what the pods need. Until then
// the new ones are asked too, and a NetworkPolicy may be what lets them be.
func (m *move) restoreAll(ctx context.Context) error {
	taken := func(needed bool) func(*takeover.Object) bool {
		return func(o *takeover.Object) bool {
			return o.Owned && o.Remembered && (o.Adoption == children.AdoptAtOnce) == needed
		}
	}
	if err := m.each(ctx, taken(false), m.restore); err != nil {
		return err
	}
	if err := m.settles(ctx); err != nil {
		return err
	}
	return m.each(ctx, taken(true), m.restore)
}

// restore makes an object what it was.
func (m *move) restore(ctx context.Context, live *unstructured.Unstructured) error {
	before, err := takeover.AsBefore(live)
	if err != nil {
		return err
	}
	return m.update(ctx, before)
}

// letGo deletes the Deployment and leaves its pods. A ReplicaSet remembers it first.
func (m *move) letGo(ctx context.Context) error {
	if m.seen.Old == nil || m.seen.Old.DeletionTimestamp != nil {
		return nil
	}
	if m.seen.Keeper() == nil {
		keeper := newestSet(m.seen.Sets)
		if keeper == nil {
			return errors.New("the Deployment has no ReplicaSet, which its controller makes; see kubectl describe deployment " + m.deployment)
		}
		live := &unstructured.Unstructured{}
		live.SetAPIVersion("apps/v1")
		live.SetKind("Deployment")
		if err := m.connection.Get(ctx, client.ObjectKeyFromObject(m.seen.Old), live); err != nil {
			return err
		}
		before, err := takeover.Remember(live)
		if err != nil {
			return err
		}
		if err := m.annotate(ctx, keeper, before); err != nil {
			return err
		}
	}
	return m.delete(ctx, m.seen.Old, metav1.DeletePropagationOrphan)
}

// annotate has an object remember something, or, with nil, forget it.
func (m *move) annotate(ctx context.Context, object client.Object, before any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{takeover.AnnotationBefore: before}}})
	if err != nil {
		return err
	}
	return m.connection.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldManager))
}

// delete deletes an object, if it is still the one that was read.
func (m *move) delete(ctx context.Context, object client.Object, propagation metav1.DeletionPropagation) error {
	uid := object.GetUID()
	return client.IgnoreNotFound(m.connection.Delete(ctx, object, client.PropagationPolicy(propagation), client.Preconditions{UID: &uid}))
}

// settles waits, once, until nodes and load balancers have learned of what was switched.
func (m *move) settles(ctx context.Context) error {
	if m.settled {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(m.settle):
		m.settled = true
		return nil
	}
}

// remove removes the old pods, and then what was remembered. What remembers the Deployment goes last, so that this can be gone on with.
func (m *move) remove(ctx context.Context) error {
	if !m.settled {
		return m.settles(ctx) // and look again, whether the new pods have borne what they got
	}
	if m.seen.Old != nil {
		return m.delete(ctx, m.seen.Old, metav1.DeletePropagationForeground)
	}
	if len(m.seen.Sets) > 0 {
		keeper := m.seen.Keeper()
		for i := range m.seen.Sets {
			set := &m.seen.Sets[i]
			if set.DeletionTimestamp != nil || len(m.seen.Sets) > 1 && keeper != nil && set.UID == keeper.UID {
				continue
			}
			if err := m.delete(ctx, set, metav1.DeletePropagationForeground); err != nil {
				return err
			}
		}
		return nil
	}
	if err := m.deleteCopies(ctx); err != nil {
		return err
	}
	return m.each(ctx, func(o *takeover.Object) bool { return o.Remembered }, m.forget)
}

func (m *move) deleteCopies(ctx context.Context) error {
	for _, name := range m.seen.Copies {
		copied := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: m.connection.Namespace}}
		if err := client.IgnoreNotFound(m.connection.Delete(ctx, copied)); err != nil {
			return err
		}
	}
	return nil
}

// deleteApp deletes the Application, which has nothing any more that is to stay.
func (m *move) deleteApp(ctx context.Context) error {
	if m.seen.App == nil || m.seen.App.DeletionTimestamp != nil {
		return nil
	}
	if err := m.settles(ctx); err != nil {
		return err
	}
	return m.delete(ctx, m.seen.App, metav1.DeletePropagationBackground)
}

// recreate creates the Deployment as it was, with as many pods as it has.
func (m *move) recreate(ctx context.Context) error {
	keeper := m.seen.Keeper()
	if keeper == nil || m.seen.Old != nil {
		return nil
	}
	before, err := takeover.Recall(keeper)
	if err != nil {
		return err
	}
	if replicas := keeper.Spec.Replicas; replicas != nil {
		if err := unstructured.SetNestedField(before.Object, int64(*replicas), "spec", "replicas"); err != nil {
			return err
		}
	}
	return m.connection.Create(ctx, before, client.FieldOwner(fieldManager))
}

// tidy removes what a move has left. It is not interrupted: after it, nothing says any more that there was a move to go on with.
func (m *move) tidy(ctx context.Context) error {
	ctx, cancel := m.uninterrupted(ctx)
	defer cancel()
	if err := m.deleteCopies(ctx); err != nil {
		return err
	}
	if keeper := m.seen.Keeper(); keeper != nil {
		return m.annotate(ctx, keeper, nil)
	}
	return nil
}
