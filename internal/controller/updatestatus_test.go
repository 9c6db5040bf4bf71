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
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
)

func TestIsProgress(t *testing.T) {
	set := func(kind string, value metav1.ConditionStatus, reason string) func(*v1.ApplicationStatus) {
		return func(next *v1.ApplicationStatus) {
			meta.SetStatusCondition(&next.Conditions, metav1.Condition{Type: kind, Status: value, Reason: reason})
		}
	}
	rolling := v1.ApplicationStatus{ObservedGeneration: 1}
	for kind, value := range map[string]metav1.ConditionStatus{
		v1.ConditionReady: metav1.ConditionUnknown, v1.ConditionProgressing: metav1.ConditionTrue,
		v1.ConditionAvailable: metav1.ConditionUnknown, v1.ConditionDegraded: metav1.ConditionFalse,
	} {
		set(kind, value, v1.ReasonRollingOut)(&rolling)
	}
	for name, test := range map[string]struct {
		edit func(*v1.ApplicationStatus)
		want bool
	}{
		"another number":     {func(next *v1.ApplicationStatus) { next.ReadyReplicas = 2 }, true},
		"another message":    {func(next *v1.ApplicationStatus) { next.Conditions[0].Message = "Waiting for old pods to end" }, true},
		"it is available":    {set(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonRollingOut), true},
		"it is ready":        {set(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonRolloutComplete), false},
		"it has failed":      {set(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonCrashLooping), false},
		"it is degraded":     {set(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonCrashLooping), false},
		"another reason":     {set(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReconcileFailed), false},
		"another generation": {func(next *v1.ApplicationStatus) { next.ObservedGeneration = 2 }, false},
		"another image":      {func(next *v1.ApplicationStatus) { next.Image = "nginx" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			next := *rolling.DeepCopy()
			test.edit(&next)
			if got := isProgress(rolling, next); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
	serving := *rolling.DeepCopy()
	set(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonRollingOut)(&serving)
	if isProgress(serving, rolling) {
		t.Error("that it is not available any more is news")
	}
	if isProgress(v1.ApplicationStatus{}, rolling) {
		t.Error("the first status is news")
	}
}

// counting returns a reconciler, and how often it has written a status.
func counting(t *testing.T) (*ApplicationReconciler, client.Client, *int) {
	t.Helper()
	writes := 0
	r, c := withErrors(t, interceptor.Funcs{
		SubResourceUpdate: func(
			ctx context.Context, c client.Client, name string, object client.Object, options ...client.SubResourceUpdateOption,
		) error {
			if _, ok := object.(*v1.Application); ok {
				writes++
			}
			return c.SubResource(name).Update(ctx, object, options...)
		},
	})
	return r, c, &writes
}

// roll makes the Deployment report so many available pods of the two that it wants.
func roll(t *testing.T, c client.Client, available int32) {
	t.Helper()
	deployment := &appsv1.Deployment{}
	if err := c.Get(t.Context(), app("web"), deployment); err != nil {
		t.Fatal(err)
	}
	deployment.Status = appsv1.DeploymentStatus{
		ObservedGeneration: deployment.Generation, Replicas: 1, UpdatedReplicas: 1,
		ReadyReplicas: available, AvailableReplicas: available,
	}
	if err := c.Status().Update(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
}

func TestProgressIsToldNowAndThen(t *testing.T) {
	r, c, writes := counting(t)
	expect := func(when string, want int, again bool) {
		t.Helper()
		result := reconcileOnce(t, r, c)
		if *writes != want || again != (result.RequeueAfter > 0 && result.RequeueAfter <= progressDebounce) {
			t.Errorf("%s: %d status writes, want %d; looks again after %s", when, *writes, want, result.RequeueAfter)
		}
	}
	web := theApplication(t, c)
	expect("at first", 1, false)
	roll(t, c, 0)
	expect("the pods have come", 1, true)
	expect("soon after", 1, true)
	r.records.of(web).progress = time.Now().Add(-progressDebounce)
	expect("after a while", 2, false)
	roll(t, c, 1)
	expect("it is ready", 3, false)
	expect("and rests", 3, false)
}

func TestProgressIsToldAfterTheTurn(t *testing.T) {
	r, c, writes := counting(t)
	limiter, _ := newLimiter()
	r.queue.services.addFirst = limiter.addFirst
	others := r.queue.services.fill()
	expect := func(when string, want int) {
		t.Helper()
		if result := reconcileOnce(t, r, c); *writes != want || result.RequeueAfter == 0 {
			t.Errorf("%s: %d status writes, want %d; looks again after %s", when, *writes, want, result.RequeueAfter)
		}
	}
	web := theApplication(t, c)
	reconcileOnce(t, r, c)
	roll(t, c, 0)
	r.records.of(web).progress = time.Now().Add(-time.Hour)
	expect("while it waits for its turn", 1)
	r.queue.services.release(others[0])
	expect("when the turn has come, and pods may follow soon", 1)
	r.records.of(web).progress = time.Now().Add(-progressDebounce)
	r.queue.services.waiters = []types.NamespacedName{app("another")}
	expect("while others wait", 1)
	roll(t, c, 1)
	reconcileOnce(t, r, c)
	if *writes != 2 {
		t.Errorf("%d status writes when it is ready, want 2", *writes)
	}
}

func TestAStatusIsNotWrittenOverOneThatTheCacheLacks(t *testing.T) {
	r, _, writes := counting(t)
	for range 2 {
		if _, err := r.Reconcile(t.Context(), webRequest); err != nil {
			t.Fatal(err)
		}
	}
	if *writes != 1 {
		t.Errorf("%d status writes, of which the API server refuses all but one", *writes)
	}
}
