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

package process_test

import (
	"net/http"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/process"
)

const waitingForCRD = "the CRD applications.apps.example.com, version v1: install it with " +
	"kubectl apply -f config/crd/bases, or through OLM"

// TestMissingCRDNeverComes takes a minute, the time after which the operator gives up.
func TestMissingCRDNeverComes(t *testing.T) {
	t.Parallel()
	p := launch(t, writeKubeconfig(t, newClusterWithoutCRD(t).Config()), "default")
	if code := p.End(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, part := range []string{"Exiting because of an error", "gave up after 1m0s waiting for " + waitingForCRD} {
		if !strings.Contains(p.Stderr(), part) {
			t.Errorf("the log lacks %q", part)
		}
	}
}

// TestMissingCRDComes installs the CRD while the operator waits for it.
func TestMissingCRDComes(t *testing.T) {
	t.Parallel()
	c := newClusterWithoutCRD(t)
	p := launch(t, writeKubeconfig(t, c.Config()), "default")
	p.WaitForLog(t, "Waiting for "+waitingForCRD)
	if code, body := p.Probe(t, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, waitingForCRD) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if code, body := p.Probe(t, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d %s; a restart installs no CRD", code, body)
	}

	_, err := envtest.InstallCRDs(c.Config(), envtest.CRDInstallOptions{
		Paths: []string{"../../" + crds}, ErrorIfPathMissing: true, MaxTime: process.Limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.WaitUntilReady(t)
	p.Terminate(t)
	if code := p.End(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

func newClusterWithoutCRD(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	c, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}
