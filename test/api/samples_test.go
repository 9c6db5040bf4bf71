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
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

const samples = "../../config/samples"

// smallest is the manifest that has to work as it is, on any cluster, in every version of the operator.
const smallest = `apiVersion: apps.example.com/v1
kind: Application
metadata: {name: my-app, namespace: app-namespace}
spec: {replicas: 3, image: "nginx:latest", port: 80}
`

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

// TestSamplesAreAccepted applies all samples in the way that the user guide tells.
func TestSamplesAreAccepted(t *testing.T) {
	namespace(t, "app-namespace")
	files, err := filepath.Glob(filepath.Join(samples, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var created []string
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		sample := &unstructured.Unstructured{Object: decode(t, readFile(t, file))}
		if sample.GetNamespace() == "" {
			sample.SetNamespace(metav1.NamespaceDefault)
		}
		removeAfter(t, sample)
		created = append(created, "application.apps.example.com/"+sample.GetName()+" created\n")
	}
	shown := mustKubectl(t, "apply", "-k", samples)
	for _, line := range created {
		if !strings.Contains(shown, line) {
			t.Errorf("%q is missing in: %s", line, shown)
		}
	}
	if strings.Contains(shown, "Warning") {
		t.Errorf("with warnings: %s", shown)
	}
}

// TestSamplesKeepScaffoldMarker keeps the place where operator-sdk adds the samples of further kinds.
func TestSamplesKeepScaffoldMarker(t *testing.T) {
	kustomization := readFile(t, filepath.Join(samples, "kustomization.yaml"))
	if !bytes.Contains(kustomization, []byte("\n# +kubebuilder:scaffold:manifestskustomizesamples\n")) {
		t.Errorf("the marker is missing in:\n%s", kustomization)
	}
}

// TestSampleShowsEveryField walks the Go types, so that the sample that is meant to show every field cannot fall
// behind them.
func TestSampleShowsEveryField(t *testing.T) {
	// An existing ServiceAccount excludes the annotations of one that is made.
	excluded := []string{"spec.serviceAccount.name"}
	data := readFile(t, filepath.Join(samples, "apps_v1_application.yaml"))
	if err := yaml.UnmarshalStrict(data, &v1.Application{}); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	facts("spec", decode(t, data)["spec"], func(fact string) { shown[fact] = true })
	fields := fieldsOf("spec", reflect.TypeFor[v1.ApplicationSpec]())
	for _, field := range fields {
		if given := shown[field+" is given"]; given == slices.Contains(excluded, field) {
			t.Errorf("%s: given %t", field, given)
		}
	}
	// A walk that finds less than the schema has would prove nothing.
	visitSpec(t, func(path string, at *property) {
		for _, name := range sortedKeys(at.Properties) {
			if field := join(path, name); !isKubernetesType(path) && !slices.Contains(fields, field) {
				t.Errorf("%s is in the schema and not in the Go types", field)
			}
		}
	})
}

// fieldsOf lists the fields below path, by their JSON names. Types of other packages are not entered.
func fieldsOf(path string, of reflect.Type) []string {
	switch of.Kind() {
	case reflect.Pointer:
		return fieldsOf(path, of.Elem())
	case reflect.Slice:
		return fieldsOf(path+"[*]", of.Elem())
	case reflect.Struct:
		if of.PkgPath() != reflect.TypeFor[v1.Application]().PkgPath() {
			return nil
		}
		var fields []string
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			fields = append(fields, join(path, name))
			fields = append(fields, fieldsOf(join(path, name), field.Type)...)
		}
		return fields
	default:
		return nil
	}
}
