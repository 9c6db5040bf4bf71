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
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// TestGeneration shows that the generation counts edits of the spec and nothing else: conditions rely on it.
func TestGeneration(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, app *v1.Application) error
		want   int64
		noop   bool
	}{
		{"spec", merge(`{"spec":{"image":"nginx:2"}}`), 2, false},
		{"spec, to the same", merge(`{"spec":{"image":"nginx","replicas":2}}`), 1, true},
		{"spec, to the default", merge(`{"spec":{"deletionPolicy":null}}`), 1, true},
		{"a label", merge(`{"metadata":{"labels":{"a":"b"}}}`), 1, false},
		{"an annotation", merge(`{"metadata":{"annotations":{"a":"b"}}}`), 1, false},
		{"a finalizer", merge(`{"metadata":{"finalizers":["` + v1.Finalizer + `"]}}`), 1, false},
		{"status", func(t *testing.T, app *v1.Application) error {
			t.Helper()
			app.Status.ReadyReplicas = 1
			return cluster.client.Status().Update(t.Context(), app)
		}, 1, false},
		{"scale", func(t *testing.T, app *v1.Application) error {
			t.Helper()
			return setScale(t, app, 5)
		}, 2, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			app := application(t, `{image: nginx, replicas: 2}`)
			if app.Generation != 1 {
				t.Fatalf("generation of a new application is %d", app.Generation)
			}
			// As the operator does. Before, an edit of nothing stores the status that is only a default.
			app.Status.ObservedGeneration = app.Generation
			if err := cluster.client.Status().Update(t.Context(), app); err != nil {
				t.Fatal(err)
			}
			before := app.ResourceVersion
			if err := test.change(t, app); err != nil {
				t.Fatal(err)
			}
			reload(t, app)
			if app.Generation != test.want {
				t.Errorf("generation %d, want %d", app.Generation, test.want)
			}
			if test.noop != (app.ResourceVersion == before) {
				t.Errorf("resourceVersion %s -> %s", before, app.ResourceVersion)
			}
		})
	}
}

// merge returns a change by JSON merge patch.
func merge(body string) func(t *testing.T, app *v1.Application) error {
	return func(t *testing.T, app *v1.Application) error {
		t.Helper()
		return patch(t, app, body)
	}
}

// TestStatusIsApart shows that status is written through its subresource only, and the rest never through it.
func TestStatusIsApart(t *testing.T) {
	space := namespace(t, "")
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: space},
		Spec:       v1.ApplicationSpec{Image: "nginx"},
		Status:     v1.ApplicationStatus{URL: "http://forged"},
	}
	if err := cluster.client.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if app.Status.URL != "" {
		t.Error("create took a status")
	}

	app.Spec.Image = "nginx:2"
	app.Status.URL = "http://forged"
	if err := cluster.client.Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if app.Spec.Image != "nginx:2" || app.Status.URL != "" {
		t.Errorf("after update: image %q, url %q", app.Spec.Image, app.Status.URL)
	}

	app.Spec.Image = "forged"
	app.Labels = map[string]string{"forged": "true"}
	app.Finalizers = []string{v1.Finalizer}
	app.Status.URL = "http://my-app"
	if err := cluster.client.Status().Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if app.Spec.Image != "nginx:2" || app.Labels != nil || app.Finalizers != nil || app.Status.URL != "http://my-app" {
		t.Errorf("after status update: image %q, labels %v, finalizers %v, url %q",
			app.Spec.Image, app.Labels, app.Finalizers, app.Status.URL)
	}
}

// TestStatusIsValidated shows what the API server holds the operator to.
func TestStatusIsValidated(t *testing.T) {
	good := metav1.Condition{
		Type: v1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1.ReasonRolloutComplete,
		LastTransitionTime: metav1.Now(),
	}
	tests := []struct {
		name   string
		change func(condition *metav1.Condition)
		want   string
	}{
		{"good", func(*metav1.Condition) {}, ""},
		{
			"no reason", func(c *metav1.Condition) { c.Reason = "" },
			`status.conditions[0].reason: Invalid value: "": conditions[0].reason in body should be at least 1 chars`,
		},
		{
			"reason in words", func(c *metav1.Condition) { c.Reason = "it failed" },
			`status.conditions[0].reason: Invalid value: "it failed": conditions[0].reason in body should match`,
		},
		{
			"unknown status", func(c *metav1.Condition) { c.Status = "Maybe" },
			`status.conditions[0].status: Unsupported value: "Maybe"`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			app := application(t, `{image: nginx}`)
			condition := good
			test.change(&condition)
			app.Status.Conditions = []metav1.Condition{condition}
			err := cluster.client.Status().Update(t.Context(), app)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, complaint := range mismatches([]string{test.want}, err) {
				t.Error(complaint)
			}
		})
	}
}

// TestUpdatesAreValidated shows that an edit is held to the same rules as a new object.
func TestUpdatesAreValidated(t *testing.T) {
	const spec = `
image: nginx
port: 80
additionalPorts: [{name: metrics, port: 9090}]
podMetadata: {labels: {mine: a}, annotations: {mine: a}}
serviceAccount: {annotations: {mine: a}}
security: {profile: Baseline, runAsUser: 0}
files: [{mountPath: /a, emptyDir: {}}, {mountPath: /b, persistentVolumeClaim: {size: 1Gi, accessModes: [ReadWriteMany]}}]
volumes: [{name: v, persistentVolumeClaim: {size: 1Gi, storageClassName: a, accessModes: [ReadWriteMany]}}]
probes: {liveness: {httpGet: {}}, readiness: {tcpSocket: {}}}
rollout: {maxSurge: 1, maxUnavailable: 0}
shutdown: {preStopSleepSeconds: 29}
autoscaling: {minReplicas: 2, maxReplicas: 5}
disruptionBudget: {maxUnavailable: 1}
ingress: {host: a}
monitoring: {port: metrics}
networkPolicy: {ingressFrom: [{podLabels: {a: b}}]}
`
	tests := []struct{ name, patch, want string }{
		{"image removed", `{"spec":{"image":null}}`, "spec.image: Required value"},
		{"spec removed", `{"spec":null}`, "spec: Required value"},
		{
			"reserved pod label added", `{"spec":{"podMetadata":{"labels":{"app.kubernetes.io/name":"a"}}}}`,
			"spec.podMetadata.labels: Invalid value: app.kubernetes.io/name",
		},
		{
			"reserved pod annotation added", `{"spec":{"podMetadata":{"annotations":{"apps.example.com/a":"a"}}}}`,
			"spec.podMetadata.annotations: Invalid value: keys below apps.example.com/ are reserved",
		},
		{
			"name beside annotations", `{"spec":{"serviceAccount":{"name":"a"}}}`,
			"spec.serviceAccount.annotations: Forbidden: ",
		},
		{
			"root made restricted", `{"spec":{"security":{"profile":"Restricted"}}}`,
			"spec.security.runAsUser: Invalid value: 0 is root",
		},
		{"port onto a taken one", `{"spec":{"port":9090}}`, "spec.additionalPorts: Invalid value: each port may"},
		{
			"last port removed",
			`{"spec":{"port":null,"additionalPorts":null,"service":{},"probes":null,"ingress":null,"monitoring":null}}`,
			"spec.service: Invalid value: spec.service requires a port",
		},
		{
			"port removed under the probes", `{"spec":{"port":null,"ingress":null}}`,
			"spec.probes: Invalid value: a probe without a port requires spec.port",
		},
		{
			"port removed under the ingress", `{"spec":{"port":null,"probes":null}}`,
			"spec.ingress: Invalid value: spec.ingress requires spec.port",
		},
		{
			"port removed under the monitoring", `{"spec":{"additionalPorts":null}}`,
			"spec.monitoring.port: Invalid value: there is no port of this name",
		},
		{
			"another way to probe beside the first", `{"spec":{"probes":{"liveness":{"exec":{"command":["a"]}}}}}`,
			"spec.probes.liveness.httpGet: Invalid value: a probe has exactly one of httpGet, tcpSocket, grpc and exec",
		},
		{
			"another volume at the same place", `{"spec":{"files":[{"mountPath":"/a","emptyDir":{},"secret":{"secretName":"a"}}]}}`,
			"spec.files[0].mountPath: Invalid value: exactly one of inline, configMap",
		},
		{
			"a claim shrunk", `{"spec":{"files":[{"mountPath":"/b","persistentVolumeClaim":{"size":"1023Mi","accessModes":["ReadWriteMany"]}}]}}`,
			"spec.files[0].persistentVolumeClaim.size: Invalid value: a claim cannot shrink; set size to at least what it was",
		},
		{
			"other access modes", `{"spec":{"files":[{"mountPath":"/b","persistentVolumeClaim":{"size":"1Gi","accessModes":["ReadWriteMany","ReadOnlyMany"]}}]}}`,
			"spec.files[0].persistentVolumeClaim: Invalid value: storageClassName and accessModes of a claim that was made cannot be changed",
		},
		{
			"a storage class given later",
			`{"spec":{"files":[{"mountPath":"/b","persistentVolumeClaim":{"size":"1Gi","storageClassName":"","accessModes":["ReadWriteMany"]}}]}}`,
			"spec.files[0].persistentVolumeClaim: Invalid value: storageClassName and accessModes of a claim that was made cannot be changed",
		},
		{
			"a claim of a volume shrunk", `{"spec":{"volumes":[{"name":"v","persistentVolumeClaim":{"size":"1023Mi","storageClassName":"a","accessModes":["ReadWriteMany"]}}]}}`,
			"spec.volumes[0].persistentVolumeClaim.size: Invalid value: a claim cannot shrink; set size to at least what it was",
		},
		{
			"another class of a volume's claim",
			`{"spec":{"volumes":[{"name":"v","persistentVolumeClaim":{"size":"1Gi","storageClassName":"b","accessModes":["ReadWriteMany"]}}]}}`,
			"spec.volumes[0].persistentVolumeClaim: Invalid value: storageClassName and accessModes of a claim that was made cannot be changed",
		},
		{
			"last surge removed", `{"spec":{"rollout":{"maxSurge":0}}}`,
			"spec.rollout.maxUnavailable: Invalid value: maxSurge and maxUnavailable cannot both be 0",
		},
		{
			"grace below sleep", `{"spec":{"shutdown":{"gracePeriodSeconds":29}}}`,
			"spec.shutdown.preStopSleepSeconds: Invalid value: preStopSleepSeconds must be less than gracePeriodSeconds",
		},
		{
			"maximum below minimum", `{"spec":{"autoscaling":{"maxReplicas":1}}}`,
			"spec.autoscaling.maxReplicas: Invalid value: maxReplicas must be at least minReplicas",
		},
		{
			"the other budget beside the first", `{"spec":{"disruptionBudget":{"minAvailable":1}}}`,
			"spec.disruptionBudget.minAvailable: Invalid value: minAvailable and maxUnavailable exclude each other",
		},
		{
			"addresses beside labels", `{"spec":{"networkPolicy":{"ingressFrom":[{"podLabels":{"a":"b"},"cidr":"10.0.0.0/8"}]}}}`,
			"spec.networkPolicy.ingressFrom[0].cidr: Invalid value: a peer is either pods",
		},
		{"unknown field", `{"spec":{"imagePullSecret":"a"}}`, `unknown field "spec.imagePullSecret"`},
	}
	app := application(t, spec)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, complaint := range mismatches([]string{test.want}, patch(t, app.DeepCopy(), test.patch)) {
				t.Error(complaint)
			}
		})
	}
}

// TestUpdatesAreFree shows that no field is immutable, the class of a load balancer aside: whatever can be created can be edited
// into.
func TestUpdatesAreFree(t *testing.T) {
	manifests := loadManifests(t, "valid")
	var specs []tree
	for _, manifest := range manifests {
		specs = append(specs, manifest.object["spec"].(tree))
	}
	app := application(t, `{image: nginx}`)
	for i, spec := range specs {
		t.Run(manifests[i].name, func(t *testing.T) {
			if hasClass(spec) || i > 0 && hasClass(specs[i-1]) { // it stays as long as there is a load balancer
				if _, err := replaceSpec(t, app, tree{"image": "nginx"}); err != nil {
					t.Fatal(err)
				}
			}
			stored, err := replaceSpec(t, app, spec)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(expectedSpec(manifests[i]), stored); diff != "" {
				t.Errorf("stored spec (-want +got):\n%s", diff)
			}
		})
	}
}

func hasClass(spec tree) bool {
	service, _ := spec["service"].(tree)
	return service["loadBalancerClass"] != nil
}

// TestTransitionsAreRefused shows each rule about what may become of what, and the way around it.
func TestTransitionsAreRefused(t *testing.T) {
	const class = "spec.service.loadBalancerClass: Invalid value: the class of a load balancer cannot change while there is one; " +
		"set spec.service.type to ClusterIP first, and then give the type LoadBalancer with the other class"
	const shrunk = "spec.files[0].persistentVolumeClaim.size: Invalid value: a claim cannot shrink; set size to at least what it was, " +
		"or give the volume another name, which makes a new claim"
	const changed = "spec.volumes[0].persistentVolumeClaim: Invalid value: storageClassName and accessModes of a claim that was made " +
		"cannot be changed; set them back, or give the volume another name, which makes a new claim"
	file := func(claim string) string {
		return `{image: nginx, replicas: 1, rollout: {strategy: Recreate}, files: [{mountPath: /data, persistentVolumeClaim: {` + claim + `}}]}`
	}
	tests := []struct {
		name, spec, patch, want string
		// around are patches that lead to the same.
		around []string
	}{
		{
			"a claim that shrinks", file("size: 2Gi"),
			`{"spec":{"files":[{"mountPath":"/data","persistentVolumeClaim":{"size":"1Gi"}}]}}`, shrunk,
			[]string{`{"spec":{"files":[{"mountPath":"/data","name":"smaller","persistentVolumeClaim":{"size":"1Gi"}}]}}`},
		},
		{
			"a claim of another class", `{image: nginx, replicas: 1, rollout: {strategy: Recreate}, ` +
				`volumes: [{name: data, persistentVolumeClaim: {size: 1Gi, storageClassName: a}}]}`,
			`{"spec":{"volumes":[{"name":"data","persistentVolumeClaim":{"size":"1Gi","storageClassName":"b"}}]}}`, changed,
			[]string{`{"spec":{"volumes":[{"name":"fast","persistentVolumeClaim":{"size":"1Gi","storageClassName":"b"}}]}}`},
		},
		{
			"another class", `{image: nginx, port: 80, service: {type: LoadBalancer, loadBalancerClass: a}}`,
			`{"spec":{"service":{"loadBalancerClass":"b"}}}`, class,
			[]string{
				`{"spec":{"service":{"type":"ClusterIP","loadBalancerClass":null}}}`,
				`{"spec":{"service":{"type":"LoadBalancer","loadBalancerClass":"b"}}}`,
			},
		},
		{
			"a class for a load balancer that has none", `{image: nginx, port: 80, service: {type: LoadBalancer}}`,
			`{"spec":{"service":{"loadBalancerClass":"b"}}}`, class,
			[]string{
				`{"spec":{"service":null}}`, `{"spec":{"service":{"type":"LoadBalancer","loadBalancerClass":"b"}}}`,
			},
		},
		{
			"no class any more", `{image: nginx, port: 80, service: {type: LoadBalancer, loadBalancerClass: a}}`,
			`{"spec":{"service":{"loadBalancerClass":null}}}`, class,
			[]string{
				`{"spec":{"service":{"type":"NodePort","loadBalancerClass":null}}}`, `{"spec":{"service":{"type":"LoadBalancer"}}}`,
			},
		},
	}
	shown := ""
	for _, test := range tests {
		shown += test.want
		t.Run(test.name, func(t *testing.T) {
			app := application(t, test.spec)
			for _, complaint := range mismatches([]string{test.want}, patch(t, app.DeepCopy(), test.patch)) {
				t.Error(complaint)
			}
			for _, way := range test.around {
				if err := patch(t, app, way); err != nil {
					t.Errorf("%s: %v", way, err)
				}
			}
		})
	}
	visitSpec(t, func(path string, at *property) {
		for _, rule := range at.Rules {
			if rule.isAboutUpdates() && !strings.Contains(shown, rule.Message) {
				t.Errorf("no transition is refused with: %s%s: %s", path, rule.FieldPath, rule.Message)
			}
		}
	})
}

// TestDefaultsComeBack shows that a field that is removed falls back to its default.
func TestDefaultsComeBack(t *testing.T) {
	app := application(t, `{image: nginx, port: 80, replicas: 3, deletionPolicy: Drain, service: {type: NodePort},
		security: {profile: Restricted}, rollout: {strategy: Recreate, maxSurge: 1, maxUnavailable: 1, minReadySeconds: 1,
		progressDeadlineSeconds: 5, revisionHistoryLimit: 0}, shutdown: {gracePeriodSeconds: 5, preStopSleepSeconds: 4},
		autoscaling: {minReplicas: 2, maxReplicas: 2}, disruptionBudget: {enabled: false}, ingress: {path: /a, pathType: Exact},
		monitoring: {path: /a, interval: 5s}}`)
	err := patch(t, app, `{"spec":{"replicas":null,"deletionPolicy":null,"service":{"type":null},
		"security":{"profile":null},"rollout":{"strategy":null,"maxSurge":null,"maxUnavailable":null,"minReadySeconds":null,
		"progressDeadlineSeconds":null,"revisionHistoryLimit":null},"shutdown":{"gracePeriodSeconds":null,
		"preStopSleepSeconds":null},"autoscaling":{"minReplicas":null},"disruptionBudget":{"enabled":null},
		"ingress":{"path":null,"pathType":null},"monitoring":{"path":null,"interval":null}}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := application(t, `{image: nginx, port: 80, service: {}, security: {}, rollout: {}, shutdown: {},
		autoscaling: {maxReplicas: 2}, disruptionBudget: {}, ingress: {}, monitoring: {}}`)
	if diff := cmp.Diff(want.Spec, app.Spec); diff != "" {
		t.Errorf("spec after the fields were removed (-want +got):\n%s", diff)
	}
}

// TestScale shows the scale subresource, which kubectl scale and autoscalers use.
func TestScale(t *testing.T) {
	app := application(t, `{image: nginx, replicas: 3}`)
	app.Status.Replicas = 2
	app.Status.Selector = "app.kubernetes.io/instance=my-app"
	if err := cluster.client.Status().Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	expectScale(t, app, 3, 2, "app.kubernetes.io/instance=my-app")

	if err := setScale(t, app, 5); err != nil {
		t.Fatal(err)
	}
	expectScale(t, app, 5, 2, "app.kubernetes.io/instance=my-app")
	reload(t, app)
	if *app.Spec.Replicas != 5 {
		t.Errorf("spec.replicas is %d after a write of 5 through scale", *app.Spec.Replicas)
	}

	if err := setScale(t, app, 0); err != nil {
		t.Errorf("scale to zero: %v", err)
	}
	wants := []string{"spec.replicas: Invalid value: -1"}
	for _, complaint := range mismatches(wants, setScale(t, app, -1)) {
		t.Error(complaint)
	}
	expectScale(t, app, 0, 2, "app.kubernetes.io/instance=my-app")
}

func expectScale(t *testing.T, app *v1.Application, desired, there int32, selector string) {
	t.Helper()
	scale := &autoscalingv1.Scale{}
	if err := cluster.client.SubResource("scale").Get(t.Context(), app, scale); err != nil {
		t.Fatal(err)
	}
	want := autoscalingv1.Scale{
		Spec:   autoscalingv1.ScaleSpec{Replicas: desired},
		Status: autoscalingv1.ScaleStatus{Replicas: there, Selector: selector},
	}
	if diff := cmp.Diff(want, autoscalingv1.Scale{Spec: scale.Spec, Status: scale.Status}); diff != "" {
		t.Errorf("scale (-want +got):\n%s", diff)
	}
}

func setScale(t *testing.T, app *v1.Application, replicas int32) error {
	t.Helper()
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	return cluster.client.SubResource("scale").Update(t.Context(), app, client.WithSubResourceBody(scale))
}
