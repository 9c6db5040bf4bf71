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
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/revisions"
)

// TestWhatRunsInstead is about what is told while other pods run than those of the spec, and what kstatus makes of it.
func TestWhatRunsInstead(t *testing.T) {
	unknown := decisions[3]
	unknown.Want = ""
	missing := &outcome.Waiting{Reason: v1.ReasonReferenceMissing, Message: "Secret db does not exist in this namespace; create it, or change the spec"}
	for name, test := range map[string]struct {
		decision         revisions.Decision
		deployment       *appsv1.Deployment
		err              error
		statuses, reason string
		message, kstatus string
		edit             func(*v1.Application)
		pending, current bool
	}{
		"releasing": {
			decision: decisions[1], deployment: newDeployment(3), statuses: "Unknown|True|True|False", reason: v1.ReasonReleasing, kstatus: v1.ConditionReconciling,
			message: "Releasing revision my-app-2: waiting for the release command, Job my-app-release-2", current: true,
		},
		"releasing at first": {
			decision: revisions.Decision{Update: "my-app-2", Phase: revisions.Releasing, Words: "waiting"}, statuses: "Unknown|True|Unknown|False",
			reason: v1.ReasonReleasing, kstatus: v1.ConditionReconciling, message: "Releasing revision my-app-2: waiting",
		},
		"release failed": {
			decision: decisions[2], deployment: newDeployment(3), statuses: "False|False|True|True", reason: v1.ReasonReleaseFailed, kstatus: v1.ConditionStalled, current: true,
			message: "the release command of revision my-app-2 has failed, and its pods are not rolled out: Job my-app-release-2: ended with exit code 1; " +
				"the pods of revision my-app-1, image nginx:1, run instead, until the spec asks for other pods or another release command",
		},
		"the first release failed": {
			decision: revisions.Decision{Update: "my-app-2", Phase: revisions.ReleaseFailed, Words: "no"}, statuses: "False|False|Unknown|True",
			reason: v1.ReasonReleaseFailed, kstatus: v1.ConditionStalled,
			message: "the release command of revision my-app-2 has failed, and its pods are not rolled out: no; no pods run, until the spec asks for other pods or another release command",
		},
		"rolled back": {
			decision: decisions[3], deployment: newDeployment(3), statuses: "False|False|True|True", reason: v1.ReasonRolledBack, kstatus: v1.ConditionStalled, current: true,
			message: "the rollout of revision my-app-2 has failed: CrashLooping: pod new ended with exit code 1; " +
				"the pods of revision my-app-1, image nginx:1, run instead, until the spec asks for other pods",
		},
		"going back": {
			decision: decisions[3], deployment: newDeployment(3, counters(4, 3, 4, 4)), statuses: "False|False|True|True", reason: v1.ReasonRolledBack, kstatus: v1.ConditionStalled,
			message: "the rollout of revision my-app-2 has failed: CrashLooping: pod new ended with exit code 1; " +
				"the pods of revision my-app-1, image nginx:1, run instead, until the spec asks for other pods; these are on their way: Waiting for old pods to end",
		},
		"rolled back, and of what runs nothing is known": {
			decision: unknown, deployment: newDeployment(3), statuses: "False|False|True|True", reason: v1.ReasonRolledBack, kstatus: v1.ConditionStalled,
			message: "the rollout of revision my-app-2 has failed: CrashLooping: pod new ended with exit code 1; what ran before runs on, until the spec asks for other pods",
		},
		"rolled back, and a Secret is gone": {
			decision: decisions[3], deployment: newDeployment(3), err: missing, statuses: "False|False|True|True", reason: v1.ReasonReferenceMissing, kstatus: v1.ConditionReconciling,
			message: missing.Message + "; the rollout of revision my-app-2 has failed: CrashLooping: pod new ended with exit code 1; " +
				"the pods of revision my-app-1, image nginx:1, run instead, until the spec asks for other pods",
		},
		"rolled back, and paused": {
			decision: decisions[3], deployment: newDeployment(3), edit: paused, pending: true, statuses: "False|False|True|True", reason: v1.ReasonPaused,
			message: "Paused, and what runs differs from this spec; set spec.paused to false to have it applied",
		},
		"suspended before its release command": {
			decision: decisions[4], deployment: newDeployment(0), edit: suspended, statuses: "True|False|True|False", reason: v1.ReasonSuspended, current: true,
			message: "Suspended: no pods run; set spec.suspend to false to bring them back; " +
				"the release command of revision my-app-2 is run then, before its pods",
		},
		"rolled back, and suspended": {
			decision: decisions[3], deployment: newDeployment(0), edit: suspended, statuses: "False|False|True|True", reason: v1.ReasonRolledBack, kstatus: v1.ConditionStalled,
			message: "the rollout of revision my-app-2 has failed: CrashLooping: pod new ended with exit code 1; " +
				"no pods are desired, until the spec asks for other pods",
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApplication()
			if test.edit != nil {
				test.edit(app)
			}
			got := Of(app, Observed{Deployment: test.deployment, Decision: test.decision, Image: "nginx:1", Pending: test.pending, Now: start}, test.err)
			ready := condition(t, got, v1.ConditionReady)
			if statuses(got) != test.statuses || ready.Reason != test.reason || ready.Message != test.message {
				t.Errorf("%s, %s: %s", statuses(got), ready.Reason, ready.Message)
			}
			for _, kind := range []string{v1.ConditionReconciling, v1.ConditionStalled} {
				if there := meta.FindStatusCondition(got.Conditions, kind) != nil; there != (kind == test.kstatus) {
					t.Errorf("%s is there: %v", kind, there)
				}
			}
			if got.UpdateRevision != "my-app-2" || (got.CurrentRevision == "my-app-1") != test.current {
				t.Errorf("the revisions are %q and %q", got.CurrentRevision, got.UpdateRevision)
			}
			if got.Image != "nginx:1" {
				t.Errorf("the image is %s", got.Image)
			}
		})
	}
}

// TestCurrentRevisionIsOneThatHasRun holds that what was never Ready with pods is nothing to go back to.
func TestCurrentRevisionIsOneThatHasRun(t *testing.T) {
	for name, test := range map[string]struct {
		deployment *appsv1.Deployment
		edit       func(*v1.Application)
		err        error
		pending    bool
		want       string
	}{
		"ready":              {deployment: newDeployment(3), want: "my-app-2"},
		"on its way":         {deployment: newDeployment(3, counters(4, 3, 4, 4)), want: "my-app-1"},
		"without pods":       {deployment: newDeployment(0), want: "my-app-1"},
		"suspended":          {deployment: newDeployment(0), edit: suspended, want: "my-app-1"},
		"with another fault": {deployment: newDeployment(3), err: &outcome.Invalid{Reason: v1.ReasonChildConflict, Message: "no"}, want: "my-app-1"},
		"paused before it":   {deployment: newDeployment(3), edit: paused, pending: true, want: "my-app-1"},
		"paused after it":    {deployment: newDeployment(3), edit: paused, want: "my-app-2"},
	} {
		app := newApplication()
		app.Status.CurrentRevision = "my-app-1"
		if test.edit != nil {
			test.edit(app)
		}
		got := Of(app, Observed{Deployment: test.deployment, Decision: decisions[0], Pending: test.pending}, test.err)
		if got.CurrentRevision != test.want {
			t.Errorf("%s: the current revision is %s, want %s", name, got.CurrentRevision, test.want)
		}
	}
}

// TestCurrentRevisionIsOneThatIsThere holds that the status names no revision of which nothing is left, whatever is said besides.
func TestCurrentRevisionIsOneThatIsThere(t *testing.T) {
	failed := &outcome.Invalid{Reason: v1.ReasonChildConflict, Message: "no"}
	for name, test := range map[string]struct {
		decision revisions.Decision
		edit     func(*v1.Application)
		err      error
		want     string
	}{
		"without pods":            {decision: revisions.Decision{Update: "my-app-2", Want: "my-app-2"}},
		"suspended":               {decision: revisions.Decision{Update: "my-app-2", Want: "my-app-2"}, edit: suspended},
		"paused":                  {decision: revisions.Decision{Update: "my-app-2", Want: "my-app-2"}, edit: paused},
		"with another fault":      {decision: revisions.Decision{Update: "my-app-2", Want: "my-app-2"}, err: failed},
		"it is there":             {decision: decisions[0], want: "my-app-1"},
		"before it was found out": {decision: revisions.Decision{}, err: failed, want: "my-app-1"},
	} {
		app := newApplication()
		app.Status.CurrentRevision = "my-app-1"
		if test.edit != nil {
			test.edit(app)
		}
		got := Of(app, Observed{Deployment: newDeployment(0), Decision: test.decision}, test.err)
		if got.CurrentRevision != test.want {
			t.Errorf("%s: the current revision is %q, want %q", name, got.CurrentRevision, test.want)
		}
	}
}

func TestRolloutFault(t *testing.T) {
	crash, pull := PodFault{Reason: v1.ReasonCrashLooping, Message: "it does", Current: true}, PodFault{Reason: v1.ReasonImagePullFailed, Message: "not found", Current: true}
	noNode := PodFault{Reason: v1.ReasonUnschedulable, Message: "no node", Current: true}
	older := crash
	older.Current = false
	late := func(deployment *appsv1.Deployment) {
		pastDeadline(deployment)
		deploymentCondition(deployment, appsv1.DeploymentProgressing).LastUpdateTime = at(7)
	}
	unready := counters(4, 1, 3, 3)
	for name, test := range map[string]struct {
		deployment *appsv1.Deployment
		faults     []PodFault
		available  bool
		want       *revisions.Fault
	}{
		"no Deployment":                 {},
		"crashes":                       {deployment: newDeployment(3, unready), faults: []PodFault{crash}, want: &revisions.Fault{Words: "CrashLooping: it does"}},
		"its image is not there":        {deployment: newDeployment(3, unready), faults: []PodFault{noNode, pull}, want: &revisions.Fault{Words: "ImagePullFailed: not found"}},
		"one crashes, another serves":   {deployment: newDeployment(3, unready), faults: []PodFault{crash}, available: true},
		"an old pod crashes":            {deployment: newDeployment(3, unready), faults: []PodFault{older}},
		"waits for a node":              {deployment: newDeployment(3, unready), faults: []PodFault{noNode}},
		"is past its deadline":          {deployment: newDeployment(3, unready, late), want: &revisions.Fault{Words: "ProgressDeadlineExceeded: the rollout has not moved for its progress deadline; look at the pods' logs and readiness", Final: true, At: at(7)}},
		"is past its deadline, no node": {deployment: newDeployment(3, unready, late), faults: []PodFault{noNode}, want: &revisions.Fault{Words: "Unschedulable: no node", Final: true, At: at(7)}},
		"was past its deadline":         {deployment: newDeployment(3, late)},
		"nobody has looked at it":       {deployment: newDeployment(3, unready, late, func(d *appsv1.Deployment) { d.Generation = 5 }), faults: []PodFault{crash}},
		"no pods are to run":            {deployment: newDeployment(0, counters(1, 1, 0, 0), late), faults: []PodFault{crash}},
	} {
		got := RolloutFault(Observed{Deployment: test.deployment, PodFaults: test.faults, NewAvailable: test.available})
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// TestTheImageIsThatOfThePodsThatRun is about an Application that was Ready with no pods, of an image whose pods have failed since.
func TestTheImageIsThatOfThePodsThatRun(t *testing.T) {
	app := newApplication(func(app *v1.Application) { app.Status.Image = app.Spec.Image })
	seen := Observed{Deployment: newDeployment(3, counters(4, 3, 4, 4)), Decision: decisions[3], Image: "nginx:1", Now: start}
	if got := Of(app, seen, nil).Image; got != app.Spec.Image {
		t.Errorf("while they are on their way it is %s", got)
	}
	seen.Deployment = newDeployment(3)
	if got := Of(app, seen, nil).Image; got != "nginx:1" {
		t.Errorf("it is %s", got)
	}
}

// TestAReleaseThatCannotRunIsAFault holds that what keeps a release command from running is told while it is waited for, and that an
// attempt that has failed is told and no fault: another may succeed.
func TestAReleaseThatCannotRunIsAFault(t *testing.T) {
	pod := func(state corev1.ContainerState, phase corev1.PodPhase) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "my-app-release-2-x"}, Status: corev1.PodStatus{
			Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: "my-app", State: state}},
		}}
	}
	pulling := pod(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}}, corev1.PodPending)
	failed := pod(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Message: "no table"}}, corev1.PodFailed)
	const waits = "Releasing revision my-app-2: waiting for the release command, Job my-app-release-2"
	for name, test := range map[string]struct {
		pods              []corev1.Pod
		message, degraded string
	}{
		"no pods":        {nil, waits, ""},
		"one that runs":  {[]corev1.Pod{pod(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, corev1.PodRunning)}, waits, ""},
		"no image":       {[]corev1.Pod{pulling}, waits + ": pod my-app-release-2-x, container my-app: not found", v1.ReasonImagePullFailed},
		"one has failed": {[]corev1.Pod{failed}, waits + ": an attempt has failed: pod my-app-release-2-x, container my-app: ended with exit code 3: no table", ""},
		"the next one hangs": {
			[]corev1.Pod{failed, pulling}, waits + ": pod my-app-release-2-x, container my-app: not found", v1.ReasonImagePullFailed,
		},
	} {
		seen := Observed{Deployment: newDeployment(3), Decision: decisions[1], Release: ReleaseFault(test.pods), Now: start}
		got := Of(newApplication(), seen, nil)
		ready, degraded := condition(t, got, v1.ConditionReady), condition(t, got, v1.ConditionDegraded)
		if ready.Reason != v1.ReasonReleasing || ready.Message != test.message {
			t.Errorf("%s: %s, %s", name, ready.Reason, ready.Message)
		}
		if (degraded.Status == metav1.ConditionTrue) != (test.degraded != "") || test.degraded != "" && degraded.Reason != test.degraded {
			t.Errorf("%s: Degraded is %s, %s", name, degraded.Status, degraded.Reason)
		}
	}
}

// TestAReleaseWithoutPods tells of a Job that may not run at once, and of one whose pods cannot be made when that is no matter of moments.
func TestAReleaseWithoutPods(t *testing.T) {
	const job = "my-app-release-2"
	waits := "Releasing revision my-app-2: waiting for the release command, Job " + job
	for name, test := range map[string]struct {
		suspended bool
		seconds   int64
		message   string
		due       int64
	}{
		"just made": {false, 9, waits, 10},
		"refused": {false, 10, waits + ": it has no pod, which a quota or an admission rule may refuse; " +
			"kubectl describe job -n default " + job + " has the cause among the events", 0},
		"suspended": {true, 3600, waits + ": it is suspended, and runs when whoever has suspended it lets it run", 0},
	} {
		seen := Observed{Deployment: newDeployment(3), Decision: decisions[1], Now: addSeconds(start, test.seconds)}
		seen.Release, seen.Due = Podless(&batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: job, Namespace: "default", CreationTimestamp: start}, Spec: batchv1.JobSpec{Suspend: &test.suspended},
		}, seen.Now)
		got := Of(newApplication(), seen, nil)
		if ready := condition(t, got, v1.ConditionReady); ready.Reason != v1.ReasonReleasing || ready.Message != test.message {
			t.Errorf("%s: %s, %s", name, ready.Reason, ready.Message)
		}
		if degraded := condition(t, got, v1.ConditionDegraded); degraded.Status != metav1.ConditionFalse {
			t.Errorf("%s: Degraded is %s, %s", name, degraded.Status, degraded.Reason)
		}
		var due metav1.Time
		if test.due > 0 {
			due = addSeconds(start, test.due)
		}
		if expires := Expires(newApplication(), seen, got); !expires.Equal(&due) {
			t.Errorf("%s: is looked at again at %s, want %s", name, expires, due)
		}
	}
}

// TestAPodThatASidecarKeepsSaysSo holds that a command which has succeeded is not told to have waited for something, where a sidecar that
// somebody has injected as a plain container keeps its pod until the deadline.
func TestAPodThatASidecarKeepsSaysSo(t *testing.T) {
	ended := func(name string, code int32, seconds int) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: code, FinishedAt: at(seconds)},
		}}
	}
	runs := corev1.ContainerStatus{Name: "proxy", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	for what, test := range map[string]struct {
		containers []corev1.ContainerStatus
		want       string
	}{
		"a sidecar that is killed":           {[]corev1.ContainerStatus{ended("web", 0, 5), ended("proxy", 137, 101)}, "proxy"},
		"a sidecar that obeys":               {[]corev1.ContainerStatus{ended("proxy", 0, 100), ended("web", 0, 5)}, "proxy"},
		"a sidecar that still runs":          {[]corev1.ContainerStatus{ended("web", 0, 5), runs}, "proxy"},
		"a command that has failed":          {[]corev1.ContainerStatus{ended("web", 1, 5), ended("proxy", 137, 101)}, ""},
		"a command that is slow":             {[]corev1.ContainerStatus{ended("web", 137, 101), ended("proxy", 137, 101)}, ""},
		"a command that obeys":               {[]corev1.ContainerStatus{ended("web", 0, 100)}, ""},
		"a command and no other container":   {[]corev1.ContainerStatus{ended("web", 0, 5)}, ""},
		"nothing that is known of the pod's": {nil, ""},
	} {
		got := LastWordsOf([]corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Name: "release-x"}, Spec: corev1.PodSpec{ActiveDeadlineSeconds: new(int64(100))},
			Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "DeadlineExceeded", Message: "too long", StartTime: &start, ContainerStatuses: test.containers},
		}})
		want := "pod release-x: DeadlineExceeded: too long"
		if test.want != "" {
			want += "; container web had succeeded before, and container proxy, which does not end with it, ran on"
		}
		if got != want || RanOn(got) != (test.want != "") {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
}

// TestAPodThatRanTooLongSaysSo prefers the kubelet's words to how the container was ended for them.
func TestAPodThatRanTooLongSaysSo(t *testing.T) {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "release-x"}, Status: corev1.PodStatus{
		Phase: corev1.PodFailed, Reason: "DeadlineExceeded", Message: "Pod was active on the node longer than the specified deadline",
		ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137}}}},
	}}
	want := "pod release-x: DeadlineExceeded: Pod was active on the node longer than the specified deadline"
	if got := LastWordsOf([]corev1.Pod{pod}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
