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

package gitops_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/process"
)

// serverSide and clientSide are the two ways to apply and to compare.
var (
	clientSide []string
	serverSide = []string{"--server-side"}
)

// diff returns what kubectl would change, or nothing.
func diff(t *testing.T, file string, flags []string) string {
	t.Helper()
	args := append([]string{"diff", "--namespace=" + served, "-f", file}, flags...)
	said, err := tool(t.Context(), cluster.KubectlPath(), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("kubectl diff %s: %v\n%s", file, err, said)
	}
	return string(said)
}

// observed waits until the operator has reported on all Applications as they are.
func observed(t *testing.T) {
	t.Helper()
	process.Eventually(t, "the operator has looked at all Applications", func() bool {
		apps := &v1.ApplicationList{}
		if err := admin.List(t.Context(), apps, client.InNamespace(served)); err != nil {
			t.Fatal(err)
		}
		for _, app := range apps.Items {
			if app.Status.ObservedGeneration != app.Generation || meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady) == nil {
				return false
			}
		}
		return len(apps.Items) > 0
	})
}

func write(t *testing.T, manifest string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "application.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func apply(t *testing.T, file string, flags []string) {
	t.Helper()
	kubectl(t, append([]string{"apply", "--namespace=" + served, "-f", file}, flags...)...)
}

// remove deletes an Application at the test's end, so that another one may have the name.
func remove(t *testing.T, file string) {
	t.Helper()
	kubectl(t, "delete", "--namespace="+served, "-f", file, "--timeout="+process.Limit.String())
}

// TestDiffsStayEmpty applies every sample, and wants no difference when the operator has done its work.
func TestDiffsStayEmpty(t *testing.T) {
	samples, err := filepath.Glob(filepath.Join(root, "config/samples/*.yaml"))
	if err != nil || len(samples) < 20 {
		t.Fatalf("found only %v (%v)", samples, err)
	}
	all := ""
	for _, file := range samples {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) != "kustomization.yaml" {
			all += "---\n" + string(content)
		}
	}
	for name, flags := range map[string][]string{"client-side": clientSide, "server-side": serverSide} {
		t.Run(name, func(t *testing.T) {
			file := write(t, all)
			apply(t, file, flags)
			observed(t)
			if found := diff(t, file, flags); found != "" {
				t.Errorf("the live Applications differ from what was applied:\n%s", found)
			}
			remove(t, file)
		})
	}
}

// TestQuantitiesStayAsGiven holds that a quantity is stored as it was written, so that Argo CD has nothing to normalise.
func TestQuantitiesStayAsGiven(t *testing.T) {
	file := write(t, manifestOf(served, "quantities",
		`{image: nginx, resources: {requests: {cpu: 1000m, memory: 1024Mi}, limits: {cpu: 1, memory: "1073741824"}}}`))
	apply(t, file, serverSide)
	observed(t)
	app := &unstructured.Unstructured{}
	app.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
	if err := admin.Get(t.Context(), client.ObjectKey{Namespace: served, Name: "quantities"}, app); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"requests cpu": "1000m", "requests memory": "1024Mi", "limits cpu": int64(1), "limits memory": "1073741824",
	} {
		fields := append([]string{"spec", "resources"}, strings.Fields(path)...)
		if got, _, err := unstructured.NestedFieldNoCopy(app.Object, fields...); err != nil || got != want {
			t.Errorf("%s is %v, want %v (%v)", path, got, want, err)
		}
	}
	if found := diff(t, file, serverSide); found != "" {
		t.Error(found)
	}
	remove(t, file)
}

// TestScaleBesideGit is about kubectl scale, and about whoever applies the manifest again after it.
func TestScaleBesideGit(t *testing.T) {
	for name, flags := range map[string][]string{"client-side": clientSide, "server-side": append(serverSide, "--force-conflicts")} {
		t.Run(name, func(t *testing.T) {
			without := write(t, manifestOf(served, "unsaid", "{image: nginx}"))
			with := write(t, manifestOf(served, "said", "{image: nginx, replicas: 2}"))
			for _, file := range []string{without, with} {
				apply(t, file, flags)
			}
			kubectl(t, "scale", "--namespace="+served, "--replicas=4", "applications.apps.example.com/said", "applications.apps.example.com/unsaid")
			observed(t)
			if found := diff(t, without, flags); found != "" {
				t.Errorf("replicas that the manifest does not name differ:\n%s", found)
			}
			if found := diff(t, with, flags); !strings.Contains(found, "replicas: 2") {
				t.Errorf("replicas that the manifest names do not differ:\n%s", found)
			}
			for _, file := range []string{without, with} {
				apply(t, file, flags)
			}
			if unsaid, said := *get(t, served, "unsaid").Spec.Replicas, *get(t, served, "said").Spec.Replicas; unsaid != 4 || said != 2 {
				t.Errorf("applied again there are %d replicas where the manifest names none, want 4, and %d of 2", unsaid, said)
			}
			remove(t, without)
			remove(t, with)
		})
	}
}

// TestAutoscalerBesideGit holds that an autoscaler changes the Deployment, and nothing that is in Git.
func TestAutoscalerBesideGit(t *testing.T) {
	file := write(t, manifestOf(served, "scaled", "image: nginx\nresources: {requests: {cpu: 10m}}\nautoscaling: {minReplicas: 2, maxReplicas: 5}"))
	apply(t, file, clientSide)
	observed(t)
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: served, Name: "scaled"}
	process.Eventually(t, "the Deployment is there", func() bool { return admin.Get(t.Context(), key, deployment) == nil })
	kubectl(t, "scale", "--namespace="+served, "--replicas=4", "deployment/scaled") // as its autoscaler would
	apply(t, file, clientSide)
	observed(t)
	if found := diff(t, file, clientSide); found != "" {
		t.Error(found)
	}
	if err := admin.Get(t.Context(), key, deployment); err != nil || *deployment.Spec.Replicas != 4 {
		t.Errorf("%v, %d replicas, want 4", err, *deployment.Spec.Replicas)
	}
	remove(t, file)
}
