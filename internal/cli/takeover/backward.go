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
)

// Backward returns the steps of the way back.
func Backward(f *Facts) []Step {
	var steps []Step
	taken := f.of(func(o *Object) bool { return o.Owned && o.Remembered })
	if len(taken) > 0 {
		steps = append(steps, Step{
			Pause, fmt.Sprintf("pause Application %s, so that it leaves its objects as they are", f.Application), f.App.Spec.Paused && f.observed(),
		})
	}
	if given := f.of(func(o *Object) bool { return !o.Owned && (o.Consent == f.Application || o.Remembered) }); len(given) > 0 {
		steps = append(steps, Step{Kind: TakeBack, Words: "take back the consent from " + named(given)})
	}
	if len(taken) > 0 {
		steps = append(steps, Step{Kind: Restore, Words: fmt.Sprintf("give %s back, as before and nobody's", named(taken))})
	}
	if f.App != nil || f.Made != nil {
		steps = append(steps, Step{Kind: Delete, Words: fmt.Sprintf("delete Application %s with its own pods, and wait until they have no Deployment any more", f.Application)})
	}
	if f.Keeper() != nil {
		steps = append(steps, Step{
			Recreate, fmt.Sprintf("create Deployment %s as it was: it takes its ReplicaSets and pods again", f.Deployment),
			f.Old != nil && f.adopted(),
		})
	}
	if len(f.Copies) > 0 || f.Keeper() != nil {
		steps = append(steps, Step{Kind: Tidy, Words: "remove what was remembered of it, and the copies of NetworkPolicies"})
	}
	return steps
}

// adopted reports whether the old Deployment has its ReplicaSets again, and its pods are there.
func (f *Facts) adopted() bool {
	for i := range f.Sets {
		if len(f.Sets[i].OwnerReferences) == 0 {
			return false
		}
	}
	return f.Old.Status.ObservedGeneration >= f.Old.Generation
}

// RefuseBack returns why there is no way back, with what to do, or nil.
func RefuseBack(f *Facts) error {
	switch {
	case f.App != nil && !f.marked():
		return fmt.Errorf("the Application %s was not made by --take-over of Deployment %s; what it has, it keeps", f.Application, f.Deployment)
	case f.App == nil && f.Keeper() == nil && len(f.Backless()) == 0 && len(Backward(f)) == 0:
		return fmt.Errorf("there is nothing to undo: no Application takes over Deployment %s of namespace %s", f.Deployment, f.Namespace)
	case f.orphans():
		return f.refuseOrphan()
	case f.App != nil && (f.Old == nil && len(f.Sets) == 0 || f.removing()):
		return fmt.Errorf("this cannot be undone: the pods of Deployment %s are removed, or are being removed. "+
			"To leave the operator, see kubectl app export --help", f.Deployment)
	}
	var refused []error
	for _, o := range f.Backless() {
		refused = append(refused, fmt.Errorf("%s was given to the Application by hand, so that nothing remembers how it was, and it would be deleted with it; "+
			"keep a copy of it, and go back by hand", &o))
	}
	if f.Switched() && f.oldReady() == 0 {
		refused = append(refused, fmt.Errorf("none of the old pods is ready, and requests would be lost: see kubectl get pods -n %s", f.Namespace))
	}
	return errors.Join(refused...)
}

// Backless returns the objects that were given away, and of which nothing says how they were.
func (f *Facts) Backless() []Object {
	return f.of(func(o *Object) bool { return o.Owned && !o.Remembered && o.Consent == f.Application })
}
