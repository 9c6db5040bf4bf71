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

package e2e_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
)

// The report, after everything else: each group with its counts, and what was measured.
var _ = ReportAfterSuite("summary", func(report Report) {
	specs := map[string][]types.SpecReport{}
	for _, spec := range report.SpecReports {
		if spec.LeafNodeType.Is(types.NodeTypeIt) && len(spec.Labels()) > 0 {
			specs[spec.Labels()[0]] = append(specs[spec.Labels()[0]], spec)
		}
	}
	var text strings.Builder
	for i, group := range []string{
		groupKustomize, groupRunBundle, groupSubscription, groupNamespaces, groupElection, groupIsolation, groupFaults, groupRollouts,
		groupMoving, groupShop, groupRemoval, groupOLMv1,
	} {
		if slices.ContainsFunc(specs[group], func(s types.SpecReport) bool { return s.State != types.SpecStateSkipped }) {
			summarize(&text, fmt.Sprintf("%d. %s", i+1, group), specs[group])
		}
	}
	for _, spec := range report.SpecReports {
		if spec.Failed() {
			describeFailure(&text, spec)
		}
	}
	fmt.Print(text.String())
})

// describeFailure adds what a failed spec said. It comes last, since where this runs, often no more than the end is kept.
func describeFailure(text *strings.Builder, spec types.SpecReport) {
	const most = 3000
	said := spec.Failure.Message
	if spec.Failure.AdditionalFailure != nil {
		said += "\n" + spec.Failure.AdditionalFailure.Failure.Message
	}
	if len(said) > most {
		said = said[:most/2] + "\n[...]\n" + said[len(said)-most/2:]
	}
	_, _ = fmt.Fprintf(text, "\n%s %s, in %s at %s, after %s:\n%s\n", spec.State, spec.FullText(), spec.Failure.FailureNodeType,
		spec.Failure.Location, spec.RunTime.Round(time.Second), said)
}

func summarize(text *strings.Builder, group string, specs []types.SpecReport) {
	slices.SortStableFunc(specs, func(a, b types.SpecReport) int { return cmp.Compare(a.StartTime.UnixNano(), b.StartTime.UnixNano()) })
	var passed, failed, skipped int
	var took time.Duration
	for _, spec := range specs {
		took += spec.RunTime
		switch {
		case spec.State == types.SpecStatePassed:
			passed++
		case spec.Failed():
			failed++
		default:
			skipped++
		}
	}
	_, _ = fmt.Fprintf(text, "\n%s: %d passed, %d failed, %d not run, %s\n", group, passed, failed, skipped, took.Round(time.Second))
	for _, spec := range specs {
		_, _ = fmt.Fprintf(text, "   %s %s (%s)\n", spec.State, spec.FullText(), spec.RunTime.Round(time.Second))
		for _, entry := range spec.ReportEntries {
			_, _ = fmt.Fprintf(text, "      %s: %s\n", entry.Name, entry.StringRepresentation())
		}
	}
}
