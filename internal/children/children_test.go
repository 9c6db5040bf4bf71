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
	"os"
	"path/filepath"
	"slices"
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

// TestNames holds that the names of a row are those of what it builds, for each golden case of the builders.
func TestNames(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("..", "resources", "testdata", "*", "application.yaml"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	found := map[string]bool{}
	for _, file := range cases {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		app := &v1.Application{}
		if err := yaml.UnmarshalStrict(content, app); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for i := range Table {
			row := &Table[i]
			if !row.Many {
				continue
			}
			in := resources.Inputs{Application: app, Update: resources.Update{Name: app.Name + "-0123456789"}}
			if app.Spec.Release != nil {
				in.ReleaseJob, in.RunRelease = app.Name+"-release-0123456789", true
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
		"a claim": {resources.KindPersistentVolumeClaim, metav1.ObjectMeta{Annotations: given}, true},
	} {
		if got := Of(test.kind).MayAdopt(app, &test.meta); got != test.want {
			t.Errorf("%s: %t, want %t", what, got, test.want)
		}
	}
}
