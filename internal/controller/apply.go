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
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/contention"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
)

// write is a step together with what decides when it may be made.
type write struct {
	*plan.Step
	// dispute counts the repairs of what the step repairs; nil for any other write.
	dispute *contention.Dispute
	// tells says that an event tells of the repair.
	tells bool
}

// apply makes the planned writes, and records how the API server has answered. It returns the answers, and what was refused and
// holds up nothing else.
func (r *ApplicationReconciler) apply(
	ctx context.Context, app *v1.Application, record *appRecord, steps []plan.Step,
) (wrote map[plan.Key]answer, refused, err error) {
	wrote = map[plan.Key]answer{}
	var failed, postponed, beside []error
	failedKinds := map[string]bool{}
	for i := range steps {
		if own := failedKinds[steps[i].Child.Kind]; steps[i].Gated && (len(failedKinds) > 1 || len(failedKinds) == 1 && !own) {
			continue // one object does not hold up another of its kind
		}
		said, err := r.applyStep(ctx, app, record, &steps[i])
		switch {
		case contention.IsPostponed(err): // what somebody else insists on does not hold up the other children
			postponed = append(postponed, err)
		case err != nil:
			err = outcome.Reworded(err, func(message string) string {
				return steps[i].Child.Fields(app, steps[i].Name).InUsersWords(message, "the "+steps[i].Child.Kind)
			})
			if steps[i].HoldsUp() || !outcome.IsRefusal(err) {
				failedKinds[steps[i].Child.Kind] = true
				failed = append(failed, err)
				continue
			}
			beside = append(beside, outcome.Reworded(err, func(message string) string {
				return message + "; " + steps[i].Child.RefusalRemedy
			}))
		case said != nil:
			wrote[steps[i].Key()] = *said
		}
	}
	return wrote, errors.Join(beside...), errors.Join(append(failed, postponed...)...)
}

// applyStep makes one write, unless it has to wait, and returns the answer; nil for a delete.
func (r *ApplicationReconciler) applyStep(
	ctx context.Context, app *v1.Application, record *appRecord, step *plan.Step,
) (*answer, error) {
	w := write{Step: step, dispute: record.disputeOf(step)}
	if w.dispute != nil {
		if err := w.dispute.Allow(time.Now()); err != nil {
			return nil, err
		}
	}
	key := client.ObjectKeyFromObject(app)
	if step.NeedsSlot() {
		if !r.queue.services.tryAcquire(key) {
			return nil, &outcome.Waiting{
				Reason:  v1.ReasonRollingOut,
				Message: "Waiting for its turn to create the " + step.Child.Kind + ", after those of other Applications",
			}
		}
		defer r.queue.services.release(key)
	}
	w.tells = w.dispute != nil && !step.Deletes() && record.contention.MayTell(w.dispute, time.Now())
	said, err := r.write(ctx, app, record, w)
	if err == nil {
		r.recordWrite(app, record, w, said)
	}
	return said, err
}

// disputeOf returns the dispute about what a step repairs, or nil if it repairs nothing.
func (rec *appRecord) disputeOf(step *plan.Step) *contention.Dispute {
	subject := contention.Subject{Kind: step.Child.Kind, Name: step.Name, Field: contention.Whole}
	switch {
	case !step.RepairsDrift:
		return nil
	case step.Deletes():
		subject.Field = contention.Deletion
	case step.Live != nil:
		if fields, _ := managedfields.AppliedBy(step.Live, children.FieldOwner); len(fields) > 0 {
			subject.Field = plan.Hash(fields)
		}
	}
	dispute := rec.contention.Dispute(subject, time.Now())
	if step.Foreign {
		dispute.Who = contention.OtherInstallation
	}
	return dispute
}

// recordWrite records a write that has succeeded, and counts it if it has repaired what somebody else had changed.
func (r *ApplicationReconciler) recordWrite(app *v1.Application, record *appRecord, w write, said *answer) {
	now := time.Now()
	if w.Deletes() {
		record.lastApplied.Clear(w.Key())
		delete(record.refused, w.Key())
		if w.dispute != nil {
			w.dispute.Deleted(w.Live.GetUID(), now)
		}
		return
	}
	was := record.lastApplied[w.Key()]
	record.lastApplied.Wrote(w.Key(), w.Hash, said)
	if w.Live != nil && record.lastApplied[w.Key()].Is(w.Live) {
		return // it has changed nothing: the object is in sync, whatever the comparison makes of it
	}
	unchanged := was.Is(said)
	if unchanged {
		// It was so all the time, and the cache is older than that: its informer is silent, or resource versions have gone back,
		// as after a backup of etcd was restored.
		r.expectations.Reset(w.Child.Kind, app.Namespace)
	}
	r.expectations.Wrote(client.ObjectKeyFromObject(app), w.Child.Kind, said.GetResourceVersion())
	if unchanged {
		return
	}
	if w.tells {
		record.contention.Told(now)
		r.recordRepair(app, w, said)
	}
	if w.dispute != nil {
		w.dispute.Repaired(now)
	}
	if w.Foreign {
		metrics.ForeignApply(w.Child.Kind)
	}
	if w.RepairsDrift {
		metrics.DriftRepaired(w.Child.Kind)
	}
}

// recordRepair says that what somebody else had changed or deleted was put back, and by whom, as far as that is known. No value is in it.
func (r *ApplicationReconciler) recordRepair(app *v1.Application, w write, said *answer) {
	object := w.Child.Kind + " " + w.Name
	var note string
	switch {
	case w.Live == nil:
		note = fmt.Sprintf("Created %s again, which somebody had deleted", object)
	case w.Foreign:
		note = fmt.Sprintf("Put back %s, which another installation of app-operator, or somebody with its field manager, had changed", object)
	default:
		note = fmt.Sprintf("Put back what %s had changed of %s: %s", cmp.Or(w.dispute.By, "somebody"), object, contention.Fields(w.Drift))
	}
	const remedy = "; what is to stay belongs in the spec of the Application"
	note = outcome.Shorten(note, maxNote-len(remedy)-len(" ...")) + remedy
	// Without what it is related to, several at a time would be one event.
	r.Recorder.Eventf(app, &said.PartialObjectMetadata, corev1.EventTypeNormal, v1.EventDriftRepaired, "Repair", "%s", note)
}

// answer is an object as the API server has answered a write of it. The cache may not show it yet.
type answer struct {
	metav1.PartialObjectMetadata
	// content is all of it, encoded.
	content []byte
}

// write makes one write and returns the answer; nil for a delete.
//
// What exists is ours, and ownership of the fields we apply is forced: an edit by hand is drift. UID and resource version keep
// the write from reaching an object that has taken its place, or is not ours any more, since the cache observed it. What does
// not exist, as far as the cache knows, is applied without force, so that somebody else's object that appeared meanwhile is a
// conflict and not overwritten.
func (r *ApplicationReconciler) write(ctx context.Context, app *v1.Application, record *appRecord, w write) (*answer, error) {
	switch {
	case w.Deletes():
		return nil, r.remove(ctx, w.Child, w.Live)
	case w.Live == nil:
		return r.create(ctx, w)
	default:
		return r.update(ctx, app, record, w)
	}
}

// remove deletes a child that exists, as it was read: a request that is held up, by an admission webhook for example, must
// not delete what somebody, such as the next leader, has written since. The options come over those of the kind.
func (r *ApplicationReconciler) remove(
	ctx context.Context, child *children.Child, live client.Object, options ...client.DeleteOption,
) error {
	uid, version := live.GetUID(), live.GetResourceVersion()
	all := []client.DeleteOption{client.Preconditions{UID: &uid, ResourceVersion: &version}}
	if child.DeletedAfterItsOwn {
		all = append(all, client.PropagationPolicy(metav1.DeletePropagationForeground))
	}
	err := r.Client.Delete(ctx, live, append(all, options...)...)
	if client.IgnoreNotFound(err) != nil {
		return outcome.FromAPI(err, child.Kind)
	}
	logf.FromContext(ctx).Info("Deleted what is no longer desired", "child", child.Kind)
	return nil
}

// create makes a child that does not exist, as far as the cache knows.
func (r *ApplicationReconciler) create(ctx context.Context, w write) (*answer, error) {
	err := r.Client.Apply(ctx, w.Config.ApplyConfiguration)
	if w.Child.Optional() && notServed(err) {
		return nil, notInstalled(w.Child)
	}
	if err != nil {
		return nil, outcome.FromAPI(err, w.Child.Kind)
	}
	logf.FromContext(ctx).Info("Created", "child", w.Child.Kind, "drift", w.RepairsDrift)
	return answerOf(w)
}

// update makes a child that exists as desired.
func (r *ApplicationReconciler) update(ctx context.Context, app *v1.Application, record *appRecord, w write) (*answer, error) {
	version := w.Live.GetResourceVersion()
	if w.Adopt != nil { // of what is not ours, the cache has no more than the name
		version = ""
	}
	if w.HandsOver {
		version = ""
		if err := r.handOver(ctx, w); err != nil {
			return nil, outcome.FromAPI(err, w.Child.Kind)
		}
	}
	if len(w.Unwanted) > 0 {
		version = ""
		room, err := r.readRoom(ctx, w)
		if err == nil {
			err = room.take(ctx, w.Unwanted)
		}
		if err != nil {
			return nil, outcome.FromAPI(err, w.Child.Kind)
		}
	}
	if w.Foreign {
		logf.FromContext(ctx).Info("Another installation of the operator, or somebody with its field manager, writes the same object",
			"child", w.Child.Kind)
	}
	err := r.applyWhileOurs(ctx, app, w, version)
	if isRefused(err) {
		err = r.applyMakingRoom(ctx, app, record, w, err)
	}
	if err != nil {
		return nil, outcome.FromAPI(err, w.Child.Kind)
	}
	if w.Adopt != nil {
		r.recordAdoption(ctx, app, w)
	} else {
		logf.FromContext(ctx).Info("Updated", "child", w.Child.Kind, "drift", w.RepairsDrift)
	}
	return answerOf(w)
}

// handOver gives the child's field to another field manager, in which it stays until somebody else decides it. A conflict with
// others says that somebody has decided it already.
func (r *ApplicationReconciler) handOver(ctx context.Context, w write) error {
	field, decided := w.Child.HandOver, w.Live
	if field.Like != nil {
		decided = field.Like(w.Live)
		switch err := r.Client.Create(ctx, decided, client.DryRunAll); {
		case isRefused(err), apierrors.IsForbidden(err): // a quota or a policy allows no new one, and this one is none
			decided = w.Live
		case err != nil:
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
	// A conflict with our own field manager is with a value that was applied since the cache saw the object.
	if apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) &&
		!strings.Contains(err.Error(), fmt.Sprintf("conflict with %q", children.FieldOwner)) {
		return nil
	}
	return err
}

// recordAdoption says that an object which was somebody else's belongs to the Application now, and what that means.
func (r *ApplicationReconciler) recordAdoption(ctx context.Context, app *v1.Application, w write) {
	metrics.Adopted(w.Child.Kind)
	logf.FromContext(ctx).Info("Adopted", "child", w.Child.Kind, "name", w.Name)
	means := "it is deleted when the Application is"
	if w.Child.Retained {
		means = "it stays when the Application is deleted"
	}
	// Without what it is related to, several at a time would be one event.
	r.Recorder.Eventf(app, w.Live, corev1.EventTypeNormal, v1.EventAdopted, "Adopt",
		"Took over %s %s, as its annotation %s allows: it is the Application's now, whatever becomes of the annotation, and %s",
		w.Child.Kind, w.Name, v1.AnnotationAdopt, means)
}

// applyWhileOurs applies the configuration over the values of other field managers to a child that exists, and only while it has
// the Application for its controller. The configuration has the owner reference, and must not put back what the garbage collector
// has taken off since the child was read: with --cascade=orphan, the child would be deleted all the same. So it is applied to this
// version of the child, and if that has changed, or none is given, to the present one.
//
// If the names of the others are to be told, or an earlier repair was undone, an apply without force comes first: it is answered
// with them. It is asked once: meanwhile a Deployment's controller goes on writing what it makes of the change, and each request
// more before the repair is another chance for it to come too late.
func (r *ApplicationReconciler) applyWhileOurs(ctx context.Context, app *v1.Application, w write, version string) error {
	asks := w.tells || w.dispute != nil && w.dispute.Unresolved()
	for attempt := 1; ; attempt++ {
		if version == "" {
			now := w.Child.New()
			if err := readAgain(ctx, r.Client, w.Child, w.Live, now); err != nil {
				return err
			}
			if err := w.mayBeWritten(app, now); err != nil {
				return err
			}
			version = now.GetResourceVersion()
		}
		w.Config.OnlyIf(w.Live.GetUID(), version)
		var options []client.ApplyOption
		if !asks {
			options = append(options, client.ForceOwnership)
		}
		err := r.Client.Apply(ctx, w.Config.ApplyConfiguration, options...)
		if asks && apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) {
			w.dispute.Named(err)
			asks = false
		}
		if !apierrors.IsConflict(err) || attempt == maxAttempts {
			return err
		}
		version = ""
	}
}

// mayBeWritten returns an error unless the child, as it is now, is the Application's or may be taken by it. What is applied to one
// that is taken depends on what it has.
func (w write) mayBeWritten(app *v1.Application, now client.Object) (err error) {
	why := errNotControlled
	switch owned := w.Child.Owns(app, now); {
	case owned && w.Adopt == nil:
		return nil
	case owned: // by an apply whose answer was lost; what it has kept, the configuration does not have
		why = errAdopted
	case w.Adopt != nil:
		w.Config, err = w.Adopt(now)
		return err
	}
	return conflict(w.Child, w.Name, why)
}

// conflict returns an error for a child that somebody else has written since it was read.
func conflict(child *children.Child, name string, why error) error {
	return apierrors.NewConflict(child.OptionalAPI.GroupResource(), name, why)
}

// Why a child is not written.
var (
	errGone          = errors.New("it has just been deleted")
	errNotControlled = errors.New("it does not belong to the Application any more")
	errAdopted       = errors.New("it belongs to the Application already")
)

// readChild reads a child from the API server, with the managed fields that the cache does not hold. It is a patch that
// changes nothing: the operator has no right to read single objects.
func readChild(ctx context.Context, c client.Client, live, into client.Object) error {
	into.SetNamespace(live.GetNamespace())
	into.SetName(live.GetName())
	nothing := fmt.Appendf(nil, `{"metadata":{"uid":%q}}`, live.GetUID())
	return c.Patch(ctx, into, client.RawPatch(types.MergePatchType, nothing))
}

// readAgain reads a child that is to be written. One that is gone was deleted since it was read last, and is a conflict: the event of its
// deletion calls for a new one.
func readAgain(ctx context.Context, c client.Client, child *children.Child, live, into client.Object) error {
	err := readChild(ctx, c, live, into)
	if apierrors.IsNotFound(err) {
		return conflict(child, live.GetName(), errGone)
	}
	return err
}

// answerOf returns the API server's answer to an apply: the client has overwritten the configuration with it.
func answerOf(w write) (*answer, error) {
	content, err := json.Marshal(w.Config.ApplyConfiguration)
	if err != nil {
		return nil, fmt.Errorf("encode the API server's answer: %w", err)
	}
	said := &answer{content: content}
	if err := json.Unmarshal(content, &said.PartialObjectMetadata); err != nil {
		return nil, fmt.Errorf("decode the API server's answer: %w", err)
	}
	return said, nil
}
