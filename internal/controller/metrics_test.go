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
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
)

// measured returns the operator's metrics of this name.
func measured(t *testing.T, name string) []*dto.Metric {
	t.Helper()
	registry := prometheus.NewRegistry()
	for _, collector := range metrics.Collectors(nil) {
		registry.MustRegister(collector)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()
		}
	}
	return nil
}

// counted returns the counters of the name by kind.
func counted(t *testing.T, name string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, metric := range measured(t, name) {
		all[metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue()
	}
	return all
}

func TestCountConflicts(t *testing.T) {
	const name = "app_operator_conflicts_total"
	const theirs, fine = "False ChildConflict it is not ours", "False RolloutComplete none"
	invalid := &outcome.Invalid{Reason: v1.ReasonChildConflict}
	both := errors.Join(&plan.ConflictError{Kind: "Service", Invalid: invalid}, errors.New("something else"), &plan.ConflictError{Kind: "Deployment", Invalid: invalid})
	for _, test := range []struct {
		name          string
		before, after v1.ApplicationStatus
		err           error
		want          map[string]float64
	}{
		{"new", v1.ApplicationStatus{}, statusOf(theirs, fine), both, map[string]float64{"Service": 1, "Deployment": 1}},
		{"known", statusOf(theirs, fine), statusOf(theirs, fine), both, nil},
		{
			"again", statusOf("True RolloutComplete all runs", fine), statusOf(theirs, fine), &plan.ConflictError{Kind: "Ingress", Invalid: invalid},
			map[string]float64{"Ingress": 1},
		},
		{"outranked", v1.ApplicationStatus{}, statusOf("False InvalidSpec no", fine), both, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := counted(t, name)
			countConflicts(test.before, test.after, test.err)
			got := map[string]float64{}
			for kind, value := range counted(t, name) {
				if value > before[kind] {
					got[kind] = value - before[kind]
				}
			}
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAConflictSaysWhatItMeans holds that the status and the work queue see through to the fault.
func TestAConflictSaysWhatItMeans(t *testing.T) {
	err := fmt.Errorf("pass: %w", errors.Join(errors.New("transient"),
		&plan.ConflictError{Kind: "Service", Invalid: &outcome.Invalid{Reason: v1.ReasonChildConflict, Message: "not ours"}}))
	if found, ok := errors.AsType[*outcome.Invalid](outcome.MostSevere(err)); !ok || found.Message != "not ours" {
		t.Errorf("the most severe error is %v", outcome.MostSevere(err))
	}
}

// TestWhoServesMetrics: the elected one does, and not any more when it has lost the lease.
func TestWhoServesMetrics(t *testing.T) {
	elected := make(chan struct{})
	holds := true
	r := &ApplicationReconciler{Leads: func() bool { return holds }}
	alone := &ApplicationReconciler{}
	if r.leads(elected) || alone.leads(elected) {
		t.Error("a standby serves metrics of Applications")
	}
	close(elected)
	if !r.leads(elected) || !alone.leads(elected) {
		t.Error("the leader serves no metrics of Applications")
	}
	holds = false
	if r.leads(elected) {
		t.Error("who has lost the lease serves metrics of Applications")
	}
}

// TestDesiredReplicas holds that the metric follows what is desired, whatever words the status has for it.
func TestDesiredReplicas(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	web := theApplication(t, c)
	web.Status.ReplicaSummary = "2 of 7"
	if got := r.desiredReplicas(web); got != 1 {
		t.Errorf("%d pods are desired before there is a Deployment, want 1", got)
	}
	web.Spec.Autoscaling = &v1.AutoscalingSpec{MaxReplicas: 9}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: web.Namespace, Name: web.Name, OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(web, v1.GroupVersion.WithKind("Application")),
		}},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(5))},
	}
	if err := c.Create(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	if got := r.desiredReplicas(web); got != 5 {
		t.Errorf("%d pods are desired, want the 5 that the autoscaler asks for", got)
	}
}
