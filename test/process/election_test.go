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
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/process"
)

// hasty are durations of leader election that a test can wait for, and of which a busy machine does not cost anybody the lease.
var hasty = []string{
	"--leader-elect", "--leader-election-lease-duration=40s", "--leader-election-renew-deadline=30s", "--leader-election-retry-period=250ms",
}

// patient are durations under which a lease that is not released outlives the test, and is not lost on a machine that stands still.
var patient = []string{
	"--leader-elect", "--leader-election-lease-duration=1h", "--leader-election-renew-deadline=30m", "--leader-election-retry-period=1s",
}

// leads is in the log of a process that knows that it leads. The Lease may have its name before it has heard so.
const leads = "Became the leader"

// TestHandover stops the leader. The standby, ready all along, takes over long before the lease would expire.
func TestHandover(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	bind(t, admin, namespace, "role.yaml")
	bind(t, admin, namespace, "leader_election_role.yaml")
	config := kubeconfig(t, c, namespace)

	leader := launch(t, config, namespace, patient...)
	leader.WaitUntilReady(t)
	leader.WaitForLog(t, leads)
	first := waitForHolder(t, admin, namespace, "")

	standby := launch(t, config, namespace, patient...)
	standby.WaitUntilReady(t)
	if now := holder(t, admin, namespace); now != first {
		t.Fatalf("the lease went from %s to %s although nobody stopped", first, now)
	}

	leader.Terminate(t)
	if code := leader.End(t); code != 0 {
		t.Errorf("exit code %d of the leader after SIGTERM", code)
	}
	for line := range strings.Lines(leader.Stderr()) { // a machine that stands still loses a watch
		if strings.Contains(line, "leader election lost") || strings.Contains(line, `"level":"error"`) && !strings.Contains(line, "Lost the watch; retrying") {
			t.Errorf("the leader logged %q although it ended in good order", line)
		}
	}
	waitForHolder(t, admin, namespace, first)
	app := application(t, admin, namespace)
	process.Eventually(t, "the new leader works", func() bool { return hasDeployment(t, admin, app) })

	standby.Terminate(t)
	if code := standby.End(t); code != 0 {
		t.Errorf("exit code %d of the new leader after SIGTERM", code)
	}
}

// TestLeaseTaken gives the lease to somebody else behind the back of a leader that would not look at it for an hour.
func TestLeaseTaken(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	p := launch(t, writeKubeconfig(t, c.Config()), namespace, "--leader-elect", "--leader-election-lease-duration=3h",
		"--leader-election-renew-deadline=2h", "--leader-election-retry-period=1h")
	p.WaitUntilReady(t)
	waitForHolder(t, admin, namespace, "")

	process.Eventually(t, "take the lease", func() bool {
		taken := getLease(t, admin, namespace)
		taken.Spec.HolderIdentity = new("another")
		taken.Spec.LeaseDurationSeconds = new(int32(3600))
		taken.Spec.RenewTime = new(metav1.NewMicroTime(time.Now()))
		return admin.Update(t.Context(), taken) == nil // else the leader renewed it at that moment
	})
	wantLost(t, p, namespace)
	if now := holder(t, admin, namespace); now != "another" {
		t.Errorf("the lease is held by %q; the one who lost it must leave it alone", now)
	}
}

// TestLeaseLostWithTheAPI cuts the leader off from the API server.
func TestLeaseLostWithTheAPI(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	proxy := newProxy(t, c.Config())
	p := launch(t, proxy.kubeconfig, namespace, hasty...)
	p.WaitUntilReady(t)
	p.WaitForLog(t, leads)

	proxy.misbehave(refuse)
	wantLost(t, p, namespace)
}

func wantLost(t *testing.T, p *process.Process, namespace string) {
	t.Helper()
	if code := p.End(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, part := range []string{
		"Lost the leader lease; exiting so that a standby takes over", `"lease":"` + namespace + "/" + lease + `"`, "leader election lost",
	} {
		if !strings.Contains(p.Stderr(), part) {
			t.Errorf("the log lacks %q", part)
		}
	}
}

// TestSecondSignal stops a leader whose API server hangs, so that it cannot release the lease; asked twice, it ends
// at once.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	proxy := newProxy(t, c.Config())
	// The release has an hour to hang in.
	p := launch(t, proxy.kubeconfig, namespace, "--leader-elect", "--leader-election-lease-duration=3h",
		"--leader-election-renew-deadline=2h", "--leader-election-retry-period=1h")
	p.WaitUntilReady(t)
	p.WaitForLog(t, leads)

	release := make(chan struct{}, 100)
	proxy.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/leases/") {
			return false
		}
		select {
		case release <- struct{}{}:
		default:
		}
		return hang(w, r)
	})
	p.Terminate(t)
	select {
	case <-release:
	case <-time.After(process.Limit):
		t.Fatal("it does not release the lease")
	}
	p.Terminate(t)
	if code := p.End(t); code != 1 {
		t.Errorf("exit code %d after a second SIGTERM, want 1", code)
	}
}

// waitForHolder waits until somebody other than not holds the lease, and returns who.
func waitForHolder(t *testing.T, admin client.Client, namespace, not string) string {
	t.Helper()
	var now string
	process.Eventually(t, "a new leader", func() bool {
		now = holder(t, admin, namespace)
		return now != "" && now != not
	})
	return now
}

// holder returns who holds the lease; nobody is the empty string.
func holder(t *testing.T, admin client.Client, namespace string) string {
	t.Helper()
	if holder := getLease(t, admin, namespace).Spec.HolderIdentity; holder != nil {
		return *holder
	}
	return ""
}

func getLease(t *testing.T, admin client.Client, namespace string) *coordinationv1.Lease {
	t.Helper()
	object := &coordinationv1.Lease{}
	err := admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: lease}, object)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return object
}
