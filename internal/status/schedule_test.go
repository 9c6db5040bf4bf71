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
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/example/app-operator/api/v1"
)

// withSchedules gives an Application schedules of these names.
func withSchedules(names ...string) func(*v1.Application) {
	return func(app *v1.Application) {
		for _, name := range names {
			app.Spec.Schedules = append(app.Spec.Schedules, v1.Schedule{Name: name, Schedule: "@daily"})
		}
	}
}

// newCronJob returns the CronJob of a schedule, with these active Jobs.
func newCronJob(schedule string, active ...types.UID) *batchv1.CronJob {
	cronJob := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "my-app-" + schedule, UID: types.UID(schedule)}}
	for _, uid := range active {
		cronJob.Status.Active = append(cronJob.Status.Active, corev1.ObjectReference{UID: uid})
	}
	return cronJob
}

// newJob returns a Job of a schedule that started so many seconds after the others, and has ended by this condition if it has one.
func newJob(schedule string, seconds int, end ...batchv1.JobConditionType) *batchv1.Job {
	name := schedule + "-" + string(rune('0'+seconds))
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID(name), CreationTimestamp: at(seconds),
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", UID: types.UID(schedule), Controller: new(true)}},
	}}
	job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobSuspended, Status: corev1.ConditionTrue}}
	for _, kind := range end {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "Job has reached the specified backoff limit",
		})
	}
	return job
}

func TestLastRunOf(t *testing.T) {
	jobs := func(all ...*batchv1.Job) []*batchv1.Job { return all }
	failed, done, other := newJob("a", 1, batchv1.JobFailed), newJob("a", 2, batchv1.JobComplete), newJob("b", 3, batchv1.JobFailed)
	twin := newJob("a", 3, batchv1.JobComplete)
	twin.CreationTimestamp = at(2)
	for what, test := range map[string]struct {
		cronJob *batchv1.CronJob
		jobs    []*batchv1.Job
		want    string
	}{
		"none":                                  {newCronJob("a"), nil, ""},
		"the newest":                            {newCronJob("a"), jobs(done, failed), "a-2"},
		"one that runs does not count":          {newCronJob("a"), jobs(failed, newJob("a", 2)), "a-1"},
		"one of another schedule does not":      {newCronJob("a"), jobs(failed, other), "a-1"},
		"one that still counts as active":       {newCronJob("a", "a-2"), jobs(failed, done), "a-1"},
		"of two in the same second, the latter": {newCronJob("a"), jobs(twin, done), "a-3"},
	} {
		got := ""
		if last := LastRunOf(test.cronJob, test.jobs); last != nil {
			got = last.Name
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}

func TestLastWordsOf(t *testing.T) {
	ended := func(name string, code int32, words string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: "Error", Message: words,
		}}}
	}
	pod := func(name string, seconds int, status corev1.PodStatus) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: at(seconds)}, Status: status, Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "proxy", RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}, {Name: "fetch"}},
		}}
	}
	first := pod("first", 1, corev1.PodStatus{
		Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{ended("web", 1, "early")},
	})
	tests := map[string]struct {
		pods []corev1.Pod
		want string
	}{
		"no pod":                 {nil, ""},
		"one that has succeeded": {[]corev1.Pod{pod("a", 1, corev1.PodStatus{Phase: corev1.PodSucceeded})}, ""},
		"the newest": {[]corev1.Pod{pod("second", 2, corev1.PodStatus{
			Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{ended("web", 2, "late\n")},
		}), first}, "pod second, container web: ended with exit code 2 (Error): late"},
		"not how a sidecar was ended": {[]corev1.Pod{pod("a", 1, corev1.PodStatus{
			Phase: corev1.PodFailed, InitContainerStatuses: []corev1.ContainerStatus{ended("proxy", 143, ""), ended("fetch", 3, "no file")},
		})}, "pod a, container fetch: ended with exit code 3 (Error): no file"},
		"that was evicted": {[]corev1.Pod{pod("a", 1, corev1.PodStatus{
			Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory.",
		})}, "pod a: Evicted: The node was low on resource: memory."},
		"that was evicted, and its container ended for that": {[]corev1.Pod{pod("a", 1, corev1.PodStatus{
			Phase: corev1.PodFailed, Reason: "Evicted", Message: "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
			ContainerStatuses: []corev1.ContainerStatus{ended("web", 137, "")},
		})}, "pod a: Evicted: Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."},
		"that says nothing": {[]corev1.Pod{pod("a", 1, corev1.PodStatus{Phase: corev1.PodFailed})}, ""},
	}
	for what, test := range tests {
		if got := LastWordsOf(test.pods); got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
	long := pod("a", 1, corev1.PodStatus{
		Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{ended("web", 1, strings.Repeat("x", 5000))},
	})
	if got := LastWordsOf([]corev1.Pod{long}); len(got) > maxWords+100 {
		t.Errorf("%d bytes are quoted", len(got))
	}
}

// TestAFailedRunIsDegradedAlone holds that a schedule's fault does not touch Ready, and comes after every other.
func TestAFailedRunIsDegradedAlone(t *testing.T) {
	app := newApplication(withSchedules("nightly", "hourly"))
	seen := Observed{Deployment: newDeployment(3), Schedules: map[string]Schedule{
		"nightly": {CronJob: newCronJob("nightly"), LastRun: newJob("nightly", 1, batchv1.JobFailed), LastWords: "pod a: \x1b[31mno\ndisk"},
		"hourly":  {CronJob: newCronJob("hourly"), LastRun: newJob("hourly", 1, batchv1.JobFailed)},
	}}
	got := Of(app, seen, nil)
	if ready := condition(t, got, v1.ConditionReady); ready.Status != metav1.ConditionTrue || ready.Reason != v1.ReasonRolloutComplete {
		t.Errorf("Ready is %s, %s", ready.Status, ready.Reason)
	}
	degraded := condition(t, got, v1.ConditionDegraded)
	want := "the last run of schedule nightly has failed: Job nightly-1: pod a: no disk; the last run of schedule hourly has failed: " +
		"Job hourly-1: BackoffLimitExceeded: Job has reached the specified backoff limit"
	if degraded.Reason != v1.ReasonScheduleFailed || degraded.Message != want {
		t.Errorf("Degraded: %s: %s", degraded.Reason, degraded.Message)
	}
	crashing := seen
	crashing.Deployment, crashing.PodFaults = newDeployment(3, unavailable), []PodFault{currentFaultOfPod}
	contended := seen
	contended.Contended = "somebody"
	for reason, of := range map[string]v1.ApplicationStatus{
		v1.ReasonImagePullFailed:      Of(app, crashing, nil),
		v1.ReasonFieldManagerConflict: Of(app, contended, nil),
		v1.ReasonChildConflict:        Of(app, seen, reconcileError(t, "conflict")),
		v1.ReasonDraining:             Of(newApplication(withSchedules("nightly"), beingDeleted), seen, nil),
		v1.ReasonRolloutComplete:      Of(newApplication(withSchedules("weekly")), seen, nil), // the others were removed
	} {
		if degraded := condition(t, of, v1.ConditionDegraded); degraded.Reason != reason {
			t.Errorf("Degraded is %s, want %s", degraded.Reason, reason)
		}
	}
	if degraded := condition(t, Of(newApplication(withSchedules("nightly"), paused), seen, nil), v1.ConditionDegraded); degraded.Reason != v1.ReasonScheduleFailed {
		t.Errorf("while paused, Degraded is %s", degraded.Reason)
	}
}

// TestOldestActive leaves out what has ended, what may not run, and what is another's.
func TestOldestActive(t *testing.T) {
	suspended := newJob("a", 1)
	suspended.Spec.Suspend = new(true)
	jobs := []*batchv1.Job{newJob("a", 4), newJob("a", 3), newJob("a", 0, batchv1.JobComplete), suspended, newJob("b", 2)}
	if got := OldestActive(newCronJob("a"), jobs); got == nil || got.Name != "a-3" {
		t.Errorf("it is %v, want a-3", got)
	}
	if got := OldestActive(newCronJob("c"), jobs); got != nil {
		t.Errorf("it is %s, want none", got.Name)
	}
}

// TestStuckRun tells of pods that cannot do their work, whatever they lack.
func TestStuckRun(t *testing.T) {
	pod := func(phase corev1.PodPhase, status corev1.PodStatus) corev1.Pod {
		status.Phase = phase
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "nightly-1-x"}, Status: status}
	}
	waiting := func(reason, message string) corev1.PodStatus {
		return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "web", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		}}}
	}
	unschedulable := corev1.PodStatus{Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available",
	}}}
	failed := pod(corev1.PodFailed, corev1.PodStatus{Reason: "Evicted"})
	for name, test := range map[string]struct {
		pods  []corev1.Pod
		words string
		works bool
	}{
		"no pod":         {nil, "it has no pod, which a quota or an admission rule may refuse; kubectl describe job -n default nightly-1 has the cause", false},
		"no node for it": {[]corev1.Pod{failed, pod(corev1.PodPending, unschedulable)}, "0/3 nodes are available", false},
		"no image":       {[]corev1.Pod{pod(corev1.PodPending, waiting("ErrImagePull", "not found"))}, "container web: not found", false},
		"no key":         {[]corev1.Pod{pod(corev1.PodPending, waiting("CreateContainerConfigError", `couldn't find key x`))}, "couldn't find key x", false},
		"on its way":     {[]corev1.Pod{pod(corev1.PodPending, waiting("ContainerCreating", ""))}, "", false},
		"all failed":     {[]corev1.Pod{failed}, "", false},
		"one at work":    {[]corev1.Pod{failed, pod(corev1.PodRunning, corev1.PodStatus{})}, "", true},
	} {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "nightly-1", Namespace: "default"}}
		words, works := StuckRun(job, test.pods)
		if works != test.works || !strings.Contains(words, test.words) || test.words == "" && words != "" {
			t.Errorf("%s: %q, %t", name, words, works)
		}
	}
}

// TestAStuckRunIsDegradedAlone holds that it is told beside what has failed, and that its pods are looked at again.
func TestAStuckRunIsDegradedAlone(t *testing.T) {
	app := newApplication(withSchedules("nightly", "hourly"))
	seen := Observed{Deployment: newDeployment(3), Now: at(10), Schedules: map[string]Schedule{
		"nightly": {
			CronJob: newCronJob("nightly"), LastRun: newJob("nightly", 1, batchv1.JobFailed), Active: newJob("nightly", 2), Stuck: "pod a: no node",
		},
		"hourly": {CronJob: newCronJob("hourly"), Active: newJob("hourly", 1)},
	}}
	seen.LookAgain(at(70))
	seen.LookAgain(metav1.Time{})
	got := Of(app, seen, nil)
	degraded := condition(t, got, v1.ConditionDegraded)
	want := "the last run of schedule nightly has failed: Job nightly-1: BackoffLimitExceeded: Job has reached the specified backoff limit; " +
		"a run of schedule nightly cannot do its work: Job nightly-2: pod a: no node"
	if degraded.Reason != v1.ReasonScheduleFailed || degraded.Message != want {
		t.Errorf("Degraded: %s: %s", degraded.Reason, degraded.Message)
	}
	if ready := condition(t, got, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %s, %s", ready.Status, ready.Reason)
	}
	if expires := Expires(app, seen, got); !expires.Equal(new(at(70))) {
		t.Errorf("is looked at again at %s", expires)
	}
	seen.Now = at(71) // the pods were read before that, and are not known any more
	if expires := Expires(app, seen, got); !expires.Equal(new(at(70))) {
		t.Errorf("what was due while the Application was reconciled is looked at again at %s", expires)
	}
}

// TestARunOfWhichNoJobIsKept is about failedJobsHistoryLimit 0.
func TestARunOfWhichNoJobIsKept(t *testing.T) {
	for what, test := range map[string]struct {
		scheduled, succeeded *metav1.Time
		active               []types.UID
		want                 bool
	}{
		"never run":             {},
		"succeeded":             {new(at(0)), new(at(5)), nil, false},
		"failed":                {new(at(60)), new(at(5)), nil, true},
		"never succeeded":       {new(at(60)), nil, nil, true},
		"has failed, runs anew": {new(at(60)), nil, []types.UID{"x"}, false},
	} {
		app := newApplication(withSchedules("nightly"))
		app.Spec.Schedules[0].FailedJobsHistoryLimit = new(int32(0))
		cronJob := newCronJob("nightly", test.active...)
		cronJob.Status.LastScheduleTime, cronJob.Status.LastSuccessfulTime = test.scheduled, test.succeeded
		got := Of(app, Observed{Deployment: newDeployment(3), Schedules: map[string]Schedule{"nightly": {CronJob: cronJob}}}, nil)
		if failed := condition(t, got, v1.ConditionDegraded).Reason == v1.ReasonScheduleFailed; failed != test.want {
			t.Errorf("%s: failed %v", what, failed)
		}
	}
}

// TestAFailureIsOverWhenARunHasSucceeded holds that also where no Job is left of runs that have succeeded: the CronJob keeps none, or
// somebody has deleted them, as by kubectl delete jobs --field-selector status.successful=1.
func TestAFailureIsOverWhenARunHasSucceeded(t *testing.T) {
	for what, test := range map[string]struct {
		kept      bool
		succeeded *metav1.Time
		want      bool
	}{
		"none is left, and none has succeeded":                         {false, nil, true},
		"none is left, and one had succeeded before":                   {false, new(at(5)), true},
		"none is left, and one has succeeded since":                    {false, new(at(70)), false},
		"one is left, which began earlier and has succeeded since":     {true, new(at(70)), true},
		"one is left, which had succeeded before, as nobody has since": {true, new(at(5)), true},
	} {
		app := newApplication(withSchedules("nightly"))
		cronJob, job := newCronJob("nightly"), newJob("nightly", 6, batchv1.JobFailed)
		cronJob.Status.LastSuccessfulTime = test.succeeded
		job.Status.Conditions[1].LastTransitionTime = at(60)
		seen := Observed{Deployment: newDeployment(3), Schedules: map[string]Schedule{
			"nightly": {CronJob: cronJob, LastRun: job, SuccessKept: test.kept},
		}}
		if failed := condition(t, Of(app, seen, nil), v1.ConditionDegraded).Reason == v1.ReasonScheduleFailed; failed != test.want {
			t.Errorf("%s: failed %v", what, failed)
		}
	}
}

func TestKeepsSuccess(t *testing.T) {
	for what, test := range map[string]struct {
		jobs []*batchv1.Job
		want bool
	}{
		"none":                      {nil, false},
		"one that has succeeded":    {[]*batchv1.Job{newJob("a", 1, batchv1.JobFailed), newJob("a", 2, batchv1.JobComplete)}, true},
		"one that has failed":       {[]*batchv1.Job{newJob("a", 1, batchv1.JobFailed)}, false},
		"one that runs":             {[]*batchv1.Job{newJob("a", 1)}, false},
		"one of another schedule":   {[]*batchv1.Job{newJob("b", 1, batchv1.JobComplete)}, false},
		"one that nothing controls": {[]*batchv1.Job{{Status: newJob("a", 1, batchv1.JobComplete).Status}}, false},
	} {
		if got := KeepsSuccess(newCronJob("a"), test.jobs); got != test.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestSchedulesAreToldWhenARunHasEnded holds that a run is one change of the status.
func TestSchedulesAreToldWhenARunHasEnded(t *testing.T) {
	told := v1.ScheduleStatus{Name: "nightly", LastScheduleTime: new(at(0)), LastSuccessfulTime: new(at(5))}
	for what, test := range map[string]struct {
		cronJob *batchv1.CronJob
		want    v1.ScheduleStatus
	}{
		"it rests":       {ran(newCronJob("nightly"), 0, 5), told},
		"it has started": {ran(newCronJob("nightly", "x"), 60, 5), told},
		"it has failed": {ran(newCronJob("nightly"), 60, 5), v1.ScheduleStatus{
			Name: "nightly", LastScheduleTime: new(at(60)), LastSuccessfulTime: new(at(5)),
		}},
		"it has succeeded while the next one runs": {ran(newCronJob("nightly", "x"), 60, 50), v1.ScheduleStatus{
			Name: "nightly", LastScheduleTime: new(at(60)), LastSuccessfulTime: new(at(50)),
		}},
		"its CronJob was made again": {newCronJob("nightly"), told},
		"its CronJob is gone":        {nil, told},
	} {
		app := newApplication(withSchedules("nightly"))
		app.Status.Schedules = []v1.ScheduleStatus{told, {Name: "removed"}}
		seen := Observed{Deployment: newDeployment(3), Schedules: map[string]Schedule{"nightly": {CronJob: test.cronJob}}}
		if diff := cmp.Diff([]v1.ScheduleStatus{test.want}, Of(app, seen, nil).Schedules); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	large := newApplication()
	large.Oversized, large.Status.Schedules = true, []v1.ScheduleStatus{told}
	if got := Of(large, Observed{}, nil).Schedules; len(got) != 1 {
		t.Errorf("of an Application that is too large, %v is told", got)
	}
}

// ran makes a CronJob have run at these seconds.
func ran(cronJob *batchv1.CronJob, scheduled, succeeded int) *batchv1.CronJob {
	cronJob.Status.LastScheduleTime, cronJob.Status.LastSuccessfulTime = new(at(scheduled)), new(at(succeeded))
	return cronJob
}
