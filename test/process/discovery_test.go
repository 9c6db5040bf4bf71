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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/process"
)

// TestDiscoveryHangs has the API server never say whether it serves HTTPRoutes and ServiceMonitors. The operator starts
// all the same, and its one worker is free for the others after an Application that wants both.
func TestDiscoveryHangs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	proxy := newProxy(t, c.Config())
	proxy.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
		for _, group := range []string{"/apis/gateway.networking.k8s.io", "/apis/monitoring.coreos.com"} {
			if strings.HasPrefix(r.URL.Path, group) {
				return hang(w, r)
			}
		}
		return false
	})
	wanting := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "wanting"},
		Spec: v1.ApplicationSpec{
			Image: "nginx", Port: new(int32(80)), Monitoring: &v1.MonitoringSpec{},
			HTTPRoute: &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}},
		},
	}
	create(t, admin, wanting)
	p := launch(t, proxy.kubeconfig, namespace, "--max-concurrent-reconciles=1")
	p.WaitForLog(t, "find out whether the cluster serves httproutes.gateway.networking.k8s.io")
	p.WaitUntilReady(t)
	process.Eventually(t, "all of it that can be had", func() bool { return hasDeployment(t, admin, wanting) })
	for _, name := range []string{"first", "second", "third"} {
		app := &v1.Application{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1.ApplicationSpec{Image: "nginx"},
		}
		create(t, admin, app)
		process.Eventually(t, "work on "+name, func() bool { return hasDeployment(t, admin, app) })
	}
	process.Eventually(t, "it is told", func() bool {
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(wanting), wanting); err != nil {
			t.Fatal(err)
		}
		for _, condition := range wanting.Status.Conditions {
			if condition.Type == v1.ConditionDegraded && condition.Reason == v1.ReasonReconcileFailed {
				return true
			}
		}
		return false
	})
}
