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
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/example/app-operator/test/process"
)

// The tests of this file run the real program, without a cluster. Those with one are in test/process.

const testVersion = "1.2.3-test"

var binary string

func TestMain(m *testing.M) {
	var err error
	if binary, err = process.Build(testVersion); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(filepath.Dir(binary))
	os.Exit(code)
}

func wantContains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func TestProcessMistakes(t *testing.T) {
	for _, tc := range mistakes {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// Outside a pod, the namespace comes from the variable.
			p := process.Launch(t, binary, []string{"WATCH_NAMESPACE=a"}, tc.args...)
			if code := p.End(t); code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			wantContains(t, p.Stderr(), "app-operator: nothing was started:\n  ", "Run 'app-operator --help' for all flags.")
			wantContains(t, p.Stderr(), tc.want...)
			if p.Stdout() != "" {
				t.Errorf("stdout: %s", p.Stdout())
			}
		})
	}
}

func TestProcessRefusesAnEmptyVariable(t *testing.T) {
	p := process.Launch(t, binary, []string{"WATCH_NAMESPACE="})
	if code := p.End(t); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	wantContains(t, p.Stderr(), `WATCH_NAMESPACE="": is set but empty`, "must not widen the scope", "--namespace=")
}

func TestProcessNeedsAScope(t *testing.T) {
	p := process.Launch(t, binary, nil)
	if code := p.End(t); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	wantContains(t, p.Stderr(), "--namespace", "WATCH_NAMESPACE", "service account")
}

func TestProcessNeedsANamespaceForTheLease(t *testing.T) {
	p := process.Launch(t, binary, nil, "--namespace=a", "--leader-elect")
	if code := p.End(t); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	wantContains(t, p.Stderr(), "--leader-election-namespace is empty", "give the namespace that holds the Lease")
}

func TestProcessVersion(t *testing.T) {
	p := process.Launch(t, binary, nil, "--version")
	if code := p.End(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantContains(t, p.Stdout(), "app-operator "+testVersion+" "+runtime.Version())
}

func TestProcessHelp(t *testing.T) {
	p := process.Launch(t, binary, nil, "--help")
	if code := p.End(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	wantContains(t, p.Stdout(), "Usage:", "--leader-election-lease-duration=<duration>", "(default 15s)", "--kubeconfig=<file>")
	if p.Stderr() != "" {
		t.Errorf("stderr: %s", p.Stderr())
	}
}

func TestProcessNoCluster(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("clusters: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		env  []string
		args []string
		want []string
	}{
		{name: "nothing", want: []string{"no cluster to talk to: run in a pod (", "--kubeconfig", "KUBECONFIG"}},
		{name: "variable names no file", env: []string{"KUBECONFIG=absent"}, want: []string{`KUBECONFIG=\"absent\": there is none`}},
		{name: "broken file", args: []string{"--kubeconfig=" + broken}, want: []string{"--kubeconfig=", "broken", "error loading config file"}},
		{
			name: "credentials without a file",
			args: []string{"--kubeconfig=" + kubeconfig(t, "https://127.0.0.1:1", "client-certificate: absent.crt")},
			want: []string{"absent.crt"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := process.Launch(t, binary, append(tc.env, "WATCH_NAMESPACE=a"), append(tc.args, "--health-probe-bind-address=127.0.0.1:0")...)
			if code := p.End(t); code != exitError {
				t.Errorf("exit code %d, want %d", code, exitError)
			}
			wantContains(t, p.Stderr(), tc.want...)
			if n := strings.Count(p.Stderr(), `"level":"error"`); n != 1 {
				t.Errorf("%d errors were logged, want 1", n)
			}
		})
	}
}

func TestProcessProbeAddressTaken(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	address := strings.TrimPrefix(taken.URL, "http://")
	p := process.Launch(t, binary, nil, "--namespace=a", "--kubeconfig="+kubeconfig(t, "https://127.0.0.1:1", ""), "--health-probe-bind-address="+address)
	if code := p.End(t); code != exitError {
		t.Errorf("exit code %d, want %d", code, exitError)
	}
	wantContains(t, p.Stderr(), `--health-probe-bind-address=\"`+address+`\": cannot listen there`, "address already in use")
}

// TestProcessUnreachableAPI looks at the wait for an API server: it says what it waits for, in the log and to the
// kubelet, is alive, and ends in good order when told to. That it gives up after a minute, test/process shows.
func TestProcessUnreachableAPI(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	p := process.Launch(t, binary, nil, "--namespace=a", "--kubeconfig="+kubeconfig(t, closed.URL, ""), "--health-probe-bind-address=127.0.0.1:0")
	waiting := "aiting for the API server at " + closed.URL + ": connection refused"
	p.WaitForLog(t, "W"+waiting)

	if code, body := p.Probe(t, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "w"+waiting) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if code, body := p.Probe(t, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d %s", code, body)
	}
	p.Terminate(t)
	if code := p.End(t); code != exitOK {
		t.Errorf("exit code %d after SIGTERM, want %d", code, exitOK)
	}
	wantContains(t, p.Stderr(), "Stopped before the start was complete")
}

// kubeconfig writes one for a server, with a line for the user.
func kubeconfig(t *testing.T, server, user string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	content := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {%s}}]
current-context: c
`, server, user)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
