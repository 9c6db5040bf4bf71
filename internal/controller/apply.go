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
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/fault"
)

// apply makes the planned writes, and remembers what the API server has answered.
func (r *ApplicationReconciler) apply(ctx context.Context, app *v1.Application, steps []step) error {
	var failed []error
	for _, step := range steps {
		if step.child.gated && len(failed) > 0 {
			continue
		}
		if step.takesATurn() && !r.turns.take(client.ObjectKeyFromObject(app)) {
			if len(failed) == 0 { // what has failed is told before what only waits
				failed = append(failed, notYet(step.child))
			}
			continue
		}
		answer, err := r.write(ctx, step)
		if step.takesATurn() {
			r.turns.end(client.ObjectKeyFromObject(app))
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		r.written(app, step, answer)
	}
	return errors.Join(failed...)
}

// write makes one write and returns the child as the API server has answered, of which the cache may not show anything yet.
// Of a deletion it returns nil.
//
// What exists is ours, and ownership of the fields we apply is forced: an edit by hand is drift. The UID keeps
// the write from reaching an object that has taken its place since the cache saw it. What does not exist, as far
// as the cache knows, is applied without force, so that a stranger's object that appeared meanwhile is a
// conflict and not overwritten.
func (r *ApplicationReconciler) write(ctx context.Context, step step) (client.Object, error) {
	switch {
	case step.deletes():
		return nil, r.remove(ctx, step.child, step.live)
	case step.live == nil:
		return r.create(ctx, step)
	default:
		return r.update(ctx, step)
	}
}

// remove deletes a child that exists, as it was read: a request that is held up, by an admission webhook for example, must
// not delete what somebody, such as the next leader, has written since.
func (r *ApplicationReconciler) remove(ctx context.Context, child child, live client.Object) error {
	uid, version := live.GetUID(), live.GetResourceVersion()
	err := r.Client.Delete(ctx, live, client.Preconditions{UID: &uid, ResourceVersion: &version})
	if client.IgnoreNotFound(err) != nil {
		return fault.FromAPI(err, child.kind)
	}
	logf.FromContext(ctx).Info("Deleted what is no longer wanted", "child", child.kind)
	return nil
}

// create makes a child that does not exist, as far as the cache knows, and returns it as the API server has answered.
func (r *ApplicationReconciler) create(ctx context.Context, step step) (client.Object, error) {
	err := r.Client.Apply(ctx, step.config.ApplyConfiguration)
	if step.child.optional() && notServed(err) {
		return nil, notInstalled(step.child)
	}
	if err != nil {
		return nil, fault.FromAPI(err, step.child.kind)
	}
	logf.FromContext(ctx).Info("Created", "child", step.child.kind, "drift", step.repairs)
	return answerOf(step)
}

// update makes a child that exists what is wanted, and returns it as the API server has answered.
func (r *ApplicationReconciler) update(ctx context.Context, step step) (client.Object, error) {
	log := logf.FromContext(ctx).WithValues("child", step.child.kind)
	if step.closing != "" || updatedByUs(step.live) {
		if _, err := r.patchAndOwn(ctx, step, json.RawMessage(step.closing)); err != nil {
			return nil, fault.FromAPI(err, step.child.kind)
		}
	}
	if step.handOver != nil {
		if err := r.handOver(ctx, step); err != nil {
			return nil, fault.FromAPI(err, step.child.kind)
		}
	}
	step.config.onlyIf(step.live.GetUID())
	err := r.Client.Apply(ctx, step.config.ApplyConfiguration, client.ForceOwnership)
	if apierrors.IsInvalid(err) {
		answer, failed := r.replace(ctx, step)
		if failed != nil {
			return nil, fault.FromAPI(failed, step.child.kind)
		}
		if answer.GetResourceVersion() == step.live.GetResourceVersion() { // the spec was not what was refused
			return nil, fault.FromAPI(err, step.child.kind)
		}
		log.Info("Replaced", "drift", step.repairs)
		return answer, nil
	}
	if err != nil {
		return nil, fault.FromAPI(err, step.child.kind)
	}
	log.Info("Updated", "drift", step.repairs)
	return answerOf(step)
}

// handOverManager is the field manager that holds a Deployment's size between us and the autoscaler.
const handOverManager = FieldOwner + "-handover"

// handOver gives the Deployment's size to another field manager, in which it stays as it is until the autoscaler's first
// decision. A conflict says that the autoscaler has decided already.
func (r *ApplicationReconciler) handOver(ctx context.Context, step step) error {
	size := appsv1ac.Deployment(step.live.GetName(), step.live.GetNamespace()).
		WithUID(step.live.GetUID()).
		WithSpec(appsv1ac.DeploymentSpec().WithReplicas(*step.handOver))
	err := r.Client.Apply(ctx, size, client.FieldOwner(handOverManager))
	if apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) && !conflictsWithUs(err) {
		return nil
	}
	return err
}

// conflictsWithUs tells whether a conflict is with a value that we have applied since the cache saw the object.
func conflictsWithUs(err error) bool {
	return strings.Contains(err.Error(), fmt.Sprintf("conflict with %q", FieldOwner))
}

// answerOf returns what the API server has said of an applied object: the client has overwritten the configuration with it.
// Of what nobody asks more of, it returns the metadata alone.
func answerOf(step step) (client.Object, error) {
	content, err := json.Marshal(step.config.ApplyConfiguration)
	if err != nil {
		return nil, fmt.Errorf("encode the API server's answer: %w", err)
	}
	var said client.Object = &metav1.PartialObjectMetadata{}
	if _, ok := step.child.object.(*corev1.Service); ok {
		said = &corev1.Service{}
	}
	if err := json.Unmarshal(content, said); err != nil {
		return nil, fmt.Errorf("decode the API server's answer: %w", err)
	}
	said.SetManagedFields(nil)
	return said, nil
}

// replace makes the spec of a live child exactly what is wanted, where server-side apply cannot. Lists whose items
// are told apart by a key keep the items of other field managers, so an item of ours whose key somebody has edited,
// such as a Service's port number, would stand there twice, and the API server refuses that. A plain patch replaces
// the lists. It returns what the API server has answered.
func (r *ApplicationReconciler) replace(ctx context.Context, step step) (client.Object, error) {
	config, err := json.Marshal(step.config.ApplyConfiguration)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", step.child.kind, err)
	}
	var wanted struct {
		Spec json.RawMessage `json:"spec,omitempty"`
	}
	if err := json.Unmarshal(config, &wanted); err != nil {
		return nil, fmt.Errorf("decode %s: %w", step.child.kind, err)
	}
	return r.patchAndOwn(ctx, step, wanted.Spec)
}

// patchAndOwn changes the spec by a plain patch, or leaves it if there is none, and then makes all that the operator has
// ever written by a plain patch its apply's own: the next apply could not give it up otherwise. Should the second half
// fail, the live object shows it, and the next pass makes up for it. It returns what the API server has answered.
func (r *ApplicationReconciler) patchAndOwn(ctx context.Context, step step, spec json.RawMessage) (client.Object, error) {
	body := map[string]any{"metadata": map[string]any{"uid": step.live.GetUID()}}
	if len(spec) > 0 {
		body["spec"] = spec
	}
	patch, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", step.child.kind, err)
	}
	object := step.child.empty()
	object.SetNamespace(step.live.GetNamespace())
	object.SetName(step.live.GetName())
	if err := r.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return nil, err
	}
	own, err := csaupgrade.UpgradeManagedFieldsPatch(object, sets.New(FieldOwner), FieldOwner)
	if err == nil && own != nil {
		err = r.Client.Patch(ctx, object, client.RawPatch(types.JSONPatchType, own))
	}
	object.SetManagedFields(nil) // as in any answer: nobody asks for them
	return object, err
}

// updatedByUs tells whether the operator owns fields of the object by a plain patch, whose take-over has not succeeded.
func updatedByUs(live client.Object) bool {
	return slices.ContainsFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == FieldOwner && entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == ""
	})
}
