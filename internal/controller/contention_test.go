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
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/resources"
)

// fight runs passes, as the queue does, for this long, and has the opponent at work after each, who says whether that has
// changed anything. It returns how many writes were counted.
func fight(t *testing.T, r *ApplicationReconciler, lasts time.Duration, writes *int, opponent func() bool) int {
	t.Helper()
	before := *writes
	r.Recorder = events.NewFakeRecorder(1000)
	for begun := time.Now(); time.Since(begun) < lasts; {
		result, err := reconcileObserved(t, r)
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
			if _, err := reconcileObserved(t, r); err != nil {
				t.Fatal(err) // which has seen its own write meanwhile
			}
			time.Sleep(time.Second)
			config, err := resources.Deployment(resources.Inputs{Application: theirs})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Apply(t.Context(), config, client.FieldOwner(children.FieldOwner), client.ForceOwnership); err != nil {
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
		if deletions < 5 || deletions > 20 {
			t.Errorf("%d deletions in 2 min", deletions)
		}
	})
}

// TestASpecThatIsSwitchedIsNoDispute holds that who switches a child on and off in the spec is obeyed at once, however often.
func TestASpecThatIsSwitchedIsNoDispute(t *testing.T) {
	made := 0
	r, c := withErrors(t, interceptor.Funcs{Apply: func(
		ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption,
	) error {
		if err := c.Apply(ctx, config, options...); err != nil || fmt.Sprintf("%T", config) != "*v1.ServiceApplyConfiguration" {
			return err
		}
		service := &corev1.Service{} // which the API server would give a UID
		if err := c.Get(ctx, app("web"), service); err != nil || service.UID != "" {
			return err
		}
		made++
		service.UID = uidOf(made)
		return c.Update(ctx, service)
	}})
	r.Recorder = events.NewFakeRecorder(1000)
	for range 10 {
		for _, port := range []*int32{new(int32(80)), nil} {
			web := theApplication(t, c)
			web.Spec.Port = port
			if err := c.Update(t.Context(), web); err != nil {
				t.Fatal(err)
			}
			reconcileOnce(t, r, c)
			err := c.Get(t.Context(), app("web"), &corev1.Service{})
			if exists := err == nil; exists != (port != nil) {
				t.Fatalf("the Service exists: %t, with port %v", exists, port)
			}
		}
	}
}

// TestAShorterHistoryIsNoDispute holds that revisions go at once, however many, and that nobody is blamed for them.
func TestAShorterHistoryIsNoDispute(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	keep := func(limit int32) {
		t.Helper()
		web := theApplication(t, c)
		web.Spec.Rollout = &v1.RolloutSpec{RevisionHistoryLimit: &limit}
		if err := c.Update(t.Context(), web); err != nil {
			t.Fatal(err)
		}
		reconcileOnce(t, r, c)
	}
	web := theApplication(t, c)
	const old = 30
	for number := range old {
		if err := c.Create(t.Context(), &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("web-%010d", number), Namespace: "apps", UID: uidOf(number),
			Labels:          map[string]string{resources.LabelApplication: "web"},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(web, v1.GroupVersion.WithKind("Application"))},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int32{old, 1} {
		keep(limit)
		list := &appsv1.ControllerRevisionList{}
		if err := c.List(t.Context(), list, client.InNamespace("apps")); err != nil {
			t.Fatal(err)
		}
		if want := int(limit) + 1; len(list.Items) != want {
			t.Errorf("with a limit of %d there are %d revisions, want %d", limit, len(list.Items), want)
		}
	}
	if ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady); ready.Reason != v1.ReasonRollingOut {
		t.Errorf("Ready says %s: %s", ready.Reason, ready.Message)
	}
}

// TestWhatWasSoAllTheTimeIsNoRepair holds that a write which finds the child in the state that was recorded counts as nothing,
// although the cache shows an older one, or none.
func TestWhatWasSoAllTheTimeIsNoRepair(t *testing.T) {
	service := func(version string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "1", ResourceVersion: version}}
	}
	for what, live := range map[string]client.Object{"older": service("99"), "none": nil} {
		r, c := withErrors(t, interceptor.Funcs{})
		web := theApplication(t, c)
		record := r.records.of(web)
		key := plan.Key{Kind: children.Service, Name: "web"}
		record.lastApplied.Wrote(key, 7, service("100"))
		step := &plan.Step{
			Child: &children.Child{Kind: children.Service}, Name: "web", Hash: 7, RepairsDrift: true,
			Config: children.Config{ApplyConfiguration: corev1ac.Service("web", "apps")},
		}
		if live != nil {
			step.Live = live
		}
		before := counted(t, "app_operator_drift_repairs_total")[children.Service]
		w := write{Step: step, dispute: record.disputeOf(step)}
		said := &answer{}
		said.UID, said.ResourceVersion = "1", "100"
		r.recordWrite(web, record, w, said)
		if got := counted(t, "app_operator_drift_repairs_total")[children.Service] - before; got != 0 || w.dispute.Unresolved() {
			t.Errorf("%s: it counts as %v repairs, and for the dispute: %t", what, got, w.dispute.Unresolved())
		}
		if r.expectations.Pending(app("web")) == 0 {
			t.Errorf("%s: it will be written again before the cache shows it", what)
		}
	}
}

func uidOf(number int) types.UID { return types.UID(fmt.Sprint(number)) }
