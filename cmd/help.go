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

package main

import (
	"flag"
	"fmt"
	"io"
	"strings"

	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/example/app-operator/internal/election"
	"github.com/example/app-operator/internal/scope"
)

// accepted lists the values of the flags that take one of a few words.
var accepted = map[string]string{
	"zap-encoder":          "json, console",
	flagZapLevel:           "debug, info, error, panic, or a number from 1 to 7 for ever more detail",
	"zap-stacktrace-level": "info, error, panic",
	"zap-time-encoding":    "epoch, millis, nanos, iso8601, rfc3339, rfc3339nano",
}

// help says what each flag does. It replaces the usage texts of the packages that define the flag, so that all
// sound alike and state the defaults that hold here. The word in backquotes stands for the value.
var help = map[string]string{
	scope.Flag: "`namespaces` to watch, separated by commas. Explicitly empty (--namespace=) is all namespaces. " +
		"(default WATCH_NAMESPACE, else the namespace of the pod's service account)",
	flagConcurrency: "`number` of Applications that are worked on at a time.",
	ctrlconfig.KubeconfigFlagName: "Kubeconfig `file` of the cluster. " +
		"(default KUBECONFIG, else the pod's service account, else ~/.kube/config)",
	flagMetricsAddress: "`address` where /metrics is served, host:port or :port; 0 switches it off.",
	flagMetricsSecure: "Serve /metrics by TLS, to those alone whom the cluster allows to get /metrics. Needs the rights to create " +
		"TokenReviews and SubjectAccessReviews.",
	flagProbeAddress:       "`address` where /healthz and /readyz are served, host:port or :port; 0 switches them off.",
	"zap-devel":            "Log for people: console format, debug level. Otherwise JSON format, info level.",
	"zap-encoder":          "`format` of the log: " + accepted["zap-encoder"] + ". (default as --zap-devel says)",
	flagZapLevel:           "Least important `level` that is logged: " + accepted[flagZapLevel] + ". (default as --zap-devel says)",
	"zap-stacktrace-level": "Least important `level` that is logged with a stack trace: " + accepted["zap-stacktrace-level"] + ". (default panic)",
	"zap-time-encoding":    "`format` of times in the log: " + accepted["zap-time-encoding"] + ". (default rfc3339)",
	"version":              "Print the version and exit.",
}

// sections orders the flags in the help text.
var sections = []struct {
	title string
	flags []string
}{
	{"Scope", []string{scope.Flag}},
	{"Leader election", []string{
		election.FlagEnabled, election.FlagID, election.FlagNamespace,
		election.FlagLeaseDuration, election.FlagRenewDeadline, election.FlagRetryPeriod,
		election.FlagFastTakeover,
	}},
	{"Work", []string{flagConcurrency}},
	{"Cluster", []string{ctrlconfig.KubeconfigFlagName}},
	{"Servers", []string{flagMetricsAddress, flagMetricsSecure, flagProbeAddress}},
	{"Logging", []string{"zap-devel", "zap-encoder", flagZapLevel, "zap-stacktrace-level", "zap-time-encoding"}},
	{"Other", []string{"version"}},
}

func writeHelp(w io.Writer) {
	fs := (&options{}).flags(&scope.Source{})
	var b strings.Builder
	fmt.Fprintf(&b, "%s keeps the Applications (apps.example.com/v1) of the watched namespaces running as described.\n\n", program)
	fmt.Fprintf(&b, "Usage:\n  %s [flags]\n", program)
	for _, section := range sections {
		fmt.Fprintf(&b, "\n%s:\n", section.title)
		for _, flagName := range section.flags {
			writeFlag(&b, fs.Lookup(flagName))
		}
	}
	_, _ = io.WriteString(w, b.String())
}

func writeFlag(b *strings.Builder, f *flag.Flag) {
	shown := *f
	if own, ok := help[f.Name]; ok {
		shown.Usage = own
	}
	value, text := flag.UnquoteUsage(&shown)
	fmt.Fprintf(b, "  --%s", f.Name)
	if boolean, ok := f.Value.(interface{ IsBoolFlag() bool }); !ok || !boolean.IsBoolFlag() {
		fmt.Fprintf(b, "=<%s>", value)
	}
	if f.DefValue != "" {
		text += " (default " + f.DefValue + ")"
	}
	b.WriteString("\n")
	text = strings.ToUpper(text[:1]) + text[1:] // it may start with the word for the value
	for _, line := range wrap(text, 100) {
		fmt.Fprintf(b, "        %s\n", line)
	}
}

// wrap breaks a text into lines of at most width characters, where no word is longer.
func wrap(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last >= 0 && len(lines[last])+1+len(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
