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

package plugin_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

func TestActions(t *testing.T) {
	s := newSession(t, "actions")
	app := s.create(served, "stock", v1.ApplicationSpec{Image: "registry.example.com/shop/stock:1.0.0"})
	s.waits(app, v1.ReasonRolloutComplete)
	s.types("scale", "stock", "-n", served, "--replicas", "2", "--wait")
	s.types("scale", "stock", "-n", served, "--replicas", "2")
	s.types("scale", "stock", "-n", served)
	s.types("restart", "stock", "-n", served, "--wait")
	s.types("suspend", "stock", "-n", served, "--wait")
	s.types("restart", "stock", "-n", served)
	s.types("resume", "stock", "-n", served, "--wait")
	s.types("resume", "stock", "-n", served)

	s.patch(app, `{"spec":{"image":"registry.example.com/shop/stock:2.0.0"}}`)
	s.waits(app, v1.ReasonRolloutComplete)
	s.types("history", "stock", "-n", served)
	s.types("rollback", "stock", "-n", served, "--wait")
	s.types("rollback", "stock", "-n", served, "--to", "7")
	s.types("history", "stock", "-n", served)

	s.types("pause", "stock", "-n", served)
	s.waits(app, v1.ReasonPaused)
	s.types("unpause", "stock", "-n", served, "--wait")
}

func TestAGitOpsToolIsWarnedOf(t *testing.T) {
	s := newSession(t, "gitops")
	app := s.create(served, "owned", v1.ApplicationSpec{Image: "registry.example.com/shop/owned:1.0.0"})
	s.patch(app, `{"metadata":{"annotations":{"argocd.argoproj.io/tracking-id":"shop:apps.example.com/Application:shop/owned"}}}`)
	s.types("scale", "owned", "-n", served, "--replicas", "3")
}

func TestDiff(t *testing.T) {
	s := newSession(t, "diff")
	app := s.create(served, "price", v1.ApplicationSpec{Image: "registry.example.com/shop/price:1.0.0", Port: ptr.To[int32](8080)})
	s.waits(app, v1.ReasonRolloutComplete)
	s.types("diff", "price", "-n", served)
	file := filepath.Join(t.TempDir(), "price.yaml")
	manifest := `apiVersion: apps.example.com/v1
kind: Application
metadata: {name: price, namespace: shop}
spec: {image: "registry.example.com/shop/price:2.0.0", port: 9090}
`
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	said, code := s.runs("diff", "price", "-n", served, "-f", file)
	for _, line := range []string{
		"-      - image: registry.example.com/shop/price:1.0.0", "+      - image: registry.example.com/shop/price:2.0.0",
		"-    port: 8080", "+++ Deployment/price as it would be",
	} {
		if code != 2 || !strings.Contains(said, line) {
			t.Errorf("exit code %d, and no %q in\n%s", code, line, said)
		}
	}
}

// TestNothingDiffersOfWhatWasTakenOver holds that the plugin knows which names a Service has kept that was taken over.
func TestNothingDiffersOfWhatWasTakenOver(t *testing.T) {
	s := newSession(t, "")
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "moved", Namespace: served, Annotations: map[string]string{v1.AnnotationAdopt: "moved"}},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "moved"}, Ports: []corev1.ServicePort{{Name: "front", Port: 8080}}},
	}
	if err := k8s.Create(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	app := s.create(served, "moved", v1.ApplicationSpec{Image: "registry.example.com/shop/moved:1.0.0", Port: ptr.To[int32](8080)})
	s.waits(app, v1.ReasonRolloutComplete)
	if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(service), service); err != nil {
		t.Fatal(err)
	}
	if !metav1.IsControlledBy(service, app) || service.Spec.Ports[0].Name != "front" {
		t.Fatalf("the Service was not taken over with the name of its port: %v", service)
	}
	if said, code := s.runs("diff", "moved", "-n", served); code != 0 {
		t.Errorf("exit code %d\n%s", code, said)
	}
}

// TestLeaving exports an Application, deletes it with the operator's objects, and applies what was exported.
func TestLeaving(t *testing.T) {
	s := newSession(t, "leaving")
	app := s.create(served, "leaver", v1.ApplicationSpec{
		Image: "registry.example.com/shop/leaver:1.0.0", Replicas: ptr.To[int32](2), Port: ptr.To[int32](8080),
	})
	s.waits(app, v1.ReasonRolloutComplete)
	manifests, code := s.runs("export", "leaver", "-n", served)
	if code != 0 {
		t.Fatal(manifests)
	}
	before := &appsv1.Deployment{}
	key := client.ObjectKeyFromObject(app)
	if err := k8s.Get(t.Context(), key, before); err != nil {
		t.Fatal(err)
	}
	if err := k8s.Delete(t.Context(), app, client.PropagationPolicy("Foreground")); err != nil {
		t.Fatal(err)
	}
	s.eventually(func() error {
		if err := k8s.Get(context.WithoutCancel(t.Context()), key, &v1.Application{}); err == nil {
			return os.ErrExist
		}
		return nil
	})
	s.kubectl(manifests, "apply", "--server-side", "-f", "-")
	after := &appsv1.Deployment{}
	if err := k8s.Get(t.Context(), key, after); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k8s.Delete(context.WithoutCancel(t.Context()), after) })
	if len(after.OwnerReferences) > 0 || after.Spec.Template.Spec.Containers[0].Image != before.Spec.Template.Spec.Containers[0].Image ||
		after.Spec.Selector.String() != before.Spec.Selector.String() || *after.Spec.Replicas != 2 {
		t.Errorf("it was\n%+v\nand is\n%+v", before.Spec, after.Spec)
	}
	s.kubectl("", "rollout", "status", "deployment/leaver", "-n", served, "--timeout=60s")
	s.types("export", "leaver", "-n", served)
}

func (s *session) patch(app *v1.Application, patch string) {
	s.Helper()
	if err := k8s.Patch(s.Context(), app, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		s.Fatal(err)
	}
}
