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
	examples, _ := annotations["alm-examples"].(string)
	annotations["alm-examples"], err = shortestFirst(examples)
	return err
}

// shortestFirst moves the shortest example to the front, because a form begins with the first one.
func shortestFirst(text string) (string, error) {
	var examples []json.RawMessage
	if err := json.Unmarshal([]byte(text), &examples); err != nil || len(examples) == 0 {
		return "", fmt.Errorf("read %d examples: %w", len(examples), err)
	}
	shortest := 0
	for i, example := range examples {
		if len(example) < len(examples[shortest]) {
			shortest = i
		}
	}
	ordered := append([]json.RawMessage{examples[shortest]}, examples[:shortest]...)
	ordered = append(ordered, examples[shortest+1:]...)
	result, err := json.Marshal(ordered) // each release has them in the catalog, once more
	return string(result), err
}
