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

	appsv1 "k8s.io/api/apps/v1"
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

// answer is what the API server has said of an object that was written. The cache may not show it yet.
type answer struct {
	generation int64
	version    string
}

// answers are what the API server has said of the objects that the status is judged by.
type answers struct {
	// generation is the Deployment's; 0 if it was not written.
	generation int64
	// service is the Service that was made; nil if none was.
	service *corev1.Service
}

// apply makes the planned writes, and returns what the API server has answered.
func (r *ApplicationReconciler) apply(ctx context.Context, app *v1.Application, steps []step) (answers, error) {
	var all answers
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
		made, err := r.write(ctx, step)
		if step.takesATurn() {
			r.turns.end(client.ObjectKeyFromObject(app))
		}
		if err != nil {
			failed = append(failed, err)
		} else {
			r.written(app, step, made)
		}
		switch step.child.object.(type) {
		case *appsv1.Deployment:
			all.generation = made.generation
		case *corev1.Service:
			all.service = serviceOf(step, err)
		}
	}
	return all, errors.Join(failed...)
}

// write makes one write and returns what the API server has answered.
//
// What exists is ours, and ownership of the fields we apply is forced: an edit by hand is drift. The UID keeps
// the write from reaching an object that has taken its place since the cache saw it. What does not exist, as far
// as the cache knows, is applied without force, so that a stranger's object that appeared meanwhile is a
// conflict and not overwritten.
func (r *ApplicationReconciler) write(ctx context.Context, step step) (answer, error) {
	log := logf.FromContext(ctx).WithValues("child", step.child.kind)
	if step.deletes() {
		uid := step.live.GetUID()
		err := r.Client.Delete(ctx, step.live, client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return answer{}, fault.FromAPI(err, step.child.kind)
		}
		log.Info("Deleted what is no longer wanted")
		return answer{}, nil
	}
	if step.live == nil {
		err := r.Client.Apply(ctx, step.config.ApplyConfiguration)
		if step.child.optional() && notServed(err) {
			return answer{}, notInstalled(step.child)
		}
		if err != nil {
			return answer{}, fault.FromAPI(err, step.child.kind)
		}
		log.Info("Created", "drift", step.repairs)
		return answerOf(step.config)
	}
	if step.closing != "" || updatedByUs(step.live) {
		if _, err := r.patchAndOwn(ctx, step, json.RawMessage(step.closing)); err != nil {
			return answer{}, fault.FromAPI(err, step.child.kind)
		}
	}
	if step.handOver != nil {
		if err := r.handOver(ctx, step); err != nil {
			return answer{}, fault.FromAPI(err, step.child.kind)
		}
	}
	step.config.onlyIf(step.live.GetUID())
	err := r.Client.Apply(ctx, step.config.ApplyConfiguration, client.ForceOwnership)
	if apierrors.IsInvalid(err) {
		made, err := r.replace(ctx, step)
		if err != nil {
			return made, fault.FromAPI(err, step.child.kind)
		}
		log.Info("Replaced", "drift", step.repairs)
		return made, nil
	}
	if err != nil {
		return answer{}, fault.FromAPI(err, step.child.kind)
	}
	log.Info("Updated", "drift", step.repairs)
	return answerOf(step.config)
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
func answerOf(config configuration) (answer, error) {
	content, err := json.Marshal(config.ApplyConfiguration)
	if err != nil {
		return answer{}, fmt.Errorf("encode the API server's answer: %w", err)
	}
	var said metav1.PartialObjectMetadata
	if err := json.Unmarshal(content, &said); err != nil {
		return answer{}, fmt.Errorf("decode the API server's answer: %w", err)
	}
	return answer{generation: said.Generation, version: said.ResourceVersion}, nil
}

// serviceOf returns the Service that a step has made, as the API server has answered, or nil.
func serviceOf(step step, err error) *corev1.Service {
	if err != nil || step.live != nil {
		return nil
	}
	content, err := json.Marshal(step.config.ApplyConfiguration)
	if err != nil {
		return nil
	}
	service := &corev1.Service{}
	if json.Unmarshal(content, service) != nil {
		return nil
	}
	return service
}

// replace makes the spec of a live child exactly what is wanted, where server-side apply cannot. Lists whose items
// are told apart by a key keep the items of other field managers, so an item of ours whose key somebody has edited,
// such as a Service's port number, would stand there twice, and the API server refuses that. A plain patch replaces
// the lists. It returns what the API server has answered.
func (r *ApplicationReconciler) replace(ctx context.Context, step step) (answer, error) {
	config, err := json.Marshal(step.config.ApplyConfiguration)
	if err != nil {
		return answer{}, fmt.Errorf("encode %s: %w", step.child.kind, err)
	}
	var wanted struct {
		Spec json.RawMessage `json:"spec,omitempty"`
	}
	if err := json.Unmarshal(config, &wanted); err != nil {
		return answer{}, fmt.Errorf("decode %s: %w", step.child.kind, err)
	}
	return r.patchAndOwn(ctx, step, wanted.Spec)
}

// patchAndOwn changes the spec by a plain patch, or leaves it if there is none, and then makes all that the operator has
// ever written by a plain patch its apply's own: the next apply could not give it up otherwise. Should the second half
// fail, the live object shows it, and the next pass makes up for it. It returns what the API server has answered.
func (r *ApplicationReconciler) patchAndOwn(ctx context.Context, step step, spec json.RawMessage) (answer, error) {
	body := map[string]any{"metadata": map[string]any{"uid": step.live.GetUID()}}
	if len(spec) > 0 {
		body["spec"] = spec
	}
	patch, err := json.Marshal(body)
	if err != nil {
		return answer{}, fmt.Errorf("encode %s: %w", step.child.kind, err)
	}
	object := step.child.empty()
	object.SetNamespace(step.live.GetNamespace())
	object.SetName(step.live.GetName())
	if err := r.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return answer{}, err
	}
	own, err := csaupgrade.UpgradeManagedFieldsPatch(object, sets.New(FieldOwner), FieldOwner)
	if err == nil && own != nil {
		err = r.Client.Patch(ctx, object, client.RawPatch(types.JSONPatchType, own))
	}
	return answer{generation: object.GetGeneration(), version: object.GetResourceVersion()}, err
}

// updatedByUs tells whether the operator owns fields of the object by a plain patch, whose take-over has not succeeded.
func updatedByUs(live client.Object) bool {
	return slices.ContainsFunc(live.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == FieldOwner && entry.Operation == metav1.ManagedFieldsOperationUpdate && entry.Subresource == ""
	})
}
