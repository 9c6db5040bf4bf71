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

package status

import (
	"errors"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/revisions"
)

// The situations that the tests of this package combine. Each has a name that the tables of expectations use.

// newApplication returns an Application of generation 7 that wants three pods, with these edits.
func newApplication(edits ...func(*v1.Application)) *v1.Application {
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop", Generation: 7},
		Spec:       v1.ApplicationSpec{Image: "nginx:2", Replicas: new(int32(3))},
		Status:     v1.ApplicationStatus{Image: "nginx:1"},
	}
	for _, edit := range edits {
		edit(app)
	}
	return app
}

func suspended(app *v1.Application) { app.Spec.Suspend = true }
func paused(app *v1.Application)    { app.Spec.Paused = true }
func beingDeleted(app *v1.Application) {
	app.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
}

// newDeployment returns a Deployment that is rolled out with these many pods.
func newDeployment(pods int32, edits ...func(*appsv1.Deployment)) *appsv1.Deployment {
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop", Generation: 4},
		Spec:       appsv1.DeploymentSpec{Replicas: new(pods)},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 4,
			Replicas:           pods, UpdatedReplicas: pods, ReadyReplicas: pods, AvailableReplicas: pods,
		},
	}
	setCondition(deployment, appsv1.DeploymentAvailable, corev1.ConditionTrue, "MinimumReplicasAvailable", "")
	setCondition(deployment, appsv1.DeploymentProgressing, corev1.ConditionTrue, "NewReplicaSetAvailable", "")
	for _, edit := range edits {
		edit(deployment)
	}
	return deployment
}

func setCondition(
	deployment *appsv1.Deployment, kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, reason, message string,
) {
	found := deploymentCondition(deployment, kind)
	if found == nil {
		deployment.Status.Conditions = append(deployment.Status.Conditions, appsv1.DeploymentCondition{Type: kind})
		found = &deployment.Status.Conditions[len(deployment.Status.Conditions)-1]
	}
	found.Status, found.Reason, found.Message = status, reason, message
}

// unavailable makes a Deployment have fewer available pods than its minimum.
func unavailable(deployment *appsv1.Deployment) {
	setCondition(deployment, appsv1.DeploymentAvailable, corev1.ConditionFalse, "MinimumReplicasUnavailable", "")
	deployment.Status.ReadyReplicas--
	deployment.Status.AvailableReplicas--
}

// counters sets how many pods there are, of the newest revision, ready, and available.
func counters(all, updated, ready, available int32) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) {
		deployment.Status.Replicas, deployment.Status.UpdatedReplicas = all, updated
		deployment.Status.ReadyReplicas, deployment.Status.AvailableReplicas = ready, available
	}
}

// refused makes a Deployment unable to make its third pod, in the words of its ReplicaSet.
func refused(words string) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) {
		counters(2, 2, 2, 2)(deployment)
		setCondition(deployment, appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "FailedCreate", words)
	}
}

// podIsForbidden is how the API server refuses a pod; the pod's name is another on every try.
const podIsForbidden = `pods "my-app-5d9c7b6f4-x2x7k" is forbidden: `

// deployments are the states that a Deployment of three pods may be in, in the order of a rollout.
var deployments = []struct {
	name   string
	object *appsv1.Deployment
	behind bool
	// now is when it is looked at, where that matters.
	now metav1.Time
}{
	{name: "absent"},
	{name: "behind", object: newDeployment(3), behind: true},
	{name: "not looked at", object: newDeployment(3, func(d *appsv1.Deployment) { d.Status.ObservedGeneration = 3 })},
	{name: "fresh", object: newDeployment(3, counters(0, 0, 0, 0), func(d *appsv1.Deployment) { d.Status.Conditions = nil })},
	{name: "few new pods", object: newDeployment(3, counters(3, 1, 3, 3))},
	{name: "old pods left", object: newDeployment(3, counters(4, 3, 4, 4))},
	{name: "surplus pods", object: newDeployment(3, counters(5, 5, 5, 5))},
	{name: "unavailable pods", object: newDeployment(3, unavailable)},
	{name: "complete", object: newDeployment(3)},
	{name: "over quota", object: newDeployment(3, refused(podIsForbidden+"exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"))},
	{name: "pods denied", object: newDeployment(3, refused(podIsForbidden+`violates PodSecurity "restricted:latest": runAsNonRoot != true`))},
	{name: "account missing", object: newDeployment(3, refused(podIsForbidden+`error looking up service account shop/builder: serviceaccount "builder" not found`))},
	{name: "past deadline", object: newDeployment(3, unavailable, pastDeadline)},
	{name: "unready for long", object: newDeployment(3, unavailable, unavailableSince(start)), now: at(600)},
	{name: "scaling to zero", object: newDeployment(0, counters(3, 3, 3, 3))},
	{name: "at zero", object: newDeployment(0)},
}

// unavailableSince makes a Deployment have had fewer available pods than its minimum since then.
func unavailableSince(since metav1.Time) func(*appsv1.Deployment) {
	return func(deployment *appsv1.Deployment) {
		deploymentCondition(deployment, appsv1.DeploymentAvailable).LastTransitionTime = since
	}
}

func pastDeadline(deployment *appsv1.Deployment) {
	setCondition(deployment, appsv1.DeploymentProgressing, corev1.ConditionFalse, "ProgressDeadlineExceeded",
		`ReplicaSet "my-app-5d9c7b6f4" has timed out progressing.`)
}

// The faults that pods may have.
var (
	oldFault          = PodFault{Reason: v1.ReasonCrashLooping, Message: "pod old, container my-app: CrashLoopBackOff"}
	currentFaultOfPod = PodFault{Reason: v1.ReasonImagePullFailed, Message: "pod new, container my-app: not found", Current: true}
)

// podFaults are what may be wrong with pods.
var podFaults = []struct {
	name   string
	faults []PodFault
}{
	{name: "no faults"},
	{name: "an old fault", faults: []PodFault{oldFault}},
	{name: "a current fault", faults: []PodFault{currentFaultOfPod}},
	{name: "both", faults: []PodFault{oldFault, currentFaultOfPod}},
}

// decisions are which pods may be wanted: first those of the spec.
var decisions = []revisions.Decision{
	{Update: "my-app-2", Want: "my-app-2", Current: "my-app-1"},
	{Update: "my-app-2", Want: "my-app-1", Phase: revisions.Releasing, Words: "waiting for the release command, Job my-app-release-2"},
	{Update: "my-app-2", Want: "my-app-1", Phase: revisions.ReleaseFailed, Words: "Job my-app-release-2: ended with exit code 1"},
	{Update: "my-app-2", Want: "my-app-1", Phase: revisions.RolledBack, Words: "CrashLooping: pod new ended with exit code 1"},
	// Suspended before its release command has run.
	{Update: "my-app-2", Want: "my-app-1", Current: "my-app-1"},
}

// outcomes are how a reconcile may end.
var outcomes = []struct {
	name string
	err  error
}{
	{name: "success"},
	{name: "conflict", err: &outcome.Invalid{Reason: v1.ReasonChildConflict, Message: "Service my-app is not this Application's"}},
	{name: "invalid", err: fmt.Errorf("apply: %w", &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: "the API server refused it"})},
	{name: "reference missing", err: &outcome.Waiting{Reason: v1.ReasonReferenceMissing, Message: "ServiceAccount builder is missing"}},
	{name: "denied", err: fmt.Errorf("apply: %w", &outcome.Waiting{Reason: v1.ReasonAdmissionDenied, Message: "no", After: time.Minute})},
	{name: "contended", err: &outcome.Waiting{Reason: v1.ReasonFieldManagerConflict, Message: "somebody keeps changing it", After: time.Second}},
	{name: "API missing", err: &outcome.Waiting{Reason: v1.ReasonAPINotInstalled, Message: "HTTPRoute is asked for", After: time.Second}},
	{name: "rolling out", err: &outcome.Waiting{Reason: v1.ReasonRollingOut, Message: "Waiting for the Service to be gone"}},
	{name: "rolling out, soon", err: &outcome.Waiting{Reason: v1.ReasonRollingOut, Message: "somebody else was quicker", After: time.Second}},
	{name: "transient", err: errors.New("connection refused")},
	{name: "joined", err: errors.Join(
		errors.New("connection refused"),
		&outcome.Waiting{Reason: v1.ReasonQuotaExceeded, Message: "exceeded quota", After: time.Minute},
		fmt.Errorf("apply: %w", errors.Join(&outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: "the API server refused it"})),
	)},
}

// observed returns what was seen in a situation, by its names.
func observed(t testing.TB, deployment, faults string) Observed {
	t.Helper()
	var seen Observed
	found := 0
	for _, candidate := range deployments {
		if candidate.name == deployment {
			seen.Deployment, seen.DeploymentBehind = candidate.object.DeepCopy(), candidate.behind
			seen.Now = candidate.now
			found++
		}
	}
	for _, candidate := range podFaults {
		if candidate.name == faults {
			seen.PodFaults = append([]PodFault(nil), candidate.faults...)
			found++
		}
	}
	if found != 2 {
		t.Fatalf("there is no Deployment %q or no faults %q", deployment, faults)
	}
	return seen
}

func reconcileError(t testing.TB, name string) error {
	t.Helper()
	for _, candidate := range outcomes {
		if candidate.name == name {
			return candidate.err
		}
	}
	t.Fatalf("there is no outcome %q", name)
	return nil
}

// statuses returns the conditions' statuses in the order Ready|Progressing|Available|Degraded.
func statuses(got v1.ApplicationStatus) string {
	text := ""
	for _, kind := range conditionTypes {
		status := metav1.ConditionStatus("absent")
		if found := meta.FindStatusCondition(got.Conditions, kind); found != nil {
			status = found.Status
		}
		text += "|" + string(status)
	}
	return text[1:]
}

var conditionTypes = []string{v1.ConditionReady, v1.ConditionProgressing, v1.ConditionAvailable, v1.ConditionDegraded}

// condition returns a condition; one that is absent fails the test.
func condition(t testing.TB, got v1.ApplicationStatus, kind string) metav1.Condition {
	t.Helper()
	found := meta.FindStatusCondition(got.Conditions, kind)
	if found == nil {
		t.Fatalf("there is no condition %s", kind)
	}
	return *found
}
