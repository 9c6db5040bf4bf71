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

package takeover

import (
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/status"
)

// Kind is what a step does.
type Kind string

// The steps of a move, and of the way back.
const (
	Create    Kind = "create"
	Protect   Kind = "protect"
	GiveFirst Kind = "give first"
	LetGo     Kind = "let go"
	Await     Kind = "await"
	Give      Kind = "give"
	Remove    Kind = "remove"

	Pause    Kind = "pause"
	TakeBack Kind = "take back"
	Restore  Kind = "restore"
	Delete   Kind = "delete"
	Recreate Kind = "recreate"
	Tidy     Kind = "tidy"
)

// Step is one of the way.
type Step struct {
	Kind Kind
	// Words say what it does.
	Words string
	Done  bool
}

// Next returns the first step that is not done, or nil.
func Next(steps []Step) *Step {
	for i := range steps {
		if !steps[i].Done {
			return &steps[i]
		}
	}
	return nil
}

// Forward returns the steps of a move.
func Forward(f *Facts) []Step {
	steps := slices.Concat([]Step{f.stepCreate()}, f.stepsBeforePods())
	steps = append(steps, Step{
		Await, "wait until the Application's own pods are available, beside the old ones; nothing is switched until then",
		f.PodsAvailable && (!f.sameName() || f.Old == nil),
	})
	if rest := f.of(func(o *Object) bool { return !o.needed() && o.moves() }); len(rest) > 0 {
		steps = append(steps, Step{
			Give, fmt.Sprintf("give %s to the Application, which switches them to its pods, and wait until it is ready", named(rest)),
			len(f.of(isForeign)) == 0 && f.ready(),
		})
	}
	return append(steps, Step{
		Remove, fmt.Sprintf("remove %s, and what was remembered of it; from here on there is no way back", f.oldOnes()),
		f.Old == nil && len(f.Sets) == 0 && len(f.Copies) == 0 && len(f.of(func(o *Object) bool { return o.Remembered })) == 0,
	})
}

func (f *Facts) stepCreate() Step {
	words := "create Application %s, and wait until the operator has looked at it"
	if f.App != nil {
		words = "have Application %s, which is there, go on, and wait until the operator has looked at it"
	}
	return Step{Create, fmt.Sprintf(words, f.Application), f.marked() && !f.App.Spec.Paused && f.observed()}
}

// stepsBeforePods returns what has to be done before the Application's pods can run.
func (f *Facts) stepsBeforePods() []Step {
	var steps []Step
	if policies := f.of(isPolicy); len(policies) > 0 {
		foreign := f.of(func(o *Object) bool { return isPolicy(o) && isForeign(o) })
		steps = append(steps, Step{
			Protect, fmt.Sprintf("copy %s, for the old pods until they are gone", named(policies)), len(f.Copies) >= len(policies) || len(foreign) == 0,
		})
	}
	if first := f.of(func(o *Object) bool { return o.needed() && o.moves() }); len(first) > 0 {
		foreign := f.of(func(o *Object) bool { return o.needed() && isForeign(o) })
		steps = append(steps, Step{
			GiveFirst, fmt.Sprintf("give %s to the Application, since its pods need that before they run", named(first)), len(foreign) == 0,
		})
	}
	if f.sameName() {
		steps = append(steps, Step{LetGo, fmt.Sprintf("delete Deployment %s with --cascade=orphan, to make room for the Application's of that name: "+
			"its pods go on, and a ReplicaSet remembers it", f.Deployment), f.Old == nil})
	}
	return steps
}

func isForeign(o *Object) bool { return !o.Owned }

func isPolicy(o *Object) bool { return o.Kind.Kind == "NetworkPolicy" && o.moves() }

// oldOnes returns what is removed in the end.
func (f *Facts) oldOnes() string {
	if f.sameName() {
		return fmt.Sprintf("the ReplicaSets and pods that Deployment %s has left", f.Deployment)
	}
	return fmt.Sprintf("Deployment %s, its ReplicaSets and pods", f.Deployment)
}

// Refuse returns why a move cannot go on, with what to do, or nil.
func Refuse(f *Facts) error {
	steps := Forward(f)
	next := Next(steps)
	switch {
	case next == nil:
		return nil
	case f.App != nil && FromName(f.App) != "" && !f.marked():
		return fmt.Errorf("the Application %s takes over Deployment %s, not %s; give this one another name with --name", f.Application, FromName(f.App), f.Deployment)
	case f.App != nil && f.marked() && f.Old != nil && f.App.Annotations[AnnotationFrom] != From(f.Old):
		return fmt.Errorf("the Application %s has taken over another Deployment that was called %s; this one has to be moved by hand, or renamed", f.Application, f.Deployment)
	case f.App != nil && f.App.DeletionTimestamp != nil:
		return fmt.Errorf("the Application %s is being deleted; wait until it is gone", f.Application)
	case f.orphans():
		return f.refuseOrphan()
	}
	var refused []error
	refused = append(refused, f.refuseOld(next), f.refuseObjects())
	if next.Kind != Remove {
		for _, words := range f.Astray {
			refused = append(refused, errors.New(words))
		}
	}
	if f.Suspended {
		refused = append(refused, fmt.Errorf("the Application %s wants no pods, and nothing is switched to none; "+
			"scale up the Deployment, or the Application, or let the pods go and apply what kubectl app import prints", f.Application))
	}
	return errors.Join(refused...)
}

// orphans reports whether the Application would leave its objects behind, which a move takes to be its own or nobody's.
func (f *Facts) orphans() bool {
	return f.App != nil && f.App.Spec.DeletionPolicy == v1.DeletionPolicyOrphan
}

func (f *Facts) refuseOrphan() error {
	return fmt.Errorf("the Application %s has the deletionPolicy Orphan, by which its objects have no owner; "+
		"set spec.deletionPolicy to Delete until the move is over", f.Application)
}

// refuseOld says why the Deployment cannot move, before anything of it has.
func (f *Facts) refuseOld(next *Step) error {
	old := f.Old
	if old == nil || next.Kind == Remove || old.DeletionTimestamp != nil {
		return nil
	}
	name := "Deployment " + old.Name
	if len(old.OwnerReferences) > 0 {
		return fmt.Errorf("%s belongs to %s %s, which makes it again and again; take it away from its owner first",
			name, old.OwnerReferences[0].Kind, old.OwnerReferences[0].Name)
	}
	if old.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return fmt.Errorf("%s has the strategy Recreate: its pods do not stand new ones beside them, so there is no way without a gap; "+
			"delete it and apply what kubectl app import prints", name)
	}
	if ptr.Deref(old.Spec.Replicas, 1) == 0 {
		return nil // which is said of the Application
	}
	if next.Kind == Create && !status.RolledOut(old) {
		return fmt.Errorf("%s is not rolled out; wait for it, or mend it first: kubectl rollout status deployment/%s -n %s", name, old.Name, f.Namespace)
	}
	return nil
}

// refuseObjects says which objects cannot become the Application's.
func (f *Facts) refuseObjects() error {
	var refused []error
	for i := range f.Objects {
		o := &f.Objects[i]
		switch {
		case o.Owned:
		case !o.Nobodys:
			refused = append(refused, fmt.Errorf("%s has a name that the Application needs, and is somebody else's; give the Application another name with --name", o))
		case o.Adoption == 0:
			refused = append(refused, fmt.Errorf("%s has a name that the Application needs, and a %s cannot be taken over; delete it, "+
				"or write the Application with kubectl app import, give it another name there, apply it, and call this again", o, o.Kind.Kind))
		case o.Deleted:
			refused = append(refused, fmt.Errorf("%s is being deleted; wait until it is gone", o))
		case o.Consent != "" && o.Consent != f.Application:
			refused = append(refused, fmt.Errorf("%s is given to Application %s; take its annotation off, or name that one with --name", o, o.Consent))
		}
	}
	return errors.Join(refused...)
}

// Waits says what a step that has been taken waits for.
func Waits(f *Facts, step *Step) string {
	switch {
	case step.Kind == Await && f.Made != nil:
		return fmt.Sprintf("%d of %d new pods are available", f.Made.Status.AvailableReplicas, ptr.Deref(f.Made.Spec.Replicas, 1))
	case step.Kind == Give && len(f.of(isForeign)) > 0:
		return "not the Application's yet: " + named(f.of(isForeign))
	case step.Kind == Give:
		return "all of it is the Application's, which is not ready yet"
	case step.Kind == Remove:
		return fmt.Sprintf("%d old pods are left", f.oldPods())
	}
	return ""
}

// Stuck returns why the Application will not have pods unless somebody acts, or "". A conflict is not among it: that is what a move is about.
func Stuck(f *Facts) string {
	if !f.observed() || f.PodsAvailable || !meta.IsStatusConditionFalse(f.App.Status.Conditions, v1.ConditionProgressing) {
		return ""
	}
	ready := meta.FindStatusCondition(f.App.Status.Conditions, v1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse || ready.Reason == v1.ReasonChildConflict {
		return ""
	}
	return ready.Reason + ": " + ready.Message
}

// Reason returns what the Application says of itself, or "".
func Reason(f *Facts) string {
	if f.App == nil {
		return ""
	}
	ready := meta.FindStatusCondition(f.App.Status.Conditions, v1.ConditionReady)
	if ready == nil {
		return "no operator has looked at it"
	}
	return ready.Reason + ": " + ready.Message
}

func (f *Facts) oldPods() int32 {
	left := int32(0)
	for i := range f.Sets {
		left += f.Sets[i].Status.Replicas
	}
	return left
}
