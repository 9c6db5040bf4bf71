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

package children

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// TestTheTable holds what every row needs, and that there is one row for each kind.
func TestTheTable(t *testing.T) {
	scheme := clientgoscheme.Scheme
	if err := gatewayv1.Install(scheme); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range Table {
		row := &Table[i]
		if seen[row.Kind] || row.Build == nil || row.Fields == nil {
			t.Errorf("%s: a second row, or one without a builder or its fields", row.Kind)
		}
		seen[row.Kind] = true
		if row.Many != (row.Names != nil) {
			t.Errorf("%s: has names if there may be many, and only then", row.Kind)
		}
		kind, err := apiutil.GVKForObject(row.Object, scheme)
		if err != nil || kind.Kind != row.Kind {
			t.Errorf("%s: its object is a %s: %v", row.Kind, kind.Kind, err)
		}
		list, err := apiutil.GVKForObject(row.List, scheme)
		if err != nil || list.Kind != row.Kind+"List" || list.GroupVersion() != kind.GroupVersion() {
			t.Errorf("%s: its list is a %s: %v", row.Kind, list.Kind, err)
		}
		if row.Optional() && row.OptionalAPI.GroupVersion() != kind.GroupVersion() {
			t.Errorf("%s: its API is %s", row.Kind, row.OptionalAPI)
		}
		if row.New() == row.Object || row.NewList() == row.List {
			t.Errorf("%s: what is read into is the table's own", row.Kind)
		}
	}
}

// goldenInputs returns what the golden cases of the builders are built from, by their files, with a revision, and a Job where there is a
// release command.
func goldenInputs(t *testing.T) map[string]resources.Inputs {
	t.Helper()
	cases, err := filepath.Glob(filepath.Join("..", "resources", "testdata", "*", "application.yaml"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	all := map[string]resources.Inputs{}
	for _, file := range cases {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		app := &v1.Application{}
		if err := yaml.UnmarshalStrict(content, app); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		in := resources.Inputs{Application: app, Update: resources.Update{Name: app.Name + "-0123456789"}}
		if app.Spec.Release != nil {
			in.ReleaseJob, in.RunRelease = app.Name+"-release-0123456789", true
		}
		all[file] = in
	}
	return all
}

// TestNames holds that the names of a row are those of what it builds, for each golden case of the builders.
func TestNames(t *testing.T) {
	found := map[string]bool{}
	for file, in := range goldenInputs(t) {
		for i := range Table {
			row := &Table[i]
			if !row.Many {
				continue
			}
			built, err := row.Build(in)
			if err != nil {
				t.Fatalf("%s: %s: %v", file, row.Kind, err)
			}
			var want []string
			for _, config := range built {
				want = append(want, config.Name)
			}
			if got := row.Names(in); !slices.Equal(got, want) {
				t.Errorf("%s: the names of %ss are %v, and those built are %v", file, row.Kind, got, want)
			}
			found[row.Kind] = found[row.Kind] || len(want) > 1
		}
	}
	for i := range Table {
		if row := &Table[i]; row.Many && !row.CreatedOnce && !found[row.Kind] {
			t.Errorf("no golden case has several %ss", row.Kind)
		}
	}
}

func TestApplicationsOf(t *testing.T) {
	owned := func(apiVersion, kind string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: "web", Controller: new(true)}}
	}
	one := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "a-b", OwnerReferences: owned(v1.GroupVersion.String(), "Application")}}
	if got := (&Child{}).ApplicationsOf(one); !slices.Equal(got, []string{"web"}) {
		t.Errorf("of a kind that an Application has one object of, it concerns %v", got)
	}
	for what, test := range map[string]struct {
		owners []metav1.OwnerReference
		want   []string
	}{
		// Of two Applications that need one name, the one that has not got it must know.
		"an Application's":            {owned(v1.GroupVersion.String(), "Application"), []string{"web-config-1", "web", "web-config"}},
		"an older version's":          {owned(v1.GroupVersion.Group+"/v1alpha1", "Application"), []string{"web-config-1", "web", "web-config"}},
		"nobody's":                    {nil, []string{"web-config-1", "web", "web-config"}},
		"another Application kind's":  {owned("app.k8s.io/v1beta1", "Application"), []string{"web-config-1", "web", "web-config"}},
		"a Deployment's":              {owned("apps/v1", "Deployment"), []string{"web-config-1", "web", "web-config"}},
		"of an owner without a group": {owned("v1", "Application"), []string{"web-config-1", "web", "web-config"}},
	} {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web-config-1", OwnerReferences: test.owners}}
		if got := (&Child{Many: true}).ApplicationsOf(object); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", what, got, test.want)
		}
	}
}

func TestMayAdopt(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1"}}
	given := map[string]string{v1.AnnotationAdopt: "web"}
	controller := []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "d", Controller: new(true)}}
	for what, test := range map[string]struct {
		kind string
		meta metav1.ObjectMeta
		want bool
	}{
		"given":                  {Service, metav1.ObjectMeta{Annotations: given}, true},
		"owned, not controlled":  {Service, metav1.ObjectMeta{Annotations: given, OwnerReferences: []metav1.OwnerReference{{Name: "d"}}}, true},
		"not given":              {Service, metav1.ObjectMeta{}, false},
		"given to another":       {Service, metav1.ObjectMeta{Annotations: map[string]string{v1.AnnotationAdopt: "webb"}}, false},
		"given in other letters": {Service, metav1.ObjectMeta{Annotations: map[string]string{v1.AnnotationAdopt: "web "}}, false},
		"given by a label":       {Service, metav1.ObjectMeta{Labels: given}, false},
		"controlled":             {Service, metav1.ObjectMeta{Annotations: given, OwnerReferences: controller}, false},
		"being deleted":          {Service, metav1.ObjectMeta{Annotations: given, DeletionTimestamp: &metav1.Time{}}, false},
		"a Deployment":           {Deployment, metav1.ObjectMeta{Annotations: given}, false},
		"a CronJob":              {CronJob, metav1.ObjectMeta{Annotations: given}, false},
		"a ControllerRevision":   {ControllerRevision, metav1.ObjectMeta{Annotations: given}, false},
		"another's claim": {resources.KindPersistentVolumeClaim, metav1.ObjectMeta{
			Annotations: given, Labels: map[string]string{resources.LabelApplication: "other"},
		}, false},
		"a claim":                {resources.KindPersistentVolumeClaim, metav1.ObjectMeta{Annotations: given}, true},
		"an earlier one's":       {Service, marked("web", "web/0", given), true},
		"another's, by its mark": {resources.KindConfigMap, marked("web-a-b", "web-a/1", given), false},
		"its own already":        {Service, marked("web", "web/1", given), false},
	} {
		if got := Of(test.kind).MayAdopt(app, &test.meta); got != test.want {
			t.Errorf("%s: %t, want %t", what, got, test.want)
		}
	}
}

// marked returns the metadata of an object of this name with the mark of an owner, and further annotations.
func marked(name, mark string, further map[string]string) metav1.ObjectMeta {
	annotations := map[string]string{v1.AnnotationOwner: mark}
	maps.Copy(annotations, further)
	return metav1.ObjectMeta{Name: name, Annotations: annotations}
}

func TestMarks(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1"}}
	controlled := marked("web", "web/1", nil)
	controlled.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "d", Controller: new(true)}}
	job := metav1.ObjectMeta{Name: "web-release-1", OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "apps.example.com/v1", Kind: "Application", Name: "web", UID: "1", Controller: new(true),
	}}}
	moved := *job.DeepCopy()
	moved.Labels = map[string]string{resources.LabelApplication: "other"}
	for what, test := range map[string]struct {
		kind string
		meta metav1.ObjectMeta
		of   string
		owns bool
	}{
		"a Job without its label":    {Job, job, "web", true},
		"a Job with another's label": {Job, moved, "web", true},
		"its own":                    {Service, marked("web", "web/1", nil), "web", true},
		"its own, with a suffix":     {CronJob, marked("web-nightly", "web/1", nil), "web", true},
		"an earlier one's":           {Service, marked("web", "web/0", nil), "web", false},
		"another's":                  {CronJob, marked("web-b-nightly", "web-b/1", nil), "web-b", false},
		"of a name that it has not":  {CronJob, marked("website", "web/1", nil), "", false},
		"of a kind that it has once": {Service, marked("web-copy", "web/1", nil), "", false},
		"controlled by another":      {Service, controlled, "", false},
		"without a UID":              {Service, marked("web", "web/", nil), "", false},
		"without a name":             {Service, marked("web", "/1", nil), "", false},
		"a name alone":               {Service, marked("web", "web", nil), "", false},
		"too long":                   {Service, marked("web", "web/"+strings.Repeat("1", 37), nil), "", false},
		"a claim":                    {resources.KindPersistentVolumeClaim, marked("web-data", "web/1", nil), "", false},
		"a revision":                 {ControllerRevision, marked("web-1", "web/1", nil), "", false},
		"a Job":                      {Job, marked("web-release-1", "web/1", nil), "", false},
	} {
		row := Of(test.kind)
		if of, owns := row.ApplicationOf(&test.meta), row.Owns(app, &test.meta); of != test.of || owns != test.owns {
			t.Errorf("%s: it is of %q, and owned: %t; want %q, %t", what, of, owns, test.of, test.owns)
		}
		if of, nobodys := row.ApplicationOf(&test.meta), row.IsNobodys(&test.meta); nobodys != (of == "" && len(test.meta.OwnerReferences) == 0) {
			t.Errorf("%s: nobody's: %t", what, nobodys)
		}
	}
}

// TestOrphanHoldsForEveryKind holds that no object of any kind but the expendable ones has an owner while the policy is Orphan, and that
// each is the Application's all the same.
func TestOrphanHoldsForEveryKind(t *testing.T) {
	found := map[string]bool{}
	for _, in := range goldenInputs(t) {
		in.Application.UID, in.Application.Spec.DeletionPolicy = "1", v1.DeletionPolicyOrphan
		for i := range Table {
			row := &Table[i]
			configs, err := row.Build(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, config := range configs {
				object := &metav1.PartialObjectMetadata{}
				data, err := json.Marshal(config.ApplyConfiguration)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(data, object); err != nil {
					t.Fatal(err)
				}
				if got := len(object.OwnerReferences) > 0; got != row.Expendable {
					t.Errorf("%s %s has an owner reference: %t", row.Kind, config.Name, got)
				}
				if !row.Owns(in.Application, object) {
					t.Errorf("%s %s is not the Application's: %v", row.Kind, config.Name, object.Annotations)
				}
				found[row.Kind] = true
			}
		}
	}
	for i := range Table {
		if row := &Table[i]; !found[row.Kind] && !row.CreatedOnce {
			t.Errorf("no golden case has a %s", row.Kind)
		}
	}
}
