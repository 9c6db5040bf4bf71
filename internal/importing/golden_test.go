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

package importing

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
)

var update = flag.Bool("update", false, "write testdata/*/*.want.yaml from what is imported now")

// kindsOfSources are the folders of testdata.
var kindsOfSources = []string{"kubernetes", "compose", "nais", "runtimecomponent", "knative", "skiperator", "score"}

// minCases is how many cases each kind of source has.
const minCases = 10

func readFile(path string) ([]byte, error) { return os.ReadFile(path) }

// golden is an input of testdata. Its options are in a first line "# name: x" or "# workload: x".
type golden struct {
	path    string
	sources []Source
	options Options
}

func goldens(t *testing.T) []golden {
	t.Helper()
	var all []golden
	for _, kind := range kindsOfSources {
		files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		files = slices.DeleteFunc(files, func(path string) bool { return strings.HasSuffix(path, ".want.yaml") })
		if len(files) < minCases {
			t.Errorf("testdata/%s has %d cases, want at least %d", kind, len(files), minCases)
		}
		for _, path := range files {
			all = append(all, readGolden(t, path))
		}
	}
	return all
}

func readGolden(t *testing.T, path string) golden {
	t.Helper()
	data := read(t, path)
	sources, err := Parse(filepath.Base(path), data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	one := golden{path: path, sources: sources}
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(line, "# name: "); ok {
			one.options.Name = strings.TrimSpace(name)
		}
		if name, ok := strings.CutPrefix(line, "# workload: "); ok {
			one.options.Workload = strings.TrimSpace(name)
		}
	}
	return one
}

// TestGolden compares what each testdata/KIND/CASE.yaml becomes with CASE.want.yaml, and holds that the API server takes it.
func TestGolden(t *testing.T) {
	for _, one := range goldens(t) {
		t.Run(one.path, func(t *testing.T) {
			result, err := Import(one.sources, one.options)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := result.Write(&text); err != nil {
				t.Fatal(err)
			}
			wantPath := strings.TrimSuffix(one.path, ".yaml") + ".want.yaml"
			if *update {
				if err := os.WriteFile(wantPath, text.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(strings.Split(string(read(t, wantPath)), "\n"), strings.Split(text.String(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, refusal := range refusals(t, text.Bytes()) {
				t.Errorf("the API server would refuse it: %v", refusal)
			}
		})
	}
}

// notLooked are fields, by their paths without indexes, whose value does not matter, with the reason.
var notLooked = map[string]string{
	"Deployment spec.selector":                                       "the operator's own labels select the pods",
	"Deployment spec.template.metadata.name":                         "pods have names of their own",
	"CronJob spec.jobTemplate.spec.template.spec.containers.name":    "containers of runs have the Application's name",
	"Job spec.template.spec.containers.name":                         "containers of runs have the Application's name",
	"PodDisruptionBudget spec.unhealthyPodEvictionPolicy":            "pods that are not ready may always be evicted",
	"Job metadata.annotations.helm.sh/hook":                          "whichever phase before the pods it is",
	"Job metadata.annotations.helm.sh/hook-weight":                   "there is one release command",
	"Job metadata.annotations.helm.sh/hook-delete-policy":            "the operator removes the Job",
	"service configs.source":                                         "where its content is in the file, its name is nobody's",
	"service configs.definition.external":                            "whoever makes it, it has to be there",
	"service secrets.definition.external":                            "whoever makes it, it has to be there",
	"service healthcheck.disable":                                    "without a test there is none",
	"Application spec.accessPolicy.outbound.external.ports.name":     "a policy knows ports by their numbers",
	"Application spec.accessPolicy.outbound.external.ports.protocol": "a policy knows what goes over TCP as TCP",
	"Application spec.filesFrom.emptyDir":                            "the name of a folder that is empty, and its usual medium",
	"Service spec.clusterIP":                                         "Kubernetes has chosen it",
	"Service spec.clusterIPs":                                        "Kubernetes has chosen it",
	"Service spec.ipFamilies":                                        "Kubernetes has chosen it",
	"Service spec.ports.nodePort":                                    "of a load balancer, Kubernetes has chosen it",
}

// TestNothingIsLost changes each leaf of each golden input, one at a time, and holds that what comes of it changes too: a field that
// has no effect was read by nobody, and told to nobody.
func TestNothingIsLost(t *testing.T) {
	for _, one := range goldens(t) {
		t.Run(one.path, func(t *testing.T) {
			result, err := Import(one.sources, one.options)
			if err != nil {
				t.Fatal(err)
			}
			if one.sources, err = expandCompose(one.sources); err != nil {
				t.Fatal(err)
			}
			before := outcome(one.sources, one.options)
			for i, source := range one.sources {
				doc, err := (&session{}).newDocument(i, source) // without defaults and bookkeeping
				if err != nil {
					t.Fatal(err)
				}
				for _, path := range leaves(doc.left, nil) {
					if slices.Contains(madeByControllers, doc.kind) || isPrefixed(doc.kind+" "+nameOf(path)) || told(result.Remarks, doc.title(), path) {
						continue
					}
					changed := slices.Clone(one.sources)
					changed[i].Object = runtime.DeepCopyJSON(normalized(source.Object))
					change(changed[i].Object, path)
					if outcome(changed, one.options) == before {
						t.Errorf("%s: %v has no effect, and nobody is told", doc.title(), path)
					}
				}
			}
		})
	}
}

func isPrefixed(name string) bool {
	for known := range notLooked {
		if strings.HasPrefix(name+".", known+".") {
			return true
		}
	}
	return false
}

// told reports whether a remark is about the value at the path, or what it is in.
func told(remarks []Remark, source string, path []any) bool {
	at := ""
	for _, step := range path {
		switch step := step.(type) {
		case string:
			at += "." + step
		case int:
			at += fmt.Sprintf("[%d]", step)
		}
		for _, remark := range remarks {
			field := strings.NewReplacer("labels[", "labels.", "annotations[", "annotations.").Replace(remark.Field)
			if remark.Source == source && (field == "" || "."+strings.TrimSuffix(field, "]") == strings.TrimSuffix(at, "]")) {
				return true
			}
		}
	}
	return false
}

// outcome is all that users see of an import. Values that are not shown are in it by what they do to the Application.
func outcome(sources []Source, options Options) string {
	result, err := Import(sources, options)
	if err != nil {
		return err.Error()
	}
	var text bytes.Buffer
	if err := result.Write(&text); err != nil {
		return err.Error()
	}
	return text.String()
}

// leaves returns the paths of all values that are no objects or lists, and of the empty ones.
func leaves(value any, path []any) [][]any {
	var all [][]any
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, leaves(value[name], append(slices.Clone(path), name))...)
		}
	case []any:
		for i, item := range value {
			all = append(all, leaves(item, append(slices.Clone(path), i))...)
		}
	default:
		all = append(all, path)
	}
	return all
}

func nameOf(path []any) string {
	var names []string
	for _, step := range path {
		if name, ok := step.(string); ok {
			names = append(names, name)
		}
	}
	return strings.Join(names, ".")
}

// change gives the value at the path another value of its type.
func change(object any, path []any) {
	for _, step := range path[:len(path)-1] {
		object = at(object, step)
	}
	other := func(value any) any {
		switch value := value.(type) {
		case string:
			return "x" + value
		case int64:
			return value + 1
		case float64:
			return value + 1
		case bool:
			return !value
		}
		return fmt.Sprint(value)
	}
	switch last := path[len(path)-1].(type) {
	case string:
		fields := object.(map[string]any)
		fields[last] = other(fields[last])
	case int:
		items := object.([]any)
		items[last] = other(items[last])
	}
}

func at(object, step any) any {
	if name, ok := step.(string); ok {
		return object.(map[string]any)[name]
	}
	return object.([]any)[step.(int)]
}

// TestPage holds that the page shows what is printed: of each two blocks of YAML, the second is what becomes of the first.
func TestPage(t *testing.T) {
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(read(t, "../../docs/import.md")), -1)
	if len(blocks) < 4 || len(blocks)%2 != 0 {
		t.Fatalf("docs/import.md has %d blocks of YAML", len(blocks))
	}
	for i, name := range []string{"web.yaml", "compose.yaml"} {
		sources, err := Parse(name, []byte(blocks[2*i][1]))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(blocks[2*i+1][1], "\n"), strings.Split(outcome(sources, Options{}), "\n")); diff != "" {
			t.Errorf("%s (-page +printed):\n%s", name, diff)
		}
	}
}

// TestErrors holds that what cannot be imported is told with what to do.
func TestErrors(t *testing.T) {
	deployment := func(name string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec: {template: {spec: {containers: [{name: c, image: i}]}}}\n"
	}
	for name, one := range map[string]struct {
		text    string
		options Options
		want    string
	}{
		"several":      {text: deployment("a") + "---\n" + deployment("b"), want: "there are 2: x.yaml: Deployment a, x.yaml: Deployment b"},
		"another name": {text: deployment("a"), options: Options{Workload: "c"}, want: `no workload is named "c"`},
		"bad name":     {text: deployment("1a"), want: "choose another one with --name"},
		"StatefulSet":  {text: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\n", want: "no workload that can become an Application"},
		"DaemonSet":    {text: "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\n", want: "(x.yaml: DaemonSet a: an Application does not run on each node; it stays"},
		"kinds":        {text: "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n", want: "RuntimeComponent (rc.app.stacks/v1), OpenLibertyApplication (apps.openliberty.io/v1),"},
		"kustomize":    {text: "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n", want: "give what kubectl kustomize prints"},
		"variables":    {text: "services: {a: {image: b, volumes: ['${DIR}:/x']}}\n", want: "import what docker compose config prints: DIR"},
		"no manifest":  {text: "a: b\n", want: "has no apiVersion; give a whole manifest: of a chart what helm template prints"},
		"wrong type": {
			text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: many, template: {spec: {containers: [{name: c, image: i}]}}}\n",
			want: `spec.replicas: "many" cannot be read`,
		},
		"no list":       {text: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: x}}}\n", want: "a list is expected"},
		"include":       {text: "include: [other.yaml]\nservices: {a: {image: b}}\n", want: "docker compose config"},
		"extends":       {text: "services: {a: {extends: {file: other.yaml, service: b}}}\n", want: "docker compose config"},
		"no image":      {text: "services: {a: {build: .}}\n", want: "build and push one"},
		"built main":    {text: "apiVersion: score.dev/v1b1\nmetadata: {name: a}\ncontainers: {a: {image: .}}\n", want: "containers.a.image: . is an image that is being built"},
		"built sidecar": {text: "apiVersion: score.dev/v1b1\nmetadata: {name: a}\ncontainers: {a: {image: i}, b: {image: .}}\n", want: "containers.b.image: . is an image that is being built"},
		"no compose":    {text: "services: {a: {imagine: b}}\n", want: "imagine"},
	} {
		t.Run(name, func(t *testing.T) {
			sources, err := Parse("x.yaml", []byte(one.text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = Import(sources, one.options); err == nil || !strings.Contains(err.Error(), one.want) {
				t.Errorf("error %v, want %q", err, one.want)
			}
		})
	}
}

// TestTemplate holds that what is to be filled in is called so.
func TestTemplate(t *testing.T) {
	for _, text := range []string{"kind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n", "{{- if .Values.a }}\nkind: Deployment\n{{- end }}\n"} {
		if _, err := Parse("x.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "is a template, and not YAML: give what helm template prints") {
			t.Errorf("error %v", err)
		}
	}
}

// TestNoSecretIsShown holds that no remark has what is in a Secret or a variable.
func TestNoSecretIsShown(t *testing.T) {
	text := strings.NewReplacer("SECRET", "hunter2").Replace(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  template:
    spec:
      containers:
      - {name: a, image: i, env: [{name: X, value: SECRET}, {name: X, value: y}]}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {x: SECRET}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: a-b}
spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: i, env: [{name: Y, value: SECRET}]}]}}}}}
`)
	sources, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(sources, Options{}); strings.Contains(got, "hunter2") {
		t.Errorf("it shows a secret:\n%s", got)
	}
}

// isVariable is the path of a variable, or of something of one.
var isVariable = regexp.MustCompile(`(^|[.])(env|envVars|environment|variables)(\[|[.]|$)`)

// TestNoErrorShowsASecret holds that an error does not quote a variable whose value is not what is expected.
func TestNoErrorShowsASecret(t *testing.T) {
	tried := 0
	for _, one := range goldens(t) {
		for i, source := range one.sources {
			for _, path := range nodes(normalized(source.Object), nil) {
				if !isVariable.MatchString(dotted(path)) {
					continue
				}
				for _, value := range []any{int64(987654321), 987654321.5, "987654321", []any{"987654321"}, map[string]any{"x": int64(987654321)}} {
					changed := slices.Clone(one.sources)
					changed[i].Object = runtime.DeepCopyJSON(normalized(source.Object))
					set(changed[i].Object, path, value)
					if _, err := Import(changed, one.options); err != nil {
						tried++
						if strings.Contains(err.Error(), "987654321") {
							t.Errorf("%s: %s as %v: %v", one.path, dotted(path), value, err)
						}
					}
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d values were refused", tried)
	}
}

// dotted returns a path as a remark has it.
func dotted(path []any) string {
	text := ""
	for _, step := range path {
		if index, ok := step.(int); ok {
			text += fmt.Sprintf("[%d]", index)
			continue
		}
		text += fmt.Sprintf(".%s", step)
	}
	return strings.TrimPrefix(text, ".")
}

// TestNoInputPanics gives each value of each golden input another type, one at a time: what cannot be read is an error or a remark.
func TestNoInputPanics(t *testing.T) {
	for _, one := range goldens(t) {
		t.Run(one.path, func(t *testing.T) {
			for i, source := range one.sources {
				for number, path := range nodes(normalized(source.Object), nil) {
					value := []any{"x", []any{int64(1)}}[number%2]
					changed := slices.Clone(one.sources)
					changed[i].Object = runtime.DeepCopyJSON(normalized(source.Object))
					set(changed[i].Object, path, value)
					outcomeOf(t, path, value, changed, one.options)
				}
			}
		})
	}
}

// TestASecondConstraintOfAKeyIsTold holds that what the API server refuses of a Deployment is told.
func TestASecondConstraintOfAKeyIsTold(t *testing.T) {
	sources, err := Parse("x.yaml", []byte(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  template:
    spec:
      containers: [{name: a, image: i}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}
      - {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}
`))
	if err != nil {
		t.Fatal(err)
	}
	result, err := Import(sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const path = "spec.template.spec.topologySpreadConstraints[1]"
	if !slices.ContainsFunc(result.Remarks, func(remark Remark) bool { return remark.Field == path }) {
		t.Errorf("no remark on %s: %v", path, result.Remarks)
	}
}

func outcomeOf(t *testing.T, path []any, value any, sources []Source, options Options) {
	t.Helper()
	defer func() {
		if told := recover(); told != nil {
			t.Errorf("%v as %v: panic: %v\n%s", path, value, told, debug.Stack())
		}
	}()
	outcome(sources, options)
}

// nodes returns the paths of all values.
func nodes(value any, path []any) [][]any {
	var all [][]any
	if len(path) > 0 {
		all = append(all, path)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, nodes(value[name], append(slices.Clone(path), name))...)
		}
	case []any:
		for i, item := range value {
			all = append(all, nodes(item, append(slices.Clone(path), i))...)
		}
	}
	return all
}

// set gives the value at the path another value.
func set(object any, path []any, value any) {
	for _, step := range path[:len(path)-1] {
		object = at(object, step)
	}
	switch last := path[len(path)-1].(type) {
	case string:
		object.(map[string]any)[last] = value
	case int:
		object.([]any)[last] = value
	}
}
