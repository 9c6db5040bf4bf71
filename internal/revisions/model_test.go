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
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The model walks through all interleavings of a small world: three revisions, of which each has pods that work or crash and a release
// command that succeeds or fails; a spec that is changed back and forth; Jobs that end and are deleted by hand; faults that have lasted
// for long or not; leaders that change and then see what was there before the last writes.

const (
	count    = 3
	maxEdits = 2
	none     = int8(-1)

	// forLong and justNow are since when a fault has lasted.
	forLong, justNow = 0, 999
)

type jobState int8

const (
	noJob jobState = iota
	activeJob
	succeededJob
	failedJob
)

// rules are what a walk does not change.
type rules struct {
	works, releases   [count]bool
	rollback, command bool
}

// memory is what ControllerRevisions remember of one revision.
type memory struct {
	known                           bool
	number                          int8
	released, failedRelease, failed bool
}

// objects are what a leader reads.
type objects struct {
	memories [count]memory
	jobs     [count]jobState
	// jobNumbers are the numbers that the revisions had when their Jobs were made.
	jobNumbers [count]int8
	runs       int8
}

type world struct {
	now, before objects
	spec, edits int8
	// ready says that the pods that run are Ready, and current is the revision that last was.
	ready   bool
	current int8
	// succeeded are how often a release command has succeeded.
	succeeded [count]int8
}

var names = [count]string{"a", "b", "c"}

func indexOf(name string) int8 { return int8(strings.Index("abc", strings.TrimPrefix(name, "web-"))) }

// facts returns what a leader sees.
func (w world) facts(r rules, seen objects, since int64) Facts {
	f := Facts{
		App: "web", Now: at(1000), Update: names[w.spec], Known: map[string]Record{}, Deployed: seen.runs != none, Applied: false,
		Rollback: r.rollback, FailAfter: 120, Jobs: seen.releases(),
	}
	if r.command {
		f.Command = "m"
	}
	for i, m := range seen.memories {
		if m.known {
			f.Known[Name("web", names[i])] = m.record(int8(i))
		}
	}
	if w.current != none {
		f.Current = Name("web", names[w.current])
	}
	if seen.runs != none {
		f.Runs = Name("web", names[seen.runs])
		if !r.works[seen.runs] {
			f.Fault = &Fault{Words: "it crashes", Since: at(since)}
		}
	}
	return f
}

func (o objects) releases() []Job {
	var jobs []Job
	for i, state := range o.jobs {
		if state != noJob {
			jobs = append(jobs, Job{
				Name: releaseJob("web", names[i], "m", int64(o.jobNumbers[i])), Hash: names[i], Ended: state != activeJob, Failed: state == failedJob, Words: "no",
			})
		}
	}
	return jobs
}

func (m memory) record(of int8) Record {
	record := Record{Number: int64(m.number)}
	if m.released {
		record.Released = ReleasedByCommand
	}
	if m.failedRelease {
		record.FailedRelease = releaseJob("web", names[of], "m", record.Number)
	}
	if m.failed {
		record.Failed = "it crashes"
	}
	return record
}

// reconcile does what the controller does, and returns the world after it and what was decided.
func (w world) reconcile(r rules, seen objects, since int64) (world, Decision) {
	facts := w.facts(r, seen, since)
	d := Decide(facts)
	if d.RunRelease && !hasJob(facts.Jobs, d.ReleaseJob) {
		facts.Jobs = w.now.releases()
		d = Decide(facts)
	}
	if seen.runs != none && d.Want != "" && indexOf(d.Want) != seen.runs {
		seen.memories[w.spec] = w.now.memories[w.spec]
		facts.Known = w.facts(r, seen, since).Known
		d = Decide(facts)
	}
	after := w
	for name, record := range d.Records {
		i := indexOf(name)
		if w.now.memories[i] != seen.memories[i] {
			return w, d // the API server refuses a write of what is not as it was read
		}
		after.now.memories[i] = memory{
			known: true, number: int8(record.Number), released: record.Released != "", failedRelease: record.FailedRelease != "", failed: record.Failed != "",
		}
	}
	if d.RunRelease && !hasJob(w.now.releases(), d.ReleaseJob) {
		after.now.jobs[w.spec], after.now.jobNumbers[w.spec] = activeJob, after.now.memories[w.spec].number
	}
	for _, job := range seen.releases() {
		if i := indexOf(job.Hash); job.Ended && job.Name != d.ReleaseJob && w.now.jobs[i] == seen.jobs[i] && w.now.jobNumbers[i] == seen.jobNumbers[i] {
			after.now.jobs[i], after.now.jobNumbers[i] = noJob, 0
		}
	}
	if want := indexOf(d.Want); d.Want != "" && want != seen.runs && want != w.now.runs { // else there is nothing to write
		after.now.runs, after.ready = want, false
	}
	if after.ready && d.Want != "" && seen.runs == indexOf(d.Want) {
		after.current = indexOf(d.Want)
	}
	after.before = w.now
	return after, d
}

func hasJob(jobs []Job, name string) bool {
	for _, job := range jobs {
		if job.Name == name {
			return true
		}
	}
	return false
}

// next returns the worlds that may come after this one, by what happens.
func (w world) next(r rules) map[string]world {
	all := map[string]world{}
	for spec := range int8(count) {
		if spec != w.spec && w.edits < maxEdits {
			after := w
			after.spec, after.edits = spec, w.edits+1
			all["the spec asks for "+names[spec]] = after
		}
	}
	for i, state := range w.now.jobs {
		if state != activeJob {
			continue
		}
		ended, deleted := w, w
		if ended.now.jobs[i] = failedJob; r.releases[i] {
			ended.now.jobs[i], ended.succeeded[i] = succeededJob, w.succeeded[i]+1
		}
		deleted.now.jobs[i], deleted.now.jobNumbers[i] = noJob, 0
		all["a Job ends"], all["a Job is deleted"] = ended, deleted
	}
	if w.now.runs != none && r.works[w.now.runs] && !w.ready {
		after := w
		after.ready = true
		all["the pods are ready"] = after
	}
	return all
}

// check returns how a reconcile breaks what is promised.
func (w world) check(r rules, after world, d Decision) string {
	active := 0
	for _, state := range after.now.jobs {
		if state == activeJob {
			active++
		}
	}
	changed := after.now.runs != w.now.runs
	switch {
	case active > 1:
		return "two release commands run at a time"
	case changed && r.command && !after.now.memories[after.now.runs].released:
		return "pods are rolled out that were not released"
	case changed && after.now.runs != w.spec && after.now.runs != w.current:
		return "pods are rolled out that the spec does not ask for and that were not Ready"
	case changed && after.now.runs == w.spec && r.rollback && w.now.memories[w.spec].failed && w.now.memories[w.spec].number == highest(w.now) &&
		after.now.memories[w.spec].number == w.now.memories[w.spec].number && w.current != none && w.current != w.spec:
		return "pods come back that have failed"
	case d.Phase == RolledBack && !r.rollback:
		return "something is rolled back that is only to be reported"
	}
	for i, times := range after.succeeded {
		if times > 1 {
			return "the release command of " + names[i] + " has succeeded twice"
		}
	}
	return ""
}

func highest(o objects) int8 {
	number := int8(0)
	for _, m := range o.memories {
		number = max(number, m.number)
	}
	return number
}

// rest returns where the world comes to rest when nothing but its own doing happens, or false if it does not. What is known is added to.
func (w world) rest(r rules, known map[world]world) (world, bool) {
	var path []world
	for range 30 {
		w.before, w.edits = w.now, 0
		if rest, ok := known[w]; ok {
			return rest, true
		}
		path = append(path, w)
		after, _ := w.reconcile(r, w.now, forLong)
		for _, what := range []string{"a Job ends", "the pods are ready"} {
			if next, ok := after.next(r)[what]; ok {
				after = next
				break
			}
		}
		if after.before, after.edits = after.now, 0; after == w {
			for _, passed := range path {
				known[passed] = w
			}
			return w, true
		}
		w = after
	}
	return w, false
}

// checkRest returns how a world at rest is not what it should be.
func (w world) checkRest(r rules) string {
	runs := w.now.runs
	released := !r.command || w.now.memories[w.spec].released
	switch {
	case released && r.works[w.spec]:
		if runs != w.spec || w.current != w.spec {
			return "pods that work do not run"
		}
	case released && !r.rollback:
		if runs != w.spec {
			return "pods that crash are not there to be looked at"
		}
	case runs != none && w.current != none && runs != w.current && r.rollback:
		return "what was Ready does not run, although it could"
	case !released && w.now.memories[w.spec].failedRelease == r.releases[w.spec]:
		return "the release command has not run"
	}
	return ""
}

func TestModel(t *testing.T) {
	worlds := 0
	const differ = count - 1
	for bits := range 1 << (2*differ + 2) {
		r := rules{rollback: bits&1 > 0, command: bits&2 > 0}
		r.works[differ], r.releases[differ] = true, true // the last one is what mends it
		for i := range differ {
			r.works[i], r.releases[i] = bits>>(2+i)&1 > 0, bits>>(2+differ+i)&1 > 0
		}
		if !r.command && r.releases != [count]bool{differ: true} {
			continue // without a command, they differ in nothing
		}
		worlds += walk(t, r)
	}
	t.Logf("%d worlds", worlds)
	if worlds < 10_000 {
		t.Errorf("there are only %d worlds", worlds)
	}
}

// step is what has led to a world.
type step struct {
	from world
	what string
}

// walk visits all worlds under the rules and returns how many there are.
func walk(t *testing.T, r rules) int {
	t.Helper()
	start := world{current: none}
	start.now.runs = none
	start.before = start.now
	from, known := map[world]step{start: {}}, map[world]world{}
	queue := []world{start}
	visit := func(at, next world, what string) {
		if _, ok := from[next]; !ok {
			from[next] = step{at, what}
			queue = append(queue, next)
		}
	}
	path := func(at world) string {
		var steps []string
		for at != start {
			steps = append(steps, from[at].what)
			at = from[at].from
		}
		slices.Reverse(steps)
		return strings.Join(steps, "; ")
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for what, next := range at.next(r) {
			visit(at, next, what)
		}
		for view, seen := range map[string]objects{"a reconcile": at.now, "a new leader": at.before} {
			for _, since := range []int64{justNow, forLong} {
				next, d := at.reconcile(r, seen, since)
				if wrong := at.check(r, next, d); wrong != "" {
					t.Fatalf("%s, after %s, %s (a fault since %d), with %+v\n%+v\n%+v", wrong, path(at), view, since, r, at, d)
				}
				visit(at, next, fmt.Sprintf("%s (%d)", view, since))
			}
		}
		rest, ok := at.rest(r, known)
		if !ok {
			t.Fatalf("it never ends, after %s, with %+v\n%+v", path(at), r, rest)
		}
		if wrong := rest.checkRest(r); wrong != "" {
			t.Fatalf("%s, after %s, with %+v\n%+v", wrong, path(at), r, rest)
		}
	}
	return len(from)
}
