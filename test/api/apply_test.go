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

package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// apply is a server-side apply of a spec in YAML by one manager.
type apply struct{ manager, spec string }

func (a apply) run(t *testing.T, namespace string) error {
	t.Helper()
	object := &unstructured.Unstructured{Object: tree{
		"spec": decode(t, []byte(a.spec)),
	}}
	object.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
	object.SetNamespace(namespace)
	object.SetName("my-app")
	config := client.ApplyConfigurationFromUnstructured(object)
	return cluster.client.Apply(t.Context(), config, client.FieldOwner(a.manager))
}

// TestServerSideApply shows which parts of a spec several managers can share: entries of the lists with keys and of
// the sets, and keys of maps, belong to those who applied them.
func TestServerSideApply(t *testing.T) {
	tests := []struct {
		name    string
		applies []apply
		want    string
	}{
		{"env entries of two managers", []apply{
			{"team", `{image: nginx, env: [{name: A, value: a}]}`},
			{"platform", `{env: [{name: B, value: b}]}`},
		}, `{image: nginx, env: [{name: A, value: a}, {name: B, value: b}]}`},
		{"an entry given up", []apply{
			{"team", `{image: nginx, env: [{name: A, value: a}]}`},
			{"platform", `{env: [{name: B, value: b}]}`},
			{"platform", `{suspend: true}`},
		}, `{image: nginx, suspend: true, env: [{name: A, value: a}]}`},
		{"an entry changed by its owner", []apply{
			{"team", `{image: nginx, env: [{name: A, value: a}, {name: B, value: b}]}`},
			{"team", `{image: nginx, env: [{name: A, value: b}]}`},
		}, `{image: nginx, env: [{name: A, value: b}]}`},
		{"ports of two managers", []apply{
			{"team", `{image: nginx, port: 80, additionalPorts: [{name: grpc, port: 9000}]}`},
			{"platform", `{additionalPorts: [{name: metrics, port: 9090}]}`},
		}, `{image: nginx, port: 80, additionalPorts: [{name: grpc, port: 9000}, {name: metrics, port: 9090}]}`},
		{"pull secrets of two managers", []apply{
			{"team", `{image: nginx, imagePullSecrets: [a, b]}`},
			{"platform", `{imagePullSecrets: [b, c]}`},
			{"team", `{image: nginx}`},
		}, `{image: nginx, imagePullSecrets: [b, c]}`},
		{"pod labels of two managers", []apply{
			{"team", `{image: nginx, podMetadata: {labels: {a: a}}}`},
			{"platform", `{podMetadata: {labels: {b: b}, annotations: {c: c}}}`},
		}, `{image: nginx, podMetadata: {labels: {a: a, b: b}, annotations: {c: c}}}`},
		{"files and sidecars of two managers", []apply{
			{"team", `{image: nginx, files: [{mountPath: /a, emptyDir: {}}], sidecars: [{name: a, image: a}]}`},
			{"platform", `{files: [{mountPath: /b, configMap: {name: b}}], sidecars: [{name: b, image: b}],
				initContainers: [{name: c}]}`},
			{"team", `{image: nginx, files: [{mountPath: /a, readOnly: true, emptyDir: {}}]}`},
		}, `{image: nginx, sidecars: [{name: b, image: b}], initContainers: [{name: c}],
			files: [{mountPath: /a, readOnly: true, emptyDir: {}}, {mountPath: /b, configMap: {name: b}}]}`},
		{"spread, tolerations and host names of two managers", []apply{
			{"team", `{image: nginx, port: 80, httpRoute: {parentRefs: [{name: a}], hostnames: [a]}, scheduling: {
				topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}]}}`},
			{"platform", `{httpRoute: {hostnames: [b]}, scheduling: {nodeSelector: {a: b}, tolerations: [{key: a}],
				topologySpreadConstraints: [{topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 2}]}}`},
		}, `{image: nginx, port: 80, httpRoute: {parentRefs: [{name: a}], hostnames: [a, b]},
			scheduling: {nodeSelector: {a: b}, tolerations: [{key: a}], topologySpreadConstraints: [
			{topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1},
			{topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, maxSkew: 2}]}}`},
		{"a probe's way of one manager, its numbers of another", []apply{
			{"team", `{image: nginx, port: 80, probes: {liveness: {httpGet: {path: /healthz}}}}`},
			{"platform", `{probes: {liveness: {periodSeconds: 5}}, rollout: {maxSurge: 1}}`},
		}, `{image: nginx, port: 80, probes: {liveness: {httpGet: {path: /healthz}, periodSeconds: 5}},
			rollout: {maxSurge: 1}}`},
		{"a default belongs to nobody", []apply{
			{"team", `{image: nginx}`},
			{"scaler", `{replicas: 4}`},
			{"scaler", `{paused: true}`},
		}, `{image: nginx, paused: true}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			space := namespace(t, "")
			for _, step := range test.applies {
				if err := step.run(t, space); err != nil {
					t.Fatalf("apply by %s: %v", step.manager, err)
				}
			}
			app := &v1.Application{}
			app.Namespace, app.Name = space, "my-app"
			reload(t, app)
			if diff := cmp.Diff(application(t, test.want).Spec, app.Spec); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

// TestServerSideApplyConflicts shows that a manager who takes what belongs to another is told so.
func TestServerSideApplyConflicts(t *testing.T) {
	tests := []struct{ name, first, second, field string }{
		{
			"env entry", `{image: nginx, env: [{name: A, value: a}]}`, `{env: [{name: A, value: b}]}`,
			`.spec.env[name="A"].value`,
		},
		{"replicas", `{image: nginx, replicas: 2}`, `{replicas: 3}`, ".spec.replicas"},
		{"args, which are one value", `{image: nginx, args: [a]}`, `{args: [a, b]}`, ".spec.args"},
		{
			"envFrom, which is one value", `{image: nginx, envFrom: [{secretRef: {name: a}}]}`,
			`{envFrom: [{secretRef: {name: b}}]}`, ".spec.envFrom",
		},
		{
			"metrics, which are one value", `{image: nginx, autoscaling: {maxReplicas: 2, metrics: [{type: Resource}]}}`,
			`{autoscaling: {maxReplicas: 2, metrics: [{type: Pods}]}}`, ".spec.autoscaling.metrics",
		},
		{
			"peers, which are one value", `{image: nginx, networkPolicy: {egressTo: [{podLabels: {a: b}}]}}`,
			`{networkPolicy: {egressTo: [{podLabels: {a: c}}]}}`, ".spec.networkPolicy.egressTo",
		},
		{
			"volume at a place", `{image: nginx, files: [{mountPath: /a, configMap: {name: a}}]}`,
			`{files: [{mountPath: /a, configMap: {name: b}}]}`, `.spec.files[mountPath="/a"].configMap`,
		},
		{
			"number of a port", `{image: nginx, additionalPorts: [{name: a, port: 1}]}`,
			`{additionalPorts: [{name: a, port: 2}]}`, `.spec.additionalPorts[name="a"].port`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			space := namespace(t, "")
			if err := (apply{"team", test.first}).run(t, space); err != nil {
				t.Fatal(err)
			}
			err := apply{"platform", test.second}.run(t, space)
			if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "team"`) ||
				!strings.Contains(err.Error(), test.field) {
				t.Errorf("got %v, want a conflict with team over %s", err, test.field)
			}
		})
	}
}

// TestServerSideApplyIsValidated shows that what two managers make together is held to the rules, too.
func TestServerSideApplyIsValidated(t *testing.T) {
	space := namespace(t, "")
	if err := (apply{"team", `{image: nginx, port: 80}`}).run(t, space); err != nil {
		t.Fatal(err)
	}
	wants := []string{"spec.additionalPorts: Invalid value: the name of spec.port, which is spec.portName, or http without it, belongs to no other port"}
	err := apply{"platform", `{additionalPorts: [{name: http, port: 8080}]}`}.run(t, space)
	for _, complaint := range mismatches(wants, err) {
		t.Error(complaint)
	}
}
