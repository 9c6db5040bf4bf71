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

package config

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/process"
)

// nodes is two for each of three zones, while TestSpreadOverZones gives them zones.
const nodes = 6

const enforce = "pod-security.kubernetes.io/enforce"

// TestInstalls applies one install after the other to the same cluster, and runs the operator as each of them would.
func TestInstalls(t *testing.T) {
	c := newPlane(t)
	admin := administrator(t, c)
	config := writeKubeconfig(t, c.Config())
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{home, tenants, elsewhere} {
		// Stricter than config/default asks for, and with a word for whoever makes pods that would be refused.
		err := admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{
			enforce: "restricted", "pod-security.kubernetes.io/warn": "restricted",
		}}})
		if client.IgnoreAlreadyExists(err) != nil {
			t.Fatal(err)
		}
	}
	for _, example := range examples(t) {
		t.Run(example.name, func(t *testing.T) {
			text, objects := build(t, example.dir)
			dryRun(t, config, text, objects)
		})
	}
	for _, install := range installs(t) {
		t.Run(install.name, func(t *testing.T) {
			text, objects := build(t, install.dir)
			dryRun(t, config, text, objects)
			mustKubectl(t, config, "apply", "--server-side", "-k", install.dir)
			defer remove(t, config, objects)

			deployment := find[appsv1.Deployment](t, objects, "Deployment")
			pods := waitForPods(t, admin, deployment)
			wantSpread(t, pods)
			wantTokens(t, admin, pods)
			wantRestricted(t, admin)
			wantRights(t, c, granted(t, objects))
			wantWork(t, c, admin, binary, install, pods[0])
		})
	}
}

func writeKubeconfig(t *testing.T, config *rest.Config) []string {
	t.Helper()
	content, err := controlplane.Kubeconfig(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"KUBECONFIG=" + file}
}

func create(t *testing.T, admin client.Client, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := admin.Create(t.Context(), object); err != nil {
			t.Fatalf("create %T %s: %v", object, object.GetName(), err)
		}
	}
}

// dryRun wants every object to be accepted, none with a warning.
func dryRun(t *testing.T, config []string, text []byte, objects []*unstructured.Unstructured) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "install.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	shown := string(mustKubectl(t, config, "apply", "--server-side", "--dry-run=server", "-f", file))
	if accepted := strings.Count(shown, " serverside-applied (server dry run)\n"); accepted != len(objects) {
		t.Errorf("%d of %d objects were accepted:\n%s", accepted, len(objects), shown)
	}
}

// remove deletes everything but the namespaces and the CRD, which take their time.
func remove(t *testing.T, config []string, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if kind := object.GetKind(); kind == "Namespace" || kind == "CustomResourceDefinition" {
			continue
		}
		args := []string{"delete", object.GetKind() + "." + object.GroupVersionKind().Group, object.GetName(), "--cascade=foreground"}
		if object.GetNamespace() != "" {
			args = append(args, "--namespace="+object.GetNamespace())
		}
		mustKubectl(t, config, args...)
	}
}

// waitForPods waits until all replicas are new and ready, and returns their pods. Pods that are refused fail the test at
// once.
func waitForPods(t *testing.T, admin client.Client, desired *appsv1.Deployment) []corev1.Pod {
	t.Helper()
	process.Eventually(t, "the Deployment has its pods", func() bool {
		live := &appsv1.Deployment{}
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(desired), live); err != nil {
			t.Fatal(err)
		}
		for _, condition := range live.Status.Conditions {
			if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
				t.Fatalf("the pods are refused: %s", condition.Message)
			}
		}
		replicas := *desired.Spec.Replicas
		return live.Status.ObservedGeneration == live.Generation && live.Status.Replicas == replicas &&
			live.Status.UpdatedReplicas == replicas && live.Status.ReadyReplicas == replicas
	})
	pods := &corev1.PodList{}
	process.Eventually(t, "the old pods are gone", func() bool {
		selector := client.MatchingLabels(desired.Spec.Selector.MatchLabels)
		if err := admin.List(t.Context(), pods, client.InNamespace(desired.Namespace), selector); err != nil {
			t.Fatal(err)
		}
		return len(pods.Items) == int(*desired.Spec.Replicas)
	})
	return pods.Items
}

// wantSpread wants each pod on a node of its own: on these nodes, none of which is in a zone, the topology spread
// constraints say nothing.
func wantSpread(t *testing.T, pods []corev1.Pod) {
	t.Helper()
	on := sets.New[string]()
	for _, pod := range pods {
		on.Insert(pod.Spec.NodeName)
	}
	if on.Len() != len(pods) {
		t.Errorf("%d pods are on %v", len(pods), sets.List(on))
	}
}

// wantTokens wants the operator's pods to have a token, and another pod of the same account to have none.
func wantTokens(t *testing.T, admin client.Client, pods []corev1.Pod) {
	t.Helper()
	hasToken := func(pod *corev1.Pod) bool {
		return slices.ContainsFunc(pod.Spec.Containers[0].VolumeMounts, func(mount corev1.VolumeMount) bool {
			return mount.MountPath == "/var/run/secrets/kubernetes.io/serviceaccount"
		})
	}
	for i := range pods {
		if !hasToken(&pods[i]) {
			t.Errorf("pod %s has no token", pods[i].Name)
		}
	}
	other := pods[0].DeepCopy()
	other.ObjectMeta = metav1.ObjectMeta{Name: "other", Namespace: home}
	other.Spec.AutomountServiceAccountToken, other.Spec.NodeName = nil, ""
	other.Spec.Volumes, other.Spec.Containers[0].VolumeMounts = nil, nil
	if err := admin.Create(t.Context(), other, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	if hasToken(other) {
		t.Error("a pod that names the operator's account has a token without having asked for it")
	}
}

// wantRestricted wants the namespace to refuse what the restricted Pod Security Standard does not allow; otherwise that
// the operator's pods are admitted would say nothing.
func wantRestricted(t *testing.T, admin client.Client) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "privileged", Namespace: home},
		Spec: corev1.PodSpec{
			ServiceAccountName: name,
			Containers: []corev1.Container{{
				Name: "manager", Image: "controller:latest", SecurityContext: &corev1.SecurityContext{Privileged: new(true)},
			}},
		},
	}
	err := admin.Create(t.Context(), pod, client.DryRunAll)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted:latest"`) {
		t.Errorf("a privileged pod: %v", err)
	}
}

// wantRights asks the API server what the operator may do in each namespace, beside what every ServiceAccount may.
func wantRights(t *testing.T, c *controlplane.ControlPlane, want sets.Set[right]) {
	t.Helper()
	nobody := "nobody"
	for _, namespace := range []string{home, tenants, elsewhere} {
		here := sets.New[right]()
		for one := range want {
			if one.place == namespace || one.place == everywhere {
				one.place = namespace
				here.Insert(one)
			}
		}
		process.Eventually(t, "the rights are in force in "+namespace, func() bool { // the authorizer learns of them by a watch
			return rightsOf(t, c, name, namespace).Difference(rightsOf(t, c, nobody, namespace)).IsSuperset(here)
		})
		got := rightsOf(t, c, name, namespace).Difference(rightsOf(t, c, nobody, namespace))
		if more := got.Difference(here); more.Len() > 0 {
			t.Errorf("in %s the operator may also do: %v", namespace, more.UnsortedList())
		}
	}
}

// rightsOf returns what the API server lets a ServiceAccount of the operator's namespace do in a namespace.
func rightsOf(t *testing.T, c *controlplane.ControlPlane, account, namespace string) sets.Set[right] {
	t.Helper()
	config, err := users(c, account)
	if err != nil {
		t.Fatal(err)
	}
	review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	answer, err := kubernetes.NewForConfigOrDie(config).AuthorizationV1().SelfSubjectRulesReviews().Create(
		t.Context(), review, metav1.CreateOptions{})
	if err != nil || answer.Status.Incomplete {
		t.Fatalf("the rights of %s: %v, %s", account, err, answer.Status.EvaluationError)
	}
	all := sets.New[right]()
	for _, rule := range answer.Status.ResourceRules {
		all = all.Union(expand(namespace, rbacv1.PolicyRule{
			Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames,
		}))
	}
	return all
}

// certified holds the configs of accounts that were asked for.
var certified = map[string]*rest.Config{}

func users(c *controlplane.ControlPlane, account string) (*rest.Config, error) {
	if config, ok := certified[account]; ok {
		return config, nil
	}
	config, err := c.ServiceAccount(home, account)
	certified[account] = config
	return config, err
}

// wantWork runs the operator with the flags and the variables that the manifests give to one of its pods, and wants it to
// serve an Application.
func wantWork(
	t *testing.T, c *controlplane.ControlPlane, admin client.Client, binary string, install install, pod corev1.Pod,
) {
	t.Helper()
	container := pod.Spec.Containers[0]
	env := make([]string, 0, len(container.Env))
	for _, variable := range container.Env {
		env = append(env, variable.Name+"="+valueOf(t, &pod, variable))
	}
	config, err := users(c, name)
	if err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(container.Args, []string{
		"--kubeconfig=" + strings.TrimPrefix(writeKubeconfig(t, config)[0], "KUBECONFIG="),
		"--leader-election-namespace=" + home, // a pod has it from its service account's files
		"--metrics-bind-address=localhost:0", "--health-probe-bind-address=127.0.0.1:0",
	})
	running := process.Launch(t, binary, append(env, "TERMINATION_MESSAGE_PATH="+filepath.Join(t.TempDir(), "message")), args...)
	running.WaitUntilReady(t)

	served := map[string]string{"single-namespace": tenants, "all-namespaces": elsewhere}[install.name]
	if served == "" {
		served = home
	}
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "app-", Namespace: served},
		Spec: v1.ApplicationSpec{
			Image: "nginx:1.29", Port: new(int32(8080)), Security: &v1.SecuritySpec{Profile: v1.SecurityProfileRestricted},
		},
	}
	create(t, admin, app)
	process.Eventually(t, "the Application is ready", func() bool {
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(app), app); err != nil {
			t.Fatal(err)
		}
		return meta.IsStatusConditionTrue(app.Status.Conditions, v1.ConditionReady)
	})
	if err := admin.Delete(t.Context(), app); err != nil {
		t.Error(err)
	}
	running.Terminate(t)
	if code := running.End(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// valueOf returns what the kubelet would give a variable.
func valueOf(t *testing.T, pod *corev1.Pod, variable corev1.EnvVar) string {
	t.Helper()
	if variable.ValueFrom == nil {
		return variable.Value
	}
	fields := map[string]string{
		"metadata.name": pod.Name, "metadata.namespace": pod.Namespace, "metadata.uid": string(pod.UID),
	}
	value, ok := fields[variable.ValueFrom.FieldRef.FieldPath]
	if !ok {
		t.Fatalf("%s: %v is not among %v", variable.Name, variable.ValueFrom, slices.Sorted(maps.Keys(fields)))
	}
	return value
}

// TestSpreadOverZones gives the nodes zones, and wants a pod of the operator in each of them, also after a rollout.
func TestSpreadOverZones(t *testing.T) {
	c := newPlane(t)
	admin := administrator(t, c)
	zones := map[string]string{} // by node
	label := func(node string, zone any) {
		patch, _ := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{corev1.LabelTopologyZone: zone}}})
		object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
		if err := admin.Patch(context.WithoutCancel(t.Context()), object, client.RawPatch(types.MergePatchType, patch)); err != nil {
			t.Error(err)
		}
	}
	for i := range nodes {
		node := fmt.Sprintf("node-%d", i+1)
		zones[node] = fmt.Sprintf("zone-%d", i%3)
		label(node, zones[node])
		t.Cleanup(func() { label(node, nil) })
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "zones-"}}
	create(t, admin, space)
	_, objects := build(t, filepath.Join(scratch, "config", "default"))
	deployment := find[appsv1.Deployment](t, objects, "Deployment")
	deployment.Namespace = space.Name
	create(t, admin, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: space.Name}})
	// The scheduler must have seen the labels: wait until a pod that needs them has a node.
	for node, zone := range zones {
		probe := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: space.Name},
			Spec: corev1.PodSpec{
				ServiceAccountName: name,
				NodeSelector:       map[string]string{corev1.LabelHostname: node, corev1.LabelTopologyZone: zone},
				Containers:         []corev1.Container{{Name: "probe", Image: "probe"}},
			},
		}
		create(t, admin, probe)
		process.Eventually(t, node+" is in its zone", func() bool {
			err := admin.Get(t.Context(), client.ObjectKeyFromObject(probe), probe)
			return err == nil && probe.Spec.NodeName != ""
		})
	}
	deployment.Spec.MinReadySeconds = 0 // nothing runs here that could end
	create(t, admin, deployment)
	for _, release := range []string{"first", "second"} {
		patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"release":%q}}}}}`, release)
		if err := admin.Patch(t.Context(), deployment, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			t.Fatal(err)
		}
		in := sets.New[string]()
		for _, pod := range waitForPods(t, admin, deployment) {
			in.Insert(zones[pod.Spec.NodeName])
		}
		if in.Len() != 3 {
			t.Errorf("the pods of the %s release are in %v, want all zones", release, sets.List(in))
		}
	}
	if err := admin.Delete(t.Context(), space); err != nil {
		t.Error(err)
	}
}
