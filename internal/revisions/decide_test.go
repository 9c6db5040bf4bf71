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
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// facts are those of an Application that has run b and is asked for c: b was Ready.
func facts(edits ...func(*Facts)) Facts {
	f := Facts{
		App: "web", Update: "c", Now: at(1000), FailAfter: 120, Rollback: true, Deployed: true,
		Current: "web-b", Runs: "web-c",
		Known: map[string]Record{
			"web-a": {Number: 1, Since: at(100), Released: ReleasedWithout},
			"web-b": {Number: 2, Since: at(200), Released: ReleasedWithout},
			"web-c": {Number: 3, Since: at(900), Released: ReleasedWithout},
		},
	}
	for _, edit := range edits {
		edit(&f)
	}
	return f
}

func at(seconds int64) metav1.Time { return metav1.Unix(seconds, 0) }

// released makes c have a release command that has not been run.
func unreleased(f *Facts) {
	f.Command, f.Runs = "m", "web-b"
	change(f, "web-c", func(r *Record) { r.Released = "" })
}

func change(f *Facts, name string, edit func(*Record)) {
	record := f.Known[name]
	edit(&record)
	f.Known[name] = record
}

func crashing(since int64) func(*Facts) {
	return func(f *Facts) { f.Fault = &Fault{Words: "CrashLooping: it does", Since: at(since)} }
}

func overdue(since int64) func(*Facts) {
	return func(f *Facts) { f.Fault = &Fault{Words: "ProgressDeadlineExceeded: it is", Final: true, At: at(since)} }
}

func hasFailed(f *Facts) { change(f, "web-c", func(r *Record) { r.Failed = "CrashLooping: it did" }) }

func report(f *Facts) { f.Rollback = false }

func frozen(f *Facts) { f.Frozen = true }

func never(f *Facts) { f.Current = "" }

func isFirst(f *Facts) { // nothing ran before c
	f.Known = map[string]Record{"web-c": {Number: 1, Since: at(900)}}
	f.Deployed, f.Current, f.Runs = false, "", ""
}

func runs(name string) func(*Facts) { return func(f *Facts) { f.Runs = name } }

func gone(name string) func(*Facts) { return func(f *Facts) { delete(f.Known, name) } }

func jobOf(hash string, number int64, ended, failed bool) func(*Facts) {
	return func(f *Facts) {
		f.Jobs = append(f.Jobs, Job{Name: releaseJob("web", hash, "m", number), Hash: hash, Ended: ended, Failed: failed, Words: "it said no"})
	}
}

// TestDecide has one expected outcome for each state.
func TestDecide(t *testing.T) {
	job := releaseJob("web", "c", "m", 3)
	type want struct {
		pods  string
		phase Phase
		run   bool
		at    int64
		// writes are the records that are written, by revision.
		writes map[string]Record
	}
	for name, test := range map[string]struct {
		edits []func(*Facts)
		want  want
	}{
		"rolls out":                                      {nil, want{pods: "web-c"}},
		"crashes, not for long":                          {list(crashing(950)), want{pods: "web-c", at: 1070}},
		"crashes for long":                               {list(crashing(880)), want{pods: "web-b", phase: RolledBack, writes: map[string]Record{"web-c": {Number: 3, Since: at(900), Released: ReleasedWithout, Failed: "CrashLooping: it does"}}}},
		"crashes for long, is only reported":             {list(crashing(880), report), want{pods: "web-c"}},
		"crashes for long, nothing was ever Ready":       {list(crashing(880), never), want{pods: "web-c"}},
		"crashes for long, was Ready itself":             {list(crashing(880), func(f *Facts) { f.Current = "web-c" }), want{pods: "web-c"}},
		"crashes for long, what was Ready is not known":  {list(crashing(880), gone("web-b")), want{pods: "web-c"}},
		"crashes for long, while it is frozen":           {list(crashing(880), frozen), want{pods: "web-c"}},
		"pods of another revision crash":                 {list(crashing(880), runs("web-b")), want{pods: "web-c"}},
		"is past its deadline":                           {list(overdue(990)), want{pods: "web-b", phase: RolledBack, writes: map[string]Record{"web-c": {Number: 3, Since: at(900), Released: ReleasedWithout, Failed: "ProgressDeadlineExceeded: it is"}}}},
		"another one was past its deadline":              {list(overdue(900)), want{pods: "web-c"}},
		"has failed, and the old pods run":               {list(hasFailed, runs("web-b")), want{pods: "web-b", phase: RolledBack}},
		"has failed, and somebody has put its pods back": {list(hasFailed, crashing(999)), want{pods: "web-b", phase: RolledBack}},
		"has failed, and is frozen":                      {list(hasFailed, runs("web-b"), frozen), want{pods: "web-b", phase: RolledBack}},
		"has failed, and is only reported now":           {list(hasFailed, runs("web-b"), report), want{pods: "web-c"}},
		"has failed, and the old revision was deleted":   {list(hasFailed, runs("web-b"), gone("web-b")), want{pods: "", phase: RolledBack}},
		"had failed, and other pods were asked for":      {list(hasFailed, func(f *Facts) { f.Update = "a" }, runs("web-b")), want{pods: "web-a", writes: map[string]Record{"web-a": {Number: 4, Since: at(1000), Released: ReleasedWithout}}}},
		"had failed, and is asked for anew":              {list(hasFailed, func(f *Facts) { change(f, "web-a", func(r *Record) { r.Number = 9 }) }, runs("web-b")), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 10, Since: at(1000), Released: ReleasedWithout}}}},
		"is new":                                         {list(gone("web-c"), runs("web-b")), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 3, Since: at(1000), Released: ReleasedWithout}}}},

		"releases":                                                               {list(unreleased), want{pods: "web-b", phase: Releasing, run: true}},
		"releases, while it is frozen":                                           {list(unreleased, frozen), want{pods: "web-b"}},
		"the release runs":                                                       {list(unreleased, jobOf("c", 3, false, false)), want{pods: "web-b", phase: Releasing, run: true}},
		"an earlier release runs":                                                {list(unreleased, jobOf("b", 2, false, false)), want{pods: "web-b", phase: Releasing}},
		"the release has succeeded":                                              {list(unreleased, jobOf("c", 3, true, false)), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 3, Since: at(900), Released: ReleasedByCommand}}}},
		"the release of this revision had succeeded once":                        {list(unreleased, jobOf("c", 1, true, false)), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 3, Since: at(900), Released: ReleasedByCommand}}}},
		"the release has failed":                                                 {list(unreleased, jobOf("c", 3, true, true)), want{pods: "web-b", phase: ReleaseFailed, writes: map[string]Record{"web-c": {Number: 3, Since: at(900), FailedRelease: job, FailedReleaseWords: "it said no"}}}},
		"the release had failed at another time":                                 {list(unreleased, jobOf("c", 1, true, true)), want{pods: "web-b", phase: Releasing, run: true}},
		"the release has failed, its Job is gone":                                {list(unreleased, func(f *Facts) { change(f, "web-c", func(r *Record) { r.FailedRelease = job }) }), want{pods: "web-b", phase: ReleaseFailed}},
		"the release has failed, its command is another":                         {list(unreleased, func(f *Facts) { change(f, "web-c", func(r *Record) { r.FailedRelease = job }) }, func(f *Facts) { f.Command = "n" }), want{pods: "web-b", phase: Releasing, run: true}},
		"the release has failed, there is no command now":                        {list(unreleased, func(f *Facts) { change(f, "web-c", func(r *Record) { r.FailedRelease = job }) }, func(f *Facts) { f.Command = "" }), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 3, Since: at(900), Released: ReleasedWithout, FailedRelease: job}}}},
		"the release has failed, what runs has not been Ready, is only reported": {list(unreleased, jobOf("c", 3, true, true), runs("web-a"), report), want{pods: "web-a", phase: ReleaseFailed, writes: map[string]Record{"web-c": {Number: 3, Since: at(900), FailedRelease: job, FailedReleaseWords: "it said no"}}}},
		"the release has failed, what runs has not been Ready":                   {list(unreleased, jobOf("c", 3, true, true), runs("web-a")), want{pods: "web-b", phase: ReleaseFailed, writes: map[string]Record{"web-c": {Number: 3, Since: at(900), FailedRelease: job, FailedReleaseWords: "it said no"}}}},
		"releases at first":                                                      {list(isFirst, func(f *Facts) { f.Command = "m" }), want{pods: "", phase: Releasing, run: true}},
		"the first release has failed":                                           {list(isFirst, func(f *Facts) { f.Command = "m" }, jobOf("c", 1, true, true)), want{pods: "", phase: ReleaseFailed, writes: map[string]Record{"web-c": {Number: 1, Since: at(900), FailedRelease: releaseJob("web", "c", "m", 1), FailedReleaseWords: "it said no"}}}},
		"releases, and of what runs nothing is known":                            {list(unreleased, runs(""), never, gone("web-a"), gone("web-b")), want{pods: "", phase: Releasing, run: true}},
		"what ran before there was a command needs none":                         {list(unreleased, func(f *Facts) { f.Current = "web-c" }), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 3, Since: at(900), Released: ReleasedWithout}}}},
		"what an older operator rolled out needs none":                           {list(isFirst, gone("web-c"), func(f *Facts) { f.Command, f.Deployed, f.Applied = "m", true, true }), want{pods: "web-c", writes: map[string]Record{"web-c": {Number: 1, Since: at(1000), Released: ReleasedWithout}}}},
		"was suspended before it was released":                                   {list(isFirst, func(f *Facts) { f.Command, f.Deployed, f.Applied = "m", true, true }), want{pods: "", phase: Releasing, run: true}},
		"the release of an earlier revision has succeeded late":                  {list(unreleased, jobOf("b", 2, true, false), func(f *Facts) { change(f, "web-b", func(r *Record) { r.Released = "" }) }), want{pods: "web-b", phase: Releasing, run: true, writes: map[string]Record{"web-b": {Number: 2, Since: at(200), Released: ReleasedByCommand}}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := facts(test.edits...)
			got := Decide(f)
			if got.Want != test.want.pods || got.Phase != test.want.phase || got.RunRelease != test.want.run {
				t.Errorf("the pods of %q, phase %d, run %v; want %q, %d, %v", got.Want, got.Phase, got.RunRelease, test.want.pods, test.want.phase, test.want.run)
			}
			if at := got.At.Unix(); !got.At.IsZero() && at != test.want.at || got.At.IsZero() && test.want.at != 0 {
				t.Errorf("again at %d, want %d", at, test.want.at)
			}
			if len(got.Records) != len(test.want.writes) {
				t.Errorf("writes %v, want %v", got.Records, test.want.writes)
			}
			for name, record := range test.want.writes {
				if got.Records[name] != record {
					t.Errorf("writes %+v, want %+v", got.Records[name], record)
				}
			}
		})
	}
}

// TestCurrent holds that the revision that was last Ready is named as long as anything is left of it.
func TestCurrent(t *testing.T) {
	for name, test := range map[string]struct {
		edits []func(*Facts)
		want  string
	}{
		"it is kept":                        {list(), "web-b"},
		"it is gone":                        {list(gone("web-b")), ""},
		"it is gone, and its pods run":      {list(gone("web-b"), runs("web-b"), hasFailed), "web-b"},
		"it is gone, while it is frozen":    {list(gone("web-b"), frozen), ""},
		"it is what the spec asks for":      {list(gone("web-c"), frozen, func(f *Facts) { f.Current = "web-c" }), "web-c"},
		"there was none":                    {list(never), ""},
		"there was none, and nothing is up": {list(isFirst), ""},
	} {
		if got := Decide(facts(test.edits...)).Current; got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func list(edits ...func(*Facts)) []func(*Facts) { return edits }

func TestHistory(t *testing.T) {
	known := map[string]Record{"a": {Number: 1}, "b": {Number: 2}, "c": {Number: 3}, "d": {Number: 4}, "e": {Number: 5}}
	for limit, want := range map[int][]string{0: {"a", "e"}, 2: {"a", "c", "d", "e"}, 9: {"a", "b", "c", "d", "e"}} {
		kept := History(known, []string{"a", "e", ""}, limit)
		var names []string
		for name := range kept {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%d: %v, want %v", limit, names, want)
		}
	}
}
