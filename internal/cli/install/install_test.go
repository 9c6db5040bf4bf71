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

package install

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/config"
)

// installed is what is looked at of the manifests.
type installed struct {
	bound   []string
	cluster bool
	watches string
	args    []string
	image   string
}

func generate(t *testing.T, options Options) installed {
	t.Helper()
	text, err := Generate(config.Files, options)
	if err != nil {
		t.Fatal(err)
	}
	var found installed
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var head struct {
			Kind string
		}
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatal(err)
		}
		switch head.Kind {
		case "RoleBinding":
			binding := &rbacv1.RoleBinding{}
			if err := yaml.UnmarshalStrict([]byte(document), binding); err != nil {
				t.Fatal(err)
			}
			if binding.Name == "app-operator-manager-rolebinding" {
				found.bound = append(found.bound, binding.Namespace)
			}
		case "ClusterRoleBinding":
			found.cluster = true
		case "Deployment":
			deployment := &appsv1.Deployment{}
			if err := yaml.UnmarshalStrict([]byte(document), deployment); err != nil {
				t.Fatal(err)
			}
			container := deployment.Spec.Template.Spec.Containers[0]
			found.image, found.args = container.Image, container.Args
			for _, variable := range container.Env {
				if variable.Name == "WATCH_NAMESPACE" {
					found.watches = variable.Value
					if variable.ValueFrom != nil {
						found.watches = variable.ValueFrom.FieldRef.FieldPath
					}
				}
			}
		}
	}
	return found
}

func TestEachModeIsBoundToWhatItServes(t *testing.T) {
	cases := map[string]struct {
		options Options
		bound   string
		watches string
		cluster bool
	}{
		"one":      {Options{Namespaces: []string{"shop"}}, "shop", "shop", false},
		"several":  {Options{Namespaces: []string{"shop", "bank", "shop"}}, "bank,shop", "bank,shop", false},
		"its own":  {Options{Mode: OwnNamespace}, "app-operator-system", "metadata.namespace", false},
		"all":      {Options{Mode: AllNamespaces}, "", "", true},
		"an image": {Options{Namespaces: []string{"shop"}, Image: "registry.example.com:5000/operator@sha256:" + strings.Repeat("0", 64)}, "shop", "shop", false},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			got := generate(t, each.options)
			if strings.Join(got.bound, ",") != each.bound || got.watches != each.watches || got.cluster != each.cluster {
				t.Errorf("got %+v", got)
			}
			if each.options.Image != "" && got.image != each.options.Image {
				t.Errorf("the image is %s", got.image)
			}
			if each.cluster && !strings.Contains(strings.Join(got.args, " "), "--namespace=") {
				t.Errorf("the arguments are %v", got.args)
			}
		})
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	cases := map[string]struct {
		options Options
		words   string
	}{
		"nothing":             {Options{}, "which namespaces are to be served?"},
		"no name":             {Options{Namespaces: []string{"Shop"}}, `--watch-namespace: "Shop" is no name`},
		"no mode":             {Options{Mode: "some"}, `--mode: "some" is none of`},
		"all and one":         {Options{Mode: AllNamespaces, Namespaces: []string{"shop"}}, "leave one of the two out"},
		"a single one of two": {Options{Mode: SingleNamespace, Namespaces: []string{"a", "b"}}, "names 2 namespaces"},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := Generate(config.Files, each.options); err == nil || !strings.Contains(err.Error(), each.words) {
				t.Errorf("got %v, want %s", err, each.words)
			}
		})
	}
}
