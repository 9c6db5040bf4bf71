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
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
)

// maxAdditions is how many additions are tried, the likeliest ones. A pod template has some thirty that the API server has
// filled in.
const maxAdditions = 64

// maxAttempts is how often a child is written that somebody else writes at the same time.
const maxAttempts = 5

// applyMakingRoom applies a configuration that the API server refuses beside what others have added to the object: it takes
// away what stands in the way, and nothing else (decision 0023). If the additions are not to blame, it returns the refusal.
func (r *ApplicationReconciler) applyMakingRoom(
	ctx context.Context, app *v1.Application, record *appRecord, w write, cause error,
) error {
	same := refusal{desired: w.Hash, message: plan.Hash([]byte(outcome.RecurringWords(cause)))}
	if record.refused[w.Key()] == same { // to look again would write to the child, and so bring the next reconcile, and so on
		return cause
	}
	room, err := r.readRoom(ctx, w)
	if err != nil {
		return err
	}
	complains := complaints(cause)
	additions, err := managedfields.Additions(w.Config.ApplyConfiguration, plan.Content(room.live), room.before, complains)
	if err != nil {
		return fmt.Errorf("find what others have added to %s: %w", w.Child.Kind, err)
	}
	needed, err := fewest(additions[:min(len(additions), maxAdditions)], len(complains),
		func(set []managedfields.Addition) (int, error) { return room.tryWithout(ctx, set) })
	if err == nil && len(needed) == 0 {
		record.refused[w.Key()] = same
		err = cause
	}
	if err != nil {
		return errors.Join(err, room.write(ctx, room.before))
	}
	if err := room.take(ctx, needed); err != nil {
		return err
	}
	if err := r.applyWhileOurs(ctx, app, w, ""); err != nil {
		if w.Adopt != nil { // it may have stayed somebody else's
			err = errors.Join(err, room.write(ctx, room.before))
		}
		return err
	}
	logf.FromContext(ctx).Info("Removed what kept the configuration from being applied", "child", w.Child.Kind, "fields", needed)
	return nil
}

// isRefused reports whether the API server takes an object with these fields for wrong.
func isRefused(err error) bool { return apierrors.IsInvalid(err) || outcome.IsDuplicateNodePort(err) }

// complaints returns the fields that the API server complains of, at least one.
func complaints(refusal error) []string {
	if outcome.IsDuplicateNodePort(refusal) {
		return []string{"spec.ports[0].nodePort"}
	}
	var fields []string
	if status := apierrors.APIStatus(nil); errors.As(refusal, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			fields = append(fields, cause.Field)
		}
	}
	if len(fields) == 0 {
		return []string{""}
	}
	return fields
}

// fewest returns the additions that have to go so that nothing is complained of any more, or none if that cannot be had. It
// asks what is complained of without some of them, first one by one in their order: each that silences a complaint goes. If
// that is not enough, it begins with all of them, and keeps each that can stay.
func fewest[A any](additions []A, complaints int, without func([]A) (int, error)) ([]A, error) {
	var gone []A
	for _, addition := range additions {
		left, err := without(append(slices.Clip(gone), addition))
		if err != nil {
			return nil, err
		}
		if left >= complaints {
			continue
		}
		gone, complaints = append(gone, addition), left
		if left == 0 {
			return gone, nil
		}
	}
	if len(additions) == 0 {
		return nil, nil
	}
	if left, err := without(additions); err != nil || left > 0 {
		return nil, err
	}
	gone = slices.Clone(additions)
	for i := range slices.Backward(additions) {
		fewer := slices.Delete(slices.Clone(gone), i, i+1)
		left, err := without(fewer)
		if err != nil {
			return nil, err
		}
		if left == 0 {
			gone = fewer
		}
	}
	return gone, nil
}

// room is a child, and what is applied to it. Additions are taken away by making them ours in the managed fields, so that the
// apply which does not have them removes them: in one request with what it sets, since neither alone may be valid. Until
// then nothing of the object changes but who owns what.
type room struct {
	client client.Client
	child  *children.Child
	config map[string]any
	live   client.Object
	// before are the managed fields as they were found, and now as they were written last.
	before, now []metav1.ManagedFieldsEntry
}

// readRoom reads the child.
func (r *ApplicationReconciler) readRoom(ctx context.Context, w write) (*room, error) {
	content, err := json.Marshal(w.Config.ApplyConfiguration)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", w.Child.Kind, err)
	}
	room := &room{client: r.Client, child: w.Child, live: w.Child.New()}
	if err := json.Unmarshal(content, &room.config); err != nil {
		return nil, fmt.Errorf("decode %s: %w", w.Child.Kind, err)
	}
	// What is tried is tried on the child as it is then.
	unstructured.RemoveNestedField(room.config, "metadata", "resourceVersion")
	err = readAgain(ctx, r.Client, w.Child, w.Live, room.live)
	room.before = room.live.GetManagedFields()
	room.now = room.before
	return room, err
}

// tryWithout returns how much the API server complains of if the additions are taken away.
func (m *room) tryWithout(ctx context.Context, additions []managedfields.Addition) (int, error) {
	if err := m.take(ctx, additions); err != nil {
		return 0, err
	}
	config := client.ApplyConfigurationFromUnstructured((&unstructured.Unstructured{Object: m.config}).DeepCopy())
	err := m.client.Apply(ctx, config, client.ForceOwnership, client.DryRunAll)
	if isRefused(err) {
		return len(complaints(err)), nil
	}
	return 0, err
}

// take makes the additions ours, and gives back all others.
func (m *room) take(ctx context.Context, additions []managedfields.Addition) error {
	version := m.config["apiVersion"].(string)
	next, err := managedfields.Take(m.before, children.FieldOwner, version, additions)
	if err != nil {
		return fmt.Errorf("%s: %w", m.child.Kind, err)
	}
	return m.write(ctx, next)
}

// write changes the managed fields to these.
func (m *room) write(ctx context.Context, next []metav1.ManagedFieldsEntry) error {
	for attempt := 1; ; attempt++ {
		patch, err := managedfields.Patch(m.live.GetUID(), m.now, next)
		if patch == nil || err != nil {
			return err
		}
		object := m.child.New()
		object.SetNamespace(m.live.GetNamespace())
		object.SetName(m.live.GetName())
		err = m.client.Patch(ctx, object, client.RawPatch(types.JSONPatchType, patch))
		if err == nil {
			m.now = object.GetManagedFields()
			return nil
		}
		if !apierrors.IsInvalid(err) {
			return err
		}
		if attempt == maxAttempts {
			return conflict(m.child, object.GetName(), err)
		}
		// The entries have moved, as those of a status do on every write, or one of them has changed.
		if err = readAgain(ctx, m.client, m.child, m.live, object); err != nil {
			return err
		}
		m.now = object.GetManagedFields()
	}
}
