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
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/revisions"
)

var update = flag.Bool("update", false, "write testdata/*/want.yaml from what is built now")

// restartWarning is what somebody must know who changes a pod template.
const restartWarning = "THE POD TEMPLATE HAS CHANGED for an Application that has not. On an upgrade of the operator this " +
	"RESTARTS every user's pods. If that is really meant, say so in the release notes."

// object is what every Kubernetes object is.
type object interface {
	runtime.Object
	metav1.Object
}

// builder is a child's builder, and the kind it builds.
type builder struct {
	kind  string
	build func(Inputs) ([]runtime.ApplyConfiguration, error)
	// empty returns an empty object of the kind.
	empty func() object
	// config returns an empty configuration of the kind.
	config func() runtime.ApplyConfiguration
}

// builders are all the children's, in the order of building. TestEveryBuilderIsTested holds the list complete.
var builders = []builder{
	builderOf[corev1.ServiceAccount]("ServiceAccount", ServiceAccount),
	builderOfMany[corev1.ConfigMap]("ConfigMap", ConfigMap),
	builderOfMany[corev1.PersistentVolumeClaim]("PersistentVolumeClaim", PersistentVolumeClaim),
	builderOfMany[networkingv1.NetworkPolicy]("NetworkPolicy", NetworkPolicy),
	builderOfMany[appsv1.ControllerRevision]("ControllerRevision", ControllerRevision),
	builderOfMany[batchv1.Job]("Job", Job),
	builderOf[appsv1.Deployment]("Deployment", Deployment),
	builderOfMany[batchv1.CronJob]("CronJob", CronJob),
	builderOf[corev1.Service]("Service", Service),
	builderOf[autoscalingv2.HorizontalPodAutoscaler]("HorizontalPodAutoscaler", HorizontalPodAutoscaler),
	builderOf[policyv1.PodDisruptionBudget]("PodDisruptionBudget", PodDisruptionBudget),
	builderOf[networkingv1.Ingress]("Ingress", Ingress),
	builderOf[gatewayv1.HTTPRoute]("HTTPRoute", HTTPRoute),
	builderOf[unstructured.Unstructured]("ServiceMonitor", ServiceMonitor),
}

func builderOf[O, C any, PO interface {
	*O
	object
}, PC interface {
	*C
	runtime.ApplyConfiguration
}](kind string, build func(Inputs) (PC, error)) builder {
	return builderOfMany[O, C, PO, PC](kind, func(in Inputs) ([]PC, error) {
		config, err := build(in)
		if config == nil || err != nil {
			return nil, err
		}
		return []PC{config}, nil
	})
}

// builderOfMany is builderOf for a kind of which an Application may have several objects.
func builderOfMany[O, C any, PO interface {
	*O
	object
}, PC interface {
	*C
	runtime.ApplyConfiguration
}](kind string, build func(Inputs) ([]PC, error)) builder {
	return builder{
		kind: kind,
		build: func(in Inputs) ([]runtime.ApplyConfiguration, error) {
			built, err := build(in)
			configs := make([]runtime.ApplyConfiguration, 0, len(built))
			for _, config := range built {
				configs = append(configs, config)
			}
			return configs, err
		},
		empty:  func() object { return PO(new(O)) },
		config: func() runtime.ApplyConfiguration { return PC(new(C)) },
	}
}

// children are the desired objects by their headings: the kind, and for an object that is not named as the Application, its
// name as well. One that must not exist is absent.
type children map[string]runtime.ApplyConfiguration

// heading is what an object is called in a want.yaml.
func heading(app *v1.Application, kind, name string) string {
	if name == app.Name {
		return kind
	}
	return kind + " " + name
}

// kindOf returns the kind that a heading names.
func kindOf(heading string) string {
	kind, _, _ := strings.Cut(heading, " ")
	return kind
}

// inOrder yields the children with their headings and builders, in the order of building, and those of one kind by their names.
func (c children) inOrder(yield func(string, builder) bool) {
	headings := slices.Sorted(maps.Keys(c))
	for _, builder := range builders {
		for _, heading := range headings {
			if kindOf(heading) == builder.kind && !yield(heading, builder) {
				return
			}
		}
	}
}

// buildAll returns the desired children.
func buildAll(t testing.TB, in Inputs) children {
	t.Helper()
	configs := children{}
	for _, builder := range builders {
		built, err := builder.build(in)
		if err != nil {
			t.Fatalf("build %s: %v", builder.kind, err)
		}
		for _, config := range built {
			name := ptr.Deref(config.(interface{ GetName() *string }).GetName(), "")
			heading := heading(in.Application, builder.kind, name)
			if configs[heading] != nil {
				t.Errorf("two %ss are named %s", builder.kind, name)
			}
			configs[heading] = config
		}
	}
	return configs
}

// TestGolden compares what is desired for testdata/CASE/application.yaml, and the inputs.yaml that some cases have, with
// testdata/CASE/want.yaml. They lie side by side to be read.
func TestGolden(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			got := goldenDocuments(t, readInputs(t, name))
			path := filepath.Join("testdata", name, "want.yaml")
			before, err := os.ReadFile(path)
			if err != nil && !*update {
				t.Fatalf("%v; write it with go test ./internal/resources -update, and read it", err)
			}
			whole := strings.Join(got, separator)
			want, is := documents(string(before)), documents(whole)
			headings := maps.Clone(want)
			maps.Copy(headings, is)
			for _, heading := range slices.Sorted(maps.Keys(headings)) {
				compareGolden(t, heading, want[heading], is[heading])
			}
			if string(before) != whole && !t.Failed() && !*update {
				t.Errorf("%s has documents too many or in another order", path)
			}
			if *update {
				writeFile(t, path, whole)
			}
		})
	}
}

// compareGolden reports how one child differs from what was desired before.
func compareGolden(t *testing.T, heading, want, got string) {
	t.Helper()
	complain := t.Errorf
	if *update {
		complain = t.Logf
	}
	diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")) // line by line, to be read
	if diff == "" {
		return
	}
	complain("%s (-want +got):\n%s", heading, diff)
	if heading == "Deployment" && want != "" && !equality.Semantic.DeepEqual(templateOf(t, want), templateOf(t, got)) {
		complain(restartWarning)
	}
}

// templateOf returns the pod template of a Deployment in YAML as the API server stores it: most types drop what is zero.
func templateOf(t *testing.T, deployment string) corev1.PodTemplateSpec {
	t.Helper()
	parsed := appsv1.Deployment{}
	if err := yaml.Unmarshal([]byte(deployment), &parsed); err != nil {
		t.Fatalf("parse the Deployment: %v", err)
	}
	return parsed.Spec.Template
}

// separator stands between the documents of a want.yaml.
const separator = "---\n"

// documents returns the documents of a want.yaml by their headings, which are their first lines.
func documents(text string) map[string]string {
	byHeading := map[string]string{}
	for document := range strings.SplitSeq(text, separator) {
		heading, _, _ := strings.Cut(document, "\n")
		byHeading[strings.TrimPrefix(heading, "# ")] = document
	}
	return byHeading
}

// goldenDocuments returns the desired children as the documents of a want.yaml, in the order of building.
func goldenDocuments(t *testing.T, in Inputs) []string {
	t.Helper()
	configs := buildAll(t, in)
	texts := make([]string, 0, len(configs))
	for heading := range configs.inOrder { // a new kind changes the cases alone that have it
		data, err := yaml.Marshal(configs[heading])
		if err != nil {
			t.Fatalf("encode %s: %v", heading, err)
		}
		texts = append(texts, fmt.Sprintf("# %s\n%s", heading, data))
	}
	return texts
}

// cases returns the names of the golden cases.
func cases(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*/application.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden cases in testdata: %v", err)
	}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

// readInputs reads the Application of a golden case and what was resolved for it. A field that the API does not have is
// an error.
func readInputs(t testing.TB, name string) Inputs {
	t.Helper()
	in := Inputs{Application: &v1.Application{}}
	readYAML(t, filepath.Join("testdata", name, "application.yaml"), in.Application)
	path := filepath.Join("testdata", name, "inputs.yaml")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return in
	}
	var resolved struct {
		LiveReplicas *int32               `json:"liveReplicas"`
		Autoscaled   *v1.AutoscaledStatus `json:"autoscaled"`
		ConfigHash   string               `json:"configHash"`
		JobsRemain   bool                 `json:"jobsRemain"`
		// Revision has the Application's revision made, and Release the Job of its release command.
		Revision bool `json:"revision"`
		Release  bool `json:"release"`
		// Earlier are the pods of the revision that is wanted instead.
		Earlier *v1.ApplicationSpec `json:"earlier"`
	}
	readYAML(t, path, &resolved)
	if resolved.LiveReplicas != nil {
		in.Live = pods(*resolved.LiveReplicas)
	}
	in.Application.Status.Autoscaled = resolved.Autoscaled
	in.ConfigHash = resolved.ConfigHash
	in.JobsRemain = resolved.JobsRemain
	if resolved.Revision {
		addRevision(t, &in, resolved.Earlier)
	}
	if resolved.Release {
		in.ReleaseJob, in.RunRelease = in.Application.Name+"-release-0123456789", true
	}
	return in
}

// addRevision adds which revision the Application is at.
func addRevision(t testing.TB, in *Inputs, earlier *v1.ApplicationSpec) {
	t.Helper()
	app := in.Application
	revision, err := revisions.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	in.Update = Update{
		Name: revisions.Name(app.Name, revision.Hash), Hash: revision.Hash, Data: revision.Data, Record: revisions.Record{Number: 2},
	}
	in.Revision = in.Update.Name
	if earlier == nil {
		return
	}
	before, err := revisions.Of(&v1.Application{Spec: *earlier})
	if err != nil {
		t.Fatal(err)
	}
	in.Revision = revisions.Name(app.Name, before.Hash)
	if in.Pods, err = revisions.WithPods(app, before.Data); err != nil {
		t.Fatal(err)
	}
}

func readYAML(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		t.Fatalf("parse %s: %v", path, err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
