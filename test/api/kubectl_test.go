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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// running is an Application with the status of one that runs.
func running(t *testing.T) *v1.Application {
	t.Helper()
	app := application(t, `{image: "nginx:1.29", replicas: 3, port: 80}`)
	app.Status = v1.ApplicationStatus{
		ObservedGeneration: app.Generation,
		Replicas:           3,
		ReadyReplicas:      2,
		ReplicaSummary:     "2/3",
		URL:                "http://my-app.shop.svc",
		Image:              "nginx:1.28",
		Conditions: []metav1.Condition{
			{Type: v1.ConditionProgressing, Status: metav1.ConditionFalse, Reason: v1.ReasonRolloutComplete},
			{Type: v1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1.ReasonRolloutComplete},
		},
	}
	for i := range app.Status.Conditions {
		app.Status.Conditions[i].LastTransitionTime = metav1.Now()
		app.Status.Conditions[i].ObservedGeneration = app.Generation
	}
	if err := cluster.client.Status().Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	return app
}

// table splits what kubectl get shows into its cells. The cells of these tests contain no blanks.
func table(shown string) [][]string {
	var rows [][]string
	for line := range strings.Lines(shown) {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}

// TestKubectlGet shows the table of kubectl get, by each name that the kind has.
func TestKubectlGet(t *testing.T) {
	space := running(t).Namespace
	narrow := [][]string{
		{"NAME", "READY", "REASON", "REPLICAS", "URL", "AGE"},
		{"my-app", "True", "RolloutComplete", "2/3", "http://my-app.shop.svc"},
	}
	wide := [][]string{append(narrow[0], "IMAGE"), append(narrow[1], "nginx:1.29")}
	tests := []struct {
		args []string
		want [][]string
	}{
		{[]string{"get", "appl"}, narrow},
		{[]string{"get", "application"}, narrow},
		{[]string{"get", "applications"}, narrow},
		{[]string{"get", "applications.apps.example.com"}, narrow},
		{[]string{"get", "appl", "-o", "wide"}, wide},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			rows := table(mustKubectl(t, append(test.args, "-n", space)...))
			if diff := cmp.Diff(test.want, withoutAge(rows)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutAge leaves the age out of the rows below the header: it is the one cell that is different every time.
func withoutAge(rows [][]string) [][]string {
	const age = 5
	for i := range rows {
		if i > 0 && len(rows[i]) > age {
			rows[i] = append(rows[i][:age:age], rows[i][age+1:]...)
		}
	}
	return rows
}

// TestKubectlGetAll shows that an Application appears beside the objects that are made for it.
func TestKubectlGetAll(t *testing.T) {
	space := running(t).Namespace
	shown := mustKubectl(t, "get", "all", "-n", space)
	if !strings.Contains(shown, "application.apps.example.com/my-app ") && !strings.Contains(shown, "\nmy-app ") {
		t.Errorf("no Application in:\n%s", shown)
	}
}

// TestKubectlGetWithoutStatus shows what a user sees while no operator has looked yet: the name and the age, and
// nothing that could be taken for an answer.
func TestKubectlGetWithoutStatus(t *testing.T) {
	space := application(t, `{image: nginx}`).Namespace
	rows := table(mustKubectl(t, "get", "appl", "-n", space, "--no-headers"))
	if len(rows) != 1 || len(rows[0]) != 2 || rows[0][0] != "my-app" {
		t.Errorf("got %q, want the name and the age", rows)
	}
}

// TestKubectlWait shows that the conditions carry what kubectl wait needs in order not to believe an older
// generation.
func TestKubectlWait(t *testing.T) {
	app := running(t)
	ask := []string{"wait", "--for=condition=Ready", "appl/my-app", "--timeout=0", "-n", app.Namespace}
	if shown, err := kubectl(t, ask...); err != nil {
		t.Errorf("not ready: %s", shown)
	}
	if err := patch(t, app, `{"spec":{"image":"nginx:2"}}`); err != nil {
		t.Fatal(err)
	}
	if shown, err := kubectl(t, ask...); err == nil {
		t.Errorf("ready, although nobody has looked at generation %d: %s", app.Generation, shown)
	}
}

// TestKubectlScale shows that kubectl scale works on an Application.
func TestKubectlScale(t *testing.T) {
	app := running(t)
	mustKubectl(t, "scale", "appl/my-app", "--replicas=7", "-n", app.Namespace)
	reload(t, app)
	if *app.Spec.Replicas != 7 {
		t.Errorf("spec.replicas is %d, want 7", *app.Spec.Replicas)
	}
}

// TestKubectlExplain shows the documentation that kubectl has of each field.
func TestKubectlExplain(t *testing.T) {
	tests := []struct {
		field string
		wants []string
	}{
		{"appl", []string{"KIND:       Application", "VERSION:    v1", "spec\t<Object> -required-"}},
		{"appl.spec", []string{"image\t<string> -required-", "additionalPorts\t<[]Object>", "deletionPolicy\t<string>"}},
		{"appl.spec.security", []string{
			"named after the Pod Security", "profile\t<string>", "enum: Baseline, Restricted",
			"runAsUser\t<integer>", "runAsGroup\t<integer>", "fsGroup\t<integer>", "readOnlyRootFilesystem\t<boolean>",
		}},
		{"appl.spec.initContainers", []string{"name\t<string> -required-", "image\t<string>", "Container image name"}},
		{"appl.spec.autoscaling", []string{
			"maxReplicas\t<integer> -required-", "metrics\t<[]Object>", "in the form of autoscaling/v2",
		}},
		{"appl.spec.probes.liveness.httpGet", []string{"port\t<Object>", "Unset, it is spec.port", "enum: HTTP, HTTPS"}},
		{"appl.spec.scheduling.affinity.nodeAffinity", []string{"requiredDuringSchedulingIgnoredDuringExecution\t<Object>"}},
		{"appl.spec.additionalPorts.protocol", []string{"protocol <string>", "TCP\n    UDP\n    SCTP"}},
		{"appl.status.conditions", []string{"conditions are Ready, Progressing, Available and Degraded"}},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			// The API server publishes the documentation of a new kind a moment after it serves the kind.
			eventually(t, func() error {
				_, err := kubectl(t, "explain", test.field)
				return err
			})
			shown := mustKubectl(t, "explain", test.field)
			for _, want := range test.wants {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is missing in:\n%s", want, shown)
				}
			}
		})
	}
}

// TestKubectlRefusals shows that the messages of testdata/invalid are what a user of kubectl reads, with each of
// the ways to apply a manifest.
func TestKubectlRefusals(t *testing.T) {
	ways := map[string][]string{
		"create":            {"create"},
		"apply":             {"apply"},
		"apply server-side": {"apply", "--server-side"},
	}
	cases := []string{
		"service-of-a-worker", "additional-port-repeats-port", "name-too-long", "security-restricted-root",
		"image-missing", "image-pull-secrets-upper-case", "files-of-nothing", "probes-of-two", "probes-exec-command-empty",
		"rollout-stuck-numbers", "resources-exponent-fraction", "autoscaling-max-below-min", "network-policy-cidr",
	}
	space := namespace(t, "")
	for _, name := range cases {
		file := "testdata/invalid/" + name + ".yaml"
		for way, args := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				shown, err := kubectl(t, append(args, "-n", space, "-f", file)...)
				if err == nil {
					t.Fatalf("accepted: %s", shown)
				}
				shown = strings.Join(inOneWording(strings.Split(shown, "\n")), "\n")
				for _, want := range inOneWording(loadManifest(t, file).wants) {
					if !strings.Contains(shown, want) {
						t.Errorf("%q is missing in:\n%s", want, shown)
					}
				}
			})
		}
	}
}

// TestKubectlTellsUnknownFields shows that a slip of the pen is told by default, in the words of each command.
func TestKubectlTellsUnknownFields(t *testing.T) {
	space := namespace(t, "")
	for _, args := range [][]string{{"create"}, {"apply"}, {"apply", "--server-side"}} {
		shown, err := kubectl(t, append(args, "-n", space, "-f", "testdata/invalid/unknown-field.yaml")...)
		if err == nil || !strings.Contains(shown, "spec.replica") {
			t.Errorf("kubectl %s: %v: %s", strings.Join(args, " "), err, shown)
		}
	}
}
