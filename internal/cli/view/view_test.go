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

package view

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/status"
)

// row is one of the guide's table of reasons: the reason, what it means, and what to do.
var row = regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| (.*) \\| (.*?) ?\\|$")

// link is a link of Markdown.
var link = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)

func TestTheAdviceIsTheGuides(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "## Conditions and reasons")
	table, _, _ = strings.Cut(table, "### What follows from a reason")
	seen := map[string]bool{}
	for _, found := range row.FindAllStringSubmatch(table, -1) {
		reason, do := found[1], strings.ReplaceAll(link.ReplaceAllString(found[3], "$1"), "`", "")
		advice, ok := Advices[reason]
		if !ok {
			continue // a condition, in the table before
		}
		seen[reason] = true
		if advice.Do != do {
			t.Errorf("%s: the guide says %q, and the plugin %q", reason, do, advice.Do)
		}
	}
	for reason := range Advices {
		if !seen[reason] {
			t.Errorf("the guide says nothing of %s", reason)
		}
	}
}

// TestEachReasonHasItsAdvice reads the reasons of package v1.
func TestEachReasonHasItsAdvice(t *testing.T) {
	source, err := os.ReadFile("../../../api/v1/conditions.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`(?m)^\tReason\w+ = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) < 20 {
		t.Fatalf("only %d reasons", len(reasons))
	}
	for _, reason := range reasons {
		advice, ok := Advices[reason[1]]
		if !ok || advice.Do != "" && len(advice.Next) == 0 {
			t.Errorf("%s has no advice, or no next command", reason[1])
		}
	}
}

func deployment(container corev1.Container, annotations map[string]string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "operator", Namespace: "system"}}
	d.Spec.Template.Annotations = annotations
	d.Spec.Template.Spec.Containers = []corev1.Container{container}
	return d
}

func from(path string) corev1.Container {
	return corev1.Container{Env: []corev1.EnvVar{{
		Name: "WATCH_NAMESPACE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}},
	}}}
}

func TestWhichNamespacesAnOperatorServes(t *testing.T) {
	olm := map[string]string{"olm.targetNamespaces": "a,b"}
	cases := map[string]struct {
		deployment *appsv1.Deployment
		want       string
	}{
		"its own":          {deployment(from("metadata.namespace"), nil), "the namespace system"},
		"OLM's":            {deployment(from("metadata.annotations['olm.targetNamespaces']"), olm), "the namespaces a, b"},
		"not said":         {deployment(corev1.Container{}, nil), "namespaces that its Deployment does not name"},
		"all, by the flag": {deployment(corev1.Container{Args: []string{"--namespace="}}, nil), "all namespaces"},
		"by the variable": {
			deployment(corev1.Container{Env: []corev1.EnvVar{{Name: "WATCH_NAMESPACE", Value: "shop"}}}, nil), "the namespace shop",
		},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			operator := OperatorOf(each.deployment)
			want := "deployment/operator in system serves " + each.want + "; 0 of its pods are ready"
			if got := operator.String(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func application(generation int64, conditions ...metav1.Condition) *v1.Application {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop", Generation: generation}}
	app.Status.ObservedGeneration = 1
	app.Status.Conditions = conditions
	return app
}

func condition(kind string, is metav1.ConditionStatus, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: is, Reason: reason, Message: "pod my-app-1-x, container my-app: words"}
}

func TestVerdicts(t *testing.T) {
	ready, degraded := v1.ConditionReady, v1.ConditionDegraded
	cases := map[string]struct {
		app  *v1.Application
		want Verdict
		well bool
	}{
		"ready":         {application(1, condition(ready, "True", v1.ReasonRolloutComplete)), Ready, true},
		"on its way":    {application(1, condition(ready, "Unknown", v1.ReasonRollingOut)), OnItsWay, true},
		"not looked at": {application(1), Unserved, false},
		"behind":        {application(2, condition(ready, "True", v1.ReasonRolloutComplete)), OnItsWay, true},
		"faulty":        {application(1, condition(ready, "False", v1.ReasonCrashLooping)), NotReady, false},
		"serves with a fault": {
			application(1, condition(ready, "True", v1.ReasonRolloutComplete), condition(degraded, "True", v1.ReasonScheduleFailed)), Degraded, false,
		},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := VerdictOf(each.app)
			if got != each.want || got.Well() != each.well {
				t.Errorf("got %s, well %v; want %s", got, got.Well(), each.want)
			}
		})
	}
}

func TestWhyNamesThePodAndTheNextCommand(t *testing.T) {
	var out bytes.Buffer
	f := &Facts{Now: time.Now(), Application: application(1, condition(v1.ConditionReady, "False", v1.ReasonImagePullFailed))}
	if Why(&out, f) {
		t.Error("this is called well")
	}
	want := `my-app in shop is not ready: ImagePullFailed
  pod my-app-1-x, container my-app: words

What to do: correct the image or its pull Secrets
Next:
  kubectl describe pod my-app-1-x -n shop
  kubectl edit appl my-app -n shop
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestWhyShowsTheObjectThatTheMessageNames holds that who contends is looked for in that object, which need not be the Deployment.
func TestWhyShowsTheObjectThatTheMessageNames(t *testing.T) {
	const show = "  kubectl get service my-app -n shop -o yaml --show-managed-fields\n"
	for message, named := range map[string]bool{
		`Service my-app: "hostile" keeps changing .spec.ports`:    true,
		`several objects of kind Service: "hostile" changes them`: false,
		`"hostile" keeps changing Service my-app: .spec.ports`:    false,
	} {
		fault := condition(v1.ConditionDegraded, "True", v1.ReasonFieldManagerConflict)
		fault.Message = message
		var out bytes.Buffer
		Why(&out, &Facts{Now: time.Now(), Application: application(1, condition(v1.ConditionReady, "True", v1.ReasonRolloutComplete), fault)})
		if said := out.String(); strings.Contains(said, show) != named || strings.Contains(said, "OBJECT") {
			t.Errorf("%s\n%s", message, said)
		}
	}
}

// TestWhyTellsWhatKeepsAPodFromNodes holds that each part of what the scheduler says has its own advice, and nothing else has.
func TestWhyTellsWhatKeepsAPodFromNodes(t *testing.T) {
	for words, want := range map[string][]string{
		"1 Insufficient cpu, 2 Insufficient nvidia.com/gpu": {"so much cpu left", "so much nvidia.com/gpu left"},
		"1 Too many pods":                    {"as many pods as they may"},
		"3 node(s) had untolerated taint(s)": {"spec.scheduling.tolerations"},
		"1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }":    {"spec.scheduling.tolerations"},
		"1 node(s) didn't match Pod's node affinity/selector":                          {"spec.scheduling.nodeSelector"},
		"1 node(s) didn't match pod affinity rules":                                    {"beside which spec.scheduling.affinity asks"},
		"1 node(s) didn't match pod anti-affinity rules":                               {"relax podAntiAffinity"},
		"1 node(s) didn't satisfy existing pods anti-affinity rules":                   {"relax podAntiAffinity"},
		"1 node(s) didn't match pod topology spread constraints":                       {"topologySpreadConstraints"},
		"1 node(s) were unschedulable":                                                 {"cordoned"},
		"1 node(s) didn't have free ports for the requested pod ports":                 {"hostPort"},
		"pod has unbound immediate PersistentVolumeClaims. not found":                  {"StorageClass"},
		"1 node(s) didn't find available persistent volumes to bind":                   {"StorageClass"},
		"1 node(s) didn't match PersistentVolume's node affinity":                      {"in another zone"},
		"1 node(s) had no available volume zone":                                       {"in another zone"},
		"1 node(s) did not have enough free storage":                                   {"no room for another volume"},
		"1 node(s) exceed max volume count":                                            {"no room for another volume"},
		"1 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)":  {"gone or in use"},
		"1 Insufficient memory, 2 node(s) had untolerated taint(s)":                    {"so much memory left", "spec.scheduling.tolerations"},
		"1 node(s) had a cause that nobody knows. preemption: 0/1 nodes are available": {},
	} {
		app := application(1, condition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnschedulable))
		app.Status.Conditions[0].Message = "pod web-1-a: 0/3 nodes are available: " + words + "."
		var out bytes.Buffer
		Why(&out, &Facts{Application: app})
		for _, part := range want {
			if !strings.Contains(out.String(), "  - ") || !strings.Contains(out.String(), part) {
				t.Errorf("%s: no %q in\n%s", words, part, &out)
			}
		}
		if got := strings.Count(out.String(), "\n  - "); got != len(want) {
			t.Errorf("%s: %d parts, want %d:\n%s", words, got, len(want), &out)
		}
		if general := strings.Contains(out.String(), Advices[v1.ReasonUnschedulable].Do); general != (len(want) == 0) {
			t.Errorf("%s: the general advice is there: %v", words, general)
		}
	}
}

func TestWhyNamesTheClaimsThatPodsWaitFor(t *testing.T) {
	none := "none"
	app := application(1, condition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnschedulable))
	claim := status.UnboundClaim{Name: "web-data", StorageClassName: &none}
	app.Status.Conditions[0].Message = "pod a: pod has unbound immediate PersistentVolumeClaims; " + claim.String()
	other := status.UnboundClaim{Name: "shared"}
	var out bytes.Buffer
	Why(&out, &Facts{Application: app, Unbound: []Claim{{claim, "the cluster has no StorageClass none"}, {other, "the cluster has no default StorageClass"}, {UnboundClaim: other}}})
	for _, line := range []string{"\n  the cluster has no StorageClass none\n", "\n  " + other.String() + ": the cluster has no default StorageClass\n", "\n  " + other.String() + "\n"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %q in\n%s", line, &out)
		}
	}
}

func TestTheBarShowsHowFarARolloutIs(t *testing.T) {
	three := int32(3)
	app := application(1, condition(v1.ConditionReady, "Unknown", v1.ReasonRollingOut), condition(v1.ConditionProgressing, "True", v1.ReasonRollingOut))
	app.Status.ReplicaSummary = "2/3"
	f := &Facts{Application: app, Deployment: &appsv1.Deployment{
		Spec: appsv1.DeploymentSpec{Replicas: &three}, Status: appsv1.DeploymentStatus{UpdatedReplicas: 2, AvailableReplicas: 3},
	}}
	if got, want := replicas(f), "2/3 ready  [#############.......] 2 of 3 new pods available"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOneScreenShowsThePodsThatDoNotRun holds that of many pods those are shown of which somebody may want to know.
func TestOneScreenShowsThePodsThatDoNotRun(t *testing.T) {
	pods := make([]Pod, 0, 3*mostPods)
	for i := range 3 * mostPods {
		pods = append(pods, Pod{Name: fmt.Sprintf("web-%d", i), State: "Running"})
	}
	pods[2*mostPods].State = "ImagePullBackOff"
	var short, wide strings.Builder
	writePods(&short, pods, Short)
	writePods(&wide, pods, Wide)
	if lines := strings.Split(short.String(), "\n"); !strings.HasPrefix(lines[2], "web-40 ") || !strings.Contains(lines[2], "ImagePullBackOff") {
		t.Errorf("the pod that does not run is not the first:\n%s", short.String())
	}
	if !strings.HasSuffix(short.String(), "\nand 40 more pods, which -o wide shows\n") || strings.Count(short.String(), "web-") != mostPods {
		t.Errorf("of 60 pods:\n%s", short.String())
	}
	if strings.Count(wide.String(), "web-") != len(pods) {
		t.Errorf("-o wide leaves pods out:\n%s", wide.String())
	}
}
