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

package bundle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	operators "github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/validation"
	"github.com/operator-framework/api/pkg/validation/errors"
	corev1 "k8s.io/api/core/v1"
)

// TestValidators holds that no validator of operator-framework/api has an error or a warning for the bundle, and that each
// that judges a ClusterServiceVersion has one for a bundle that is spoiled.
func TestValidators(t *testing.T) {
	showPlatforms(t)
	if found := complaints(bundle(t)); len(found) != 0 {
		t.Errorf("of the bundle:\n%s", strings.Join(found, "\n"))
	}
	for name, spoil := range map[string]func(*operators.Bundle){
		"icon":          func(b *operators.Bundle) { b.CSV.Spec.Icon[0].MediaType = "text/plain" },
		"category":      func(b *operators.Bundle) { b.CSV.Annotations["categories"] = "Nothing" },
		"capability":    func(b *operators.Bundle) { b.CSV.Annotations["capabilities"] = "Most" },
		"install modes": func(b *operators.Bundle) { b.CSV.Spec.InstallModes = nil },
		"CRD":           func(b *operators.Bundle) { b.V1CRDs = nil },
		"architectures": func(b *operators.Bundle) { delete(b.CSV.Labels, "operatorframework.io/arch.arm64") },
		"requests":      func(b *operators.Bundle) { manager(b).Resources.Requests = nil },
	} {
		t.Run(name, func(t *testing.T) {
			spoiled := bundle(t)
			spoil(spoiled)
			if len(complaints(spoiled)) == 0 {
				t.Error("no validator minds")
			}
		})
	}
}

func bundle(t *testing.T) *operators.Bundle {
	t.Helper()
	read, err := operators.GetBundleFromDir(filepath.FromSlash(root + "/bundle"))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func complaints(bundle *operators.Bundle) []string {
	var found []string
	objects := append(bundle.ObjectsToValidate(), bundle)
	for _, result := range validation.AllValidators.Validate(objects...) {
		for _, each := range append(result.Errors, result.Warnings...) {
			if !ignored(each) {
				found = append(found, fmt.Sprintf("%s: %v", result.Name, each))
			}
		}
	}
	return found
}

// ignored reports whether nobody can mend what a validator says: that one of them is going to be dropped.
func ignored(err errors.Error) bool {
	return strings.Contains(err.Detail, "bundle validator is deprecated")
}

// showPlatforms has the validator of architectures, which asks docker for the platforms of an image, answered with those of
// a release.
func showPlatforms(t *testing.T) {
	t.Helper()
	release := regexp.MustCompile(`(?m)^RELEASE_PLATFORMS := (.+)$`).FindSubmatch(read(t, root+"/Makefile"))
	if release == nil {
		t.Fatal("the Makefile has no RELEASE_PLATFORMS")
	}
	var platforms []string
	for platform := range strings.SplitSeq(string(release[1]), ",") {
		system, architecture, _ := strings.Cut(platform, "/")
		platforms = append(platforms, fmt.Sprintf(`{"platform":{"os":%q,"architecture":%q}}`, system, architecture))
	}
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\necho '{\"manifests\":[%s]}'\n", strings.Join(platforms, ","))
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// manager returns the operator's container.
func manager(bundle *operators.Bundle) *corev1.Container {
	return &bundle.CSV.Spec.InstallStrategy.StrategySpec.DeploymentSpecs[0].Spec.Template.Spec.Containers[0]
}
