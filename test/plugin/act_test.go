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

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

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

// TestLeaving exports an Application, deletes it by the policy Orphan, and applies what was exported: nothing changes, and what is changed
// or taken away later meets nobody.
func TestLeaving(t *testing.T) {
	for how, test := range map[string]struct {
		flags []string
		// warns says that kubectl warns the first time.
		warns      bool
		transcript string
	}{
		"server": {[]string{"--server-side"}, false, "leaving"}, "client": {nil, true, ""},
	} {
		t.Run(how, func(t *testing.T) {
			s := newSession(t, test.transcript)
			name := "leaver-" + how
			app := s.create(served, name, leaver())
			s.waits(app, v1.ReasonRolloutComplete)
			if said, code := s.runs("diff", name, "-n", served); code != 0 {
				t.Errorf("exit code %d\n%s", code, said)
			}
			manifests, code := s.runs("export", name, "-n", served)
			if code != 0 || strings.Contains(manifests, v1.AnnotationOwner) || strings.Contains(manifests, "ownerReferences") {
				t.Fatal(manifests)
			}
			left := exported(t, manifests)
			if err := k8s.Delete(t.Context(), app, client.PropagationPolicy("Foreground")); err != nil {
				t.Fatal(err)
			}
			s.eventually(func() error {
				if err := k8s.Get(context.WithoutCancel(t.Context()), client.ObjectKeyFromObject(app), &v1.Application{}); err == nil {
					return os.ErrExist
				}
				return nil
			})
			s.types("export", name, "-n", served)
			apply := append([]string{"apply", "-f", "-"}, test.flags...)
			for again := range 2 {
				said := s.kubectl(manifests, apply...)
				if warned := strings.Contains(said, "missing the kubectl.kubernetes.io/last-applied-configuration"); warned != (test.warns && again == 0) {
					t.Errorf("kubectl warns: %t\n%s", warned, said)
				}
				expectUnchanged(t, left)
			}
			changed := strings.ReplaceAll(manifests, "leaver:1.0.0", "leaver:2.0.0")
			changed = strings.ReplaceAll(changed, "    example.com/team: shop\n", "")
			s.kubectl(changed, apply...)
			after := &appsv1.Deployment{}
			if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(app), after); err != nil {
				t.Fatal(err)
			}
			if image := after.Spec.Template.Spec.Containers[0].Image; !strings.HasSuffix(image, ":2.0.0") || after.Annotations["example.com/team"] != "" {
				t.Errorf("the image is %s, and the annotations are %v", image, after.Annotations)
			}
			s.kubectl("", "rollout", "status", "deployment/"+name, "-n", served, "--timeout="+limit.String())
			s.kubectl(changed, "delete", "-f", "-")
		})
	}
}

// leaver returns an Application that leaves, with an object of several kinds.
func leaver() v1.ApplicationSpec {
	return v1.ApplicationSpec{
		Image: "registry.example.com/shop/leaver:1.0.0", Replicas: ptr.To[int32](2), Port: ptr.To[int32](8080),
		DeletionPolicy: v1.DeletionPolicyOrphan,
		Autoscaling:    &v1.AutoscalingSpec{MinReplicas: ptr.To[int32](2), MaxReplicas: 4},
		Ingress:        &v1.IngressSpec{Host: "leaver.example.com"},
		ObjectMetadata: &v1.ObjectMetadata{Annotations: map[string]string{"example.com/team": "shop"}},
		Schedules:      []v1.Schedule{{Name: "nightly", Schedule: "@yearly", Command: []string{"clean-up"}}},
		Files:          []v1.File{{MountPath: "/etc/shop", VolumeSource: v1.VolumeSource{Inline: map[string]string{"shop.conf": "on"}}}},
	}
}

// exported reads the objects that manifests are of.
func exported(t *testing.T, manifests string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for manifest := range strings.SplitSeq(manifests, "---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
			t.Fatal(err)
		}
		if object.Object == nil {
			continue
		}
		if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
	if len(all) < 8 {
		t.Errorf("%d objects were exported", len(all))
	}
	return all
}

// expectUnchanged holds that objects are the same, and say the same but for whose they are.
func expectUnchanged(t *testing.T, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, before := range objects {
		after := before.DeepCopy()
		if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(before), after); err != nil {
			t.Fatal(err)
		}
		if after.GetUID() != before.GetUID() || after.GetDeletionTimestamp() != nil || len(after.GetOwnerReferences()) > 0 {
			t.Errorf("%s: it was %v and is %v", before.GetKind(), before.Object["metadata"], after.Object["metadata"])
		}
		if diff := cmp.Diff(before.Object["spec"], after.Object["spec"]); diff != "" {
			t.Errorf("spec of %s (-before +after):\n%s", before.GetKind(), diff)
		}
		for _, entry := range after.GetManagedFields() {
			if strings.HasPrefix(entry.Manager, "app-operator") {
				t.Errorf("%s: the operator still owns %s", before.GetKind(), entry.FieldsV1.GetRawString())
			}
		}
	}
}

func (s *session) patch(app *v1.Application, patch string) {
	s.Helper()
	if err := k8s.Patch(s.Context(), app, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		s.Fatal(err)
	}
}
