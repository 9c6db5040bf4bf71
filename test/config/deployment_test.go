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
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"

	v1 "github.com/example/app-operator/api/v1"
)

// everyInstall returns the installs, and the kustomizations that the page shows.
func everyInstall(t *testing.T) []install {
	t.Helper()
	return slices.Concat(installs(t), examples(t))
}

// TestSelectors wants everything that selects the operator's pods to select them.
func TestSelectors(t *testing.T) {
	for _, install := range everyInstall(t) {
		t.Run(install.name, func(t *testing.T) {
			_, objects := build(t, install.dir)
			deployment := find[appsv1.Deployment](t, objects, "Deployment")
			spec := deployment.Spec.Template.Spec
			selectors := map[string]*metav1.LabelSelector{
				"PodDisruptionBudget": find[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget").Spec.Selector,
				"NetworkPolicy":       &find[networkingv1.NetworkPolicy](t, objects, "NetworkPolicy").Spec.PodSelector,
				"anti-affinity": spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].
					PodAffinityTerm.LabelSelector,
			}
			for _, constraint := range spec.TopologySpreadConstraints {
				selectors[constraint.TopologyKey] = constraint.LabelSelector
			}
			for of, value := range selectors {
				selector, err := metav1.LabelSelectorAsSelector(value)
				if err != nil {
					t.Fatal(err)
				}
				if selector.Empty() || !selector.Matches(labels.Set(deployment.Spec.Template.Labels)) {
					t.Errorf("%s selects %q", of, selector)
				}
			}
			for _, object := range objects {
				if slices.Contains([]string{"PodDisruptionBudget", "NetworkPolicy", "Deployment"}, object.GetKind()) && object.GetNamespace() != home {
					t.Errorf("%s is in %s", object.GetKind(), object.GetNamespace())
				}
			}
		})
	}
}

// TestNoApplicationPosesAsTheOperator holds that no pod of an Application is selected as one of the operator's: each selector
// goes by a label whose key the schema reserves (test/api has its refusal). Otherwise whoever may create Applications in
// the operator's namespace could have a pod counted, protected and asked for metrics as if it were the operator.
func TestNoApplicationPosesAsTheOperator(t *testing.T) {
	prometheus := built(t, filepath.Join(scratch, "config", "prometheus"))
	service := find[corev1.Service](t, prometheus, "Service")
	monitor := find[monitoringv1.ServiceMonitor](t, prometheus, "ServiceMonitor")
	selectors := map[string]map[string]string{
		"Service of the metrics": service.Spec.Selector, "ServiceMonitor": monitor.Spec.Selector.MatchLabels,
	}
	if !labels.SelectorFromSet(monitor.Spec.Selector.MatchLabels).Matches(labels.Set(service.Labels)) {
		t.Error("the ServiceMonitor does not select the Service")
	}
	for _, install := range everyInstall(t) {
		objects := built(t, install.dir)
		deployment := find[appsv1.Deployment](t, objects, "Deployment")
		selectors[install.name+": Deployment"] = deployment.Spec.Selector.MatchLabels
		selectors[install.name+": PodDisruptionBudget"] = find[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget").Spec.Selector.MatchLabels
		selectors[install.name+": NetworkPolicy"] = find[networkingv1.NetworkPolicy](t, objects, "NetworkPolicy").Spec.PodSelector.MatchLabels
		if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(deployment.Spec.Template.Labels)) {
			t.Errorf("%s: the Service of the metrics does not select the operator's pods", install.name)
		}
		if deployment.Spec.Template.Labels["control-plane"] != "controller-manager" {
			t.Errorf("%s: the pods do not have the label that people know", install.name)
		}
	}
	for of, selector := range selectors {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(selector)), func(key string) bool {
			return strings.HasPrefix(key, v1.GroupVersion.Group+"/")
		}) {
			t.Errorf("%s selects %v, labels that a tenant can have", of, selector)
		}
	}
}

// built returns the objects of a kustomization.
func built(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	_, objects := build(t, dir)
	return objects
}

// TestDisruption wants two of three replicas to remain, whoever takes replicas away, and a leader to have the time to
// give up its Lease.
func TestDisruption(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, "cmd", "manager.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\tgracePeriod = (\d+) \* time\.Second$`).FindSubmatch(source)
	if found == nil {
		t.Fatal("cmd/manager.go has no gracePeriod in seconds")
	}
	graceful, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, install := range everyInstall(t) {
		t.Run(install.name, func(t *testing.T) {
			_, objects := build(t, install.dir)
			spec := find[appsv1.Deployment](t, objects, "Deployment").Spec
			budget := find[policyv1.PodDisruptionBudget](t, objects, "PodDisruptionBudget").Spec
			one := intstr.FromInt32(1)
			if *spec.Replicas != 3 || *spec.Strategy.RollingUpdate.MaxUnavailable != one || *budget.MaxUnavailable != one {
				t.Errorf("%d replicas, of which a rollout takes %v and a drain %v",
					*spec.Replicas, spec.Strategy.RollingUpdate.MaxUnavailable, budget.MaxUnavailable)
			}
			// The kubelet needs some of it to notice that the process has ended.
			if period := *spec.Template.Spec.TerminationGracePeriodSeconds; period < graceful+5 {
				t.Errorf("the pod gets %d s to end, and the manager takes up to %d s", period, graceful)
			}
		})
	}
}

// TestProgram wants the program to know every flag that the manifests give it, and the manifests to tell it who it is.
func TestProgram(t *testing.T) {
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, install := range everyInstall(t) {
		t.Run(install.name, func(t *testing.T) {
			_, objects := build(t, install.dir)
			spec := find[appsv1.Deployment](t, objects, "Deployment").Spec.Template.Spec
			container := spec.Containers[0]
			if len(spec.Containers) != 1 || container.Name != "manager" {
				t.Errorf("the containers are %v", spec.Containers)
			}
			if out, err := exec.CommandContext(t.Context(), binary, append(container.Args, "--version")...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", container.Args, err, out)
			}
			fields := map[string]string{}
			for _, variable := range container.Env {
				if variable.ValueFrom != nil {
					fields[variable.Name] = variable.ValueFrom.FieldRef.FieldPath
				}
			}
			for variable, field := range map[string]string{
				"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_UID": "metadata.uid",
			} {
				if fields[variable] != field {
					t.Errorf("%s is %q, want the pod's %s", variable, fields[variable], field)
				}
			}
			if container.TerminationMessagePath != "/dev/termination-log" {
				t.Errorf("the kubelet quotes %s, where the program writes nothing", container.TerminationMessagePath)
			}
		})
	}
}

// TestNetworkPolicy wants the metrics to be reached, and the API server and DNS. The ports of the API server are those of
// its Service, and of the usual clusters.
func TestNetworkPolicy(t *testing.T) {
	for _, install := range everyInstall(t) {
		t.Run(install.name, func(t *testing.T) {
			_, objects := build(t, install.dir)
			container := find[appsv1.Deployment](t, objects, "Deployment").Spec.Template.Spec.Containers[0]
			ports := sets.New[string]()
			for _, port := range container.Ports {
				ports.Insert(port.Name)
			}
			policy := find[networkingv1.NetworkPolicy](t, objects, "NetworkPolicy").Spec
			if len(policy.Ingress) != 1 || len(policy.Ingress[0].From) == 0 || len(policy.Ingress[0].Ports) != 1 {
				t.Fatalf("let in is %v, want some pods, at one port", policy.Ingress)
			}
			if port := policy.Ingress[0].Ports[0].Port.String(); port != "metrics" || !ports.Has(port) {
				t.Errorf("let in is who asks at the port %s, and the container has %v", port, sets.List(ports))
			}
			out := sets.New[string]()
			for _, rule := range policy.Egress {
				for _, port := range rule.Ports {
					out.Insert(fmt.Sprint(*port.Protocol, " ", port.Port))
				}
			}
			if !out.HasAll("UDP 53", "TCP 53", "TCP 443", "TCP 6443") {
				t.Errorf("let out is %v", sets.List(out))
			}
		})
	}
}

// TestBundle builds what the OLM bundle is made from, with a description that says nothing.
func TestBundle(t *testing.T) {
	base := filepath.Join(scratch, "config", "manifests", "bases", "app-operator.clusterserviceversion.yaml")
	if _, err := os.Stat(base); os.IsNotExist(err) {
		if err := os.MkdirAll(filepath.Dir(base), 0o700); err != nil {
			t.Fatal(err)
		}
		content := "apiVersion: operators.coreos.com/v1alpha1\nkind: ClusterServiceVersion\nmetadata: {name: app-operator.v0.0.0, namespace: placeholder}\n"
		if err := os.WriteFile(base, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, objects := build(t, filepath.Join(scratch, "config", "manifests"))
	kinds := sets.New[string]()
	for _, object := range objects {
		if object.GetAPIVersion() != "apps.example.com/v1" { // the samples may bring what they need
			kinds.Insert(object.GetKind())
		}
	}
	if kinds.Has("NetworkPolicy") {
		t.Error("there is a NetworkPolicy in it, which OperatorHub's catalogs refuse")
	}
	if !kinds.HasAll("ClusterServiceVersion", "Deployment", "PodDisruptionBudget", "Role", "CustomResourceDefinition") {
		t.Errorf("in it is %v", sets.List(kinds))
	}
}

const deploymentPage = "docs/operations/deployment.md"

// examples returns the kustomizations that the page shows, each in a folder beside config.
func examples(t *testing.T) []install {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(deploymentPage)))
	if err != nil {
		t.Fatal(err)
	}
	var found []install
	for i, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllSubmatch(page, -1) {
		folder := fmt.Sprintf("example-%d", i+1)
		found = append(found, install{name: folder, dir: kustomization(t, folder, string(block[1]))})
	}
	if len(found) == 0 {
		t.Fatalf("%s shows no kustomization", deploymentPage)
	}
	return found
}

// TestExamples wants each kustomization of the page to change something: a patch that finds nothing to change is no error.
func TestExamples(t *testing.T) {
	for _, example := range examples(t) {
		t.Run(example.name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join(example.dir, "kustomization.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			resources, rest, ok := strings.Cut(string(content), "\n")
			if !ok || !strings.HasPrefix(resources, "resources: [../config/") || strings.TrimSpace(rest) == "" {
				t.Fatalf("want resources of config in one line, and then what changes them:\n%s", content)
			}
			with, _ := build(t, example.dir)
			without, _ := build(t, kustomization(t, "plain-"+example.name, resources+"\n"))
			if string(with) == string(without) {
				t.Errorf("it changes nothing:\n%s", content)
			}
		})
	}
}

// TestPodSecurity wants the overlays to keep the operator's namespace to the restricted standard, and config/default to
// leave it open, because there the namespace is the Applications' as well.
func TestPodSecurity(t *testing.T) {
	for _, install := range installs(t) {
		_, objects := build(t, install.dir)
		want := "restricted"
		if install.name == defaultInstall || install.component() != "" {
			want = ""
		}
		if got := find[corev1.Namespace](t, objects, "Namespace").Labels[enforce]; got != want {
			t.Errorf("%s: Pod Security %q, want %q", install.name, got, want)
		}
	}
}
