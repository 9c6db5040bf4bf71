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

package resources

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestEveryBuilderIsTested holds the list of builders in these tests complete: it must have every exported function
// of the package that makes a configuration of Inputs.
func TestEveryBuilderIsTested(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && isBuilder(function) {
				declared = append(declared, function.Name.Name)
			}
		}
	}
	var tested []string
	for _, builder := range builders {
		tested = append(tested, builder.kind)
	}
	slices.Sort(declared)
	slices.Sort(tested)
	if diff := cmp.Diff(declared, tested); diff != "" {
		t.Errorf("builders of the package and of its tests (-declared +tested):\n%s", diff)
	}
}

func isBuilder(function *ast.FuncDecl) bool {
	parameters, results := function.Type.Params.List, function.Type.Results
	if !function.Name.IsExported() || function.Recv != nil || len(parameters) != 1 || results.NumFields() != 2 {
		return false
	}
	kind, ok := parameters[0].Type.(*ast.Ident)
	return ok && kind.Name == "Inputs"
}

// TestEveryFieldHasAGoldenCase holds the golden cases complete: each field of the spec is set in one of them.
func TestEveryFieldHasAGoldenCase(t *testing.T) {
	fields := map[string]bool{}
	listFields(fields, "spec", reflect.TypeFor[v1.ApplicationSpec]())
	if len(fields) < 20 {
		t.Fatalf("found only %d fields", len(fields))
	}
	for _, name := range cases(t) {
		cross(fields, "spec", reflect.ValueOf(readInputs(t, name).Application.Spec))
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		t.Errorf("no testdata/*/application.yaml sets %s", field)
	}
}

// listFields adds the paths of a type's fields, down to types that are not ours.
func listFields(fields map[string]bool, path string, kind reflect.Type) {
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct || kind.PkgPath() != reflect.TypeFor[v1.ApplicationSpec]().PkgPath() {
		fields[path] = true
		return
	}
	for field := range kind.Fields() {
		listFields(fields, path+"."+jsonName(field), field.Type)
	}
}

// cross takes the paths of the fields that are set in the value out.
func cross(fields map[string]bool, path string, value reflect.Value) {
	if value.IsZero() {
		return
	}
	delete(fields, path)
	switch value.Kind() {
	case reflect.Pointer:
		cross(fields, path, value.Elem())
	case reflect.Slice:
		for i := range value.Len() {
			cross(fields, path, value.Index(i))
		}
	case reflect.Struct:
		for field, inner := range value.Fields() {
			cross(fields, path+"."+jsonName(field), inner)
		}
	}
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

func TestSelectorFindsWhatBearsTheLabels(t *testing.T) {
	const want = "app.kubernetes.io/instance=shop,app.kubernetes.io/managed-by=app-operator,app.kubernetes.io/name=shop"
	if got := Selector("shop"); got != want {
		t.Errorf("Selector = %q, want %q", got, want)
	}
	selector, err := labels.Parse(Selector("shop"))
	if err != nil {
		t.Fatal(err)
	}
	if !selector.Matches(labels.Set(Labels("shop"))) {
		t.Error("the selector does not find the application's own labels")
	}
	if selector.Matches(labels.Set(Labels("shop-2"))) {
		t.Error("the selector finds another application's labels")
	}
}

// TestReservedLabelsWin is about Applications that were stored before a key was reserved.
func TestReservedLabelsWin(t *testing.T) {
	in := readInputs(t, "smallest")
	in.Application.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{
		LabelName: "other", LabelInstance: "other", LabelManagedBy: "other", "team": "shop",
	}}
	want := map[string]string{
		LabelName: "my-app", LabelInstance: "my-app", LabelManagedBy: ManagedBy, "team": "shop",
	}
	if diff := cmp.Diff(want, deploymentOf(t, in).Spec.Template.Labels); diff != "" {
		t.Errorf("the pods' labels (-want +got):\n%s", diff)
	}
}

// TestWhatLeadsNowhereIsNotThere is about Applications that were stored before the schema asked for a port.
func TestWhatLeadsNowhereIsNotThere(t *testing.T) {
	in := readInputs(t, "every-field")
	in.Application.Spec.Port = nil
	configs := buildAll(t, in)
	for _, kind := range []string{"Ingress", "HTTPRoute"} {
		if config := configs[kind]; config != nil {
			t.Errorf("without spec.port, there is a %s: %s", kind, text(t, config))
		}
	}
	if configs["ServiceMonitor"] == nil {
		t.Error("no ServiceMonitor although an additional port serves the metrics")
	}
	in.Application.Spec.AdditionalPorts = nil
	configs = buildAll(t, in)
	for _, kind := range []string{"Service", "ServiceMonitor"} {
		if config := configs[kind]; config != nil {
			t.Errorf("without any port, there is a %s: %s", kind, text(t, config))
		}
	}
}

func TestAsReportsWhatItCannotConvert(t *testing.T) {
	if _, err := toApplyConfig[corev1ac.EnvVarApplyConfiguration](func() {}); err == nil {
		t.Error("no error for a value without a JSON form")
	}
	if _, err := toApplyConfig[corev1ac.EnvVarApplyConfiguration]("text"); err == nil {
		t.Error("no error for a value of another form")
	}
	if _, err := toApplyConfigs[corev1ac.EnvVarApplyConfiguration]([]string{"text"}); err == nil {
		t.Error("no error for a list of such values")
	}
}

func deploymentOf(t testing.TB, in Inputs) *appsv1ac.DeploymentApplyConfiguration {
	t.Helper()
	config, err := Deployment(in)
	if err != nil {
		t.Fatalf("build the Deployment: %v", err)
	}
	return config
}
