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
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

// TestAKindWithManyObjects follows a row with Many through a reconcile: what the Application controls is found whatever its name,
// objects of others are left alone, and what is not desired any more is deleted.
func TestAKindWithManyObjects(t *testing.T) {
	suffixes := []string{"-a", "-b"}
	table := children.Table
	t.Cleanup(func() { children.Table = table })
	children.Table = append(slices.Clone(table), children.Child{
		Kind: "LimitRange", Object: &corev1.LimitRange{}, List: &corev1.LimitRangeList{}, Many: true,
		Fields: func(*v1.Application, string) resources.FieldNames { return nil },
		Names: func(in resources.Inputs) []string {
			var names []string
			for _, suffix := range suffixes {
				names = append(names, in.Application.Name+suffix)
			}
			return names
		},
		Build: func(in resources.Inputs) ([]children.Config, error) {
			var configs []children.Config
			for _, suffix := range suffixes {
				config := corev1ac.LimitRange(in.Application.Name+suffix, in.Application.Namespace)
				config.WithOwnerReferences(metav1ac.OwnerReference().WithAPIVersion(v1.GroupVersion.String()).WithKind("Application").
					WithName(in.Application.Name).WithUID(in.Application.UID).WithController(true))
				configs = append(configs, children.Config{ApplyConfiguration: config, Name: *config.GetName(), OnlyIf: func(uid types.UID, version string) {
					config.WithUID(uid).WithResourceVersion(version)
				}})
			}
			return configs, nil
		},
	})
	r, c := withErrors(t, interceptor.Funcs{})
	if err := c.Create(t.Context(), &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "web-theirs", Namespace: "apps"}}); err != nil {
		t.Fatal(err)
	}
	names := func() []string {
		t.Helper()
		list := &corev1.LimitRangeList{}
		if err := c.List(t.Context(), list, client.InNamespace("apps")); err != nil {
			t.Fatal(err)
		}
		var all []string
		for i := range list.Items {
			all = append(all, list.Items[i].Name)
		}
		return all
	}
	for _, step := range []struct{ suffixes, want []string }{
		{[]string{"-a", "-b"}, []string{"web-a", "web-b", "web-theirs"}},
		{[]string{"-b", "-c"}, []string{"web-b", "web-c", "web-theirs"}},
		{nil, []string{"web-theirs"}},
	} {
		suffixes = step.suffixes
		reconcileOnce(t, r, c)
		if got := names(); !slices.Equal(got, step.want) {
			t.Errorf("with %v there are %v, want %v", step.suffixes, got, step.want)
		}
	}
}

// TestWhatAReleaseUsesIsNotPruned holds that nothing is taken away that pods use while a release command runs, although all pods of the
// Deployment are of its template.
func TestWhatAReleaseUsesIsNotPruned(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	reconcileOnce(t, r, c)
	roll(t, c, 1)
	app := theApplication(t, c)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: "web-release-0123456789", Namespace: "apps",
		Labels:          map[string]string{resources.LabelApplication: "web", resources.LabelRevision: "0123456789"},
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(app, v1.GroupVersion.WithKind("Application"))},
	}}
	for _, ends := range []bool{false, true} {
		if !ends {
			if err := c.Create(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		} else {
			job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
			if err := c.Status().Update(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
		s, err := r.snapshot(t.Context(), app, r.records.of(app))
		if err != nil || s.PodsUpdated != ends || !s.JobsRemain {
			t.Errorf("ended %v: all pods are updated %v, Jobs remain %v; error %v", ends, s.PodsUpdated, s.JobsRemain, err)
		}
	}
}

// TestPodsThatHaveEndedUseNothing holds that a pod which was evicted or rejected, and which Kubernetes keeps for as long as its
// ReplicaSet, keeps nothing from being pruned.
func TestPodsThatHaveEndedUseNothing(t *testing.T) {
	of := func(set types.UID, phase corev1.PodPhase) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: set, Controller: new(true)}}},
			Status:     corev1.PodStatus{Phase: phase},
		}
	}
	for what, test := range map[string]struct {
		pod  corev1.Pod
		want bool
	}{
		"a new pod":                    {of("new", corev1.PodRunning), true},
		"an old pod":                   {of("old", corev1.PodRunning), false},
		"an old pod that begins":       {of("old", corev1.PodPending), false},
		"an old pod that was evicted":  {of("old", corev1.PodFailed), true},
		"an old pod that was shut off": {of("old", corev1.PodSucceeded), true},
	} {
		s := &snapshot{pods: []corev1.Pod{of("new", corev1.PodRunning), test.pod}, newest: "new"}
		if got := s.runsNewPodsAlone(); got != test.want {
			t.Errorf("%s: got %v, want %v", what, got, test.want)
		}
	}
}

// TestAServiceThatWasJustCreatedIsInTheStatus holds that an Application whose pods have been ready before it had its Service is
// not called Ready without its URL, and the status not written twice.
func TestAServiceThatWasJustCreatedIsInTheStatus(t *testing.T) {
	r, c, writes := counting(t)
	limiter, _ := newLimiter()
	r.queue.services.addFirst = limiter.addFirst
	others := r.queue.services.fill()
	reconcileOnce(t, r, c)
	deployment := &appsv1.Deployment{}
	if err := c.Get(t.Context(), app("web"), deployment); err != nil {
		t.Fatal(err)
	}
	roll(t, c, 1)
	r.queue.services.release(others[0])
	for range 2 {
		reconcileOnce(t, r, c)
		now := theApplication(t, c).Status
		if ready := meta.FindStatusCondition(now.Conditions, v1.ConditionReady); ready.Status != metav1.ConditionTrue || now.URL != "http://web.apps.svc" {
			t.Errorf("Ready is %s, the URL %q", ready.Status, now.URL)
		}
	}
	if *writes != 2 {
		t.Errorf("%d status writes, want 2", *writes)
	}
}
