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
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/expectations"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
	"github.com/example/app-operator/internal/status"
)

// specRevision is the revision that a generation of the spec asks for.
type specRevision struct {
	generation    int64
	hash, command string
	// asked says that the API server was asked what it remembers, so that no other replica has decided anything since.
	asked bool
}

// earlierPods are the pods of a revision, as its ControllerRevision has them.
type earlierPods struct {
	name string
	data []byte
}

// podsFault is since when new pods of a revision have had a fault. A new process begins where the status says so.
type podsFault struct {
	revision string
	since    metav1.Time
}

// readRevisions reads the Application's revisions and the Jobs of its release commands, has package revisions decide which pods are
// wanted, and writes down what has to be remembered of that before anything else is done. Of an Application that is going, or of which
// the pods are not known, nothing is decided.
func (r *ApplicationReconciler) readRevisions(ctx context.Context, s *snapshot, record *appRecord) error {
	app := s.Application
	if app.DeletionTimestamp == nil && !app.Oversized {
		if err := record.revision.update(app); err != nil {
			return err
		}
		s.Update.Hash, s.Update.Name = record.revision.hash, revisions.Name(app.Name, record.revision.hash)
	}
	for _, kind := range []string{children.ControllerRevision, children.Job} {
		if err := r.readChildren(ctx, s, children.Of(kind)); err != nil {
			return err
		}
	}
	jobs := s.ReleaseJobs()
	s.PodsUpdated = !slices.ContainsFunc(jobs, func(job *batchv1.Job) bool { return status.EndOf(job) == nil })
	s.JobsRemain = len(jobs) > 0
	if s.Update.Name == "" {
		return nil
	}
	facts := r.facts(ctx, s, record, jobs)
	if err := r.decide(ctx, s, record, &facts); err != nil {
		return err
	}
	if err := r.readReleasePods(ctx, s, record, jobs); err != nil {
		return err
	}
	if err := r.writeRecords(ctx, s, facts.Known); err != nil {
		return err
	}
	return r.wantPods(ctx, s, record, facts.Known)
}

// decide has package revisions decide. Of what another replica has begun or found to have failed, the cache may not know yet. So the
// API server is asked before a release command is run, since two never run at a time, and before this process has other pods rolled
// out for the first time.
func (r *ApplicationReconciler) decide(ctx context.Context, s *snapshot, record *appRecord, facts *revisions.Facts) error {
	s.decision = revisions.Decide(*facts)
	var err error
	if s.decision.RunRelease && s.Find(children.Job, s.decision.ReleaseJob) == nil {
		if facts.Jobs, err = r.askForJobs(ctx, s.Application, record.release); err != nil {
			return err
		}
		s.decision = revisions.Decide(*facts)
	}
	if facts.Runs == "" || s.decision.Want == facts.Runs || record.revision.asked {
		return nil
	}
	revision := &appsv1.ControllerRevision{}
	key := client.ObjectKey{Namespace: s.Application.Namespace, Name: s.Update.Name}
	if err := r.Reader.Get(ctx, key, revision); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read the revision that the spec asks for: %w", err)
	}
	if _, known := facts.Known[s.Update.Name]; known && children.Of(children.ControllerRevision).Owns(s.Application, revision) {
		facts.Known[s.Update.Name] = resources.RevisionRecord(revision, managedfields.WrittenAt(revision, children.FieldOwner))
		s.decision = revisions.Decide(*facts)
	}
	record.revision.asked = true
	return nil
}

// update finds out what the spec asks for, once for each generation.
func (known *specRevision) update(app *v1.Application) error {
	if known.hash != "" && known.generation == app.Generation {
		return nil
	}
	revision, err := revisions.Of(app)
	if err != nil {
		return err
	}
	command, err := revisions.CommandHash(app)
	if err != nil {
		return err
	}
	known.generation, known.hash, known.command = app.Generation, revision.Hash, command
	return nil
}

// facts returns what is decided by.
func (r *ApplicationReconciler) facts(ctx context.Context, s *snapshot, record *appRecord, jobs []*batchv1.Job) revisions.Facts {
	app := s.Application
	facts := revisions.Facts{
		App: app.Name, Now: metav1.Now(), Update: record.revision.hash, Command: record.revision.command,
		Known: map[string]revisions.Record{}, Current: app.Status.CurrentRevision, Runs: resources.DeployedRevision(s.deployment),
		Deployed: s.deployment != nil, Applied: app.Status.ObservedGeneration == app.Generation,
		Frozen:    app.Spec.Paused || app.Spec.Suspend,
		Rollback:  app.Spec.Rollout != nil && app.Spec.Rollout.OnFailure == v1.FailurePolicyRollback,
		FailAfter: status.FailAfterSeconds(app),
	}
	for _, revision := range s.Live[children.ControllerRevision] {
		if children.Of(children.ControllerRevision).Owns(app, revision) {
			facts.Known[revision.GetName()] = resources.RevisionRecord(revision, managedfields.WrittenAt(revision, children.FieldOwner))
		}
	}
	switch fault := status.RolloutFault(s.seen); {
	case facts.Runs != s.Update.Name:
		record.fault = podsFault{}
	case fault != nil:
		fault.Since = record.fault.startedBy(app, facts)
		facts.Fault = fault
	case s.deployment.Status.ObservedGeneration >= s.deployment.Generation: // until then it is not known whether it is over
		record.fault = podsFault{}
	}
	for _, job := range jobs {
		facts.Jobs = append(facts.Jobs, r.releaseOutcome(ctx, job, facts.Known, record.release))
	}
	return facts
}

// startedBy returns since when the pods that are rolled out have had a fault: since this process has seen it, or since the status
// has told of it.
func (known *podsFault) startedBy(app *v1.Application, facts revisions.Facts) metav1.Time {
	if known.revision == facts.Runs {
		return known.since
	}
	*known = podsFault{revision: facts.Runs, since: facts.Now}
	for _, kind := range []string{v1.ConditionStalled, v1.ConditionReconciling} {
		told := meta.FindStatusCondition(app.Status.Conditions, kind)
		if told != nil && status.FailsRollout(told.Reason) && app.Status.UpdateRevision == facts.Runs && told.LastTransitionTime.Before(&known.since) {
			known.since = told.LastTransitionTime
		}
	}
	return known.since
}

// releaseOutcome returns how a Job has ended. How its pods have, is read once: then it is remembered.
func (r *ApplicationReconciler) releaseOutcome(
	ctx context.Context, job *batchv1.Job, known map[string]revisions.Record, seen releasePods,
) revisions.Job {
	run := revisions.Job{Name: job.Name, Hash: job.Labels[resources.LabelRevision]}
	if status.EndOf(job) == nil {
		return run
	}
	run.Ended, run.Failed = true, status.Failed(job)
	app := children.Of(children.Job).ApplicationOf(job)
	if !run.Failed || known[revisions.Name(app, run.Hash)].FailedRelease == job.Name {
		return run
	}
	pods, err := r.podsOf(ctx, job)
	if err != nil { // the Job's own words have to do
		logf.FromContext(ctx).Error(err, "Could not read the pods of a failed Job", "job", job.Name)
	}
	run.Words = seen.failedRelease(job, status.LastWordsOf(pods))
	return run
}

// askForJobs reads the Jobs of release commands from the API server: of what another replica has begun, the cache may not know yet, and two
// never run at a time.
func (r *ApplicationReconciler) askForJobs(ctx context.Context, app *v1.Application, seen releasePods) ([]revisions.Job, error) {
	list := &batchv1.JobList{}
	if err := r.Reader.List(ctx, list, client.InNamespace(app.Namespace), client.HasLabels{resources.LabelRevision}); err != nil {
		return nil, fmt.Errorf("list the Jobs of release commands: %w", err)
	}
	var jobs []revisions.Job
	for i := range list.Items {
		if job := &list.Items[i]; children.Of(children.Job).Owns(app, job) {
			jobs = append(jobs, r.releaseOutcome(ctx, job, nil, seen))
		}
	}
	return jobs, nil
}

// writeRecords has ControllerRevisions remember what was decided. That of a new revision is made with the other objects. While the
// Application is paused, nothing is written, and it is decided again.
func (r *ApplicationReconciler) writeRecords(ctx context.Context, s *snapshot, known map[string]revisions.Record) error {
	app := s.Application
	for name, decided := range s.decision.Records {
		was, exists := known[name]
		known[name] = decided
		if !exists || app.Spec.Paused {
			continue
		}
		live := s.Find(children.ControllerRevision, name).DeepCopyObject().(client.Object)
		patch, err := json.Marshal(resources.RevisionPatch(decided, live.GetResourceVersion()))
		if err != nil {
			return fmt.Errorf("encode what a revision is to remember: %w", err)
		}
		err = r.Client.Patch(ctx, live, client.RawPatch(types.MergePatchType, patch))
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) { // the cache is behind; the event that it lacks calls the next reconcile
			return &outcome.Waiting{
				Reason: v1.ReasonRollingOut, Message: "Waiting for what another replica has decided", After: expectations.Timeout,
			}
		}
		if err != nil {
			return outcome.FromAPI(err, children.ControllerRevision)
		}
		r.expectations.Wrote(client.ObjectKeyFromObject(app), children.ControllerRevision, live.GetResourceVersion())
		if decided.Failed != "" && was.Failed == "" {
			metrics.RolledBack()
			logf.FromContext(ctx).Info("A rollout has failed; the pods that were last Ready come back", "failed", name, "back", s.decision.Want)
		}
	}
	s.Update.Record = known[s.Update.Name]
	return nil
}

// wantPods has the builders make the pods that are wanted, and notes which revisions are kept.
func (r *ApplicationReconciler) wantPods(ctx context.Context, s *snapshot, record *appRecord, known map[string]revisions.Record) error {
	app, decision := s.Application, s.decision
	s.Revision, s.KeepsPods = decision.Want, decision.Want == ""
	s.ReleaseJob, s.RunRelease = decision.ReleaseJob, decision.RunRelease
	jobs := s.ReleaseJobs()
	inUse := make([]string, 0, len(jobs))
	for _, job := range jobs {
		inUse = append(inUse, revisions.Name(app.Name, job.Labels[resources.LabelRevision]))
	}
	inUse = append(inUse, decision.Update, decision.Want, app.Status.CurrentRevision, resources.DeployedRevision(s.deployment))
	s.History = revisions.History(known, inUse, int(resources.RevisionHistoryLimit(app)))
	if s.Find(children.ControllerRevision, s.Update.Name) == nil {
		revision, err := revisions.Of(app)
		if err != nil {
			return err
		}
		s.Update.Data = revision.Data
	}
	if s.RunRelease {
		if err := r.readNamed(ctx, s, children.Of(children.Job)); err != nil {
			return err
		}
	}
	if decision.Want == decision.Update {
		decision.Want = ""
	}
	r.records.setEarlier(client.ObjectKeyFromObject(app), decision.Want)
	return r.readEarlierPods(ctx, s, record, decision.Want)
}

// readEarlierPods has the builders make the pods of an earlier revision, if one is given. What it has is read once.
func (r *ApplicationReconciler) readEarlierPods(ctx context.Context, s *snapshot, record *appRecord, name string) error {
	if name == "" {
		record.pods = earlierPods{}
		return nil
	}
	if record.pods.name != name {
		revision := &appsv1.ControllerRevision{}
		if err := r.Reader.Get(ctx, client.ObjectKey{Namespace: s.Application.Namespace, Name: name}, revision); err != nil {
			return fmt.Errorf("read the revision whose pods are wanted: %w", err)
		}
		record.pods = earlierPods{name: name, data: slices.Clone(revision.Data.Raw)}
	}
	pods, err := revisions.WithPods(s.Application, record.pods.data)
	s.Pods = pods
	return err
}
