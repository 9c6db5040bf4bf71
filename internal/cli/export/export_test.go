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

package export

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestPlainKeepsWhatMattersAndNothingElse(t *testing.T) {
	cases := map[string]struct{ is, want string }{
		"a Service": {
			`{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop, uid: a, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z",
			  labels: {app: cart}, managedFields: [], ownerReferences: [{apiVersion: apps.example.com/v1, kind: Application, name: cart, uid: b}]},
			  spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], selector: {app: cart}, ports: [{port: 80, nodePort: 30080}]}, status: {loadBalancer: {}}}`,
			`{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop, labels: {app: cart}},
			  spec: {selector: {app: cart}, ports: [{port: 80, nodePort: 30080}]}}`,
		},
		"a headless Service": {
			`{apiVersion: v1, kind: Service, metadata: {name: cart}, spec: {clusterIP: None, clusterIPs: [None]}}`,
			`{apiVersion: v1, kind: Service, metadata: {name: cart}, spec: {clusterIP: None, clusterIPs: [None]}}`,
		},
		"of the policy Orphan": {
			`{apiVersion: v1, kind: ServiceAccount, metadata: {name: cart, annotations: {apps.example.com/owner: cart/b}}}`,
			`{apiVersion: v1, kind: ServiceAccount, metadata: {name: cart}}`,
		},
		"a Deployment with another's annotation": {
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: cart, generation: 3, annotations: {deployment.kubernetes.io/revision: "2", a: b}}, spec: {replicas: 2}}`,
			`{apiVersion: apps/v1, kind: Deployment, metadata: {name: cart, annotations: {a: b}}, spec: {replicas: 2}}`,
		},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			is, want := parse(t, each.is), parse(t, each.want)
			if diff := cmp.Diff(want.Object, Plain(is).Object); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
