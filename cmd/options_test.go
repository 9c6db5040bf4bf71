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
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/example/app-operator/internal/election"
	"github.com/example/app-operator/internal/scope"
)

// inPod is the source of namespaces in a pod of the namespace operators, with these environment variables.
func inPod(t *testing.T, env map[string]string) scope.Source {
	t.Helper()
	file := filepath.Join(t.TempDir(), "namespace")
	if err := os.WriteFile(file, []byte("operators"), 0o600); err != nil {
		t.Fatal(err)
	}
	return scope.Source{
		LookupEnv:          func(name string) (string, bool) { value, set := env[name]; return value, set },
		ServiceAccountFile: file,
	}
}

// outside is the source of namespaces outside a pod.
func outside() scope.Source {
	return scope.Source{LookupEnv: func(string) (string, bool) { return "", false }, ServiceAccountFile: "absent"}
}

func defaults(edit func(*options)) *options {
	opts := &options{
		namespaces: []string{"operators"},
		election: election.Options{
			ID: "app-operator-leader", Namespace: "operators",
			LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second, FastTakeover: true,
		},
		metricsAddress: ":8080", probeAddress: ":8081", maxConcurrentReconciles: 32,
	}
	edit(opts)
	return opts
}

func TestParse(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(kubeconfig, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		args   []string
		source scope.Source
		want   *options
	}{
		{name: "defaults in a pod", source: inPod(t, nil), want: defaults(func(*options) {})},
		{
			name: "variable", source: inPod(t, map[string]string{scope.Variable: "a,b"}),
			want: defaults(func(o *options) { o.namespaces = []string{"a", "b"} }),
		},
		{
			name: "one other namespace", args: []string{"--namespace=a"}, source: inPod(t, nil),
			want: defaults(func(o *options) {
				o.namespaces = []string{"a"}
				o.leaseElsewhere = types.NamespacedName{Namespace: "a", Name: election.DefaultID + "-served"}
			}),
		},
		{
			name: "one other namespace, and that of the Lease", args: []string{"--namespace=a", "--leader-election-namespace=y"},
			source: inPod(t, nil), want: defaults(func(o *options) {
				o.namespaces, o.election.Namespace = []string{"a"}, "y"
			}),
		},
		{
			name: "namespaces by flag", args: []string{"--namespace", "a,b"}, source: inPod(t, map[string]string{scope.Variable: ""}),
			want: defaults(func(o *options) { o.namespaces = []string{"a", "b"} }),
		},
		{
			name: "all namespaces", args: []string{"--namespace="}, source: inPod(t, nil),
			want: defaults(func(o *options) { o.namespaces = []string{} }),
		},
		{
			name: "outside a pod", args: []string{"-namespace=a", "--kubeconfig=" + kubeconfig}, source: outside(),
			want: defaults(func(o *options) {
				o.namespaces, o.election.Namespace, o.kubeconfig = []string{"a"}, "", kubeconfig
			}),
		},
		{
			name: "everything",
			args: []string{
				"--namespace=a", "--leader-elect", "--leader-election-id=x", "--leader-election-namespace=y",
				"--leader-election-lease-duration=30s", "--leader-election-renew-deadline=20s", "--leader-election-retry-period=5s",
				"--leader-election-fast-takeover=false",
				"--metrics-bind-address=127.0.0.1:1", "--metrics-secure", "--health-probe-bind-address=[::1]:2", "--max-concurrent-reconciles=3",
				"--kubeconfig", kubeconfig, "--zap-devel", "--zap-log-level=5", "--zap-encoder=json",
			},
			source: outside(),
			want: &options{
				namespaces: []string{"a"},
				election: election.Options{
					Enabled: true, ID: "x", Namespace: "y",
					LeaseDuration: 30 * time.Second, RenewDeadline: 20 * time.Second, RetryPeriod: 5 * time.Second, FastTakeover: false,
				},
				metricsAddress: "127.0.0.1:1", metricsSecure: true, probeAddress: "[::1]:2", maxConcurrentReconciles: 3, kubeconfig: kubeconfig,
			},
		},
		{
			name: "servers switched off", args: []string{"--metrics-bind-address=0", "--health-probe-bind-address=0"}, source: inPod(t, nil),
			want: defaults(func(o *options) { o.metricsAddress, o.probeAddress = "0", "0" }),
		},
		{
			name: "any port twice", args: []string{"--metrics-bind-address=:0", "--health-probe-bind-address=localhost:0"}, source: inPod(t, nil),
			want: defaults(func(o *options) { o.metricsAddress, o.probeAddress = ":0", "localhost:0" }),
		},
		{name: "version", args: []string{"--version"}, source: outside(), want: &options{
			version: true, metricsAddress: ":8080", probeAddress: ":8081", maxConcurrentReconciles: 32,
			election: defaults(func(o *options) { o.election.Namespace = "" }).election,
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parse(tc.args, tc.source)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(options{}), cmpopts.IgnoreTypes(zap.Options{}, election.Identity{})); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

// mistakes are command lines that must be refused, each with what the lines of the message must contain.
var mistakes = []struct {
	name string
	args []string
	want []string
}{
	{"unknown flag", []string{"--nope"}, []string{"--nope: is not a flag"}},
	{"bad syntax", []string{"---x", "--=y", "--nope"}, []string{"bad flag syntax: ---x", "bad flag syntax: --=y", "--nope: is not a flag"}},
	{"argument", []string{"run"}, []string{`"run": is not a flag`}},
	{"value of an on-off flag", []string{"--leader-elect", "false"}, []string{`--leader-elect=false`}},
	{"flag without its value", []string{"--leader-election-id"}, []string{"--leader-election-id: needs a value"}},
	{"no duration", []string{"--leader-election-retry-period=2"}, []string{`--leader-election-retry-period="2": is not a duration`}},
	{"no number", []string{"--max-concurrent-reconciles=many"}, []string{`--max-concurrent-reconciles="many": is not a whole number`}},
	{"number too low", []string{"--max-concurrent-reconciles=0"}, []string{"--max-concurrent-reconciles=0: must be 1 or more"}},
	{"no boolean", []string{"--leader-elect=maybe"}, []string{`--leader-elect="maybe": is neither true nor false`}},
	{"log level unknown", []string{"--zap-log-level=loud"}, []string{`--zap-log-level="loud": is not one of: debug, info`}},
	{"log level too high", []string{"--zap-log-level=8"}, []string{"--zap-log-level=8: must be 7 or less, or the log would show"}},
	{"log encoder unknown", []string{"--zap-encoder=xml"}, []string{`--zap-encoder="xml": is not one of: json, console`}},
	{"address without port", []string{"--metrics-bind-address=localhost"}, []string{`--metrics-bind-address="localhost": is not an address: missing port`}},
	{"address empty", []string{"--metrics-bind-address="}, []string{`--metrics-bind-address="": is not an address`}},
	{"port too high", []string{"--health-probe-bind-address=:65536"}, []string{`--health-probe-bind-address=":65536": the port "65536"`}},
	{"port by name", []string{"--health-probe-bind-address=:http"}, []string{`the port "http" is not a number`}},
	{"port missing", []string{"--health-probe-bind-address=localhost:"}, []string{`the port "" is not a number`}},
	{"host unfit", []string{"--health-probe-bind-address=my_host:1"}, []string{`the host "my_host" is neither`}},
	{
		"same address twice",
		[]string{"--metrics-bind-address=:9000", "--health-probe-bind-address=:9000"},
		[]string{`--health-probe-bind-address=":9000": must differ from --metrics-bind-address`},
	},
	{
		"metrics secured and switched off",
		[]string{"--metrics-secure", "--metrics-bind-address=0"},
		[]string{"--metrics-secure=true: there is nothing to secure with --metrics-bind-address=0"},
	},
	{"namespace unfit", []string{"--namespace=a,B"}, []string{`--namespace="a,B": "B" is not the name of a namespace`}},
	{"leader election namespace unfit", []string{"--leader-election-namespace=A"}, []string{`--leader-election-namespace="A"`}},
	{
		"lease not above renew",
		[]string{"--leader-election-lease-duration=10s"},
		[]string{"--leader-election-lease-duration=10s: must be above --leader-election-renew-deadline (10s)"},
	},
	{
		"renew not above 1.2 x retry",
		[]string{"--leader-election-retry-period=9s"},
		[]string{"--leader-election-renew-deadline=10s: must be above 1.2 x --leader-election-retry-period (1.2 x 9s = 10.8s)"},
	},
	{"kubeconfig absent", []string{"--kubeconfig=absent"}, []string{`--kubeconfig="absent": cannot be read: no such file`}},
	{
		"all at once",
		[]string{"--leader-election-lease-duration=x", "--nope", "--namespace=,", "--metrics-bind-address=1", "--max-concurrent-reconciles=-1"},
		[]string{
			`--leader-election-lease-duration="x": is not a duration`, "--nope: is not a flag", `--namespace=","`,
			`--metrics-bind-address="1"`, "--max-concurrent-reconciles=-1: must be 1 or more",
		},
	},
}

func TestParseMistakes(t *testing.T) {
	for _, tc := range mistakes {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parse(tc.args, inPod(t, nil))
			if err == nil {
				t.Fatal("parse() = nil, want an error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("%d complaints, want %d:\n%v", len(lines), len(tc.want), err)
			}
			for i, part := range tc.want {
				if !strings.Contains(lines[i], part) {
					t.Errorf("complaint %d lacks %q: %s", i, part, lines[i])
				}
			}
		})
	}
}

func TestParseHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"--nope", "--help"}} {
		if _, err := parse(args, outside()); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("parse(%q) = %v, want %v", args, err, flag.ErrHelp)
		}
	}
}

// TestHelpIsComplete holds the help text against the flags there are: each once, each with a text and a default.
func TestHelpIsComplete(t *testing.T) {
	var b strings.Builder
	writeHelp(&b)
	text := b.String()
	(&options{}).flags(&scope.Source{}).VisitAll(func(f *flag.Flag) {
		head := "\n  --" + f.Name
		if strings.Count(text, head+"\n")+strings.Count(text, head+"=") != 1 {
			t.Errorf("--%s is not explained exactly once", f.Name)
			return
		}
		_, after, _ := strings.Cut(text, head)
		explanation, _, _ := strings.Cut(after, "\n  --")
		if !strings.Contains(strings.Join(strings.Fields(explanation), " "), "(default ") {
			t.Errorf("the default of --%s is not stated", f.Name)
		}
	})
	for line := range strings.Lines(text) {
		if len(line) > 110 {
			t.Errorf("the line is too long for a terminal: %s", line)
		}
	}
}
