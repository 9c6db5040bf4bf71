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
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/process"
)

var update = flag.Bool("update", false, "write the table of docs/gitops.md")

// release is a `helm install --wait` that runs.
type release struct {
	said  string
	took  time.Duration
	err   error
	ended chan struct{}
}

// installAndWait begins it.
func installAndWait(t *testing.T, name, spec string) *release {
	t.Helper()
	dir := chart(t, manifestOf(served, name, spec))
	r := &release{ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.said, r.took, r.err = helm(t.Context(), "install", name, dir, "--namespace="+served, "--wait", "--timeout="+patience)
	}()
	t.Cleanup(func() { <-r.ended })
	return r
}

func (r *release) end(t *testing.T) {
	t.Helper()
	<-r.ended
	t.Logf("helm ended after %.1f s: %v", r.took.Seconds(), r.err)
}

// waitFor waits until the Application has a condition that is True for the reason.
func waitFor(t *testing.T, name, kind, reason string) {
	t.Helper()
	process.Eventually(t, name+" is "+kind+" for "+reason, func() bool {
		app := &v1.Application{}
		if err := admin.Get(t.Context(), client.ObjectKey{Namespace: served, Name: name}, app); err != nil {
			return false
		}
		found := meta.FindStatusCondition(app.Status.Conditions, kind)
		return found != nil && found.Status == metav1.ConditionTrue && found.Reason == reason
	})
}

// patience is long enough for Helm to be still there when what is expected has happened, and longer than a fault may last.
const patience = "10m"

// mayHeal is how long a fault that may heal by itself has by default: what takes as long has not failed at once, or when it was to.
const mayHeal = 2 * time.Minute

func TestHelmWaitsForReady(t *testing.T) {
	r := installAndWait(t, "good", "{image: nginx, port: 80}")
	r.end(t)
	if r.err != nil {
		t.Fatal(r.said)
	}
	if app := get(t, served, "good"); !meta.IsStatusConditionTrue(app.Status.Conditions, v1.ConditionReady) {
		t.Errorf("Helm is done, and the Application has %v", app.Status.Conditions)
	}
}

// TestHelmFailsAtOnce is about a spec that Kubernetes refuses after the API server has taken the Application.
func TestHelmFailsAtOnce(t *testing.T) {
	r := installAndWait(t, "invalid", "image: nginx\nport: 80\nservice: {annotations: {not a key: x}}")
	r.end(t)
	if r.err == nil || !strings.Contains(r.said, "status: Failed") || !strings.Contains(r.said, "not a key") {
		t.Fatalf("%v: %s", r.err, r.said)
	}
	app := get(t, served, "invalid")
	stalled := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionStalled)
	if stalled == nil || stalled.LastTransitionTime.Sub(app.CreationTimestamp.Time) >= mayHeal {
		t.Errorf("it is Stalled as if it might heal: %+v", stalled)
	}
}

// TestHelmFailsWithinFailAfterSeconds plays the kubelet: the image cannot be pulled.
func TestHelmFailsWithinFailAfterSeconds(t *testing.T) {
	const failAfter = 10 * time.Second
	r := installAndWait(t, "unpullable", "image: nginx:nope\nreplicas: 1\nrollout: {failAfterSeconds: 10}\npodMetadata: {labels: {"+
		controlplane.Unmanaged+`: "true"}}`)
	pods := &corev1.PodList{}
	process.Eventually(t, "there is a pod", func() bool {
		err := admin.List(t.Context(), pods, client.InNamespace(served), client.MatchingLabels{controlplane.Unmanaged: "true"})
		return err == nil && len(pods.Items) == 1 && pods.Items[0].Spec.NodeName != ""
	})
	pod := &pods.Items[0]
	pod.Status.Phase = corev1.PodPending
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: pod.Spec.Containers[0].Name, Image: "nginx:nope",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: `Back-off pulling image "nginx:nope": ErrImagePull: not found`,
		}},
	}}
	if err := admin.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.end(t)
	if r.err == nil || !strings.Contains(r.said, "status: Failed") || !strings.Contains(r.said, "message: pod unpullable-") {
		t.Fatalf("%v: %s", r.err, r.said)
	}
	if took := time.Since(began); took < failAfter-2*time.Second || took > mayHeal { // conditions have whole seconds
		t.Errorf("it took %s", took)
	}
}

// TestHelmWaitsForASecret is about a fault that heals while Helm waits.
func TestHelmWaitsForASecret(t *testing.T) {
	r := installAndWait(t, "late", "image: nginx\nenvFrom: [{secretRef: {name: database}}]")
	waitFor(t, "late", v1.ConditionReconciling, v1.ReasonReferenceMissing)
	select {
	case <-r.ended:
		t.Fatalf("Helm has not waited: %v %s", r.err, r.said)
	case <-time.After(time.Second): // it would have ended by now
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: served, Name: "database"}}
	if err := admin.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	if r.err != nil {
		t.Error(r.said)
	}
}

// state is what internal/status writes of each status that can be.
type state struct {
	Reason, Ready, Kstatus, ArgoCD string
	Conditions                     []metav1.Condition
}

// waits are the words of the table's last column.
const (
	goesOn, waits, fails = "goes on", "waits", "fails"
)

// TestEveryState gives each status that can be to Helm, and compares what it does, and what the others say, with the table of
// docs/gitops.md.
func TestEveryState(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "internal/status/testdata/states.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var states []state
	if err := yaml.Unmarshal(content, &states); err != nil || len(states) == 0 {
		t.Fatalf("no states (%v)", err)
	}
	rows := make([]string, len(states))
	t.Run("states", func(t *testing.T) {
		for i, one := range states {
			t.Run(one.Reason+" "+one.Kstatus+" "+one.Ready, func(t *testing.T) {
				t.Parallel()
				cells := []string{"`" + one.Reason + "`", one.Ready, one.Kstatus, one.ArgoCD, helmOn(t, one)}
				rows[i] = "| " + strings.Join(cells, " | ") + " |"
			})
		}
	})
	const title = "| Reason of `Ready` | `Ready` | kstatus, Flux | Argo CD | `helm upgrade --wait` |\n|---|---|---|---|---|\n"
	file := filepath.Join(root, "docs/gitops.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, table, found := strings.Cut(string(page), title)
	if !found {
		t.Fatalf("docs/gitops.md has no table with the title\n%s", title)
	}
	table, after, _ := strings.Cut(table, "\n\n")
	if *update {
		page = []byte(before + title + strings.Join(rows, "\n") + "\n\n" + after)
		if err := os.WriteFile(file, page, 0o600); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(rows, strings.Split(table, "\n")); diff != "" {
		t.Errorf("-tools +docs/gitops.md; write it with go test ./test/gitops -update:\n%s", diff)
	}
}

// helmOn plays the operator: an Application of Helm's gets the status, and Helm waits for it once more.
func helmOn(t *testing.T, one state) string {
	t.Helper()
	name := strings.ToLower(one.Reason + "-" + one.Ready + "-" + one.Kstatus)
	dir := chart(t, manifestOf(unserved, name, "{image: nginx}"))
	if said, _, err := helm(t.Context(), "install", name, dir, "--namespace="+unserved); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	app := get(t, unserved, name)
	if one.Kstatus == "Terminating" {
		app.Finalizers = []string{v1.Finalizer}
		if err := admin.Update(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		if err := admin.Delete(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		app = get(t, unserved, name)
	}
	app.Status = v1.ApplicationStatus{ObservedGeneration: app.Generation, Conditions: one.Conditions}
	for i := range app.Status.Conditions {
		app.Status.Conditions[i].ObservedGeneration = app.Generation
	}
	if err := admin.Status().Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	timeout := patience
	if one.Kstatus == "InProgress" || one.Kstatus == "Terminating" {
		timeout = "5s" // it waits for so long
	}
	said, _, err := helm(t.Context(), "upgrade", name, dir, "--namespace="+unserved, "--wait", "--timeout="+timeout)
	switch {
	case err == nil:
		return goesOn
	case strings.Contains(said, "context deadline exceeded") && !strings.Contains(said, "status: Failed"):
		return waits
	case strings.Contains(said, "status: Failed") && !strings.Contains(said, "context deadline exceeded"):
		return fails
	default:
		t.Fatalf("%v: %s", err, said)
		return ""
	}
}
