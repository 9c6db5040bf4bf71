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

package controlplane

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// nodeBinaries are needed only for nodes.
var nodeBinaries = []string{"kube-controller-manager", "kube-scheduler", "kwok"}

// ModuleRoot returns the folder of the go.mod that the working directory belongs to. `go test` runs every test in
// its package's folder, so this is how a test finds the repository's files.
func ModuleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find working directory: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above: run this inside the repository", start)
		}
	}
}

// resolve returns options with absolute paths, and an error if a file they need is missing.
func resolve(options Options) (Options, error) {
	if options.Nodes < 0 {
		return options, fmt.Errorf("%d nodes asked for: give 0 or more", options.Nodes)
	}
	var err error
	if options.AssetsDir, err = assetsDir(options.AssetsDir); err != nil {
		return options, err
	}
	options.APIServer = cmp.Or(options.APIServer, "kube-apiserver")
	binaries := []string{"etcd", options.APIServer, "kubectl"}
	if options.Nodes > 0 {
		binaries = append(binaries, nodeBinaries...)
	}
	if err := checkBinaries(options.AssetsDir, binaries); err != nil {
		return options, err
	}
	if options.CRDPaths, err = resolveCRDPaths(options.CRDPaths); err != nil {
		return options, err
	}
	for _, path := range []*string{&options.AuditLog, &options.LogDir} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return options, fmt.Errorf("resolve path: %w", err)
		}
	}
	return options, nil
}

func assetsDir(asked string) (string, error) {
	if asked == "" {
		asked = os.Getenv("KUBEBUILDER_ASSETS")
	}
	if asked != "" {
		return filepath.Abs(asked)
	}
	root, err := ModuleRoot()
	if err != nil {
		return "", fmt.Errorf("find the control plane's binaries: %w, or set KUBEBUILDER_ASSETS", err)
	}
	return filepath.Join(root, "bin"), nil
}

// checkBinaries tells a newcomer what to do; without it the first error would be an exec failure deep inside envtest.
func checkBinaries(dir string, needed []string) error {
	var missing []string
	for _, name := range needed {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s not found in %s: run make controlplane-binaries, "+
		"or set KUBEBUILDER_ASSETS to a folder that holds %s",
		strings.Join(missing, ", "), dir, strings.Join(needed, ", "))
}

func resolveCRDPaths(paths []string) ([]string, error) {
	resolved := make([]string, 0, len(paths))
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			root, err := ModuleRoot()
			if err != nil {
				return nil, err
			}
			path = filepath.Join(root, path)
		}
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("no CustomResourceDefinitions at %s: run make manifests, or correct CRDPaths", path)
		}
		resolved = append(resolved, path)
	}
	return resolved, nil
}
