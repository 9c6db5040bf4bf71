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

// Command csv completes the ClusterServiceVersion that operator-sdk has written, in place:
//
//   - It describes the fields of the CRD to the forms of OpenShift, as far as these go by more than the CRD.
//   - It puts in the icon, and the image wherever it has to be said again.
//   - It has links lead to the release's files, and puts an example in front that runs in a restricted namespace.
//   - It sets the versions that may be upgraded directly, and the date, which operator-sdk makes that of the run: the
//     same sources give the same bundle.
//
// It may read the files it is given and write the one it completes; it asks no registry and no cluster.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// object is a piece of YAML.
type object = map[string]any

// sources are the files that the ClusterServiceVersion is completed from.
type sources struct {
	crd, base, icon string
}

func main() {
	var from sources
	flag.StringVar(&from.crd, "crd", "", "the CustomResourceDefinition")
	flag.StringVar(&from.base, "base", "", "the ClusterServiceVersion that a person wrote")
	flag.StringVar(&from.icon, "icon", "", "the icon, an SVG")
	flag.Parse()
	if flag.NArg() != 1 || from.crd == "" || from.base == "" || from.icon == "" {
		fail(errors.New("usage: csv -crd FILE -base FILE -icon FILE CLUSTERSERVICEVERSION"))
	}
	if err := complete(flag.Arg(0), from); err != nil {
		fail(fmt.Errorf("complete %s: %w", flag.Arg(0), err))
	}
}

func fail(err error) {
	_, _ = fmt.Fprintln(os.Stderr, "csv:", err)
	os.Exit(1)
}

func complete(path string, from sources) error {
	csv, err := load(path)
	if err != nil {
		return err
	}
	if err := describe(csv, from.crd); err != nil {
		return err
	}
	if err := annotate(csv, from.base); err != nil {
		return err
	}
	icon, err := os.ReadFile(from.icon)
	if err != nil {
		return err
	}
	at(csv, "spec")["icon"] = []any{object{
		"base64data": base64.StdEncoding.EncodeToString(icon), "mediatype": "image/svg+xml",
	}}
	data, err := yaml.Marshal(csv)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644) //nolint:gosec // a source file
}

func load(path string) (object, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the file that the caller names
	if err != nil {
		return nil, err
	}
	content := object{}
	if err := yaml.Unmarshal(data, &content); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
}

// at returns the object at the end of the path, or an empty one. A number picks an item of a list.
func at(from object, path ...any) object {
	var found any = from
	for _, step := range path {
		switch step := step.(type) {
		case string:
			below, _ := found.(object)
			found = below[step]
		case int:
			below, _ := found.([]any)
			if step >= len(below) {
				return object{}
			}
			found = below[step]
		}
	}
	result, _ := found.(object)
	if result == nil {
		return object{}
	}
	return result
}

// describe puts a descriptor for each field that the CRD describes into the description that the ClusterServiceVersion has of it.
func describe(csv object, path string) error {
	crd, err := load(path)
	if err != nil {
		return err
	}
	schema := at(crd, "spec", "versions", 0, "schema", "openAPIV3Schema", "properties")
	owned := at(csv, "spec", "customresourcedefinitions", "owned", 0)
	for part, goType := range map[string]reflect.Type{
		"spec": reflect.TypeFor[v1.ApplicationSpec](), "status": reflect.TypeFor[v1.ApplicationStatus](),
	} {
		descriptors := fields(part, at(schema, part), goType)
		if len(owned) == 0 || len(descriptors) == 0 {
			return fmt.Errorf("the CRD has no %s, or the ClusterServiceVersion no CRD", part)
		}
		owned[part+"Descriptors"] = descriptors
	}
	return nil
}

// annotate says what follows from the image, the version and the examples, and takes the date over from the base.
func annotate(csv object, path string) error {
	base, err := load(path)
	if err != nil {
		return err
	}
	spec := at(csv, "spec")
	container := at(spec, "install", "spec", "deployments", 0, "spec", "template", "spec", "containers", 0)
	image, _ := container["image"].(string)
	version, _ := spec["version"].(string)
	created, _ := at(base, "metadata", "annotations")["createdAt"].(string)
	if image == "" || version == "" || created == "" {
		return fmt.Errorf("want an image, a version and a date in createdAt of the base, have %q, %q and %q", image, version, created)
	}
	spec["relatedImages"] = []any{object{"name": container["name"], "image": image}}

	annotations := at(csv, "metadata", "annotations")
	annotations["containerImage"] = image
	annotations["createdAt"] = created
	// From any earlier version one may come to this one, without the versions in between.
	annotations["olm.skipRange"] = "<" + version
	// A mirror of a disconnected cluster finds images by their digests.
	annotations["features.operators.openshift.io/disconnected"] = fmt.Sprint(strings.Contains(image, "@sha256:"))
	linkToRelease(spec, version)
	examples, _ := annotations["alm-examples"].(string)
	// The console of OpenShift asks for the first Application when the operator is installed.
	annotations["alm-examples"], annotations["operatorframework.io/initialization-resource"], err = restrictedFirst(examples)
	return err
}

// restrictedFirst moves the shortest example that a restricted namespace admits, and OpenShift, to the front, because a form begins with
// the first one, and returns that one as well.
func restrictedFirst(text string) (examples, first string, err error) {
	var found []json.RawMessage
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		return "", "", fmt.Errorf("read the examples: %w", err)
	}
	best := -1
	for i, example := range found {
		var app v1.Application
		if err := json.Unmarshal(example, &app); err != nil {
			return "", "", fmt.Errorf("read an example: %w", err)
		}
		// OpenShift admits no user but those of the namespace.
		security := app.Spec.Security
		admitted := security != nil && security.Profile == v1.SecurityProfileRestricted && security.RunAsUser == nil && security.FSGroup == nil
		if admitted && (best < 0 || len(example) < len(found[best])) {
			best = i
		}
	}
	if best < 0 {
		return "", "", fmt.Errorf("none of %d examples has the security profile %s and names no user", len(found), v1.SecurityProfileRestricted)
	}
	ordered := append([]json.RawMessage{found[best]}, found[:best]...)
	ordered = append(ordered, found[best+1:]...)
	all, err := json.Marshal(ordered) // without indentation: each release has them in the catalog, once more
	if err != nil {
		return "", "", err
	}
	one, err := json.Marshal(found[best])
	return string(all), string(one), err
}

// linkToRelease has links into the repository lead to the release's own files: what main says later is of another version.
func linkToRelease(spec object, version string) {
	links, _ := spec["links"].([]any)
	pieces := append(make([]object, 0, 1+len(links)), spec)
	for _, link := range links {
		pieces = append(pieces, link.(object))
	}
	for _, piece := range pieces {
		for _, key := range []string{"description", "url"} {
			if text, ok := piece[key].(string); ok {
				piece[key] = strings.NewReplacer("/blob/main/", "/blob/v"+version+"/", "/tree/main/", "/tree/v"+version+"/").Replace(text)
			}
		}
	}
}
