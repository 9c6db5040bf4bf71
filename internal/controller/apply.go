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
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
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
			failed = append(failed, outcome.Reworded(err, func(words string) string {
				return step.child.fields(app).InUsersWords(words, "the "+step.child.kind)
			}))
			continue
		}
		r.written(app, step, answer)
	}
	return errors.Join(failed...)
}

// write makes one write and returns the child as the API server has answered, of which the cache may not show anything yet.
// Of a deletion it returns nil.
//
// What exists is ours, and ownership of the fields we apply is forced: an edit by hand is drift. UID and version keep
// the write from reaching an object that has taken its place, or is not ours any more, since the cache saw it. What does
// not exist, as far as the cache knows, is applied without force, so that a stranger's object that appeared meanwhile is a
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
		return outcome.FromAPI(err, child.kind)
	}
	logf.FromContext(ctx).Info("Deleted what is no longer desired", "child", child.kind)
	return nil
}

// create makes a child that does not exist, as far as the cache knows, and returns it as the API server has answered.
func (r *ApplicationReconciler) create(ctx context.Context, step step) (client.Object, error) {
	err := r.Client.Apply(ctx, step.config.ApplyConfiguration)
	if step.child.optional() && notServed(err) {
		return nil, notInstalled(step.child)
	}
	if err != nil {
		return nil, outcome.FromAPI(err, step.child.kind)
	}
	logf.FromContext(ctx).Info("Created", "child", step.child.kind, "drift", step.repairs)
	return answerOf(step)
}

// update makes a child that exists what is desired, and returns it as the API server has answered.
func (r *ApplicationReconciler) update(ctx context.Context, app *v1.Application, step step) (client.Object, error) {
	version := step.live.GetResourceVersion()
	if step.handsOver {
		version = ""
		if err := r.handOver(ctx, step); err != nil {
			return nil, outcome.FromAPI(err, step.child.kind)
		}
	}
	if len(step.unwanted) > 0 {
		version = ""
		room, err := r.readRoom(ctx, step)
		if err == nil {
			err = room.take(ctx, step.unwanted)
		}
		if err != nil {
			return nil, outcome.FromAPI(err, step.child.kind)
		}
	}
	if step.foreign {
		logf.FromContext(ctx).Info("Another installation of the operator, or somebody with its field manager, writes the same object",
			"child", step.child.kind)
	}
	err := r.applyWhileOurs(ctx, app, step, version)
	if apierrors.IsInvalid(err) {
		err = r.applyMakingRoom(ctx, app, step, err)
	}
	if err != nil {
		return nil, outcome.FromAPI(err, step.child.kind)
	}
	logf.FromContext(ctx).Info("Updated", "child", step.child.kind, "drift", step.repairs)
	return answerOf(step)
}

// applyWhileOurs applies the configuration to a child that exists, and only while it has the Application for its controller.
// The configuration bears the owner reference, and must not put back what the garbage collector has taken off since the
// child was read: with --cascade=orphan, the child would be deleted all the same. So it is applied to this version of the
// child, and if that has changed, or none is given, to the present one.
func (r *ApplicationReconciler) applyWhileOurs(ctx context.Context, app *v1.Application, step step, version string) error {
	for attempt := 1; ; attempt++ {
		if version == "" {
			now := step.child.empty()
			if err := readChild(ctx, r.Client, step, now); err != nil {
				return err
			}
			if !metav1.IsControlledBy(now, app) {
				return apierrors.NewConflict(step.child.optionalAPI.GroupResource(), now.GetName(), errNotControlled)
			}
			version = now.GetResourceVersion()
		}
		step.config.onlyIf(step.live.GetUID(), version)
		err := r.applyOver(ctx, step)
		if !apierrors.IsConflict(err) || attempt == maxAttempts {
			return err
		}
		version = ""
	}
}

// errNotControlled is why a child is not written.
var errNotControlled = errors.New("it does not belong to the Application any more")

// readChild reads a child from the API server, with the managed fields that the cache does not hold. It is a patch that
// changes nothing: the operator has no right to read single objects.
func readChild(ctx context.Context, c client.Client, step step, into client.Object) error {
	into.SetNamespace(step.live.GetNamespace())
	into.SetName(step.live.GetName())
	nothing := fmt.Appendf(nil, `{"metadata":{"uid":%q}}`, step.live.GetUID())
	return c.Patch(ctx, into, client.RawPatch(types.MergePatchType, nothing))
}

// applyOver applies what is desired, whoever else has written it. Where that has been done before and was undone, it asks
// first who does that, unless it is known: an apply that is not forced is answered with the other field managers.
func (r *ApplicationReconciler) applyOver(ctx context.Context, step step) error {
	if step.dispute != nil && step.dispute.repairs > 0 && step.dispute.who == "" {
		err := r.Client.Apply(ctx, step.config.ApplyConfiguration)
		if !apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) {
			return err
		}
		if who := whoConflicts(err); who != "" {
			step.dispute.who = who
		}
	}
	return r.Client.Apply(ctx, step.config.ApplyConfiguration, client.ForceOwnership)
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
	return said, nil
}

// forgetMetadata drops what nobody asks an answer for and what others may make long.
func forgetMetadata(answer client.Object) {
	answer.SetManagedFields(nil)
	answer.SetLabels(nil)
	answer.SetAnnotations(nil)
	answer.SetOwnerReferences(nil)
}
