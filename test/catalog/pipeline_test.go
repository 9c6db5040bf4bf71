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

package catalog

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// pipelineConfig is what the pipelines read of ci.yaml.
type pipelineConfig struct {
	UpdateGraph string `json:"updateGraph"`
	FBC         struct {
		Mapping []struct {
			Template string   `json:"template_name"`
			Catalogs []string `json:"catalog_names"`
			Type     string   `json:"type"`
		} `json:"catalog_mapping"`
	} `json:"fbc"`
}

// releaseConfig is what OpenShift's pipeline reads beside the bundle.
type releaseConfig struct {
	Templates []struct {
		Name     string   `json:"template_name"`
		Channels []string `json:"channels"`
	} `json:"catalog_templates"`
}

// checkout is a repository that the releases are merged into.
type checkout struct {
	dir, home string
}

func (c *checkout) operator() string { return filepath.Join(c.dir, "operators", operator) }

// merge copies a release over, as CONTRIBUTING.md says: what is there stays.
func (c *checkout) merge(t *testing.T, version, repository string) {
	t.Helper()
	from, err := layouts()
	if err != nil {
		t.Fatal(err)
	}
	run(t, exec.CommandContext(t.Context(), "cp", "-Rn", filepath.Join(from, version, repository, "operators"), c.dir))
}

// push builds the image of the bundle as the pipelines do, from its folder and its annotations alone, pushes it and
// returns its name with digest.
func (c *checkout) push(t *testing.T, name, version string) string {
	t.Helper()
	address, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(c.operator(), version)
	metadata := load[struct {
		Annotations map[string]string `json:"annotations"`
	}](t, filepath.Join(bundle, "metadata", "annotations.yaml"))
	lines := []string{"FROM scratch"}
	for key, value := range metadata.Annotations {
		lines = append(lines, fmt.Sprintf("LABEL %s=%s", key, value))
	}
	lines = append(lines, "COPY manifests /manifests/", "COPY metadata /metadata/", "")
	dockerfile, layout := filepath.Join(t.TempDir(), "Dockerfile"), filepath.Join(t.TempDir(), "image")
	write(t, dockerfile, strings.Join(lines, "\n"))
	run(t, c.tool(t, "image", "-dockerfile", dockerfile, "-context", bundle, "-output", layout))
	return strings.TrimSpace(run(t, c.tool(t, "crane", "push", layout, address+"/"+name+":v"+version)))
}

// release adds the bundle to the templates that the release asks for and renders the catalogs of each; it returns their
// files. It does what the program add-bundle-to-fbc of OpenShift's pipeline does, which is Python.
func (c *checkout) release(t *testing.T, version, image string) []string {
	t.Helper()
	config := load[pipelineConfig](t, filepath.Join(c.operator(), "ci.yaml"))
	asked := load[releaseConfig](t, filepath.Join(c.operator(), version, "release-config.yaml"))
	var files []string
	for _, release := range asked.Templates {
		for _, mapping := range config.FBC.Mapping {
			if mapping.Template != release.Name {
				continue
			}
			if mapping.Type != "olm.semver" {
				t.Fatalf("the template %s is of the type %s, want olm.semver", mapping.Template, mapping.Type)
			}
			template := filepath.Join(c.operator(), "catalog-templates", release.Name)
			c.amend(t, template, release.Channels, image)
			content := c.opm(t, "opm", "alpha", "render-template", "semver", "-o", "yaml", "--use-http", template)
			for _, catalog := range mapping.Catalogs {
				file := filepath.Join(c.dir, "catalogs", catalog, operator, "catalog.yaml")
				write(t, file, content)
				files = append(files, file)
			}
		}
	}
	if len(files) == 0 {
		t.Fatalf("ci.yaml has no catalog of the templates that the release asks for: %v", asked)
	}
	return files
}

// amend adds the bundle to the template, or writes one where there is none. Keys are found as the pipeline spells them.
func (c *checkout) amend(t *testing.T, file string, channels []string, image string) {
	t.Helper()
	template := map[string]any{"Schema": "olm.semver", "GenerateMajorChannels": true, "GenerateMinorChannels": true}
	if _, err := filepath.EvalSymlinks(file); err == nil {
		template = load[map[string]any](t, file)
	}
	for _, name := range channels {
		within, ok := template[name].(map[string]any)
		if !ok {
			within = map[string]any{}
			template[name] = within
		}
		bundles, _ := within["Bundles"].([]any)
		within["Bundles"] = append(bundles, map[string]any{"Image": image})
	}
	content, err := yaml.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(content))
}

// opm returns what an opm says that takes the registry for what it is.
func (c *checkout) opm(t *testing.T, program string, args ...string) string {
	t.Helper()
	return run(t, c.tool(t, program, args...))
}

func (c *checkout) tool(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, filepath.Join(bin(), program), args...)
	command.Env = append(command.Environ(), "HOME="+c.home)
	command.Dir = c.home
	return command
}

// run returns what the command writes to its standard output.
func run(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	var complaints strings.Builder
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, output, complaints.String())
	}
	return string(output)
}
