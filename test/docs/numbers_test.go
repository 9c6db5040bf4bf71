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

package docs

import (
	"go/constant"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// claim is a sentence, or a part of one, that repeats what the program says. Each {} stands for one of the values, in order.
type claim struct {
	page, text string
	values     []string
}

// inMinutes returns a constant that counts seconds.
func inMinutes(t *testing.T, dir, name string) string {
	t.Helper()
	seconds, exact := constant.Int64Val(valueOf(t, dir, name))
	if !exact || seconds%60 != 0 {
		t.Fatalf("%s of %s is %d seconds", name, dir, seconds)
	}
	return strconv.FormatInt(seconds/60, 10)
}

// claims are all numbers of the program, of its flags and of its manifests that the documents repeat. Numbers that nobody has
// decided, such as measurements, are in others.
func claims(t *testing.T) []claim {
	t.Helper()
	seconds := func(dir, name string) string { return number(duration(t, dir, name).Seconds()) }
	minutes := func(dir, name string) string { return number(duration(t, dir, name).Minutes()) }
	rules := alertRules(t)
	manager := managerDeployment(t)
	container := manager.Spec.Template.Spec.Containers[0]
	lease, renew, pause := seconds("internal/election", "DefaultLeaseDuration"), seconds("internal/election", "DefaultRenewDeadline"),
		seconds("internal/election", "DefaultRetryPeriod")
	const (
		readme     = "README.md"
		install    = "docs/install.md"
		alerts     = "docs/operations/alerts.md"
		deployment = "docs/operations/deployment.md"
		election   = "docs/operations/leader-election.md"
		logs       = "docs/operations/logs.md"
		metrics    = "docs/operations/metrics.md"
		guide      = "docs/guide.md"
		timing     = "docs/operations/timing.md"

		description = "config/prometheus/prometheus_rule.yaml"
	)
	changes, failures := rules["AppOperatorLeadershipFlapping"], rules["AppOperatorReconcileErrors"]
	flapping := []string{changes.threshold(), number(changes.within())}
	errors := []string{failures.threshold(), number(failures.within()), failures.held()}
	growing := []string{rules["AppOperatorWorkQueueGrowing"].threshold(), rules["AppOperatorWorkQueueGrowing"].held()}
	notReady := []string{rules["ApplicationNotReady"].held(), rules["ApplicationNotReady"].withWindow()}
	degraded := []string{rules["ApplicationDegraded"].held(), rules["ApplicationDegraded"].withWindow()}
	memory := number(100 * share(t))
	metricsPort, replicas := portOf(t, container, "metrics"), words[*manager.Spec.Replicas]
	contended := rules["AppOperatorRepairsContended"]
	maxPause, firstPause := seconds("internal/contention", "maxPause"), seconds("internal/contention", "firstPause")
	return []claim{
		{"CONTRIBUTING.md", "Functions stay within {} lines", []string{lintedLines(t)}},
		{"docs/decisions/0003-conditions.md", "is asked again every {} seconds", []string{seconds("internal/outcome", "RetryDenied")}},
		{"docs/decisions/0016-turns.md", "There are {} workers", []string{flags(t)["max-concurrent-reconciles"]}},
		{"docs/decisions/0017-progress.md", "is held back for {} seconds, for up to {} while", []string{
			seconds("internal/controller", "progressDebounce"), seconds("internal/controller", "progressDebounceWhileBusy"),
		}},
		{"docs/decisions/0034-expectations.md", "So an expectation ends {} seconds after its write", []string{seconds("internal/expectations", "Timeout")}},

		{guide, "or the Application is larger than {} KiB", []string{kibibytes(t, "internal/cluster", "MaxApplicationBytes")}},
		{deployment, "An Application of more than {} KiB,", []string{kibibytes(t, "internal/cluster", "MaxApplicationBytes")}},
		{deployment, "and one of {} KiB is at least that", []string{kibibytes(t, "internal/cluster", "MaxApplicationBytes")}},
		{guide, "it aims at {} % CPU", []string{valueOf(t, "internal/resources", "targetCPUUtilizationPercentage").String()}},

		{guide, "has not begun its work after {} minutes", []string{minutes("internal/controller", "stuckAfter")}},
		{guide, "A change has to settle for {} seconds", []string{seconds("internal/controller", "configDebounce")}},
		{guide, "it waits for {} seconds at most", []string{seconds("internal/controller", "configMaxWait")}},
		{
			guide, "{} such events at once, and then one every {} minutes",
			[]string{valueOf(t, "internal/contention", "toldAtOnce").String(), minutes("internal/contention", "toldEvery")},
		},
		{guide, "repairs are made after pauses of up to {} seconds", []string{maxPause}},

		{guide, "for `failAfterSeconds`, which is {} seconds if the spec says nothing", []string{valueOf(t, "internal/status", "failAfterSeconds").String()}},
		{guide, "it has to live for {} seconds before an old pod goes", []string{valueOf(t, "internal/resources", "minReadyWithoutProbe").String()}},
		{guide, "Unset, it has failed after {} seconds or with its first attempt", []string{valueOf(t, "internal/resources", "releaseDeadlineSeconds").String()}},

		{"docs/import.md", "{} seconds unless you say otherwise, in which", []string{seconds("cmd/kubectl-app", "settleTime")}},

		{readme, "It runs as {} replicas", []string{replicas}},
		{readme, "{} replicas run and one leads", []string{capital(replicas)}},
		{install, "installed again within {} s, it may have to wait", []string{lease}},
		{install, "takes its Lease there, {} s after the start", []string{seconds("internal/preflight", "leaseGrace")}},
		{election, "are missing in the operator's own namespace for {} s", []string{seconds("internal/preflight", "leaseGrace")}},
		{election, "and waits up to {} s for the Lease to expire", []string{lease}},

		{
			alerts, "| more than {} repairs within {} minutes were put off, because another client undoes them, for {} minutes |",
			[]string{contended.threshold(), number(contended.within()), contended.held()},
		},
		{
			alerts, "wrote under the operator's field manager within {} minutes",
			[]string{number(rules["AppOperatorSecondInstallation"].within())},
		},
		{alerts, "each further one: {} second at first, up to {} seconds", []string{firstPause, maxPause}},
		{alerts, "with pauses of up to {} seconds", []string{maxPause}},
		{description, "They are repaired at most every {} seconds", []string{maxPause}},
		{deployment, "slow each other down to a repair every {} seconds", []string{maxPause}},
		{metrics, "waits, for {} second at first and for up to {}, unt", []string{firstPause, maxPause}},
		{alerts, "| no replica could be scraped for {} minutes |", []string{rules["AppOperatorDown"].held()}},
		{alerts, "Prometheus has reached no replica for {} minutes", []string{rules["AppOperatorDown"].held()}},
		{alerts, "none has led for {} minutes |", []string{rules["AppOperatorNoLeader"].withWindow()}},
		{alerts, "none of them has held the lease for {} minutes", []string{rules["AppOperatorNoLeader"].withWindow()}},
		{alerts, "replaced within about {} seconds", []string{lease}},
		{alerts, "a second if the leader gives the lease back, {} if it must expire", []string{lease}},
		{alerts, "| the leader has changed more than {} times within {} minutes |", flapping},
		{alerts, "The leader has changed more than {} times within {} minutes.", flapping},
		{alerts, "A rolling update has {} changes at most", []string{strconv.Itoa(int(*manager.Spec.Replicas))}},
		{alerts, "cannot renew it within {} s of trying", []string{renew}},
		{alerts, "| a namespace has not been served for {} minutes", []string{rules["AppOperatorNamespaceNotServed"].held()}},
		{alerts, "has lacked rights there for {} minutes", []string{rules["AppOperatorNamespaceNotServed"].held()}},
		{alerts, "| more than {} reconciles within {} minutes have failed, for {} minutes |", errors},
		{alerts, "More than {} reconciles within {} minutes have failed, for at least {} minutes.", errors},
		{alerts, "Each is tried again after {} seconds at most.", []string{seconds("internal/controller", "lastRetry")}},
		{alerts, "| more than {} Applications have been waiting for {} minutes |", growing},
		{alerts, "More than {} Applications have been waiting in the work queue for {} minutes.", growing},
		{alerts, "The leader works on {} at a time", []string{flags(t)["max-concurrent-reconciles"]}},
		{
			alerts, "| a replica has used more than {} % of its memory limit for {} minutes |",
			[]string{memory, rules["AppOperatorMemoryNearLimit"].held()},
		},
		{alerts, "nine tenths of its container's memory limit for {} minutes", []string{rules["AppOperatorMemoryNearLimit"].held()}},
		{alerts, "| an Application has not been ready for {} to {} minutes |", notReady},
		{alerts, "not been ready at any moment of the last {} to {} minutes", notReady},
		{alerts, "| an Application has had a fault for {} to {} minutes |", degraded},
		{alerts, "has had a fault for more than {} minutes", []string{rules["ApplicationDegraded"].held()}},
		{alerts, "| an Application has been paused for {} day and is not ready |", []string{articles[number(minutesIn(rules["ApplicationPausedForLong"].For)/60/24)]}},

		{description, "for {} minutes. Applications keep running", []string{rules["AppOperatorDown"].held()}},
		{description, "none has led for {} minutes", []string{rules["AppOperatorNoLeader"].withWindow()}},
		{description, "times within {} minutes. Each change interrupts", flapping[1:]},
		{description, "have failed within {} minutes", errors[1:]},
		{description, "More than {} Applications have been waiting in the work queue", growing},
		{description, "for {} minutes, now {{ $value }}. Changes take effect late", growing[1:]},
		{description, "nine tenths of its memory limit for {} minutes", []string{rules["AppOperatorMemoryNearLimit"].held()}},
		{description, "has not been ready for more than {} minutes", notReady},
		{description, "has been degraded for more than {} minutes", degraded},

		{deployment, "{} replicas run, of which one leads", []string{capital(replicas)}},
		{deployment, "A replica has to be ready for {} s before the next one goes.", []string{strconv.Itoa(int(manager.Spec.MinReadySeconds))}},
		{
			deployment, "what it is doing, for at most {} s, and gives up its lease. The pod has {} s.",
			[]string{seconds("cmd", "gracePeriod"), strconv.FormatInt(*manager.Spec.Template.Spec.TerminationGracePeriodSeconds, 10)},
		},
		{deployment, "A replica requests {} CPU and {} of memory, and is limited to {} and {}.", []string{
			container.Resources.Requests.Cpu().String(), container.Resources.Requests.Memory().String(),
			container.Resources.Limits.Cpu().String(), container.Resources.Limits.Memory().String(),
		}},
		{deployment, "tells Go to stay within {} % of the memory limit", []string{memory}},
		{deployment, "Metrics are plain HTTP, at port {}", []string{metricsPort}},

		{election, "{} replicas run; one of them, the leader, acts.", []string{capital(replicas)}},
		{election, "what is in progress, for at most {} s, and gives the lease back", []string{seconds("cmd", "gracePeriod")}},
		{election, "| {} s: the lease has to expire.", []string{lease}},
		{election, "and the {} s, are medians", []string{lease}},
		{election, "a pause of {} s and {} s of trying", []string{pause, renew}},

		{logs, "after a pause that doubles up to {} s", []string{seconds("internal/controller", "lastRetry")}},
		{logs, "up to {} s without a leader", []string{lease}},
		{logs, "| `Limited Go's memory` | `bytes` | {} % of the container's limit", []string{memory}},
		{logs, "the API server did not say within {} s whether", []string{seconds("internal/cluster", "DiscoveryTimeout")}},
		{logs, "a text is cut after {} KiB", []string{kibibytes(t, "cmd", "maxText")}},
		{logs, "The highest number is {}:", []string{valueOf(t, "cmd", "maxZapLevel").String()}},

		{timing, "| {} ms, doubled up to {} s | `controller` `firstRetry`, `lastRetry`", []string{
			number(1000 * duration(t, "internal/controller", "firstRetry").Seconds()), seconds("internal/controller", "lastRetry"),
		}},
		{timing, "| {} s without any event of the kind, at most {} min |", []string{
			seconds("internal/expectations", "Timeout"), minutes("internal/expectations", "Limit"),
		}},
		{timing, "| {} s | `outcome` `RetryDenied`", []string{seconds("internal/outcome", "RetryDenied")}},
		{timing, "| {} s | `outcome` `retryConflict`", []string{seconds("internal/outcome", "retryConflict")}},
		{timing, "| {} s, and an answer is used for {} s | `controller` `absentRetry`, `discoveryTTL`", []string{
			seconds("internal/controller", "absentRetry"), seconds("internal/controller", "discoveryTTL"),
		}},
		{timing, "| {} s; an answer is given up after {} s | `controller` `syncRetry`, `cluster` `DiscoveryTimeout`", []string{
			seconds("internal/controller", "syncRetry"), seconds("internal/cluster", "DiscoveryTimeout"),
		}},
		{timing, "| {} min | `controller` `crashLoopGracePeriod`", []string{minutes("internal/controller", "crashLoopGracePeriod")}},
		{timing, "to get its first pod, before that is told | {} s", []string{valueOf(t, "internal/status", "podlessSeconds").String()}},
		{timing, "until that is told | {} s after the operator", []string{valueOf(t, "internal/status", "answerSeconds").String()}},
		{timing, "| {} min, and every {} min while they cannot do their work |", []string{
			minutes("internal/controller", "stuckAfter"), minutes("internal/controller", "stuckRetry"),
		}},
		{timing, "| {} s | `controller` `endGracePeriod`", []string{seconds("internal/controller", "endGracePeriod")}},
		{timing, "| {} s; {} s while others wait, looked at every {} s |", []string{
			seconds("internal/controller", "progressDebounce"), seconds("internal/controller", "progressDebounceWhileBusy"),
			seconds("internal/controller", "busyRetry"),
		}},
		{timing, "than a new ReplicaSet | {} s; {} s for one that waits for a Service |", []string{
			seconds("internal/controller", "ownWriteDelay"), seconds("internal/controller", "progressDebounceWhileBusy"),
		}},
		{timing, "| {} s after the last change, at most {} s after the first |", []string{
			seconds("internal/controller", "configDebounce"), seconds("internal/controller", "configMaxWait"),
		}},
		{timing, "| {} s, doubled up to {} s, from the sixth on; over after {} min of calm |", []string{
			firstPause, maxPause, minutes("internal/contention", "calmPeriod"),
		}},
		{guide, "more than `maxReplicas` for over {} minutes", []string{inMinutes(t, "internal/status", "maximumToldSeconds")}},
		{timing, "| {} min | `status` `restartToldSeconds`", []string{inMinutes(t, "internal/status", "restartToldSeconds")}},
		{timing, "| {} min | `status` `maximumToldSeconds`", []string{inMinutes(t, "internal/status", "maximumToldSeconds")}},
		{timing, "`Stalled` after {} s", []string{valueOf(t, "internal/status", "failAfterSeconds").String()}},
		{timing, "| {} s | `controller` `enqueueAllRetry`", []string{seconds("internal/controller", "enqueueAllRetry")}},
		{timing, "| asked every {} s; checked at most every {} s |", []string{
			seconds("internal/namespacecache", "askRightsAgain"), seconds("internal/namespacecache", "doubtAgain"),
		}},
		{timing, "A reconcile may take {} min in all", []string{minutes("cmd", "reconcileTimeout")}},
		{timing, "its status write then gets {} s more", []string{seconds("internal/controller", "reportTimeout")}},
		{timing, "A read of a ConfigMap or Secret gets {} s", []string{seconds("internal/controller", "contentTimeout")}},

		{metrics, "at `/metrics`, on port {} by default", []string{metricsPort}},
		{metrics, "Go's memory limit: {} % of the container's", []string{memory}},
		{metrics, "A request has {} seconds to arrive, a header at most {} KiB, and an answer {} seconds to be read.", []string{
			seconds("internal/serving", "readTimeout"), kibibytes(t, "internal/serving", "maxHeader"), seconds("internal/serving", "writeTimeout"),
		}},
		{metrics, "Of more than {} connections, the oldest", []string{valueOf(t, "internal/serving", "maxConnections").String()}},
		{metrics, "A reader who was admitted is not checked again for {} minute", []string{articles[minutes("internal/metricsauth", "decisionTTL")]}},
	}
}

// others are numbers in the documents that are not the program's: measured, Kubernetes' own, or an example.
var others = map[string][]string{
	"README.md": {
		"1,000 Applications with 3,000 pods take 93 MiB at rest", // measured
	},
	"docs/guide.md": {
		"`interval` is at least 5s", // the schema's, whose tests hold its limits
	},
	"docs/operations/alerts.md": {
		"--leader-election-lease-duration=60s --leader-election-renew-deadline=40s", // an example
		"[30m]",                          // a range to look at
		"which is every 5 to 10 minutes", // client-go's own
	},
	"docs/operations/deployment.md": {
		"1,000 Applications with three pods each take 93 MiB at rest and 111 MiB at most", // measured
		"1,000 Applications of usual size are some 40 MiB",                                // measured
	},
	"docs/operations/leader-election.md": {
		// measured
		"| 0.1 s.", "| 1.1 s, of which", "| 1.1 s for the one", "3.0 s at worst", "It stops after 12 s",
		"0.3 to 0.4 s after", "0.6 to 1.3 s after", "14.1 to 14.7 s", "longer than 0.5 s", "longer than 0.4 s",
		"The kubelet keeps the last 4 KiB", // Kubernetes' own
	},
}

// words and articles are numbers as they stand in a sentence.
var (
	words    = map[int32]string{2: "two", 3: "three", 4: "four", 5: "five"}
	articles = map[string]string{"1": "a"}
)

func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// share is how much of the memory limit Go is told to stay within.
func share(t *testing.T) float64 {
	t.Helper()
	value, _ := constant.Float64Val(valueOf(t, "cmd", "memoryShare"))
	return value
}

func kibibytes(t *testing.T, dir, name string) string {
	t.Helper()
	value, _ := constant.Int64Val(valueOf(t, dir, name))
	return strconv.FormatInt(value>>10, 10)
}

// TestDocumentsRepeatTheProgram holds that what documents say is what the program does.
func TestDocumentsRepeatTheProgram(t *testing.T) {
	for _, claim := range claims(t) {
		text := filled(t, claim)
		if strings.Contains(prose(t, claim.page), text) {
			continue
		}
		t.Errorf("%s does not say %q; if the sentence is another one now, change it in the test too", claim.page, text)
	}
}

// quantity is a number with a unit, as most that a program decides have.
var quantity = regexp.MustCompile(
	`\b[0-9][0-9.,]* ?(seconds?|minutes?|hours?|s|ms|MiB|KiB|Mi|m|milliseconds?|%|at a time|times|replicas)(\W|$)`)

// quoted is what a sentence shows as code. The tables of flags have a test of their own.
var quoted = regexp.MustCompile("`[^`]*`")

// TestNumbersInDocumentsAreCompared holds that a number which somebody writes into a document is compared with the program, or is
// none of the program's.
func TestNumbersInDocumentsAreCompared(t *testing.T) {
	known := claims(t)
	for _, page := range pages(t) {
		text := prose(t, page)
		for _, known := range known {
			if known.page == page {
				text = strings.ReplaceAll(text, filled(t, known), "")
			}
		}
		for _, other := range others[page] {
			if !strings.Contains(prose(t, page), other) {
				t.Errorf("%s does not say %q any more", page, other)
			}
			text = strings.ReplaceAll(text, other, "")
		}
		for _, row := range flagRows(text) {
			text = strings.ReplaceAll(text, row.text, "")
		}
		text = quoted.ReplaceAllString(text, "")
		for _, at := range quantity.FindAllStringIndex(text, -1) {
			t.Errorf("%s says %q: add it to claims, with where the number comes from, or to others",
				page, text[max(0, at[0]-40):min(len(text), at[1]+30)])
		}
	}
}

// TestTablesOfFlags holds the defaults in the tables of flags against the flags.
func TestTablesOfFlags(t *testing.T) {
	const all = "docs/operations/deployment.md"
	for _, page := range []string{all, "docs/operations/leader-election.md"} {
		rows := flagRows(prose(t, page))
		var named []string
		for _, row := range rows {
			named = append(named, row.flag)
			if want, ok := flags(t)[row.flag]; ok && want != "" && row.value != want && (want != "false" || row.value != "") {
				t.Errorf("%s: --%s is %q by default, want %q", page, row.flag, row.value, want)
			}
		}
		for flag := range flags(t) {
			missing := !slices.Contains(named, flag)
			if missing && (page == all || strings.HasPrefix(flag, "leader-election-")) {
				t.Errorf("%s does not have the flag --%s", page, flag)
			}
		}
	}
}

// filled returns the claim's text with its values.
func filled(t *testing.T, claim claim) string {
	t.Helper()
	text := claim.text
	for _, value := range claim.values {
		text = strings.Replace(text, "{}", value, 1)
	}
	if strings.Contains(text, "{}") {
		t.Fatalf("%q has more places than values", claim.text)
	}
	return text
}

// flagRow is a row of a table of flags.
type flagRow struct{ text, flag, value string }

var rowOfFlag = regexp.MustCompile("\\| `--([a-z-]+)` \\| *([^|]*?) *\\|")

// flagRows returns the rows of the tables of flags in a page's prose.
func flagRows(text string) []flagRow {
	var rows []flagRow
	for _, match := range rowOfFlag.FindAllStringSubmatch(text, -1) {
		value, _, _ := strings.Cut(match[2], ";")
		value = strings.Trim(value, "` ")
		switch value {
		case "on":
			value = "true"
		case "off":
			value = "false"
		}
		if duration, err := time.ParseDuration(value); err == nil {
			value = duration.String()
		}
		rows = append(rows, flagRow{match[0], match[1], value})
	}
	return rows
}
