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
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/operator"
	"github.com/example/app-operator/test/process"
)

// TestLeaseInTheServedNamespace has rights in the one namespace that is served and none in its own, as OLM v1 grants them.
// Then the rights in its own come after all: a replica that starts now must stand by all the same, for there is a leader.
func TestLeaseInTheServedNamespace(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	home := newNamespace(t, admin)
	served := home + "-served"
	create(t, admin, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: served}})
	for _, file := range []string{"role.yaml", "leader_election_role.yaml"} {
		rights, err := operator.Bound(file, served, subject(home))
		if err != nil {
			t.Fatal(err)
		}
		create(t, admin, rights...)
	}
	inPod := func() *process.Process {
		return process.Launch(t, binary, []string{"POD_NAMESPACE=" + home}, append([]string{
			"--kubeconfig=" + kubeconfig(t, c, home),
			"--namespace=" + served, "--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:0",
		}, patient...)...)
	}
	first := inPod()
	first.WaitForLog(t, "The Lease is in the namespace that is served")
	first.WaitUntilReady(t)
	works(t, admin, named(t, admin, served, "first"))

	bind(t, admin, home, "leader_election_role.yaml")
	second := inPod()
	second.WaitForLog(t, "it exists; delete it while no replica runs")
	second.WaitUntilReady(t)
	leases := &coordinationv1.LeaseList{}
	if err := admin.List(t.Context(), leases, client.InNamespace(home)); err != nil || len(leases.Items) > 0 {
		t.Errorf("there are other Leases: %v, error %v", leases.Items, err)
	}
	first.Terminate(t)
	if code := first.End(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	works(t, admin, named(t, admin, served, "second"))
}
