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
	"net"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/process"
)

// TestMissingRights starts without any right, and is given the shipped Roles one by one while it waits. In the end
// it works, in its namespace and in no other.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	p := launch(t, kubeconfig(t, c, namespace), namespace, patient...)

	p.WaitForLog(t, "Waiting for rights: the ServiceAccount "+namespace+"/"+account+" may not list and watch "+
		"applications.apps.example.com, ")
	p.WaitForLog(t, "in namespace "+namespace+"; nor get and update leases.coordination.k8s.io/"+lease)
	p.WaitForLog(t, "; bind the roles of config/rbac there")
	bind(t, admin, namespace, "role.yaml")
	p.WaitForLog(t, namespace+"/"+account+" may not get and update leases.coordination.k8s.io/"+lease+" in namespace "+namespace)
	bind(t, admin, namespace, "leader_election_role.yaml")
	p.WaitUntilReady(t)

	elsewhere := application(t, admin, "default")
	here := application(t, admin, namespace)
	process.Eventually(t, "work in the watched namespace", func() bool { return hasDeployment(t, admin, here) })
	if hasDeployment(t, admin, elsewhere) {
		t.Error("the operator works in a namespace that it does not watch")
	}
	p.Terminate(t)
	if code := p.End(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// application makes a small one, named after the test.
func application(t *testing.T, admin client.Client, namespace string) *v1.Application {
	t.Helper()
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app"},
		Spec:       v1.ApplicationSpec{Image: "nginx"},
	}
	create(t, admin, app)
	return app
}

func hasDeployment(t *testing.T, admin client.Client, app *v1.Application) bool {
	t.Helper()
	err := admin.Get(t.Context(), client.ObjectKeyFromObject(app), &appsv1.Deployment{})
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return !apierrors.IsNotFound(err)
}

// TestStopBeforeCachesSync is told to stop while a list hangs. The manager alone would never return then.
func TestStopBeforeCachesSync(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	namespace := newNamespace(t, administrator(t, c))
	proxy := newProxy(t, c.Config())
	listed := make(chan struct{}, 100)
	proxy.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/applications") {
			return false
		}
		select {
		case listed <- struct{}{}:
		default:
		}
		return hang(w, r)
	})
	p := launch(t, proxy.kubeconfig, namespace)
	<-listed
	if code, body := p.Probe(t, "/readyz"); code == http.StatusOK {
		t.Errorf("/readyz: %d %s before the caches are synced", code, body)
	}
	p.Terminate(t)
	if code := p.End(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

func TestMetricsAddressTaken(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	namespace := newNamespace(t, administrator(t, c))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	address := taken.Addr().String()
	p := launch(t, writeKubeconfig(t, c.Config()), namespace, "--metrics-bind-address="+address)
	if code := p.End(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if want := `--metrics-bind-address=\"` + address + `\": cannot listen there`; !strings.Contains(p.Stderr(), want) {
		t.Errorf("the log lacks %q", want)
	}
}
