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
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// crashing returns what was seen of a Deployment of the revision web-2, whose pods crash.
func crashing(app *v1.Application) *snapshot {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Name: app.Name, Generation: 3, Labels: map[string]string{resources.LabelRevision: "2"},
	}}
	deployment.Status.ObservedGeneration = 3
	s := &snapshot{deployment: deployment, Snapshot: plan.Snapshot{Inputs: resources.Inputs{Application: app}}}
	s.Update.Name = "web-2"
	s.seen.Deployment = deployment
	s.seen.PodFaults = []status.PodFault{{Reason: v1.ReasonCrashLooping, Message: "it crashes", Current: true}}
	return s
}

// TestScalingStartsNoTimeAnew holds that new pods that crash have failed after their time, however often somebody scales the Deployment
// meanwhile: until its controller has looked, nothing is known of the fault, and that it is over least of all.
func TestScalingStartsNoTimeAnew(t *testing.T) {
	r := &ApplicationReconciler{}
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps"}}
	record := &appRecord{}
	s := crashing(app)
	record.fault = podsFault{revision: "web-2", since: metav1.Unix(1000, 0)}
	faultSince := func() metav1.Time {
		t.Helper()
		facts := r.facts(t.Context(), s, record, nil)
		if facts.Fault == nil {
			return metav1.Time{}
		}
		return facts.Fault.Since
	}
	if since := faultSince(); since.Unix() != 1000 {
		t.Fatalf("the fault is since %s", since)
	}
	s.deployment.Generation++ // somebody has scaled it
	if since := faultSince(); !since.IsZero() {
		t.Errorf("before the controller has looked the fault is since %s", since)
	}
	s.deployment.Status.ObservedGeneration++
	if since := faultSince(); since.Unix() != 1000 {
		t.Errorf("after the scaling the fault is since %s", since)
	}
	s.seen.PodFaults = nil
	if faultSince(); record.fault.revision != "" {
		t.Errorf("a fault that is over is remembered: %v", record.fault)
	}
	s.seen.PodFaults = crashing(app).seen.PodFaults
	s.Update.Name = "web-3"
	record.fault = podsFault{revision: "web-2", since: metav1.Unix(1000, 0)}
	if faultSince(); record.fault.revision != "" {
		t.Errorf("the fault of an earlier spec is remembered: %v", record.fault)
	}
}

// TestPodsOfAnotherRevisionAreReplacedOnce holds that the pods of another revision have the newest configuration at once: they are
// replaced anyway.
func TestPodsOfAnotherRevisionAreReplacedOnce(t *testing.T) {
	s := crashing(&v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web"}})
	for want, replaces := range map[string]bool{"": false, "web-2": false, "web-1": true, "web-3": true} {
		s.decision.Want = want
		if s.replacesPods() != replaces {
			t.Errorf("web-2 runs, %q is wanted, and the pods are replaced: %v", want, !replaces)
		}
	}
}

// TestWhatWasDueIsForgottenWithAReadThatFails holds that a reconcile which could not read all is tried again after the pause that its
// outcome asks for, and not at once for a configuration that has settled.
func TestWhatWasDueIsForgottenWithAReadThatFails(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
			if _, ok := object.(*appsv1.Deployment); ok {
				return errors.New("the cache is gone")
			}
			return c.Get(ctx, key, object, options...)
		},
	})
	record := &appRecord{}
	record.config.due = time.Now().Add(-time.Hour)
	if _, err := r.snapshot(t.Context(), theApplication(t, c), record); err == nil {
		t.Fatal("it read all")
	}
	if wait := record.config.wait(time.Now()); wait != 0 {
		t.Errorf("the next reconcile comes after %s", wait)
	}
}

// TestADrainKnowsWhatSendsRequests holds that no pod ends while it is not known whether there is a route to it.
func TestADrainKnowsWhatSendsRequests(t *testing.T) {
	r := &ApplicationReconciler{}
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "1"}}
	route := children.Of(children.HTTPRoute)
	for _, test := range []struct {
		why   error
		waits bool
	}{{errors.New("the API server does not say"), true}, {notInstalled(route), false}, {nil, false}} {
		s := &snapshot{Snapshot: plan.Snapshot{
			Inputs: resources.Inputs{Application: app}, Unavailable: map[string]error{children.HTTPRoute: test.why},
		}}
		if _, err := r.deleteBeforeDrain(t.Context(), &appRecord{}, s, children.DrainTraffic); (err != nil) != test.waits {
			t.Errorf("with %v: %v", test.why, err)
		}
	}
}

// TestADefaultThatCannotBeAskedForIsNotNeeded holds that giving up the class of an Ingress takes no room for another Ingress.
func TestADefaultThatCannotBeAskedForIsNotNeeded(t *testing.T) {
	ingresses := schema.GroupResource{Group: "networking.k8s.io", Resource: "ingresses"}
	applied := 0
	r, _ := withErrors(t, interceptor.Funcs{
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
			return apierrors.NewForbidden(ingresses, "web-", errors.New("exceeded quota: small"))
		},
		Apply: func(_ context.Context, _ client.WithWatch, _ runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
			applied++
			return nil
		},
	})
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "2"}}
	ingress.Spec.IngressClassName = new("public")
	err := r.handOver(t.Context(), write{Step: &plan.Step{Child: children.Of(children.Ingress), Live: ingress, Name: "web"}})
	if err != nil || applied != 1 {
		t.Errorf("%d applies: %v", applied, err)
	}
}
