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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// row says what follows from one situation.
type row struct {
	deployment string
	// pods names what is wrong with them; "" is anything.
	pods string
	// statuses are those of Ready|Progressing|Available|Degraded.
	statuses string
	// reason and message are Ready's and Progressing's.
	reason, message string
	// degraded is the reason of Degraded where it is True.
	degraded string
}

func (r row) check(t *testing.T, got v1.ApplicationStatus) {
	t.Helper()
	if want := statuses(got); want != r.statuses {
		t.Errorf("Ready, Progressing, Available, Degraded = %s, want %s", statuses(got), r.statuses)
	}
	for _, kind := range []string{v1.ConditionReady, v1.ConditionProgressing} {
		found := condition(t, got, kind)
		if found.Reason != r.reason || found.Message != r.message {
			t.Errorf("%s: %s %q, want %s %q", kind, found.Reason, found.Message, r.reason, r.message)
		}
	}
	if found := condition(t, got, v1.ConditionDegraded); found.Status == "True" && found.Reason != r.degraded {
		t.Errorf("Degraded: %s %q, want %s", found.Reason, found.Message, r.degraded)
	}
}

// checkRows judges each row with each Application, and that the rows cover every Deployment and pods just once.
func checkRows(t *testing.T, app *v1.Application, rows []row, skipped ...string) {
	t.Helper()
	covered := map[[2]string]int{}
	for _, row := range rows {
		for _, pods := range podFaults {
			if row.pods != "" && row.pods != pods.name {
				continue
			}
			covered[[2]string{row.deployment, pods.name}]++
			t.Run(row.deployment+", "+pods.name, func(t *testing.T) {
				row.check(t, Of(app, observed(t, row.deployment, pods.name), nil))
			})
		}
	}
	for _, name := range skipped {
		for _, pods := range podFaults {
			covered[[2]string{name, pods.name}]++
		}
	}
	for _, deployment := range deployments {
		for _, pods := range podFaults {
			if times := covered[[2]string{deployment.name, pods.name}]; times != 1 {
				t.Errorf("Deployment %q with %s is in %d rows, want 1", deployment.name, pods.name, times)
			}
		}
	}
}

const (
	quotaWords   = "a pod cannot be made: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"
	deniedWords  = `a pod cannot be made: violates PodSecurity "restricted:latest": runAsNonRoot != true; set spec.security.profile to Restricted`
	absentWords  = `a pod cannot be made: error looking up service account shop/builder: serviceaccount "builder" not found`
	lateWords    = "the rollout has not moved for its progress deadline; look at the pods' logs and readiness"
	unreadyWords = "pods have not been ready for longer than rollout.progressDeadlineSeconds; look at the pods' logs and readiness"

	faultWords = "pod new, container my-app: not found"

	appear    = "Waiting for the Deployment to appear"
	itsTurn   = "Waiting for the Deployment's controller"
	newPods   = "Waiting for new pods to be made"
	oldPods   = "Waiting for old pods to end"
	surplus   = "Waiting for surplus pods to end"
	available = "Waiting for pods to become available"
	done      = "All desired pods run this spec and are available"
)

// TestAfterASuccessfulPass is the table of what follows from the Deployment and its pods alone.
func TestAfterASuccessfulPass(t *testing.T) {
	const (
		rolling = v1.ReasonRollingOut
		crash   = v1.ReasonCrashLooping
		pull    = v1.ReasonImagePullFailed
	)
	rows := []row{
		// Deployment, pods, Ready|Progressing|Available|Degraded, reason, message, reason of Degraded
		{"absent", "no faults", "Unknown|True|Unknown|False", rolling, appear, ""},
		{"absent", "an old fault", "Unknown|True|Unknown|True", rolling, appear, crash},
		{"absent", "a current fault", "Unknown|True|Unknown|True", rolling, appear, pull},
		{"absent", "both", "Unknown|True|Unknown|True", rolling, appear, crash},

		{"behind", "no faults", "Unknown|True|True|False", rolling, itsTurn, ""},
		{"behind", "an old fault", "Unknown|True|True|True", rolling, itsTurn, crash},
		{"behind", "a current fault", "Unknown|True|True|True", rolling, itsTurn, pull},
		{"behind", "both", "Unknown|True|True|True", rolling, itsTurn, crash},

		{"not looked at", "no faults", "Unknown|True|True|False", rolling, itsTurn, ""},
		{"not looked at", "an old fault", "Unknown|True|True|True", rolling, itsTurn, crash},
		{"not looked at", "a current fault", "Unknown|True|True|True", rolling, itsTurn, pull},
		{"not looked at", "both", "Unknown|True|True|True", rolling, itsTurn, crash},

		{"fresh", "no faults", "Unknown|True|Unknown|False", rolling, newPods, ""},
		{"fresh", "an old fault", "Unknown|True|Unknown|True", rolling, newPods, crash},
		{"fresh", "a current fault", "False|False|Unknown|True", pull, faultWords, pull},
		{"fresh", "both", "False|False|Unknown|True", pull, faultWords, pull},

		{"few new pods", "no faults", "Unknown|True|True|False", rolling, newPods, ""},
		{"few new pods", "an old fault", "Unknown|True|True|True", rolling, newPods, crash},
		{"few new pods", "a current fault", "False|False|True|True", pull, faultWords, pull},
		{"few new pods", "both", "False|False|True|True", pull, faultWords, pull},

		{"old pods left", "no faults", "Unknown|True|True|False", rolling, oldPods, ""},
		{"old pods left", "an old fault", "Unknown|True|True|True", rolling, oldPods, crash},
		{"old pods left", "a current fault", "False|False|True|True", pull, faultWords, pull},
		{"old pods left", "both", "False|False|True|True", pull, faultWords, pull},

		{"surplus pods", "no faults", "Unknown|True|True|False", rolling, surplus, ""},
		{"surplus pods", "an old fault", "Unknown|True|True|True", rolling, surplus, crash},
		{"surplus pods", "a current fault", "False|False|True|True", pull, faultWords, pull},
		{"surplus pods", "both", "False|False|True|True", pull, faultWords, pull},

		{"unavailable pods", "no faults", "Unknown|True|False|False", rolling, available, ""},
		{"unavailable pods", "an old fault", "Unknown|True|False|True", rolling, available, crash},
		{"unavailable pods", "a current fault", "False|False|False|True", pull, faultWords, pull},
		{"unavailable pods", "both", "False|False|False|True", pull, faultWords, pull},

		{"complete", "", "True|False|True|False", v1.ReasonRolloutComplete, done, ""},

		{"over quota", "no faults", "False|False|True|True", v1.ReasonQuotaExceeded, quotaWords, v1.ReasonQuotaExceeded},
		{"over quota", "an old fault", "False|False|True|True", v1.ReasonQuotaExceeded, quotaWords, v1.ReasonQuotaExceeded},
		{"over quota", "a current fault", "False|False|True|True", pull, faultWords, pull},
		{"over quota", "both", "False|False|True|True", pull, faultWords, pull},

		{"pods denied", "no faults", "False|False|True|True", v1.ReasonAdmissionDenied, deniedWords, v1.ReasonAdmissionDenied},
		{"pods denied", "an old fault", "False|False|True|True", v1.ReasonAdmissionDenied, deniedWords, v1.ReasonAdmissionDenied},
		{"pods denied", "a current fault", "False|False|True|True", pull, faultWords, pull},
		{"pods denied", "both", "False|False|True|True", pull, faultWords, pull},

		{"account missing", "no faults", "False|False|True|True", v1.ReasonReferenceMissing, absentWords, v1.ReasonReferenceMissing},
		{"account missing", "an old fault", "False|False|True|True", v1.ReasonReferenceMissing, absentWords, v1.ReasonReferenceMissing},
		{"account missing", "a current fault", "False|False|True|True", pull, faultWords, pull},
		{"account missing", "both", "False|False|True|True", pull, faultWords, pull},

		{"past deadline", "no faults", "False|False|False|True", v1.ReasonProgressDeadlineExceeded, lateWords, v1.ReasonProgressDeadlineExceeded},
		{"past deadline", "an old fault", "False|False|False|True", v1.ReasonProgressDeadlineExceeded, lateWords, v1.ReasonProgressDeadlineExceeded},
		{"past deadline", "a current fault", "False|False|False|True", pull, faultWords, pull},
		{"past deadline", "both", "False|False|False|True", pull, faultWords, pull},

		{"unready for long", "no faults", "False|False|False|True", v1.ReasonPodsNotReady, unreadyWords, v1.ReasonPodsNotReady},
		{"unready for long", "an old fault", "False|False|False|True", v1.ReasonPodsNotReady, unreadyWords, v1.ReasonPodsNotReady},
		{"unready for long", "a current fault", "False|False|False|True", pull, faultWords, pull},
		{"unready for long", "both", "False|False|False|True", pull, faultWords, pull},

		// What is wrong with pods that are not desired any more does not matter.
		{"scaling to zero", "", "Unknown|True|True|False", rolling, surplus, ""},
		{"at zero", "", "True|False|True|False", v1.ReasonRolloutComplete, done, ""},
	}
	checkRows(t, newApplication(), rows)
}

// TestWhileSuspended is the same table for an Application that is suspended. States of a Deployment that still
// wants pods, and whose controller has looked at it, cannot follow a successful pass.
func TestWhileSuspended(t *testing.T) {
	rows := []row{
		{"absent", "", "Unknown|True|Unknown|False", v1.ReasonSuspended, appear, ""},
		{"behind", "", "Unknown|True|True|False", v1.ReasonSuspended, itsTurn, ""},
		{"not looked at", "", "Unknown|True|True|False", v1.ReasonSuspended, itsTurn, ""},
		{"scaling to zero", "", "Unknown|True|True|False", v1.ReasonSuspended, surplus, ""},
		{
			"at zero", "", "True|False|True|False", v1.ReasonSuspended,
			"Suspended: no pods run; set spec.suspend to false to bring them back", "",
		},
	}
	checkRows(t, newApplication(suspended), rows, "fresh", "few new pods", "old pods left", "surplus pods", "unavailable pods",
		"complete", "over quota", "pods denied", "account missing", "past deadline", "unready for long")
}

// TestScalingToZeroIsNoFault is about conditions that a Deployment keeps while it scales.
func TestScalingToZeroIsNoFault(t *testing.T) {
	for name, edit := range map[string]func(*appsv1.Deployment){
		"past its deadline": pastDeadline,
		"over quota": func(deployment *appsv1.Deployment) {
			setCondition(deployment, appsv1.DeploymentReplicaFailure, "True", "FailedCreate", podIsForbidden+"exceeded quota: small")
		},
	} {
		t.Run(name, func(t *testing.T) {
			none := newApplication(func(app *v1.Application) { app.Spec.Replicas = new(int32(0)) })
			for _, app := range []*v1.Application{newApplication(suspended), none} {
				got := Of(app, Observed{Deployment: newDeployment(0, counters(3, 3, 2, 2), edit)}, nil)
				if want := "Unknown|True|True|False"; statuses(got) != want {
					t.Errorf("Ready, Progressing, Available, Degraded = %s, want %s", statuses(got), want)
				}
			}
		})
	}
}

// TestRefusedPods is the table of what a ReplicaSet says when it cannot make a pod.
func TestRefusedPods(t *testing.T) {
	const notAllowed = v1.ReasonAdmissionDenied
	tests := []struct {
		name, words, reason, message string
	}{
		{"a quota", podIsForbidden + "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2", v1.ReasonQuotaExceeded, quotaWords},
		{
			"a quota that wants limits", podIsForbidden + "failed quota: small: must specify limits.cpu for: my-app",
			v1.ReasonQuotaExceeded, "a pod cannot be made: failed quota: small: must specify limits.cpu for: my-app",
		},
		{
			"a quota that is not counted yet", podIsForbidden + "status unknown for quota: small, resources: pods",
			v1.ReasonQuotaExceeded, "a pod cannot be made: status unknown for quota: small, resources: pods",
		},
		{"Pod Security", podIsForbidden + `violates PodSecurity "restricted:latest": runAsNonRoot != true`, notAllowed, deniedWords},
		{
			"a missing ServiceAccount", podIsForbidden + `error looking up service account shop/builder: serviceaccount "builder" not found`,
			v1.ReasonReferenceMissing, absentWords,
		},
		{
			"a missing PriorityClass", podIsForbidden + "no PriorityClass with name urgent was found", v1.ReasonReferenceMissing,
			"a pod cannot be made: no PriorityClass with name urgent was found; " +
				"have it created, or change spec.scheduling.priorityClassName",
		},
		{
			"a missing RuntimeClass", podIsForbidden + `pod rejected: RuntimeClass "sandboxed" not found`, v1.ReasonReferenceMissing,
			`a pod cannot be made: pod rejected: RuntimeClass "sandboxed" not found; ` +
				"have it created, or change spec.scheduling.runtimeClassName",
		},
		{
			"a webhook to which something is missing", `admission webhook "x.example.com" denied the request: secret "ca" not found`,
			notAllowed, `a pod cannot be made: admission webhook "x.example.com" denied the request: secret "ca" not found`,
		},
		{
			"a limit range", podIsForbidden + "minimum cpu usage per Container is 100m, but request is 10m", notAllowed,
			"a pod cannot be made: minimum cpu usage per Container is 100m, but request is 10m",
		},
		{
			"a webhook", `admission webhook "x.example.com" denied the request: no`, notAllowed,
			`a pod cannot be made: admission webhook "x.example.com" denied the request: no`,
		},
		{
			"a webhook that says forbidden, too", `admission webhook "x.example.com" denied the request: this image is forbidden: use the mirror`,
			notAllowed, `a pod cannot be made: admission webhook "x.example.com" denied the request: this image is forbidden: use the mirror`,
		},
		{
			"a policy", podIsForbidden + `ValidatingAdmissionPolicy 'images' with binding 'shop' denied request: image is forbidden: nginx`,
			notAllowed, `a pod cannot be made: ValidatingAdmissionPolicy 'images' with binding 'shop' denied request: image is forbidden: nginx`,
		},
		{
			"a pod that became invalid by what the cluster added",
			`Pod "my-app-5d9c7b6f4-x2x7k" is invalid: spec.containers[0].resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 200m`,
			v1.ReasonInvalidSpec,
			`a pod cannot be made: spec.resources.requests: Invalid value: "500m": must be less than or equal to cpu limit of 200m`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Of(newApplication(), Observed{Deployment: newDeployment(3, refused(test.words))}, nil)
			ready := condition(t, got, v1.ConditionReady)
			if diff := cmp.Diff([]string{test.reason, test.message}, []string{ready.Reason, ready.Message}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestWhatPassesIsNoRefusal holds that nobody is told to act about what the ReplicaSet's controller tries again, until the deadline has
// passed.
func TestWhatPassesIsNoRefusal(t *testing.T) {
	for name, words := range map[string]string{
		"a webhook that does not answer": `Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: ` +
			`Post "https://x.svc:443/inject?timeout=10s": context deadline exceeded`,
		"a webhook that is missing": `Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: ` +
			`Post "https://x.svc:443/inject?timeout=10s": service "x" not found`,
		"a quota that is counted for another pod": `Operation cannot be fulfilled on resourcequotas "small": the object has been modified; ` +
			`please apply your changes to the latest version and try again`,
		"a quota that is not counted in time": `Internal error occurred: resource quota evaluation timed out`,
		"a store without a leader":            `etcdserver: leader changed`,
		"a server that is busy":               `Timeout: request did not complete within requested timeout - context deadline exceeded`,
	} {
		t.Run(name, func(t *testing.T) {
			got := Of(newApplication(), Observed{Deployment: newDeployment(3, refused(words))}, nil)
			if want := "Unknown|True|True|False"; statuses(got) != want {
				t.Errorf("Ready, Progressing, Available, Degraded = %s, want %s", statuses(got), want)
			}
			ready := condition(t, got, v1.ConditionReady)
			told := "a pod cannot be made: " + words
			if ready.Reason != v1.ReasonRollingOut || ready.Message != "Waiting for new pods to be made; "+told {
				t.Errorf("Ready: %s: %s", ready.Reason, ready.Message)
			}
			late := condition(t, Of(newApplication(), Observed{Deployment: newDeployment(3, refused(words), pastDeadline)}, nil), v1.ConditionReady)
			if late.Reason != v1.ReasonProgressDeadlineExceeded || !strings.HasSuffix(late.Message, told) {
				t.Errorf("past the deadline, Ready: %s: %s", late.Reason, late.Message)
			}
		})
	}
}

func TestRolledOut(t *testing.T) {
	want := map[string]bool{"complete": true, "behind": true, "at zero": true}
	for _, deployment := range deployments {
		if deployment.object != nil && RolledOut(deployment.object) != want[deployment.name] {
			t.Errorf("%s: %v, want %v", deployment.name, !want[deployment.name], want[deployment.name])
		}
	}
	byDefault := newDeployment(1)
	byDefault.Spec.Replicas = nil
	if !RolledOut(byDefault) {
		t.Error("a Deployment wants one pod when it does not say how many, and has it")
	}
	byDefault.Status.AvailableReplicas = 0
	if RolledOut(byDefault) {
		t.Error("a Deployment wants one pod when it does not say how many, and has it not")
	}
}

// TestScalingByOthersCuresNothing holds that a fault that is told stays so while somebody else, such as an autoscaler, has scaled the
// Deployment and its controller has not looked yet. What the operator itself has written may cure it.
func TestScalingByOthersCuresNothing(t *testing.T) {
	scaled := func(deployment *appsv1.Deployment) { deployment.Generation++ }
	for name, test := range map[string]struct {
		deployment *appsv1.Deployment
		faults     []PodFault
		reason     string
	}{
		"pods have a fault":          {newDeployment(3, unavailable), []PodFault{currentFaultOfPod}, v1.ReasonImagePullFailed},
		"the deadline has passed":    {newDeployment(3, unavailable, pastDeadline), nil, v1.ReasonProgressDeadlineExceeded},
		"a quota allows no more":     {newDeployment(3, refused(podIsForbidden+"exceeded quota: small")), nil, v1.ReasonQuotaExceeded},
		"pods are unready for long":  {newDeployment(3, unavailable, unavailableSince(start)), nil, v1.ReasonPodsNotReady},
		"the pods come to be healed": {newDeployment(3, unavailable), nil, v1.ReasonRollingOut},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApplication()
			seen := Observed{Now: at(1200), Deployment: test.deployment, PodFaults: test.faults}
			app.Status = Of(app, seen, nil)
			first := condition(t, app.Status, v1.ConditionReady)
			if first.Reason != test.reason {
				t.Fatalf("Ready is %s: %s", first.Reason, first.Message)
			}
			seen.Deployment = newDeployment(0)
			test.deployment.DeepCopyInto(seen.Deployment)
			scaled(seen.Deployment)
			now := Of(app, seen, nil)
			if diff := difference(app.Status.Conditions, now.Conditions); test.reason != v1.ReasonRollingOut && diff != "" {
				t.Errorf("somebody else has scaled it (-before +after):\n%s", diff)
			}
			seen.DeploymentWritten = true
			if got := condition(t, Of(app, seen, nil), v1.ConditionReady); got.Reason != v1.ReasonRollingOut {
				t.Errorf("what the operator has written is not looked at yet, and Ready is %s: %s", got.Reason, got.Message)
			}
			app.Generation++
			seen.DeploymentWritten = false
			if got := condition(t, Of(app, seen, nil), v1.ConditionReady); got.Reason != v1.ReasonRollingOut {
				t.Errorf("a new spec is not looked at yet, and Ready is %s: %s", got.Reason, got.Message)
			}
		})
	}
}
