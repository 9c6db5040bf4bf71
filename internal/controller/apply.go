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

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/util/csaupgrade"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/example/app-operator/internal/fault"
)

// apply makes the planned writes. It returns the Deployment's generation where it wrote one, and otherwise 0.
func (r *ApplicationReconciler) apply(ctx context.Context, steps []step) (int64, error) {
	var generation int64
	var failed []error
	for _, step := range steps {
		if step.child.last && len(failed) > 0 {
			continue
		}
		if err := r.write(ctx, step); err != nil {
			failed = append(failed, err)
			continue
		}
		// The client has overwritten the configuration with the API server's answer.
		if deployment, ok := step.config.ApplyConfiguration.(*appsv1ac.DeploymentApplyConfiguration); ok {
			generation = ptr.Deref(deployment.Generation, 0)
		}
	}
	return generation, errors.Join(failed...)
}

// write makes one write.
//
// What exists is ours, and ownership of the fields we apply is forced: an edit by hand is drift. The UID keeps
// the write from reaching an object that has taken its place since the cache saw it. What does not exist, as far
// as the cache knows, is applied without force, so that a stranger's object that appeared meanwhile is a
// conflict and not overwritten.
func (r *ApplicationReconciler) write(ctx context.Context, step step) error {
	log := logf.FromContext(ctx).WithValues("child", step.child.kind)
	if step.deletes() {
		uid := step.live.GetUID()
		err := r.Client.Delete(ctx, step.live, client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return fault.FromAPI(err, step.child.kind)
		}
		log.Info("Deleted what is no longer wanted")
		return nil
	}
	var options []client.ApplyOption
	done := "Created"
	if step.live != nil {
		step.config.onlyIf(step.live.GetUID())
		options = append(options, client.ForceOwnership)
		done = "Updated"
	}
	err := r.Client.Apply(ctx, step.config.ApplyConfiguration, options...)
	if apierrors.IsInvalid(err) && step.live != nil {
		err = r.replace(ctx, step)
	}
	if err != nil {
		return fault.FromAPI(err, step.child.kind)
	}
	log.Info(done)
	return nil
}

// replace makes the spec of a live child exactly what is wanted, where server-side apply cannot. Lists whose items
// are told apart by a key keep the items of other field managers, so an item of ours whose key somebody has edited,
// such as a Service's port number, would stand there twice, and the API server refuses that. A plain patch replaces
// the lists. Then the fields it has written are made the apply's own, or the next apply could not give them up.
func (r *ApplicationReconciler) replace(ctx context.Context, step step) error {
	config, err := json.Marshal(step.config.ApplyConfiguration)
	if err != nil {
		return fmt.Errorf("encode %s: %w", step.child.kind, err)
	}
	var wanted struct {
		Spec json.RawMessage `json:"spec,omitempty"`
	}
	if err := json.Unmarshal(config, &wanted); err != nil {
		return fmt.Errorf("decode %s: %w", step.child.kind, err)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": step.live.GetUID()}, "spec": wanted.Spec})
	if err != nil {
		return fmt.Errorf("encode %s: %w", step.child.kind, err)
	}
	object := step.child.empty()
	object.SetNamespace(step.live.GetNamespace())
	object.SetName(step.live.GetName())
	if err := r.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return err
	}
	own, err := csaupgrade.UpgradeManagedFieldsPatch(object, sets.New(FieldOwner), FieldOwner)
	if err != nil || own == nil {
		return err
	}
	return r.Client.Patch(ctx, object, client.RawPatch(types.JSONPatchType, own))
}
