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

// Package install makes the manifests of an installation of the operator from the kustomizations that the plugin carries with it: those
// of a release, for the namespaces that are to be served.
//
// It opens no files and sends nothing; kustomize runs on a file system in memory.
package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Mode is which namespaces an operator serves.
type Mode string

// The modes, called as a release's files are.
const (
	OwnNamespace    Mode = "own-namespace"
	SingleNamespace Mode = "single-namespace"
	MultiNamespace  Mode = "multi-namespace"
	AllNamespaces   Mode = "all-namespaces"
)

// Options say what is to be installed.
type Options struct {
	// Mode is by default what follows from Namespaces.
	Mode Mode
	// Namespaces are those that are served.
	Namespaces []string
	// Image is the operator's; by default that of the release.
	Image string
}

// placeholder is the namespace that the kustomization of a single namespace names.
const placeholder = "app-namespace"

// complete checks the options, and sets the mode.
func (o *Options) complete() error {
	for _, name := range o.Namespaces {
		if words := validation.IsDNS1123Label(name); len(words) > 0 {
			return fmt.Errorf("--watch-namespace: %q is no name of a namespace: %s", name, words[0])
		}
	}
	slices.Sort(o.Namespaces)
	o.Namespaces = slices.Compact(o.Namespaces)
	follows := map[bool]Mode{true: MultiNamespace, false: SingleNamespace}[len(o.Namespaces) > 1]
	switch {
	case o.Mode == "" && len(o.Namespaces) == 0:
		return errors.New("which namespaces are to be served? Give --watch-namespace, --mode own-namespace or --mode all-namespaces")
	case o.Mode == "" || o.Mode == MultiNamespace && len(o.Namespaces) == 1:
		o.Mode = follows
	case o.Mode == OwnNamespace || o.Mode == AllNamespaces:
		if len(o.Namespaces) > 0 {
			return fmt.Errorf("--mode %s serves no namespace that --watch-namespace names; leave one of the two out", o.Mode)
		}
	case o.Mode != SingleNamespace && o.Mode != MultiNamespace:
		return fmt.Errorf("--mode: %q is none of %s, %s, %s and %s", o.Mode, OwnNamespace, SingleNamespace, MultiNamespace, AllNamespaces)
	case o.Mode != follows:
		return fmt.Errorf("--mode %s: --watch-namespace names %d namespaces", o.Mode, len(o.Namespaces))
	}
	return nil
}

// Generate returns the manifests.
func Generate(files fs.FS, options Options) ([]byte, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	disk, err := inMemory(files)
	if err != nil {
		return nil, err
	}
	kustomization, err := options.kustomization()
	if err != nil {
		return nil, err
	}
	if err := disk.WriteFile("/install/kustomization.yaml", kustomization); err != nil {
		return nil, err
	}
	ordered := krusty.MakeDefaultOptions()
	ordered.Reorder = krusty.ReorderOptionLegacy // as the command kustomize does, by which a release's files are made
	built, err := krusty.MakeKustomizer(ordered).Run(disk, "/install")
	if err != nil {
		return nil, err
	}
	if options.Mode == SingleNamespace || options.Mode == MultiNamespace {
		if err := bind(built, options.Namespaces); err != nil {
			return nil, err
		}
	}
	return built.AsYaml()
}

// inMemory returns a file system with the kustomizations in /config.
func inMemory(files fs.FS) (filesys.FileSystem, error) {
	disk := filesys.MakeFsInMemory()
	return disk, fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return disk.WriteFile("/config/"+path, content)
	})
}

// kustomization returns what is on top of the one of the mode.
func (o *Options) kustomization() ([]byte, error) {
	base := map[Mode]string{
		OwnNamespace: "default", SingleNamespace: "overlays/single-namespace", MultiNamespace: "overlays/single-namespace", AllNamespaces: "overlays/all-namespaces",
	}[o.Mode]
	top := types.Kustomization{Resources: []string{"../config/" + base}}
	if len(o.Namespaces) > 0 {
		patch, err := json.Marshal([]map[string]any{{"name": "WATCH_NAMESPACE", "value": strings.Join(o.Namespaces, ","), "valueFrom": nil}})
		if err != nil {
			return nil, err
		}
		top.Patches = []types.Patch{{Patch: "apiVersion: apps/v1\nkind: Deployment\n" +
			"metadata: {name: app-operator-controller-manager, namespace: app-operator-system}\n" +
			"spec: {template: {spec: {containers: [{name: manager, env: " + string(patch) + "}]}}}\n"}}
	}
	if o.Image != "" {
		image := types.Image{Name: "example.com/app-operator", NewName: o.Image}
		if name, digest, ok := strings.Cut(o.Image, "@"); ok {
			image.NewName, image.Digest = name, digest
		} else if at := strings.LastIndex(o.Image, ":"); at > strings.LastIndex(o.Image, "/") {
			image.NewName, image.NewTag = o.Image[:at], o.Image[at+1:]
		}
		top.Images = []types.Image{image}
	}
	return yaml.Marshal(top)
}

// bind gives the operator its Role in each of the namespaces, in place of the one that the kustomization names.
func bind(built resmap.ResMap, namespaces []string) error {
	for _, resource := range built.Resources() {
		if resource.GetNamespace() != placeholder {
			continue
		}
		for _, name := range namespaces[1:] {
			another := resource.DeepCopy()
			if err := another.SetNamespace(name); err != nil {
				return err
			}
			if err := built.Append(another); err != nil {
				return err
			}
		}
		if err := resource.SetNamespace(namespaces[0]); err != nil {
			return err
		}
	}
	return nil
}
