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
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

const (
	samples = "../../config/samples"
	guide   = "../../docs/guide.md"
)

// smallest is the manifest that has to work as it is, on any cluster, in every version of the operator.
const smallest = `apiVersion: apps.example.com/v1
kind: Application
metadata: {name: my-app, namespace: app-namespace}
spec: {replicas: 3, image: "nginx:latest", port: 80}
`

// sampleFiles lists the samples by their file names.
func sampleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(samples, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(files))
	for _, file := range files {
		if name := filepath.Base(file); name != "kustomization.yaml" {
			names = append(names, name)
		}
	}
	if len(names) < 2 {
		t.Fatalf("samples: %v", names)
	}
	return names
}

// documents returns what a sample consists of: the Application first, then the objects that it refers to.
func documents(t *testing.T, file string) [][]byte {
	t.Helper()
	parts := bytes.Split(readFile(t, filepath.Join(samples, file)), []byte("\n---\n"))
	for i, part := range parts {
		if kind := decode(t, part)["kind"]; (kind == "Application") != (i == 0) {
			t.Fatalf("%s: document %d is of kind %v; the Application comes first, and alone", file, i+1, kind)
		}
	}
	return parts
}

// TestSmallestIsVerbatim holds the sample, and the case that proves it, to the promised bytes.
func TestSmallestIsVerbatim(t *testing.T) {
	sample := readFile(t, filepath.Join(samples, "smallest.yaml"))
	if string(sample) != smallest {
		t.Errorf("config/samples/smallest.yaml is\n%swant\n%s", sample, smallest)
	}
	if body := loadManifest(t, "testdata/valid/smallest.yaml").body; string(body) != smallest {
		t.Errorf("testdata/valid/smallest.yaml is\n%swant\n%s", body, smallest)
	}
}

// TestSamplesAreAccepted applies the samples in the way that the user guide tells: each by itself, and all at once.
func TestSamplesAreAccepted(t *testing.T) {
	namespace(t, "app-namespace")
	files := sampleFiles(t)
	for _, file := range files {
		t.Run(file, func(t *testing.T) { applySamples(t, []string{file}, "-f", filepath.Join(samples, file)) })
	}
	t.Run("all", func(t *testing.T) { applySamples(t, files, "-k", samples) })
}

// applySamples has kubectl apply these files, and wants to see each of their objects created and nothing else, and
// nothing written when they are applied once more.
func applySamples(t *testing.T, files []string, how ...string) {
	t.Helper()
	var objects []*unstructured.Unstructured
	for _, file := range files {
		for _, document := range documents(t, file) {
			object := &unstructured.Unstructured{Object: decode(t, document)}
			if object.GetNamespace() == "" {
				object.SetNamespace(metav1.NamespaceDefault)
			}
			removeAfter(t, object)
			objects = append(objects, object)
		}
	}
	shown := mustKubectl(t, append([]string{"apply"}, how...)...)
	again := mustKubectl(t, append([]string{"apply"}, how...)...)
	if got := strings.Count(again, " unchanged\n"); got != len(objects) || strings.Count(again, "\n") != got {
		t.Errorf("applied again, %d objects are unchanged, want all %d: %s", got, len(objects), again)
	}
	for _, object := range objects {
		if line := "/" + object.GetName() + " created\n"; !strings.Contains(shown, line) {
			t.Errorf("%q is missing in: %s", line, shown)
		}
		if object.GetKind() == "PersistentVolumeClaim" { // no controller runs here that would let go of it
			if err := patch(t, object, `{"metadata":{"finalizers":null}}`); err != nil {
				t.Error(err)
			}
		}
	}
	if got := strings.Count(shown, " created\n"); got != len(objects) {
		t.Errorf("%d objects were created, want %d: %s", got, len(objects), shown)
	}
	if strings.Contains(shown, "Warning") {
		t.Errorf("with warnings: %s", shown)
	}
}

// TestExamplesAreAccepted applies the examples of the documentation in the way that their pages tell, and once more.
func TestExamplesAreAccepted(t *testing.T) {
	folders, err := filepath.Glob("../../docs/examples/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples (%v)", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			objects := strings.Split(mustKubectl(t, "kustomize", folder), "\n---\n")
			for _, object := range objects {
				object := &unstructured.Unstructured{Object: decode(t, []byte(object))}
				object.SetNamespace(metav1.NamespaceDefault)
				removeAfter(t, object)
			}
			if shown := mustKubectl(t, "apply", "-k", folder); strings.Count(shown, " created\n") != len(objects) {
				t.Errorf("%d objects are created, want all: %s", len(objects), shown)
			}
			if again := mustKubectl(t, "apply", "-k", folder); strings.Count(again, " unchanged\n") != len(objects) {
				t.Errorf("applied again, %d objects are unchanged, want all: %s", len(objects), again)
			}
		})
	}
}

// TestPagesShowAcceptedApplications creates the Applications that stand on pages among objects of other operators.
func TestPagesShowAcceptedApplications(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	created := 0
	for _, page := range []string{"../../docs/beyond.md", "../../docs/autoscalers.md"} {
		for _, block := range blocks.FindAllSubmatch(readFile(t, page), -1) {
			for body := range bytes.SplitSeq(block[1], []byte("\n---\n")) {
				object := &unstructured.Unstructured{Object: decode(t, body)}
				if object.GetKind() != "Application" {
					continue
				}
				object.SetNamespace(namespace(t, object.GetName()))
				if _, err := create(t, object.GetNamespace(), body); err != nil {
					t.Errorf("%s: %v\n%s", page, err, body)
				}
				removeAfter(t, object)
				created++
			}
		}
	}
	if created < 4 {
		t.Errorf("found only %d Applications", created)
	}
}

// TestSamplesRoundTrip finds what a sample loses on its way into the API server, or from there into the Go types.
func TestSamplesRoundTrip(t *testing.T) {
	for _, file := range sampleFiles(t) {
		t.Run(file, func(t *testing.T) {
			body := documents(t, file)[0]
			given := &unstructured.Unstructured{Object: decode(t, body)}
			given.SetNamespace(namespace(t, given.GetNamespace()))
			stored, err := create(t, given.GetNamespace(), body)
			if err != nil {
				t.Fatal(err)
			}
			removeAfter(t, given)
			kept := map[string]bool{}
			facts("spec", stored["spec"], func(fact string) { kept[fact] = true })
			facts("spec", given.Object["spec"], func(fact string) {
				// The API server adds defaults, so that an object may have more fields than were given.
				if !kept[fact] && !strings.Contains(fact, " has size ") {
					t.Errorf("not stored: %s", fact)
				}
			})
			app := &v1.Application{}
			if err := yaml.UnmarshalStrict(marshal(t, stored), app); err != nil {
				t.Fatal(err)
			}
			// Go leaves out a false or a zero that is the default anyway, and gives each container its resources.
			same := cmpopts.IgnoreMapEntries(func(name string, value any) bool {
				of := reflect.ValueOf(value)
				return of.IsZero() || name == "resources" && of.Len() == 0
			})
			if diff := cmp.Diff(stored["spec"], decode(t, marshal(t, app))["spec"], same); diff != "" {
				t.Errorf("the Go types lose something (-stored +decoded):\n%s", diff)
			}
		})
	}
}

func marshal(t *testing.T, object any) []byte {
	t.Helper()
	data, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSamplesCanBeTried holds the samples to what their readers rely on: their Applications are named after their
// files, so that all of them can be applied together, and their images have a tag.
func TestSamplesCanBeTried(t *testing.T) {
	tagged := regexp.MustCompile(`^[a-z0-9./-]+:v?[0-9][0-9.]*$`)
	for _, file := range sampleFiles(t) {
		app := &v1.Application{}
		if err := yaml.UnmarshalStrict(documents(t, file)[0], app); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if file == "smallest.yaml" {
			continue // its bytes are settled
		}
		if name := strings.TrimSuffix(file, ".yaml"); app.Name != name && file != "apps_v1_application.yaml" {
			t.Errorf("%s: the Application is named %s", file, app.Name)
		}
		if app.Namespace != "" {
			t.Errorf("%s: it is for the namespace %s", file, app.Namespace)
		}
		if !tagged.MatchString(app.Spec.Image) {
			t.Errorf("%s: the image is %s", file, app.Spec.Image)
		}
	}
}

// TestBroadSampleNeedsNothing keeps the sample that most people try first to what every cluster has.
func TestBroadSampleNeedsNothing(t *testing.T) {
	app := &v1.Application{}
	if err := yaml.UnmarshalStrict(readFile(t, filepath.Join(samples, "apps_v1_application.yaml")), app); err != nil {
		t.Fatal(err)
	}
	if app.Spec.HTTPRoute != nil || app.Spec.Monitoring != nil {
		t.Error("it needs the Gateway API or the Prometheus Operator")
	}
	if len(documents(t, "apps_v1_application.yaml")) != 1 {
		t.Error("it is more than the Application")
	}
}

// TestSamplesKeepScaffoldMarker keeps the place where operator-sdk adds the samples of further kinds.
func TestSamplesKeepScaffoldMarker(t *testing.T) {
	kustomization := readFile(t, filepath.Join(samples, "kustomization.yaml"))
	if !bytes.Contains(kustomization, []byte("\n# +kubebuilder:scaffold:manifestskustomizesamples\n")) {
		t.Errorf("the marker is missing in:\n%s", kustomization)
	}
}

// TestSamplesShowEveryField walks the Go types, so that the samples cannot fall behind them. A field of a type that is
// used in several places has to be shown in one of them.
func TestSamplesShowEveryField(t *testing.T) {
	shown := map[string]bool{}
	for _, file := range sampleFiles(t) {
		facts("spec", decode(t, documents(t, file)[0])["spec"], func(fact string) { shown[fact] = true })
	}
	given := map[string]bool{}
	fields := fieldsOf("spec", reflect.TypeFor[v1.ApplicationSpec]())
	paths := make([]string, 0, len(fields))
	for _, field := range fields {
		paths = append(paths, field.path)
		given[field.name] = given[field.name] || shown[field.path+" is given"]
	}
	for _, name := range sortedKeys(given) {
		if !given[name] {
			t.Errorf("no sample shows %s", name)
		}
	}
	// A walk that finds less than the schema has would prove nothing.
	visitSpec(t, func(path string, at *property) {
		for _, name := range sortedKeys(at.Properties) {
			if field := join(path, name); !isKubernetesType(path) && !slices.Contains(paths, field) {
				t.Errorf("%s is in the schema and not in the Go types", field)
			}
		}
	})
}

// field is a field of the API: where it is, and what it is called in Go, such as spec.probes.liveness.exec and
// Probe.exec.
type field struct {
	path, name string
}

// fieldsOf lists the fields below path, by their JSON names. Types of other packages are not entered.
func fieldsOf(path string, of reflect.Type) []field {
	switch of.Kind() {
	case reflect.Pointer:
		return fieldsOf(path, of.Elem())
	case reflect.Slice:
		return fieldsOf(path+"[*]", of.Elem())
	case reflect.Struct:
		if of.PkgPath() != reflect.TypeFor[v1.Application]().PkgPath() {
			return nil
		}
		var fields []field
		for member := range of.Fields() {
			name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
			if member.Anonymous {
				fields = append(fields, fieldsOf(path, member.Type)...)
				continue
			}
			fields = append(fields, field{path: join(path, name), name: of.Name() + "." + name})
			fields = append(fields, fieldsOf(join(path, name), member.Type)...)
		}
		return fields
	default:
		return nil
	}
}

// TestGuideShowsSamples holds every YAML block of the guide to the sample that it says it comes from, and every sample
// to being in the guide.
func TestGuideShowsSamples(t *testing.T) {
	text := string(readFile(t, guide))
	blocks := regexp.MustCompile("(?ms)^(?:<!-- sample: ([a-z0-9_-]+\\.yaml) -->\n)?```yaml\n(.*?)^```$")
	found := blocks.FindAllStringSubmatch(text, -1)
	if len(found) != strings.Count(text, "```yaml") {
		t.Errorf("read %d of %d YAML blocks", len(found), strings.Count(text, "```yaml"))
	}
	for _, block := range found {
		file, excerpt := block[1], block[2]
		if file == "" {
			t.Errorf("a YAML block does not say which sample it comes from:\n%s", excerpt)
			continue
		}
		// Whole lines, and not only some words of them.
		if !strings.Contains("\n"+string(readFile(t, filepath.Join(samples, file))), "\n"+excerpt) {
			t.Errorf("this is not in config/samples/%s:\n%s", file, excerpt)
		}
	}
	for _, file := range sampleFiles(t) {
		if !strings.Contains(text, "(../config/samples/"+file+")") {
			t.Errorf("the guide has no link to config/samples/%s", file)
		}
	}
}

// TestGuideExplainsEveryReason reads the constants, so that no reason or condition can be without an explanation.
func TestGuideExplainsEveryReason(t *testing.T) {
	text := string(readFile(t, guide))
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../api/v1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	ast.Inspect(parsed, func(node ast.Node) bool {
		constant, ok := node.(*ast.BasicLit)
		if !ok || constant.Kind != token.STRING {
			return true
		}
		name, err := strconv.Unquote(constant.Value)
		if err != nil {
			t.Fatal(err)
		}
		explained++
		if row := fmt.Sprintf("\n| `%s` |", name); !strings.Contains(text, row) {
			t.Errorf("the guide has no row for %s", name)
		}
		return true
	})
	if explained < 10 {
		t.Errorf("found only %d constants", explained)
	}
}
