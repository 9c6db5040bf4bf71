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

// Package plan decides what has to be written so that an Application's objects become as desired. It is pure: For is a function
// of the Application, of what was read, and of what was applied before; it makes no requests and knows neither a client nor a
// clock. Of what it is given it changes LastApplied alone, and the snapshot never.
package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// Step is one write: a create, an update, or a delete.
type Step struct {
	Child *children.Child
	// Name is the object's name.
	Name string
	// Live is the object as read; nil when there is none yet.
	Live children.Object
	// Config is what to apply; without one, Live is deleted.
	Config children.Config
	// Adopt says that the object is not the Application's yet, and is to be taken. It returns what to apply to it as it is now, in place
	// of Config, and an error if it may not be taken any more. Nil for any other step.
	Adopt func(now children.Object) (children.Config, error)
	// Hash stands for the desired configuration.
	Hash uint64
	// HandsOver says that we own the child's HandOver field, and that Config does not set it any more.
	HandsOver bool
	// Unwanted is what the object has and must not have.
	Unwanted []managedfields.Addition
	// Recreate says that a child that does not exist was created before, as it is desired now.
	Recreate bool
	// RepairsDrift says that somebody else has changed what was as desired before: has changed or deleted an object, or created one
	// that is not desired.
	RepairsDrift bool
	// Drift are the paths of the fields, without their values, that somebody else has changed of what the step repairs. Of what was
	// applied under the operator's own field manager, none is known.
	Drift []string
	// Gated says that the step is not made if one before it has failed.
	Gated bool
	// Foreign says that somebody else has applied the child under the operator's own field manager.
	Foreign bool
}

// Key returns which object the step is about.
func (s *Step) Key() Key { return Key{s.Child.Kind, s.Name} }

// HoldsUp reports whether the steps after this one wait for it. What is retained serves as it is.
func (s *Step) HoldsUp() bool { return !s.Child.Retained || s.Live == nil }

// Deletes reports whether the step is a delete.
func (s *Step) Deletes() bool { return s.Config.ApplyConfiguration == nil }

// NeedsSlot reports whether the step counts among the few creates that are made at a time. A child that was deleted by mistake
// does not have to wait.
func (s *Step) NeedsSlot() bool { return s.Child.Throttled && s.Live == nil && !s.Recreate }

// For returns the writes that make every child as desired, in their order: none if all are. Where a child cannot be had, the
// error says why, and the others are planned all the same.
func For(app *v1.Application, snapshot *Snapshot, last LastApplied) ([]Step, error) {
	p := planner{app: app, snapshot: snapshot, last: last}
	for _, child := range inOrder(snapshot.Inputs) {
		if err := p.child(child); err != nil {
			p.blocked = append(p.blocked, err)
		}
	}
	nameAllConflicts(p.blocked)
	if len(snapshot.Missing) > 0 {
		p.blocked = slices.Insert(p.blocked, 0, error(&outcome.Waiting{
			Reason: v1.ReasonReferenceMissing,
			Message: fmt.Sprintf("%s does not exist in this namespace; create it, or change the spec",
				strings.Join(snapshot.Missing, ", ")),
		}))
	}
	gated := slices.ContainsFunc(p.steps, func(step Step) bool { return step.Child.Gated != nil })
	if gated || !snapshot.PodsUpdated || len(p.blocked) > 0 {
		p.steps = slices.DeleteFunc(p.steps, func(step Step) bool { return step.Child.PrunedAfterRollout && step.Deletes() })
	}
	return p.steps, errors.Join(p.blocked...)
}

// inOrder returns the children in the order in which they are planned and written: that of the table, except that a child
// which has to be written before the gated ones comes before them. If it cannot be written, they stay.
func inOrder(in resources.Inputs) []*children.Child {
	ordered := make([]*children.Child, 0, len(children.Table))
	gated := -1
	for i := range children.Table {
		child := &children.Table[i]
		if child.Gated != nil && gated < 0 {
			gated = i
		}
		if gated >= 0 && child.BeforeGated != nil && child.BeforeGated(in) {
			ordered = slices.Insert(ordered, gated, child)
			continue
		}
		ordered = append(ordered, child)
	}
	return ordered
}

// planner collects the writes of one Application.
type planner struct {
	app      *v1.Application
	snapshot *Snapshot
	last     LastApplied
	steps    []Step
	blocked  []error
}

// runsPods reports whether objects of the kind are to run pods.
func (p *planner) runsPods(child *children.Child) bool {
	return child.Gated != nil && child.Gated(p.snapshot.Inputs)
}

// child plans the writes of one kind.
func (p *planner) child(child *children.Child) error {
	configs, err := p.build(child)
	if err != nil {
		return err
	}
	if reason := p.snapshot.Unavailable[child.Kind]; reason != nil {
		if len(configs) == 0 {
			return nil
		}
		return reason
	}
	held := p.runsPods(child) && len(p.blocked) > 0
	desired := map[string]bool{}
	var failed []error
	for _, config := range configs {
		desired[config.Name] = true
		if held || p.isMade(child, config.Name) {
			continue
		}
		next, err := p.object(child, config)
		if err != nil {
			failed = append(failed, err)
		}
		if next != nil {
			p.steps = append(p.steps, *next)
		}
	}
	failed = append(failed, p.prune(child, desired))
	p.last.keep(child.Kind, desired)
	return errors.Join(failed...)
}

// prune plans what becomes of the objects of one kind that are not desired, and notes which of them stay for now.
func (p *planner) prune(child *children.Child, desired map[string]bool) error {
	var failed []error
	for _, live := range p.snapshot.Live[child.Kind] {
		if desired[live.GetName()] || !p.prunes(child, live) {
			continue
		}
		next, err := p.retire(child, live)
		if err != nil {
			failed = append(failed, err)
		}
		if next != nil {
			p.steps = append(p.steps, *next)
			if next.Deletes() {
				p.last.leave(next.Key())
			}
		}
		desired[live.GetName()] = true // its deletion, which may come later, will repair nothing
	}
	return errors.Join(failed...)
}

// build returns what the objects of the kind should be: none, if they would change what is somebody else's.
func (p *planner) build(child *children.Child) ([]children.Config, error) {
	if live := p.snapshot.Find(child.ActsOn, p.app.Name); live != nil && !children.Of(child.ActsOn).Owns(p.app, live) {
		return nil, nil
	}
	configs, err := child.Build(p.snapshot.Inputs)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", child.Kind, err)
	}
	return configs, nil
}

// isMade reports whether an object that is left as it is exists.
func (p *planner) isMade(child *children.Child, name string) bool {
	live := p.snapshot.Find(child.Kind, name)
	return child.CreatedOnce && live != nil && child.Owns(p.app, live) && live.GetDeletionTimestamp() == nil
}

// retire returns the write that an object needs which is no longer desired: its deletion, or what has to come before; nil while
// that is waited for.
func (p *planner) retire(child *children.Child, live children.Object) (*Step, error) {
	if child.Retire == nil {
		return Delete(child, live, p.last), nil
	}
	first, deletable, err := child.Retire(live, p.snapshot.Scheduled[live.GetUID()])
	switch {
	case err != nil:
		return nil, err
	case deletable:
		return Delete(child, live, p.last), nil
	case first == nil:
		return nil, nil
	}
	step := &Step{Child: child, Name: live.GetName(), Live: live, Config: *first}
	if step.Hash, err = desiredHash(*first, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", child.Kind, err)
	}
	step.RepairsDrift = p.last[step.Key()].desiredUnchanged(step.Hash)
	return step, nil
}

// Delete returns the step that deletes an object. It repairs drift if the object was not desired when this process last looked:
// then somebody has created it since. What is created once goes when nothing needs it any more, however long it was not desired.
func Delete(child *children.Child, live children.Object, last LastApplied) *Step {
	step := &Step{Child: child, Name: live.GetName(), Live: live}
	_, known := last[step.Key()]
	step.RepairsDrift = !known && !child.CreatedOnce
	return step
}

// prunes reports whether an object is to be deleted that is not desired: it is ours, and is not being deleted.
func (p *planner) prunes(child *children.Child, live children.Object) bool {
	if child.Retained || !child.Owns(p.app, live) || live.GetDeletionTimestamp() != nil {
		return false
	}
	return child.Keep == nil || !child.Keep(p.snapshot.Inputs, live.GetName())
}

// object returns the write that one object needs to become as desired, or nil.
func (p *planner) object(child *children.Child, config children.Config) (*Step, error) {
	live := p.snapshot.Find(child.Kind, config.Name)
	if kept, err := p.keepPods(child, config, live); !kept || err != nil {
		return nil, err
	}
	next := &Step{Child: child, Name: config.Name, Live: live, Config: config, Gated: p.runsPods(child)}
	var absent []fieldpath.Path
	if child.Absent != nil {
		absent = child.Absent(p.snapshot.Inputs, config.Name)
	}
	absent = append(absent, child.NotIn(p.app)...)
	var err error
	if next.Hash, err = desiredHash(config, absent); err != nil {
		return nil, fmt.Errorf("%s: %w", child.Kind, err)
	}
	was := p.last[next.Key()]
	switch {
	case live == nil:
		next.Recreate, next.RepairsDrift = was.desiredUnchanged(next.Hash), was.desiredUnchanged(next.Hash)
		return next, nil
	case !child.Owns(p.app, live):
		return p.adopt(next)
	case live.GetDeletionTimestamp() != nil:
		return nil, going(child, live)
	case was.desiredUnchanged(next.Hash) && was.Is(live):
		if was.appliedAt.IsZero() { // it was recorded from the answer to an apply, which has no managed fields; the cached object has
			p.last.MarkInSync(next.Key(), next.Hash, live)
		}
		return nil, nil
	}
	next.RepairsDrift = was.desiredUnchanged(next.Hash)
	differs, err := next.compare(absent)
	if err != nil {
		return nil, err
	}
	if !differs {
		p.last.MarkInSync(next.Key(), next.Hash, live)
		return nil, nil
	}
	next.Foreign = next.RepairsDrift && was.overwrittenBySameManager(next)
	return next, nil
}

// going says that an object is being deleted, and has to be gone before it is made again.
func going(child *children.Child, live children.Object) error {
	if child.GoingRemedy != "" {
		return &outcome.Waiting{Reason: v1.ReasonReferenceMissing, Message: fmt.Sprintf(
			"%s %s is being deleted: %s", child.Kind, live.GetName(), child.GoingRemedy)}
	}
	return &outcome.Waiting{Reason: v1.ReasonRollingOut, Message: fmt.Sprintf(
		"Waiting for %s %s, which is being deleted, to be gone%s", child.Kind, live.GetName(), status.Held(live))}
}

// adopt returns the step that takes an object which is somebody else's, or an error: it may not be taken, or has to wait.
func (p *planner) adopt(next *Step) (*Step, error) {
	child, live := next.Child, next.Live
	if !child.MayAdopt(p.app, live) {
		return nil, conflictError(p.app, child, live)
	}
	if child.Adoption >= children.AdoptWithPods && !p.snapshot.PodsAvailable {
		return nil, p.awaitPods(child, live.GetName())
	}
	if child.Adoption >= children.AdoptWithService && Owned[*corev1.Service](p.snapshot, children.Service) == nil {
		return nil, &outcome.Waiting{Reason: v1.ReasonRollingOut, Message: fmt.Sprintf(
			"Waiting for Service %s, before %s %s is taken over", p.app.Name, child.Kind, live.GetName())}
	}
	app, in, name := p.app, p.snapshot.Inputs, next.Name
	next.Adopt = func(now children.Object) (children.Config, error) {
		if !child.MayAdopt(app, now) {
			return children.Config{}, conflictError(app, child, now)
		}
		taking := in
		if child.Taking != nil {
			taking = child.Taking(in, now)
		}
		configs, err := child.Build(taking)
		if err != nil {
			return children.Config{}, fmt.Errorf("build %s: %w", child.Kind, err)
		}
		at := slices.IndexFunc(configs, func(config children.Config) bool { return config.Name == name })
		if at < 0 {
			return children.Config{}, fmt.Errorf("build %s: %s is not among them", child.Kind, name)
		}
		return configs[at], nil
	}
	return next, nil
}

// awaitPods says that an object is taken over when the pods are available. Where none are desired, that never comes.
func (p *planner) awaitPods(child *children.Child, name string) error {
	if !p.runsPods(children.Of(children.Deployment)) {
		return &outcome.Invalid{Reason: v1.ReasonChildConflict, Message: fmt.Sprintf(
			"%s %s is taken over when the Application has pods that are available, and none are desired; end the suspension or "+
				"raise the number of replicas, or take the annotation %s off the object", child.Kind, name, v1.AnnotationAdopt)}
	}
	return &outcome.Waiting{Reason: v1.ReasonRollingOut, ForPods: true, Message: fmt.Sprintf(
		"%s %s is taken over when all pods are available", child.Kind, name)}
}

// keepPods makes the configuration keep the pods that run, if new ones are not to be made yet: anything is missing that they would need,
// or what they are is not known. It returns false if there are none to keep.
func (p *planner) keepPods(child *children.Child, config children.Config, live children.Object) (bool, error) {
	keeps := len(p.snapshot.Missing) > 0 || p.snapshot.KeepsPods && !child.CreatedOnce
	if child.KeepPods == nil || !keeps || !p.runsPods(child) {
		return true, nil
	}
	if live == nil || !child.Owns(p.app, live) {
		return false, nil
	}
	return child.KeepPods(config, live)
}

// compare reports whether the live object differs from the configuration, and completes the step.
func (s *Step) compare(absent []fieldpath.Path) (bool, error) {
	owned, err := managedfields.Of(s.Live, children.FieldOwner)
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.Child.Kind, err)
	}
	live, err := s.liveContent()
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.Child.Kind, err)
	}
	same, err := owned.Matches(s.Config.ApplyConfiguration, live)
	if err != nil {
		return false, fmt.Errorf("compare %s with the desired configuration: %w", s.Child.Kind, err)
	}
	if s.Unwanted, err = managedfields.Existing(live, absent); err != nil {
		return false, fmt.Errorf("look for what %s must not have: %w", s.Child.Kind, err)
	}
	if same && len(s.Unwanted) == 0 {
		return false, nil
	}
	if s.RepairsDrift {
		if s.Drift, err = owned.Lost(s.Config.ApplyConfiguration); err != nil {
			return false, fmt.Errorf("find what others have changed of %s: %w", s.Child.Kind, err)
		}
		for _, addition := range s.Unwanted {
			s.Drift = append(s.Drift, addition.String())
		}
	}
	if field := s.Child.HandOver; field != nil && owned.Has("spec", field.Field) {
		kept, err := managedfields.Sets(s.Config.ApplyConfiguration, "spec", field.Field)
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.Child.Kind, err)
		}
		s.HandsOver = !kept
	}
	return true, nil
}

// liveContent returns what is known of the live object. Of one whose metadata alone is read, the rest is as desired, if that is
// what its metadata say: the fields of the rest have their owners there.
func (s *Step) liveContent() (any, error) {
	if !s.Child.MetadataOnly {
		return Content(s.Live), nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s.Config.ApplyConfiguration)
	if err != nil {
		return nil, fmt.Errorf("read the desired configuration: %w", err)
	}
	live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(s.Live)
	if err != nil {
		return nil, fmt.Errorf("read the live object: %w", err)
	}
	content["metadata"] = live["metadata"]
	return content, nil
}

// Content returns what package managedfields reads of an object.
func Content(live children.Object) any {
	if untyped, ok := live.(*unstructured.Unstructured); ok {
		return untyped.Object
	}
	return live
}

// ConflictError is that somebody else's object is in the place of one that the Application needs.
type ConflictError struct {
	Kind, Name string
	*outcome.Invalid
}

// Unwrap returns what the conflict means for the Application.
func (c *ConflictError) Unwrap() error { return c.Invalid }

// conflictError says what it means that an object of the name we need is not the Application's. It is never changed.
func conflictError(app *v1.Application, child *children.Child, live children.Object) error {
	if children.ControllingApplication(live) == app.Name {
		return &outcome.Waiting{
			Reason: v1.ReasonRollingOut,
			Message: fmt.Sprintf("Waiting for %s %s of an earlier Application of this name to be garbage-collected",
				child.Kind, live.GetName()),
		}
	}
	return &ConflictError{Kind: child.Kind, Name: live.GetName(), Invalid: &outcome.Invalid{
		Reason: v1.ReasonChildConflict,
		Message: fmt.Sprintf("%s %s exists and is not this Application's, so it is left alone; %sremove it, or give the "+
			"Application another name", child.Kind, live.GetName(), remedies(app, child, live)),
	}}
}

// nameAllConflicts has the first conflict, which is the one that a person hears of, name the others.
func nameAllConflicts(blocked []error) {
	var first *ConflictError
	for _, leaf := range outcome.Flatten(errors.Join(blocked...)) {
		conflict, ok := errors.AsType[*ConflictError](leaf)
		switch {
		case !ok:
		case first == nil:
			first = conflict
		default:
			first.Message += fmt.Sprintf("; in the way is also %s %s", conflict.Kind, conflict.Name)
		}
	}
}

// remedies says what helps beside removing the object: consent, if it may be taken at all, and what helps with its kind.
func remedies(app *v1.Application, child *children.Child, live children.Object) string {
	said := ""
	to := child.ConsentOf(live)
	switch {
	case to != "" && !child.IsFreeFor(app, live):
		said = fmt.Sprintf("its annotation %s means nothing, since it belongs to another already; ", v1.AnnotationAdopt)
	case child.Adoption == 0 || !child.IsFreeFor(app, live):
	default:
		if to != "" {
			said = fmt.Sprintf("its annotation %s gives it to Application %s; ", v1.AnnotationAdopt, to)
		}
		dies := ", and deleted with it"
		if child.Retained {
			dies = ""
		}
		said += fmt.Sprintf("to have it taken over by this one%s, run kubectl annotate --overwrite %s %s -n %s %s=%s; ",
			dies, strings.ToLower(child.Kind), live.GetName(), app.Namespace, v1.AnnotationAdopt, app.Name)
	}
	if said != "" && child.ConflictRemedy == "" {
		return said + "otherwise "
	}
	return said + child.ConflictRemedy
}
