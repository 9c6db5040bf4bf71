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
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli/takeover"
)

// workload is what a team may have before it has an Application: a Deployment and what stands beside it.
const workload = `apiVersion: apps/v1
kind: Deployment
metadata: {name: DEPLOYMENT, namespace: shop, labels: {app: NAME}, annotations: {team: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      serviceAccountName: NAME
      containers:
      - {name: server, image: "registry.example.com/shop/NAME:1.0.0", ports: [{containerPort: 80}], resources: {requests: {cpu: 1m}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME, namespace: shop, annotations: {team: shop}}
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop, labels: {app: NAME}, annotations: {team: shop}}
spec: {selector: {app: NAME}, ports: [{name: front, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME, namespace: shop}
spec:
  ingressClassName: none
  rules: [{host: NAME.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {name: front}}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: DEPLOYMENT}, minReplicas: 2, maxReplicas: 4}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: NAME, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: NAME}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: NAME, namespace: shop}
spec: {podSelector: {matchLabels: {app: NAME}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}
`

// moving is a workload that moves.
type moving struct {
	*session
	deployment, name string
	before           map[string]client.Object
	pods             []types.UID
}

// beside returns empty objects of the kinds that move with a Deployment.
func beside(name string) map[string]client.Object {
	meta := metav1.ObjectMeta{Name: name, Namespace: served}
	return map[string]client.Object{
		"ServiceAccount": &corev1.ServiceAccount{ObjectMeta: meta}, "Service": &corev1.Service{ObjectMeta: meta},
		"Ingress": &networkingv1.Ingress{ObjectMeta: meta}, "HorizontalPodAutoscaler": &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta},
		"PodDisruptionBudget": &policyv1.PodDisruptionBudget{ObjectMeta: meta}, "NetworkPolicy": &networkingv1.NetworkPolicy{ObjectMeta: meta},
	}
}

// starts has a workload run.
func (s *session) starts(deployment, name string) *moving {
	s.Helper()
	m := &moving{session: s, deployment: deployment, name: name, before: beside(name)}
	manifest := strings.NewReplacer("DEPLOYMENT", deployment, "NAME", name).Replace(workload)
	s.kubectl(manifest, "apply", "-f", "-")
	s.Cleanup(func() {
		ctx := context.WithoutCancel(s.Context())
		_ = k8s.Delete(ctx, &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: served}})
		_ = k8s.Delete(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: deployment, Namespace: served}})
		for _, object := range beside(name) {
			_ = k8s.Delete(ctx, object)
		}
	})
	s.kubectl("", "rollout", "status", "deployment/"+deployment, "-n", served, "--timeout="+limit.String())
	for _, object := range m.before {
		m.gets(object)
	}
	m.pods = m.podsOf()
	return m
}

func (s *session) gets(object client.Object) {
	s.Helper()
	if err := k8s.Get(s.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		s.Fatal(err)
	}
}

// podsOf returns the pods of the old Deployment.
func (m *moving) podsOf() []types.UID {
	m.Helper()
	list := &corev1.PodList{}
	if err := k8s.List(m.Context(), list, client.InNamespace(served), client.MatchingLabels{"app": m.name}); err != nil {
		m.Fatal(err)
	}
	var found []types.UID
	for _, pod := range list.Items {
		if pod.Labels["app.kubernetes.io/instance"] == "" && pod.DeletionTimestamp == nil {
			found = append(found, pod.UID)
		}
	}
	slices.Sort(found)
	return found
}

func (m *moving) command(flags ...string) []string {
	return slices.Concat([]string{"import", "deployment/" + m.deployment, "-n", served, "--take-over", "--yes", "--settle-time", "0s"}, flags)
}

// interrupts runs the command until it begins a step, and interrupts it there. It reports whether the step was begun.
func (m *moving) interrupts(step int, flags ...string) bool {
	m.Helper()
	command := exec.CommandContext(m.Context(), plugin, m.command(flags...)...)
	command.Env = []string{"KUBECONFIG=" + m.kubeconfig, "HOME=" + m.TempDir()}
	out, err := command.StdoutPipe()
	if err != nil {
		m.Fatal(err)
	}
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		m.Fatal(err)
	}
	begun := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), fmt.Sprintf("[%d/", step)) {
			begun = true
			if err := command.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
				m.Fatal(err)
			}
		}
	}
	err = command.Wait()
	if begun && (err == nil || !strings.Contains(said.String(), "--undo goes back")) {
		m.Logf("step %d was over before it could be interrupted: %v, %s", step, err, &said)
	}
	return begun
}

// isIn holds that all has moved: the same objects are the Application's, and of the old ones nothing is left.
func (m *moving) isIn() {
	m.Helper()
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: m.name, Namespace: served}}
	m.waits(app, v1.ReasonRolloutComplete)
	for kind, now := range beside(m.name) {
		m.gets(now)
		was := m.before[kind]
		if now.GetUID() != was.GetUID() || !metav1.IsControlledBy(now, app) || now.GetAnnotations()[takeover.AnnotationBefore] != "" {
			m.Errorf("%s is not the same, or not the Application's: %v", kind, now)
		}
		if service, ok := now.(*corev1.Service); ok {
			before := was.(*corev1.Service)
			if service.Spec.ClusterIP != before.Spec.ClusterIP || service.Spec.Ports[0].Name != "front" || service.Spec.Selector["app.kubernetes.io/instance"] != m.name {
				m.Errorf("the Service is %+v", service.Spec)
			}
		}
	}
	m.eventually(func() error {
		if left := m.podsOf(); len(left) > 0 {
			return fmt.Errorf("%d of the old pods are left", len(left))
		}
		return nil
	})
	m.leavesNothing()
}

// isBack holds that all is what it was.
func (m *moving) isBack() {
	m.Helper()
	key := client.ObjectKey{Name: m.name, Namespace: served}
	if err := k8s.Get(m.Context(), key, &v1.Application{}); !apierrors.IsNotFound(err) {
		m.Errorf("the Application is there: %v", err)
	}
	if now := m.podsOf(); !slices.Equal(now, m.pods) {
		m.Errorf("the old pods were %v and are %v", m.pods, now)
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: m.deployment, Namespace: served}}
	m.gets(deployment)
	if deployment.Annotations["team"] != "shop" || deployment.Spec.Selector.MatchLabels["app"] != m.name {
		m.Errorf("the Deployment is %+v", deployment)
	}
	m.kubectl("", "rollout", "status", "deployment/"+m.deployment, "-n", served, "--timeout="+limit.String())
	for kind, now := range beside(m.name) {
		m.gets(now)
		was := m.before[kind]
		if now.GetUID() != was.GetUID() || len(now.GetOwnerReferences()) > 0 || !maps.Equal(now.GetAnnotations(), was.GetAnnotations()) ||
			!maps.Equal(now.GetLabels(), was.GetLabels()) {
			m.Errorf("%s was\n%+v\nand is\n%+v", kind, was, now)
		}
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: m.name, Namespace: served}}
	m.gets(service)
	if was := m.before["Service"].(*corev1.Service); !equality.Semantic.DeepEqual(service.Spec, was.Spec) {
		m.Errorf("the Service was\n%+v\nand is\n%+v", was.Spec, service.Spec)
	}
	m.leavesNothing()
}

// leavesNothing holds that nothing is left of what a move remembers.
func (m *moving) leavesNothing() {
	m.Helper()
	sets, policies := &appsv1.ReplicaSetList{}, &networkingv1.NetworkPolicyList{}
	if err := k8s.List(m.Context(), sets, client.InNamespace(served), client.MatchingLabels{"app": m.name}); err != nil {
		m.Fatal(err)
	}
	for _, set := range sets.Items {
		if set.Annotations[takeover.AnnotationBefore] != "" || len(set.OwnerReferences) == 0 {
			m.Errorf("ReplicaSet %s is left as it must not be: %v", set.Name, set.ObjectMeta)
		}
	}
	if err := k8s.List(m.Context(), policies, client.InNamespace(served)); err != nil {
		m.Fatal(err)
	}
	for _, policy := range policies.Items {
		if policy.Annotations[takeover.AnnotationCopy] == m.deployment {
			m.Errorf("NetworkPolicy %s is left", policy.Name)
		}
	}
}

func TestTakeOver(t *testing.T) {
	s := newSession(t, "take-over")
	m := s.starts("mover", "mover")
	s.types("import", "deployment/mover", "-n", served, "--take-over", "--dry-run")
	s.types("import", "deployment/mover", "-n", served, "--take-over", "--undo")
	s.types("import", "deployment/mover", "-n", served, "--take-over")
	if now := m.podsOf(); !slices.Equal(now, m.pods) {
		t.Errorf("without consent, the pods were %v and are %v", m.pods, now)
	}
	s.types(m.command("--keep-old")...)
	s.types("import", "deployment/mover", "-n", served, "--take-over", "--undo", "--dry-run")
	s.types(m.command()...)
	m.isIn()
	s.types(m.command()...)
	s.types(m.command("--undo")...)
}

func TestTakeOverUnderAnotherName(t *testing.T) {
	s := newSession(t, "take-over-renamed")
	m := s.starts("front-server", "front")
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "front-server", Namespace: served}}
	s.gets(deployment)
	s.types(m.command("--keep-old")...)
	now := deployment.DeepCopy()
	s.gets(now)
	if now.UID != deployment.UID || now.Generation != deployment.Generation {
		t.Errorf("the old Deployment was touched: %+v", now.ObjectMeta)
	}
	s.types(m.command("--undo")...)
	m.isBack()
	s.gets(now)
	if now.UID != deployment.UID || now.Generation != deployment.Generation {
		t.Errorf("the old Deployment was touched: %+v", now.ObjectMeta)
	}
	s.types(m.command()...)
	m.isIn()
}

// TestTakeOverGoesOnWhereItWasInterrupted interrupts a move at the beginning of each step, and has it go on.
func TestTakeOverGoesOnWhereItWasInterrupted(t *testing.T) {
	for step := 1; step <= 7; step++ {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			m := newSession(t, "").starts(fmt.Sprintf("resumed-%d", step), fmt.Sprintf("resumed-%d", step))
			if !m.interrupts(step) {
				t.Fatal("there is no such step")
			}
			if said, code := m.runs(m.command()...); code != 0 {
				t.Fatal(said)
			}
			m.isIn()
		})
	}
}

// TestTakeOverIsUndone interrupts a move at the beginning of each step, and goes back; and interrupts the way back at each of its own.
func TestTakeOverIsUndone(t *testing.T) {
	for step := 1; step <= 7; step++ {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			m := newSession(t, "").starts(fmt.Sprintf("undone-%d", step), fmt.Sprintf("undone-%d", step))
			if !m.interrupts(step, "--settle-time", "60s") {
				t.Fatal("there is no such step")
			}
			if said, code := m.runs(m.command("--undo")...); code != 0 && !strings.Contains(said, "there is nothing to undo") {
				t.Fatal(said)
			}
			m.isBack()
		})
	}
}

func TestTheWayBackGoesOnWhereItWasInterrupted(t *testing.T) {
	for step := 1; step <= 5; step++ {
		t.Run(fmt.Sprint(step), func(t *testing.T) {
			m := newSession(t, "").starts(fmt.Sprintf("back-%d", step), fmt.Sprintf("back-%d", step))
			if said, code := m.runs(m.command("--keep-old")...); code != 0 {
				t.Fatal(said)
			}
			if !m.interrupts(step, "--undo") {
				t.Fatal("there is no such step")
			}
			if said, code := m.runs(m.command("--undo")...); code != 0 && !strings.Contains(said, "there is nothing to undo") {
				t.Fatal(said)
			}
			m.isBack()
			if said, code := m.runs(m.command()...); code != 0 {
				t.Fatal(said)
			}
			m.isIn()
		})
	}
}

// TestTakeOverSwitchesNothingToPodsThatDoNotCome holds that a move ends before anything is switched, and says how to go back.
func TestTakeOverSwitchesNothingToPodsThatDoNotCome(t *testing.T) {
	s := newSession(t, "take-over-stuck")
	m := s.starts("stuck", "stuck")
	s.create(served, "stuck", v1.ApplicationSpec{
		Image:   "registry.example.com/shop/stuck:1.0.0",
		EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}}}},
	})
	s.types(m.command()...)
	s.types(m.command("--undo")...)
	m.isBack()
}

func TestTakeOverRefuses(t *testing.T) {
	s := newSession(t, "take-over-refused")
	m := s.starts("shared", "shared")
	s.kubectl(`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shared-canary", "namespace": "shop", "labels": {"app": "shared"}},
		"spec": {"containers": [{"name": "c", "image": "registry.example.com/c"}]}}`, "apply", "-f", "-")
	s.types(m.command()...)
	s.kubectl("", "delete", "pod", "shared-canary", "-n", served, "--now")
	s.kubectl(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shared-old", "namespace": "shop"},
		"spec": {"selector": {"app": "shared", "pod-template-hash": "`+m.hash()+`"}, "ports": [{"port": 80}]}}`, "apply", "-f", "-")
	s.types(m.command()...)
	s.kubectl("", "delete", "service", "shared-old", "-n", served)
	s.types("import", "deployment/none", "-n", served, "--take-over")
	s.types("import", "-f", "x.yaml", "--take-over")
	s.types("import", "deployment/shared", "--undo")
	s.kubectl("", "annotate", "service", "shared", "-n", served, "apps.example.com/adopt=other", "helm.toolkit.fluxcd.io/name=shop")
	s.types(m.command()...)
	s.kubectl("", "annotate", "service", "shared", "-n", served, "apps.example.com/adopt-")
	s.types(m.command("--dry-run")...)
	s.kubectl("", "patch", "deployment", "shared", "-n", served, "--type=merge", "-p", `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`)
	s.types(m.command()...)
	jane, err := plane.User("mover")
	if err != nil {
		t.Fatal(err)
	}
	s.kubectl("", "patch", "deployment", "shared", "-n", served, "--type=merge", "-p", `{"spec":{"strategy":{"type":"RollingUpdate"}}}`)
	s.kubectl(`{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "mover", "namespace": "shop"},
		"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]}`, "apply", "-f", "-")
	s.kubectl("", "create", "rolebinding", "mover", "-n", served, "--role=mover", "--user=mover")
	s.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeKubeconfig(s.kubeconfig, jane); err != nil {
		t.Fatal(err)
	}
	s.types(m.command()...)
}

// hash returns what tells the pods of the Deployment's template from others.
func (m *moving) hash() string {
	m.Helper()
	sets := &appsv1.ReplicaSetList{}
	if err := k8s.List(m.Context(), sets, client.InNamespace(served), client.MatchingLabels{"app": m.name}); err != nil || len(sets.Items) == 0 {
		m.Fatal(err, sets.Items)
	}
	return sets.Items[0].Labels["pod-template-hash"]
}
