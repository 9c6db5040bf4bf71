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

package plan

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/managedfields"
)

// serviceIn returns a Service in this version.
func serviceIn(version string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1", ResourceVersion: version}}
}

var service = Key{"Service", "web"}

func TestWhatIsInSync(t *testing.T) {
	last := LastApplied{}
	last.MarkInSync(service, 7, serviceIn("100"))
	another := serviceIn("100")
	another.UID = "another"
	was := last[service]
	for what, right := range map[string]bool{
		"the same":                           was.desiredUnchanged(7) && was.Is(serviceIn("100")),
		"another version":                    !was.Is(serviceIn("101")),
		"another object in the same version": !was.Is(another),
		"another configuration":              !was.desiredUnchanged(8),
		"an object that was never applied":   !last[Key{"Service", "other"}].desiredUnchanged(0),
	} {
		if !right {
			t.Errorf("%s is not told from what is in sync", what)
		}
	}
	last.keep("Service", map[string]bool{})
	if len(last) != 0 {
		t.Error("what is not desired any more is kept: when it comes back otherwise, that would be drift")
	}
}

// TestAGenerationIsOfAWrite holds that what others have changed is not taken for written by the operator.
func TestAGenerationIsOfAWrite(t *testing.T) {
	written, scaled := serviceIn("100"), serviceIn("101")
	written.Generation, scaled.Generation = 3, 4
	last := LastApplied{}
	last.Wrote(service, 7, written)
	last.MarkInSync(service, 7, scaled)
	if got := last[service]; got.Generation != 3 || !got.Is(scaled) {
		t.Errorf("recorded %+v", got)
	}
}

func TestDesiredHash(t *testing.T) {
	of := func(port int32, absent ...string) uint64 {
		t.Helper()
		config := corev1ac.Service("web", "apps").WithSpec(corev1ac.ServiceSpec().WithPorts(corev1ac.ServicePort().WithPort(port)))
		var paths []fieldpath.Path
		for _, name := range absent {
			paths = append(paths, fieldpath.MakePathOrDie(name))
		}
		hash, err := desiredHash(children.Config{ApplyConfiguration: config}, paths)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	if first, second := of(80), of(80); first != second {
		t.Error("the same has two hashes")
	}
	if of(80) == of(81) || of(80) == of(80, "spec") {
		t.Error("two configurations have the same hash")
	}
}

func TestAnApplyUnderTheOperatorsNameIsDetected(t *testing.T) {
	second := time.Unix(1800000000, 0)
	live := func(manager, fields string, at time.Time) *corev1.Service {
		service := serviceIn("7")
		service.ManagedFields = []metav1.ManagedFieldsEntry{{
			Manager: manager, Operation: metav1.ManagedFieldsOperationApply, Time: &metav1.Time{Time: at},
			FieldsV1: metav1.NewFieldsV1(fields),
		}}
		return service
	}
	const us = children.FieldOwner
	last := LastApplied{}
	last.MarkInSync(service, 7, live(us, `{"f:spec":{"f:a":{},"f:b":{}}}`, second))
	for what, test := range map[string]struct {
		repair Step
		want   bool
	}{
		"a value within the same second": {Step{Live: live(us, `{"f:spec":{"f:a":{},"f:b":{}}}`, second)}, true},
		"other fields later":             {Step{Live: live(us, `{"f:spec":{"f:a":{}}}`, second.Add(time.Second))}, true},
		"a field that somebody else has taken": {
			Step{Live: live(us, `{"f:spec":{"f:a":{}}}`, second)}, false,
		},
		"all of it": {Step{Live: live("hostile", `{"f:spec":{"f:a":{},"f:b":{}}}`, second.Add(time.Second))}, false},
		"something beside it": {Step{
			Live:     live(us, `{"f:spec":{"f:a":{},"f:b":{}}}`, second),
			Unwanted: make([]managedfields.Addition, 1),
		}, false},
	} {
		if got := last[service].overwrittenBySameManager(&test.repair); got != test.want {
			t.Errorf("%s: got %v, want %v", what, got, test.want)
		}
	}
}
