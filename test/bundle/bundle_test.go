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

// Package bundle_test checks what must hold of the OLM bundle and of the catalog in every release. That they are what their
// sources say, `make verify` checks; that OLM installs them, the tests on a cluster.
//
// It may read files; it starts nothing but a script that stands for docker.
package bundle_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

const (
	root      = "../.."
	manifests = root + "/bundle/manifests"
	csvFile   = manifests + "/app-operator.clusterserviceversion.yaml"
	crdFile   = "apps.example.com_applications.yaml"
	account   = "app-operator-controller-manager"
	channel   = "stable-v1"
)

// clusterServiceVersion is what of OLM's type the tests look at.
type clusterServiceVersion struct {
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Version     string `json:"version"`
		Description string `json:"description"`
		Links       []struct {
			URL string `json:"url"`
		} `json:"links"`
		MinKubeVersion string `json:"minKubeVersion"`
		Icon           []struct {
			Data      string `json:"base64data"`
			MediaType string `json:"mediatype"`
		} `json:"icon"`
		InstallModes []struct {
			Type      string `json:"type"`
			Supported bool   `json:"supported"`
		} `json:"installModes"`
		RelatedImages []struct {
			Image string `json:"image"`
		} `json:"relatedImages"`
		CustomResourceDefinitions struct {
			Owned []struct {
				Name              string       `json:"name"`
				SpecDescriptors   []descriptor `json:"specDescriptors"`
				StatusDescriptors []descriptor `json:"statusDescriptors"`
			} `json:"owned"`
			Required []any `json:"required"`
		} `json:"customresourcedefinitions"`
		WebhookDefinitions []any `json:"webhookdefinitions"`
		Install            struct {
			Spec struct {
				ClusterPermissions []permission `json:"clusterPermissions"`
				Permissions        []permission `json:"permissions"`
				Deployments        []struct {
					Name string                `json:"name"`
					Spec appsv1.DeploymentSpec `json:"spec"`
				} `json:"deployments"`
			} `json:"spec"`
		} `json:"install"`
	} `json:"spec"`
}

type descriptor struct {
	Path         string   `json:"path"`
	DisplayName  string   `json:"displayName"`
	Description  string   `json:"description"`
	XDescriptors []string `json:"x-descriptors"`
}

type permission struct {
	ServiceAccountName string              `json:"serviceAccountName"`
	Rules              []rbacv1.PolicyRule `json:"rules"`
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func load[T any](t *testing.T, file string) T {
	t.Helper()
	var value T
	if err := yaml.Unmarshal(read(t, file), &value); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return value
}

func csv(t *testing.T) clusterServiceVersion {
	t.Helper()
	return load[clusterServiceVersion](t, csvFile)
}

// documents returns the YAML documents of a file.
func documents(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(read(t, file)), 4096)
	var found []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(object.Object) > 0 {
			found = append(found, object)
		}
	}
}

// TestKinds wants nothing in the bundle but these: what else may go wrong is said in config/manifests.
func TestKinds(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(manifests + "/*")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, file := range files {
		for _, object := range documents(t, file) {
			kinds = append(kinds, object.GetKind())
			if namespace := object.GetNamespace(); namespace != "" && object.GetKind() != "ClusterServiceVersion" {
				t.Errorf("%s is bound to the namespace %s", object.GetKind(), namespace)
			}
		}
	}
	slices.Sort(kinds)
	want := []string{"ClusterRole", "ClusterRole", "ClusterServiceVersion", "CustomResourceDefinition", "PodDisruptionBudget"}
	if !slices.Equal(kinds, want) {
		t.Errorf("the bundle has %v, want %v", kinds, want)
	}
}

func TestCRD(t *testing.T) {
	t.Parallel()
	bundled := load[apiextensionsv1.CustomResourceDefinition](t, manifests+"/"+crdFile)
	want := load[apiextensionsv1.CustomResourceDefinition](t, root+"/config/crd/bases/"+crdFile)
	if diff := cmp.Diff(want.Spec, bundled.Spec); diff != "" {
		t.Errorf("the CRD is not that of config/crd:\n%s", diff)
	}
	owned := csv(t).Spec.CustomResourceDefinitions
	if len(owned.Owned) != 1 || owned.Owned[0].Name != bundled.Name || len(owned.Required) > 0 {
		t.Errorf("want to own %s and to require nothing", bundled.Name)
	}
}

// TestInstallModes: what serves one tenant must not be installed for all of them by accident.
func TestInstallModes(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, mode := range csv(t).Spec.InstallModes {
		got[mode.Type] = mode.Supported
	}
	want := map[string]bool{"OwnNamespace": true, "SingleNamespace": true, "MultiNamespace": true, "AllNamespaces": false}
	if !maps.Equal(got, want) {
		t.Errorf("install modes are %v, want %v", got, want)
	}
}

// TestUsersRights wants the ClusterRoles of config/rbac, which are added to those of users, and bound to nobody.
func TestUsersRights(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"editor", "viewer"} {
		want := load[rbacv1.ClusterRole](t, root+"/config/rbac/application_"+name+"_role.yaml")
		got := load[rbacv1.ClusterRole](t, manifests+"/"+"app-operator-application-"+name+"-role_rbac.authorization.k8s.io_v1_clusterrole.yaml")
		if got.Name != "app-operator-"+want.Name || !maps.Equal(got.Labels, want.Labels) {
			t.Errorf("%s has the labels %v, want %v", got.Name, got.Labels, want.Labels)
		}
		if diff := cmp.Diff(want.Rules, got.Rules); diff != "" {
			t.Errorf("the rules of %s are not those of config/rbac:\n%s", got.Name, diff)
		}
	}
}

// TestRights wants the Roles of config/rbac, and no right over the cluster.
func TestRights(t *testing.T) {
	t.Parallel()
	install := csv(t).Spec.Install.Spec
	if len(install.ClusterPermissions) > 0 {
		t.Errorf("there are rights over the cluster: %v", install.ClusterPermissions)
	}
	want := slices.Concat(
		load[rbacv1.Role](t, root+"/config/rbac/leader_election_role.yaml").Rules,
		load[rbacv1.Role](t, root+"/config/rbac/role.yaml").Rules,
	)
	if len(install.Permissions) != 1 || install.Permissions[0].ServiceAccountName != account {
		t.Fatalf("want rights of the ServiceAccount %s alone, have %v", account, install.Permissions)
	}
	if diff := cmp.Diff(want, install.Permissions[0].Rules); diff != "" {
		t.Errorf("the rules are not those of config/rbac:\n%s", diff)
	}
}

// TestDeployment wants the Deployment of config/manager, but for what OLM needs to be otherwise.
func TestDeployment(t *testing.T) {
	t.Parallel()
	bundled := csv(t)
	if len(bundled.Spec.Install.Spec.Deployments) != 1 || len(bundled.Spec.WebhookDefinitions) > 0 {
		t.Fatal("want one Deployment and no webhook")
	}
	got := bundled.Spec.Install.Spec.Deployments[0].Spec
	want := load[appsv1.Deployment](t, root+"/config/manager/manager.yaml").Spec
	if *want.Replicas != 3 {
		t.Errorf("%d replicas, want 3", *want.Replicas)
	}
	pod := &want.Template.Spec
	pod.ServiceAccountName = account
	pod.Affinity.NodeAffinity = got.Template.Spec.Affinity.NodeAffinity
	pod.Containers[0].Image = bundled.Metadata.Annotations["containerImage"]
	watched := slices.IndexFunc(pod.Containers[0].Env, func(v corev1.EnvVar) bool { return v.Name == "WATCH_NAMESPACE" })
	pod.Containers[0].Env[watched].ValueFrom.FieldRef.FieldPath = "metadata.annotations['olm.targetNamespaces']"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the Deployment is not that of config/manager:\n%s", diff)
	}
	fields := map[string]string{}
	for _, variable := range got.Template.Spec.Containers[0].Env {
		if variable.ValueFrom != nil && variable.ValueFrom.FieldRef != nil {
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
	images := bundled.Spec.RelatedImages
	if len(images) != 1 || images[0].Image != got.Template.Spec.Containers[0].Image {
		t.Errorf("related images are %v, want that of the Deployment", images)
	}
}

// TestDescriptors wants a descriptor of every field of the first level, in words that stand alone, no more than a form can
// use, none of a field that is gone, and no hint that consoles have given up.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	schema := load[apiextensionsv1.CustomResourceDefinition](t, manifests+"/"+crdFile).Spec.Versions[0].Schema.OpenAPIV3Schema
	owned := csv(t).Spec.CustomResourceDefinitions.Owned[0]
	// Of those that consoles know, fieldGroup and arrayFieldGroup are deprecated since OpenShift 4.5, and text and number say
	// no more than the CRD.
	known := regexp.MustCompile(`^urn:alm:descriptor:(com\.tectonic\.ui:(podCount|resourceRequirements|imagePullPolicy|nodeAffinity|` +
		`podAffinity|podAntiAffinity|booleanSwitch|advanced|select:\w+)|io\.kubernetes:[A-Z]\w+|io\.kubernetes\.conditions|org\.w3:link)$`)
	for part, descriptors := range map[string][]descriptor{"spec": owned.SpecDescriptors, "status": owned.StatusDescriptors} {
		first, second := paths(schema.Properties[part])
		if len(first) < 10 || len(descriptors) > 150 {
			t.Errorf("%d descriptors of %d fields of %s, want 150 at most", len(descriptors), len(first), part)
		}
		for _, of := range descriptors {
			nested := strings.Contains(of.Path, ".")
			if !nested {
				first = slices.DeleteFunc(first, func(path string) bool { return path == of.Path })
			}
			if nested && !slices.Contains(second, of.Path) {
				t.Errorf("%s.%s is no field of an object on the first level", part, of.Path)
			}
			if of.DisplayName == "" || nested == (of.Description != "") || strings.Contains(of.Description, "\n") {
				t.Errorf("%s.%s is called %q and described as %q", part, of.Path, of.DisplayName, of.Description)
			}
			for _, hint := range of.XDescriptors {
				if !known.MatchString(hint) {
					t.Errorf("%s.%s: no console knows %s, or it is deprecated", part, of.Path, hint)
				}
			}
		}
		if len(first) > 0 {
			t.Errorf("%s: no descriptors of %v", part, first)
		}
		if part == "spec" && descriptors[0].Path != "image" {
			t.Errorf("the form begins with %s, want what is required", descriptors[0].Path)
		}
	}
}

// paths returns the fields below the schema that it describes, and those of the objects among them.
func paths(schema apiextensionsv1.JSONSchemaProps) (first, second []string) {
	for name, below := range schema.Properties {
		if below.Description == "" {
			continue
		}
		first = append(first, name)
		for nested := range below.Properties {
			second = append(second, name+"."+nested)
		}
	}
	return first, second
}

// TestExamples wants every sample to be an example, as it is, and one first that runs wherever the operator is installed.
func TestExamples(t *testing.T) {
	t.Parallel()
	var examples []json.RawMessage
	if err := json.Unmarshal([]byte(csv(t).Metadata.Annotations["alm-examples"]), &examples); err != nil {
		t.Fatal(err)
	}
	got := map[string]v1.ApplicationSpec{}
	var first v1.Application
	for _, example := range examples {
		var app v1.Application
		if err := yaml.UnmarshalStrict(example, &app); err != nil {
			t.Errorf("%v:\n%s", err, example)
		}
		if app.Kind != "Application" || app.APIVersion != v1.GroupVersion.String() || app.Namespace != "" {
			t.Errorf("the example %s is a %s of %s for the namespace %q", app.Name, app.Kind, app.APIVersion, app.Namespace)
		}
		if first.Name == "" {
			first = app
		}
		got[app.Name] = app.Spec
	}
	if s := first.Spec.Security; s == nil || s.Profile != v1.SecurityProfileRestricted || s.RunAsUser != nil || first.Spec.Port == nil ||
		*first.Spec.Port < 1024 {
		t.Errorf("a form begins with the example %s, want one that a restricted namespace admits, and OpenShift", first.Name)
	}
	want := map[string]v1.ApplicationSpec{}
	samples, err := filepath.Glob(root + "/config/samples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range samples {
		for _, object := range documents(t, file) {
			if object.GetKind() == "Application" {
				content, err := object.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				var app v1.Application
				if err := json.Unmarshal(content, &app); err != nil {
					t.Fatal(err)
				}
				want[app.Name] = app.Spec
			}
		}
	}
	if len(want) < 2 || !reflect.DeepEqual(got, want) {
		t.Errorf("the examples are not the samples:\n%s", cmp.Diff(want, got))
	}
}

// TestListing wants what catalogs refuse to list an operator without.
func TestListing(t *testing.T) {
	t.Parallel()
	bundled := csv(t)
	annotations := bundled.Metadata.Annotations
	for _, key := range []string{
		"capabilities", "categories", "containerImage", "createdAt", "description", "repository", "support",
		"operatorframework.io/suggested-namespace", "operatorframework.io/uninstall-message", "features.operators.openshift.io/disconnected",
	} {
		if annotations[key] == "" {
			t.Errorf("the annotation %s is missing", key)
		}
	}
	if got, want := annotations["olm.skipRange"], "<"+bundled.Spec.Version; got != want {
		t.Errorf("olm.skipRange is %q, want %q", got, want)
	}
	if readme := read(t, root+"/README.md"); !bytes.Contains(readme, []byte("Kubernetes "+strings.TrimSuffix(bundled.Spec.MinKubeVersion, ".0")+" or later")) {
		t.Errorf("README.md does not ask for Kubernetes %s", bundled.Spec.MinKubeVersion)
	}
	if page := read(t, root+"/docs/operations/capabilities.md"); !bytes.Contains(page, []byte("**"+annotations["capabilities"]+"**")) {
		t.Errorf("docs/operations/capabilities.md does not claim %s", annotations["capabilities"])
	}
	icon, err := base64.StdEncoding.DecodeString(bundled.Spec.Icon[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	var picture struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
	}
	if err := xml.Unmarshal(icon, &picture); err != nil || bundled.Spec.Icon[0].MediaType != "image/svg+xml" {
		t.Errorf("the icon is no SVG: %v", err)
	}
}

// TestLinks wants links to be absolute and to lead to the files of the release, and these to exist.
func TestLinks(t *testing.T) {
	t.Parallel()
	bundled := csv(t)
	texts := []string{bundled.Spec.Description}
	for _, link := range bundled.Spec.Links {
		texts = append(texts, "("+link.URL+")")
	}
	repository := bundled.Metadata.Annotations["repository"]
	links := regexp.MustCompile(`\]?\((\S+?)(#\S*)?\)`).FindAllStringSubmatch(strings.Join(texts, "\n"), -1)
	if len(links) < 8 {
		t.Errorf("there are %d links, want some in the description as well", len(links))
	}
	for _, link := range links {
		if link[1] == repository || !strings.Contains(link[0], "/") {
			continue
		}
		path, ok := strings.CutPrefix(link[1], repository+"/blob/v"+bundled.Spec.Version+"/")
		if !ok {
			path, ok = strings.CutPrefix(link[1], repository+"/tree/v"+bundled.Spec.Version+"/")
		}
		if !ok {
			t.Errorf("%s does not lead to the files of v%s", link[1], bundled.Spec.Version)
		} else if _, err := os.Stat(root + "/" + path); err != nil {
			t.Errorf("%s: %v", link[1], err)
		}
	}
	if !strings.Contains(bundled.Spec.Description, "## Prerequisites\n") {
		t.Error("the description does not say what is needed")
	}
}

// TestSuggestions wants the namespace and the first Application that consoles suggest to be objects as they stand.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	annotations := csv(t).Metadata.Annotations
	var namespace corev1.Namespace
	if err := yaml.UnmarshalStrict([]byte(annotations["operatorframework.io/suggested-namespace-template"]), &namespace); err != nil {
		t.Error(err)
	}
	if namespace.Kind != "Namespace" || namespace.Name != annotations["operatorframework.io/suggested-namespace"] {
		t.Errorf("the namespace is the %s %s, want %s", namespace.Kind, namespace.Name, annotations["operatorframework.io/suggested-namespace"])
	}
	var app v1.Application
	first := annotations["operatorframework.io/initialization-resource"]
	if err := yaml.UnmarshalStrict([]byte(first), &app); err != nil || app.Kind != "Application" {
		t.Errorf("the first Application is a %s: %v", app.Kind, err)
	}
	if !strings.HasPrefix(annotations["alm-examples"], "["+first+",") {
		t.Error("the first Application is not the first example")
	}
}

// TestSize keeps clear of limits: 1 MiB for a ConfigMap, in which OLM hands all manifests on, and 256 KiB for the
// annotations of an object.
func TestSize(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(manifests + "/*")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, file := range files {
		total += len(read(t, file))
	}
	if total > 768<<10 {
		t.Errorf("the manifests have %d bytes", total)
	}
	size := 0
	for key, value := range csv(t).Metadata.Annotations {
		size += len(key) + len(value)
	}
	if size > 128<<10 {
		t.Errorf("the annotations have %d bytes", size)
	}
}

// TestCatalogGrowth: catalogs hold all releases, each with what consoles show of it, and clusters hold catalogs.
func TestCatalogGrowth(t *testing.T) {
	t.Parallel()
	catalog := root + "/catalog/configs/app-operator/catalog.yaml"
	releases := strings.Count(string(read(t, catalog)), "schema: olm.bundle\n")
	size := len(read(t, catalog)) / max(releases, 1)
	t.Logf("%d releases, %d bytes each", releases, size)
	if releases == 0 || size > 60_000 {
		t.Errorf("each of %d releases has %d bytes in the catalog, want 60 kB at most", releases, size)
	}
}

// TestCatalog wants the release to be what a Subscription gets, and the bundle without a copy of all its manifests, which
// OpenShift's catalogs refuse.
func TestCatalog(t *testing.T) {
	t.Parallel()
	release := csv(t).Metadata.Name
	var heads, images []string
	for _, object := range documents(t, root+"/catalog/configs/app-operator/catalog.yaml") {
		content := object.Object
		switch content["schema"] {
		case "olm.package":
			if content["name"] != "app-operator" || content["defaultChannel"] != channel {
				t.Errorf("the package is %v with the channel %v", content["name"], content["defaultChannel"])
			}
		case "olm.channel":
			entries, _, err := unstructured.NestedSlice(content, "entries")
			if err != nil || len(entries) == 0 {
				t.Fatalf("the channel %v has no entries: %v", content["name"], err)
			}
			head, _, _ := unstructured.NestedString(entries[len(entries)-1].(map[string]any), "name")
			heads = append(heads, head)
		case "olm.bundle":
			images = append(images, content["image"].(string))
			if strings.Contains(string(must(object.MarshalJSON())), "olm.bundle.object") {
				t.Errorf("%v holds its manifests", content["name"])
			}
		}
	}
	if !slices.Equal(heads, []string{release}) {
		t.Errorf("channels lead to %v, want %s", heads, release)
	}
	version := strings.TrimPrefix(release, "app-operator.")
	if len(images) == 0 || !strings.HasSuffix(images[len(images)-1], ":"+version) {
		t.Errorf("bundles are %v, want one of %s", images, version)
	}
}

// TestChannel wants the bundle to name one channel, which is that of the catalog and of the documents: a channel never
// changes under those who subscribe to it.
func TestChannel(t *testing.T) {
	t.Parallel()
	const key = "operators.operatorframework.io.bundle.channel"
	annotations := load[struct {
		Annotations map[string]string `json:"annotations"`
	}](t, root+"/bundle/metadata/annotations.yaml").Annotations
	dockerfile := string(read(t, root+"/bundle.Dockerfile"))
	for _, label := range []string{key + "s.v1", key + ".default.v1"} {
		if annotations[label] != channel || !strings.Contains(dockerfile, "LABEL "+label+"="+channel+"\n") {
			t.Errorf("%s is %q, and want it to be %s, here and in bundle.Dockerfile", label, annotations[label], channel)
		}
	}
	if page := string(read(t, root+"/docs/install.md")); !strings.Contains(page, "channel: "+channel+"\n") {
		t.Errorf("the Subscription of docs/install.md is not to the channel %s", channel)
	}
}

// TestCommunity wants what a release asks of OperatorHub's pipeline to be what the pipeline is told of.
func TestCommunity(t *testing.T) {
	t.Parallel()
	type template struct {
		Name     string   `json:"template_name"`
		Type     string   `json:"type"`
		Channels []string `json:"channels"`
	}
	config := load[struct {
		FBC struct {
			Enabled bool       `json:"enabled"`
			Mapping []template `json:"catalog_mapping"`
		} `json:"fbc"`
	}](t, root+"/catalog/community-operators-prod/ci.yaml")
	release := load[struct {
		Templates []template `json:"catalog_templates"`
	}](t, root+"/catalog/community-operators-prod/release-config.yaml")
	if !config.FBC.Enabled || len(config.FBC.Mapping) != 1 || len(release.Templates) != 1 {
		t.Fatalf("want one template, have %v and %v", config.FBC, release.Templates)
	}
	told, asked := config.FBC.Mapping[0], release.Templates[0]
	if told.Name != asked.Name || told.Type != "olm.semver" || !slices.Equal(asked.Channels, []string{"Stable"}) {
		t.Errorf("the pipeline is told of %v and asked for %v", told, asked)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
