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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		answer, err := r.write(ctx, app, step)
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
func (r *ApplicationReconciler) write(ctx context.Context, app *v1.Application, step step) (client.Object, error) {
	switch {
	case step.deletes():
		return nil, r.remove(ctx, step.child, step.live)
	case step.live == nil:
		return r.create(ctx, step)
	default:
		return r.update(ctx, app, step)
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
func (r *ApplicationReconciler) update(ctx context.Context, app *v1.Application, step step) (client.Object, error) {
	if step.handsOver {
		if err := r.handOver(ctx, step); err != nil {
			return nil, fault.FromAPI(err, step.child.kind)
		}
	}
	step.config.onlyIf(step.live.GetUID())
	if len(step.unwanted) > 0 {
		room, err := r.readRoom(ctx, step)
		if err == nil {
			err = room.take(ctx, step.unwanted)
		}
		if err != nil {
			return nil, fault.FromAPI(err, step.child.kind)
		}
	}
	err := r.Client.Apply(ctx, step.config.ApplyConfiguration, client.ForceOwnership)
	if apierrors.IsInvalid(err) {
		err = r.applyMakingRoom(ctx, app, step, err)
	}
	if err != nil {
		return nil, fault.FromAPI(err, step.child.kind)
	}
	logf.FromContext(ctx).Info("Updated", "child", step.child.kind, "drift", step.repairs)
	return answerOf(step)
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
