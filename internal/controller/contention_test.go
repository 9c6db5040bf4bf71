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
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/resources"
)

func TestRepairsSlowDown(t *testing.T) {
	now := time.Now()
	var all contention
	at := contended{kind: "Deployment", field: 7}
	var pauses []time.Duration
	for range immediateRepairs + 8 {
		known := all.of(at, now)
		pause := known.pause(now)
		pauses = append(pauses, pause/time.Second)
		now = now.Add(pause)
		if known.pause(now) != 0 {
			t.Fatal("a pause does not end")
		}
		known.repaired(now)
	}
	want := []time.Duration{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30}
	if fmt.Sprint(pauses) != fmt.Sprint(want) {
		t.Errorf("pauses of %v s, want %v", pauses, want)
	}
	if message, next := all.present("web", now); message == "" || next <= 0 || next > longestPause {
		t.Errorf("it is told that %q, until %s", message, next)
	}
	if other := all.of(contended{kind: "Deployment", field: 8}, now); other.pause(now) != 0 {
		t.Error("another field has to wait too")
	}
	now = now.Add(contentionCalm)
	if message, next := all.present("web", now); message != "" || next != 0 {
		t.Errorf("after a calm it is told that %q, until %s", message, next)
	}
	if known := all.of(at, now); known.pause(now) != 0 || known.repairs != 0 {
		t.Error("after a calm repairs are not made at once")
	}
}

// TestDisputesAreBounded holds that somebody who changes another field each time is slowed down too, and takes no memory.
func TestDisputesAreBounded(t *testing.T) {
	now := time.Now()
	var all contention
	for field := range uint64(1000) {
		all.of(contended{kind: "Deployment", field: field + 1}, now).repaired(now)
	}
	if got := len(all.dispute); got > maxContended+1 {
		t.Errorf("%d disputes are remembered of one child", got)
	}
	if all.of(contended{kind: "Deployment", field: 5000}, now).pause(now) == 0 {
		t.Error("who changes another field each time is not slowed down")
	}
}

func TestADeletionCountsOnce(t *testing.T) {
	now := time.Now()
	var known dispute
	one := serviceIn("1")
	one.UID = "1"
	gone := step{child: child{kind: "Service"}, live: one}
	for range 10 {
		known.wrote(gone, now)
	}
	another := serviceIn("2")
	another.UID = "2"
	known.wrote(step{child: child{kind: "Service"}, live: another}, now)
	if known.repairs != 2 {
		t.Errorf("two objects were deleted, and %d are counted", known.repairs)
	}
}

func TestWhoConflicts(t *testing.T) {
	cause := func(manager, field string) metav1.StatusCause {
		return metav1.StatusCause{
			Type: metav1.CauseTypeFieldManagerConflict, Field: field,
			Message: fmt.Sprintf("conflict with %q using apps/v1 at 2026-11-29T02:00:00Z", manager),
		}
	}
	image := `.spec.template.spec.containers[name="web"].image`
	for _, test := range []struct {
		causes []metav1.StatusCause
		want   string
	}{
		{nil, ""},
		{[]metav1.StatusCause{{Type: metav1.CauseTypeFieldValueInvalid, Message: `conflict with "x"`}}, ""},
		{[]metav1.StatusCause{cause("kubectl-edit", image)}, `"kubectl-edit" keeps changing ` + image},
		{
			[]metav1.StatusCause{cause("b", ".spec.b"), cause(`a "quoted"`, ".spec.a"), cause("b", ".spec.c")},
			`"a \"quoted\"" and "b" keep changing .spec.a, .spec.b, .spec.c`,
		},
		{
			[]metav1.StatusCause{cause("a", ".4"), cause("a", ".3"), cause("a", ".2"), cause("a", ".1")},
			`"a" keeps changing .1, .2, .3, other fields`,
		},
	} {
		err := apierrors.NewApplyConflict(test.causes, "conflicts")
		if got := whoConflicts(fmt.Errorf("apply: %w", err)); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if got := whoConflicts(errors.New("no answer")); got != "" {
		t.Errorf("nobody has answered: %q", got)
	}
}

// fight runs passes, as the queue does, for this long, and has the opponent at work after each, who says whether that has
// changed anything. It returns how many writes were counted.
func fight(t *testing.T, r *ApplicationReconciler, lasts time.Duration, writes *int, opponent func() bool) int {
	t.Helper()
	before := *writes
	r.Recorder = events.NewFakeRecorder(1000)
	for begun := time.Now(); time.Since(begun) < lasts; {
		result, err := r.reconcileNamed(t.Context(), reconcile.Request{NamespacedName: app("web")})
		if err != nil {
			t.Fatal(err)
		}
		wait := 20 * time.Millisecond // until the event
		if !opponent() {
			wait = max(result.RequeueAfter, wait)
		}
		time.Sleep(wait)
	}
	return *writes - before
}

// countingApplies returns a reconciler and the number of its applies.
func countingApplies(t *testing.T) (*ApplicationReconciler, client.Client, *int) {
	t.Helper()
	writes := 0
	r, c := withErrors(t, interceptor.Funcs{Apply: func(
		ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption,
	) error {
		if config, ok := config.(*appsv1ac.DeploymentApplyConfiguration); ok && config != nil {
			writes++
		}
		return c.Apply(ctx, config, options...)
	}})
	return r, c, &writes
}

func TestAHostileClientIsFoughtWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, writes := countingApplies(t)
		reconcileOnce(t, r, c)
		image := func() string {
			t.Helper()
			deployment := &appsv1.Deployment{}
			if err := c.Get(t.Context(), app("web"), deployment); err != nil {
				t.Fatal(err)
			}
			return deployment.Spec.Template.Spec.Containers[0].Image
		}
		insist := func() bool {
			t.Helper()
			deployment := &appsv1.Deployment{}
			if err := c.Get(t.Context(), app("web"), deployment); err != nil {
				t.Fatal(err)
			}
			if deployment.Spec.Template.Spec.Containers[0].Image == "hostile:1" {
				return false
			}
			deployment.Spec.Template.Spec.Containers[0].Image = "hostile:1"
			if err := c.Update(t.Context(), deployment, client.FieldOwner("hostile")); err != nil {
				t.Fatal(err)
			}
			return true
		}
		if got := fight(t, r, 20*time.Second, writes, insist); got > 30 {
			t.Errorf("%d applies in 20 s", got)
		}
		degraded := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionDegraded)
		if degraded.Reason != v1.ReasonFieldManagerConflict || !strings.Contains(degraded.Message, `"hostile" keeps changing .spec.template`) {
			t.Errorf("Degraded says %s: %s", degraded.Reason, degraded.Message)
		}
		if got := fight(t, r, 10*time.Minute, writes, insist); got > 2*21 {
			t.Errorf("%d applies in 10 min, with pauses of 30 s", got)
		}
		if got := len(r.Recorder.(*events.FakeRecorder).Events); got > 25 {
			t.Errorf("%d events in 10 min", got)
		}
		fight(t, r, 5*time.Minute, writes, func() bool { return false })
		if image() != "nginx:1.29" {
			t.Errorf("the pods run %s although nobody insists any more", image())
		}
		if degraded := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionDegraded); degraded.Status == metav1.ConditionTrue {
			t.Errorf("after a calm Degraded says %s: %s", degraded.Reason, degraded.Message)
		}
		insist()
		reconcileOnce(t, r, c)
		if image() != "nginx:1.29" {
			t.Error("after a calm a repair is not made at once")
		}
	})
}

// TestTwoInstallationsSlowDown holds that two operators with different wishes do not keep the API server busy, and tell of
// each other.
func TestTwoInstallationsSlowDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, writes := countingApplies(t)
		reconcileOnce(t, r, c)
		theirs := theApplication(t, c)
		theirs.Spec.Replicas = new(int32(9))
		other := func() bool { // which wants another size, and pauses too
			t.Helper()
			deployment := &appsv1.Deployment{}
			if err := c.Get(t.Context(), app("web"), deployment); err != nil {
				t.Fatal(err)
			}
			if *deployment.Spec.Replicas == 9 {
				return false
			}
			if _, err := r.reconcileNamed(t.Context(), reconcile.Request{NamespacedName: app("web")}); err != nil {
				t.Fatal(err) // which has seen its own write meanwhile
			}
			time.Sleep(time.Second)
			config, err := resources.Deployment(resources.Inputs{Application: theirs})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Apply(t.Context(), config, client.FieldOwner(FieldOwner), client.ForceOwnership); err != nil {
				t.Fatal(err)
			}
			return true
		}
		before := counted(t, "app_operator_foreign_applies_total")["Deployment"]
		if got := fight(t, r, 2*time.Minute, writes, other); got > 45 { // of both
			t.Errorf("%d applies in 2 min", got)
		}
		degraded := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionDegraded)
		if !strings.Contains(degraded.Message, "another installation of app-operator") {
			t.Errorf("Degraded says %s: %s", degraded.Reason, degraded.Message)
		}
		if counted(t, "app_operator_foreign_applies_total")["Deployment"] == before {
			t.Error("the second installation is not counted")
		}
	})
}

// TestAWriterOfTheStatusIsFoughtWithPauses holds the same of the status, which two operators write differently.
func TestAWriterOfTheStatusIsFoughtWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, writes := counting(t)
		reconcileOnce(t, r, c)
		got := fight(t, r, 2*time.Minute, writes, func() bool {
			t.Helper()
			theirs := theApplication(t, c)
			if theirs.Status.Replicas == 17 {
				return false
			}
			theirs.Status.URL = "http://elsewhere.example.com"
			theirs.Status.Replicas = 17
			if err := c.Status().Update(t.Context(), theirs); err != nil {
				t.Fatal(err)
			}
			*writes--
			return true
		})
		if got > 30 {
			t.Errorf("%d status writes in 2 min", got)
		}
	})
}

// TestWhoMakesWhatIsNotWantedIsFoughtWithPauses holds the same of a child that one operator deletes and another makes.
func TestWhoMakesWhatIsNotWantedIsFoughtWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deletions := 0
		r, c := withErrors(t, interceptor.Funcs{Delete: func(
			ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption,
		) error {
			deletions++
			return c.Delete(ctx, object, options...)
		}})
		web := theApplication(t, c)
		web.Spec.Port = nil
		if err := c.Update(t.Context(), web); err != nil {
			t.Fatal(err)
		}
		reconcileOnce(t, r, c)
		made := 0
		fight(t, r, 2*time.Minute, new(int), func() bool {
			t.Helper()
			made++
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
				Name: "web", Namespace: "apps", UID: uidOf(made),
				OwnerReferences: []metav1.OwnerReference{{
					APIVersion: v1.GroupVersion.String(), Kind: "Application", Name: "web", UID: "1", Controller: new(true),
				}},
			}}
			err := c.Create(t.Context(), service)
			if client.IgnoreAlreadyExists(err) != nil {
				t.Fatal(err)
			}
			return err == nil
		})
		if deletions < immediateRepairs || deletions > 20 {
			t.Errorf("%d deletions in 2 min", deletions)
		}
	})
}

func TestWhoWritesUnderTheOperatorsNameIsFoundOut(t *testing.T) {
	second := time.Unix(1800000000, 0)
	live := func(manager, fields string, at time.Time) *corev1.Service {
		service := serviceIn("7")
		service.ManagedFields = []metav1.ManagedFieldsEntry{{
			Manager: manager, Operation: metav1.ManagedFieldsOperationApply, Time: &metav1.Time{Time: at},
			FieldsV1: metav1.NewFieldsV1(fields),
		}}
		return service
	}
	known := (&memory{}).of(&v1.Application{})
	known.isRight("Service", 7, live(FieldOwner, `{"f:spec":{"f:a":{},"f:b":{}}}`, second))
	for what, test := range map[string]struct {
		repair step
		want   bool
	}{
		"a value within the same second": {step{live: live(FieldOwner, `{"f:spec":{"f:a":{},"f:b":{}}}`, second)}, true},
		"other fields later":             {step{live: live(FieldOwner, `{"f:spec":{"f:a":{}}}`, second.Add(time.Second))}, true},
		"a field that somebody else has taken": {
			step{live: live(FieldOwner, `{"f:spec":{"f:a":{}}}`, second)}, false,
		},
		"all of it": {step{live: live("hostile", `{"f:spec":{"f:a":{},"f:b":{}}}`, second.Add(time.Second))}, false},
		"something beside it": {step{
			live:     live(FieldOwner, `{"f:spec":{"f:a":{},"f:b":{}}}`, second),
			unwanted: make([]managedfields.Addition, 1),
		}, false},
	} {
		if got := known.right["Service"].wasOverwritten(test.repair); got != test.want {
			t.Errorf("%s: got %v, want %v", what, got, test.want)
		}
	}
}

func uidOf(number int) types.UID { return types.UID(fmt.Sprint(number)) }
