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

package revisions

import (
	"cmp"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Phase is what is special about the wanted pods.
type Phase int

const (
	// Settled is the usual: the pods of the spec are wanted.
	Settled Phase = iota
	// Releasing is while the release command of the spec's revision runs, or waits for that of an older one.
	Releasing
	// ReleaseFailed is after it has failed.
	ReleaseFailed
	// RolledBack is after the rollout of the spec's revision has failed.
	RolledBack
)

// Record is what is remembered of a revision. Its ControllerRevision has it.
type Record struct {
	// Number is higher for each revision that the spec asks for anew.
	Number int64
	// Since is when the record was last written down, in whole seconds. Zero while it has not been.
	Since metav1.Time
	// Released says why the pods may be rolled out; "" while they may not.
	Released string
	// FailedRelease is the Job of the release command that has failed, and FailedReleaseWords how.
	FailedRelease, FailedReleaseWords string
	// Failed is how the rollout of the pods has failed; "" if it has not. It holds until the spec asks for other pods.
	Failed string
}

// Why the pods of a revision may be rolled out.
const (
	// ReleasedByCommand is after the release command has succeeded.
	ReleasedByCommand = "Succeeded"
	// ReleasedWithout is without a release command, or where the pods had run before there was one.
	ReleasedWithout = "NotNeeded"
)

// Job is a Job of a release command.
type Job struct {
	// Name of the Job, and Hash of the revision that it is of.
	Name, Hash string
	// Ended says that it has ended, and Failed that it has failed, with Words how.
	Ended, Failed bool
	Words         string
}

// Fault is what a rollout may fail of.
type Fault struct {
	// Words say what it is, with the reason of package v1 first.
	Words string
	// Final says that it is a fault at once: the progress deadline has passed. At is when.
	Final bool
	At    metav1.Time
	// Since is since when the fault has been seen without interruption, unless it is final.
	Since metav1.Time
}

// Facts are what Decide goes by.
type Facts struct {
	// App is the Application's name.
	App string
	// Now is the time.
	Now metav1.Time
	// Update is the hash of the revision that the spec asks for.
	Update string
	// Known are the revisions that there are ControllerRevisions of, by name.
	Known map[string]Record
	// Current is the name of the revision that was last Ready, and Runs of the one whose pods were last rolled out; "" for not known.
	Current, Runs string
	// Deployed says that there is a Deployment, and Applied that it is of the spec, by the status.
	Deployed, Applied bool
	// Frozen says that nothing is begun or judged: the Application is paused or suspended.
	Frozen bool
	// Rollback says that a failed rollout is to be undone, after a fault of its pods has lasted for FailAfter seconds.
	Rollback  bool
	FailAfter int64
	// Command stands for the release command; "" without one.
	Command string
	// Jobs are the Jobs of release commands that there are.
	Jobs []Job
	// Fault is that of the pods that were last rolled out, or nil.
	Fault *Fault
}

// Decision is which pods are wanted now.
type Decision struct {
	// Update is the name of the revision that the spec asks for.
	Update string
	// Want is the name of the revision whose pods are wanted; "" for what runs, whatever it is, and for none where nothing runs.
	Want string
	// Current is the name of the revision that was last Ready, as long as there is anything left of it: its ControllerRevision, or the pods
	// that were last rolled out; "" for none.
	Current string
	// Phase says why that is not Update, and Words what has failed, or what is waited for.
	Phase Phase
	Words string
	// ReleaseJob is the Job of the release command, or "" without a command. RunRelease says that it is to be there.
	ReleaseJob string
	RunRelease bool
	// Records are to be written down before anything else is done, by the names of revisions. That of Update is among them if there is
	// none yet.
	Records map[string]Record
	// At is when to decide again although nothing happens; zero for never.
	At metav1.Time
}

// Decide returns which pods are wanted.
//
// What is decided once is in a record, and holds: no restart, change of the leader or edit of the Deployment brings back what has
// failed, and no release command runs twice for a revision. What was Ready is left for what the spec asks for, and for nothing else.
func Decide(f Facts) Decision {
	d := decider{Facts: f, known: map[string]Record{}, update: Name(f.App, f.Update), records: map[string]Record{}}
	maps.Copy(d.known, f.Known)
	d.number()
	if d.Command != "" {
		d.release = releaseJob(d.App, d.Update, d.Command, d.known[d.update].Number)
	}
	d.recordReleases()
	decision := d.decide()
	decision.Update, decision.ReleaseJob, decision.Records = d.update, d.release, d.records
	if _, known := d.known[d.Current]; known || d.Runs == d.Current {
		decision.Current = d.Current
	}
	return decision
}

type decider struct {
	Facts
	// known are the revisions as they are remembered from now on.
	known map[string]Record
	// update is the name of the revision that the spec asks for, and release that of the Job of its release command, or "".
	update, release string
	records         map[string]Record
}

// record remembers something of a revision.
func (d *decider) record(name string, record Record) {
	d.known[name], d.records[name] = record, record
}

// number gives the revision of the spec the highest number. What had failed of it before other pods were asked for does not count any
// more: it is tried again.
func (d *decider) number() {
	highest := int64(0)
	for _, record := range d.known {
		highest = max(highest, record.Number)
	}
	own, known := d.known[d.update]
	if known && (own.Number == highest || d.Frozen) {
		return
	}
	d.record(d.update, Record{Number: highest + 1, Since: metav1.Unix(d.Now.Unix(), 0), Released: own.Released})
}

// recordReleases remembers how Jobs have ended: that one has succeeded of every revision, and that one has failed while its revision is
// the one that the spec asks for.
func (d *decider) recordReleases() {
	for _, job := range d.Jobs {
		name := Name(d.App, job.Hash)
		record, known := d.known[name]
		switch {
		case !known || !job.Ended || record.Released != "":
		case !job.Failed:
			record.Released, record.FailedRelease, record.FailedReleaseWords = ReleasedByCommand, "", ""
			d.record(name, record)
		case job.Name == d.release && record.FailedRelease != job.Name:
			record.FailedRelease, record.FailedReleaseWords = job.Name, job.Words
			d.record(name, record)
		}
	}
}

// History returns the revisions that are kept: those in use, and of the others so many of those with the highest numbers.
func History(known map[string]Record, inUse []string, limit int) map[string]bool {
	kept := map[string]bool{}
	var others []string
	for _, name := range slices.SortedFunc(maps.Keys(known), func(a, b string) int {
		return cmp.Or(cmp.Compare(known[b].Number, known[a].Number), cmp.Compare(a, b))
	}) {
		if slices.Contains(inUse, name) {
			kept[name] = true
		} else {
			others = append(others, name)
		}
	}
	for _, name := range others[:min(limit, len(others))] {
		kept[name] = true
	}
	return kept
}

func (d *decider) decide() Decision {
	own := d.known[d.update]
	if own.Released == "" && (d.release == "" || d.ran()) {
		own.Released = ReleasedWithout
		d.record(d.update, own)
	}
	switch {
	case own.Released != "":
		return d.rollout(own)
	case own.FailedRelease == d.release:
		return d.releaseFailed(own)
	default:
		return d.waitForRelease()
	}
}

// ran reports whether the pods of the spec's revision had run before its release command was: then there is nothing to release. An
// operator that knew no revisions has left none where it has rolled out what the spec asks for.
func (d *decider) ran() bool {
	return d.Current == d.update || d.Runs == d.update || len(d.Known) == 0 && d.Deployed && d.Applied
}

// waitForRelease keeps what runs until the release command has succeeded. There is one at a time.
func (d *decider) waitForRelease() Decision {
	decision := d.keep(d.Runs, d.Current)
	active := slices.IndexFunc(d.Jobs, func(job Job) bool { return !job.Ended })
	switch {
	case active >= 0 && d.Jobs[active].Name != d.release:
		decision.Phase, decision.Words = Releasing, "waiting for an earlier release command to end, Job "+d.Jobs[active].Name
	case active >= 0 || !d.Frozen:
		decision.Phase, decision.Words = Releasing, "waiting for the release command, Job "+d.release
		decision.RunRelease = true
	}
	return decision
}

// releaseFailed leaves what runs, unless that has failed too.
func (d *decider) releaseFailed(own Record) Decision {
	first, second := d.Runs, d.Current
	if d.Rollback {
		first, second = d.Current, d.Runs
	}
	decision := d.keep(first, second)
	decision.Phase, decision.Words = ReleaseFailed, own.FailedReleaseWords
	return decision
}

// keep returns the first of the revisions that is known and has not failed, or whatever runs.
func (d *decider) keep(names ...string) Decision {
	for _, name := range names {
		if record, known := d.known[name]; known && name != d.update && record.Failed == "" {
			return Decision{Want: name}
		}
	}
	return Decision{}
}

// rollout has the pods of the spec, unless their rollout has failed and there is something to go back to.
func (d *decider) rollout(own Record) Decision {
	if !d.Rollback || d.Current == "" || d.Current == d.update {
		return Decision{Want: d.update}
	}
	_, known := d.known[d.Current]
	if !known && (own.Failed == "" || d.Runs != d.Current) {
		return Decision{Want: d.update}
	}
	if own.Failed == "" {
		failed, due := d.failed(own)
		if !failed {
			return Decision{Want: d.update, At: due}
		}
		own.Failed = d.Fault.Words
		d.record(d.update, own)
	}
	decision := Decision{Phase: RolledBack, Words: own.Failed}
	if known { // otherwise what runs is all that is left of it
		decision.Want = d.Current
	}
	return decision
}

// failed reports whether the rollout has failed, or when it will have if nothing changes.
func (d *decider) failed(own Record) (failed bool, due metav1.Time) {
	switch fault := d.Fault; {
	case d.Frozen || d.Runs != d.update || fault == nil:
		return false, metav1.Time{}
	case fault.Final: // a deadline that had passed before is that of other pods
		return own.Since.Before(&fault.At), metav1.Time{}
	default:
		due = metav1.Unix(fault.Since.Unix()+d.FailAfter, 0)
		return !d.Now.Before(&due), due
	}
}
