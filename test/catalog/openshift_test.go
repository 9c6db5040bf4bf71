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

package catalog

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/example/app-operator/config"
	"github.com/example/app-operator/internal/cli/offline"
)

// onlyOpenShift are the kinds that the bundle for OpenShift has beyond the other, and how many of each.
var onlyOpenShift = map[string]int{
	"ConsoleQuickStart": 1, "ConsoleYAMLSample": 3, "PrometheusRule": 1, "ServiceMonitor": 1, "Service": 1,
}

// TestOpenShiftBundle holds that the layout for OpenShift has the bundle of the other layout with what OpenShift knows beyond it,
// that operator-sdk takes its form, and that OLM v1 installs all of it.
func TestOpenShiftBundle(t *testing.T) {
	t.Parallel()
	prod, hub := openShiftBundle(t), released(t, "k8s-operatorhub")
	for _, file := range manifestsOf(t, hub) {
		if read(t, filepath.Join(hub, "manifests", file)) != read(t, filepath.Join(prod, "manifests", file)) {
			t.Errorf("%s is another in the bundle for OpenShift", file)
		}
	}
	more := map[string]int{}
	for _, object := range beyond(t, prod, hub) {
		more[object.GetKind()]++
		if object.GetNamespace() != "" {
			t.Errorf("%s %s has a namespace; OLM gives it one", object.GetKind(), object.GetName())
		}
	}
	if !maps.Equal(more, onlyOpenShift) {
		t.Errorf("it has %v more, want %v", more, onlyOpenShift)
	}
	run(t, shell(t, root, filepath.Join(bin(), "operator-sdk"), "bundle", "validate", prod))

	installed := map[string]int{}
	for _, object := range olmV1(t, prod, `{"watchNamespace": "`+olmHome+`"}`) {
		installed[object.GetKind()]++
	}
	for kind, count := range onlyOpenShift {
		if installed[kind] != count {
			t.Errorf("OLM v1 installs %d of the kind %s, want %d", installed[kind], kind, count)
		}
	}
}

// TestOpenShiftObjects holds that what only OpenShift has is valid by the CRDs of OpenShift and of the Prometheus Operator, with no
// field that they do not know.
func TestOpenShiftObjects(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"ConsoleQuickStart": filepath.Join(openShiftAPI(t), "00_consolequickstarts.crd.yaml"),
		"ConsoleYAMLSample": filepath.Join(openShiftAPI(t), "00_consoleyamlsamples.crd.yaml"),
		"PrometheusRule":    filepath.Join(root, "test", "crds", "monitoring.coreos.com_prometheusrules.yaml"),
		"ServiceMonitor":    filepath.Join(root, "test", "crds", "monitoring.coreos.com_servicemonitors.yaml"),
	}
	checked := 0
	for _, object := range beyond(t, openShiftBundle(t), released(t, "k8s-operatorhub")) {
		file, ok := files[object.GetKind()]
		if !ok {
			continue // a Service, which the API server of every test knows
		}
		checked++
		for _, refusal := range refusals(t, file, object.DeepCopy()) {
			t.Errorf("%s %s: %s", object.GetKind(), object.GetName(), refusal)
		}
		// What is spoiled is refused, or the check is none.
		if err := unstructured.SetNestedField(object.Object, int64(1), "spec", "unknown"); err != nil {
			t.Fatal(err)
		}
		if len(refusals(t, file, object)) == 0 {
			t.Errorf("%s: an unknown field is taken", object.GetKind())
		}
	}
	if checked != 6 {
		t.Errorf("%d objects were checked, want 6", checked)
	}
}

// TestOpenShiftApplications holds that the samples of the console and the Application of the quick start are valid, and that each
// runs as whoever OpenShift's restricted-v2 has it run.
func TestOpenShiftApplications(t *testing.T) {
	t.Parallel()
	schema, err := offline.NewSchema([]byte(read(t, filepath.Join(root, "config", config.CRD))))
	if err != nil {
		t.Fatal(err)
	}
	fenced := regexp.MustCompile("(?s)```\n(apiVersion: .+?)```")
	checked := 0
	for _, object := range beyond(t, openShiftBundle(t), released(t, "k8s-operatorhub")) {
		var manifests []string
		switch object.GetKind() {
		case "ConsoleYAMLSample":
			manifests = []string{object.Object["spec"].(map[string]any)["yaml"].(string)}
		case "ConsoleQuickStart":
			content, err := json.Marshal(object.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range fenced.FindAllStringSubmatch(strings.ReplaceAll(string(content), `\n`, "\n"), -1) {
				manifests = append(manifests, match[1])
			}
		}
		for _, manifest := range manifests {
			checked++
			documents, err := offline.Read(object.GetName(), strings.NewReader(manifest))
			if err != nil {
				t.Fatal(err)
			}
			app, refused := schema.Application(t.Context(), &documents[0])
			if len(refused) != 0 {
				t.Errorf("%s: %v", object.GetName(), refused)
				continue
			}
			if app.Spec.Security == nil || app.Spec.Security.Profile != "Restricted" || app.Spec.Port == nil || *app.Spec.Port < 1024 {
				t.Errorf("%s: it does not run in a restricted namespace:\n%s", object.GetName(), manifest)
			}
		}
	}
	if checked != 4 {
		t.Errorf("%d Applications were checked, want 4", checked)
	}
}

// released returns the folder of the newest bundle in the layout of a repository of OperatorHub.
func released(t *testing.T, repository string) string {
	t.Helper()
	from, err := layouts()
	if err != nil {
		t.Fatal(err)
	}
	version := versions[len(versions)-1]
	return filepath.Join(from, version, repository, "operators", operator, version)
}

func openShiftBundle(t *testing.T) string {
	t.Helper()
	return released(t, "community-operators-prod")
}

func manifestsOf(t *testing.T, bundle string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(bundle, "manifests"))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// beyond returns the objects of a bundle that another one has not.
func beyond(t *testing.T, bundle, other string) []*unstructured.Unstructured {
	t.Helper()
	known := manifestsOf(t, other)
	var objects []*unstructured.Unstructured
	for _, name := range manifestsOf(t, bundle) {
		if !slices.Contains(known, name) {
			content := load[map[string]any](t, filepath.Join(bundle, "manifests", name))
			objects = append(objects, &unstructured.Unstructured{Object: content})
		}
	}
	return objects
}

// openShiftAPI returns the folder with the CRDs of the web console, of the version that OLM is built with.
func openShiftAPI(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(root, "tools", "olm"), "mod", "download", "-json", "github.com/openshift/api")
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(run(t, command)), &module); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(module.Dir, "console", "v1", "zz_generated.crd-manifests")
}

// refusals returns why an API server with the CRD would refuse an object, or drop a part of it.
func refusals(t *testing.T, crd string, object *unstructured.Unstructured) []string {
	t.Helper()
	schema, err := offline.NewSchema([]byte(read(t, crd)))
	if err != nil {
		t.Fatal(err)
	}
	_, refused := schema.Stored(t.Context(), &offline.Document{Unstructured: *object})
	return refused
}
