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
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/operator"
	"github.com/example/app-operator/test/process"
)

// subject is the operator of the tests, whose home is the namespace.
func subject(home string) rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: home, Name: account}
}

// bindTo gives the operator of another namespace the rights of the shipped Role in this one, and returns what was made.
func bindTo(t *testing.T, admin client.Client, namespace, home string) []client.Object {
	t.Helper()
	rights, err := operator.Bound("role.yaml", namespace, subject(home))
	if err != nil {
		t.Fatal(err)
	}
	create(t, admin, rights...)
	return rights
}

// named makes a small Application of that name.
func named(t *testing.T, admin client.Client, namespace, name string) *v1.Application {
	t.Helper()
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1.ApplicationSpec{Image: "nginx"},
	}
	create(t, admin, app)
	return app
}

func works(t *testing.T, admin client.Client, app *v1.Application) {
	t.Helper()
	process.Eventually(t, "work on "+app.Namespace+"/"+app.Name, func() bool { return hasDeployment(t, admin, app) })
}

// unready watches the probe, and returns what says how often it was not ready since.
func unready(t *testing.T, p *process.Process) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	counted := make(chan int, 1)
	go func() {
		count := 0
		defer func() { counted <- count }() // also if the probe ends this
		for ctx.Err() == nil {
			if code, _ := p.Probe(t, "/readyz"); code != http.StatusOK {
				count++
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() int {
		cancel()
		return <-counted
	}
}

// served waits until the metrics at the address say whether the operator serves the namespace.
func served(t *testing.T, address, namespace, value string) {
	t.Helper()
	process.Eventually(t, namespace+" served: "+value, func() bool {
		_, text := scrape(t, "http://"+address+"/metrics", "")
		return strings.Contains(text, `app_operator_namespace_served{namespace="`+namespace+`"} `+value+"\n")
	})
}

// TestANamespaceWithoutRights has one of three namespaces lack all rights, and another not exist, when the operator starts.
// The third is served at once, and each of the others when its rights come. In the end it takes them away again, and brings
// them back.
func TestANamespaceWithoutRights(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	home := newNamespace(t, admin)
	deprived, absent := home+"-deprived", home+"-absent"
	create(t, admin, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: deprived}})
	bind(t, admin, home, "role.yaml")
	bind(t, admin, home, "leader_election_role.yaml")
	early := named(t, admin, deprived, "early")
	p := launch(t, kubeconfig(t, c, home), strings.Join([]string{deprived, absent, home}, ","),
		append(patient, "--leader-election-namespace="+home, "--metrics-bind-address="+anyPort)...)
	p.WaitUntilReady(t)
	address := p.MetricsAddress(t)
	flaps := unready(t, p)
	works(t, admin, named(t, admin, home, "first"))
	for _, namespace := range []string{deprived, absent} {
		p.WaitForLog(t, "in namespace "+namespace+"; bind the roles of config/rbac there")
		served(t, address, namespace, "0")
	}
	served(t, address, home, "1")
	if hasDeployment(t, admin, early) {
		t.Error("it works without rights")
	}

	rights := bindTo(t, admin, deprived, home)
	works(t, admin, early)
	works(t, admin, named(t, admin, deprived, "later"))
	served(t, address, deprived, "1")
	create(t, admin, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: absent}})
	bindTo(t, admin, absent, home)
	served(t, address, absent, "1")
	works(t, admin, named(t, admin, absent, "first"))

	for _, right := range rights {
		if err := admin.Delete(t.Context(), right); err != nil {
			t.Fatal(err)
		}
		right.SetResourceVersion("")
	}
	deprivedApp := named(t, admin, deprived, "deprived") // what fails on it tells of the loss
	served(t, address, deprived, "0")
	works(t, admin, named(t, admin, home, "second"))
	create(t, admin, rights...)
	works(t, admin, deprivedApp)
	served(t, address, deprived, "1")
	if count := flaps(); count > 0 {
		t.Errorf("it was not ready %d times", count)
	}
	p.Terminate(t)
	if code := p.End(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// TestTheOnlyNamespaceWithoutRights waits for longer than for anything else, a minute, and then is given the rights.
func TestTheOnlyNamespaceWithoutRights(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	home := newNamespace(t, admin)
	only := home + "-only"
	create(t, admin, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: only}})
	bind(t, admin, home, "leader_election_role.yaml")
	began := time.Now()
	p := launch(t, kubeconfig(t, c, home), only, append(patient, "--leader-election-namespace="+home)...)
	process.Eventually(t, "a minute to pass", func() bool { return time.Since(began) > 70*time.Second })
	if code, body := p.Probe(t, "/readyz"); code == http.StatusOK || !strings.Contains(body, "in namespace "+only) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	bindTo(t, admin, only, home)
	p.WaitUntilReady(t)
	works(t, admin, named(t, admin, only, "app"))
}
