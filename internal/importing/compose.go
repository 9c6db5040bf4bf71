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

package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"
)

// compose is the format of the services of a compose file.
const compose = "compose"

// expandCompose replaces each compose file by its services. The library reads no other file and no environment: what would make it
// do so is an error or a note.
func expandCompose(sources []Source) ([]Source, error) {
	var all []Source
	for _, source := range sources {
		if _, ok := source.Object["services"].(map[string]any); !ok || source.Object["apiVersion"] != nil {
			all = append(all, source)
			continue
		}
		services, err := composeServices(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.From, err)
		}
		all = append(all, services...)
	}
	return all, nil
}

// composeServices returns the services of a compose file, each with what it uses of the file's configs, secrets and volumes.
func composeServices(source Source) ([]Source, error) {
	if source.Object["include"] != nil {
		return nil, fmt.Errorf("include: other files are not read; import what docker compose config prints")
	}
	project, asked, err := loadCompose(source)
	if err != nil {
		return nil, err
	}
	var notes []note
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		notes = append(notes, note{"${" + name + "}", "the variable has the default that the file gives it, or nothing; write its value where it is used"})
	}
	for _, name := range slices.Sorted(maps.Keys(project.Extensions)) {
		notes = append(notes, note{name, "an extension means nothing to an Application beyond where it is used"})
	}
	all := make([]Source, 0, len(project.Services))
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		tree, err := composeTree(project, project.Services[name])
		if err != nil {
			return nil, err
		}
		all = append(all, Source{From: source.From, Object: tree, format: compose, name: name, notes: notes})
		notes = nil // once a file
	}
	return all, nil
}

// loadCompose parses a compose file, and returns the variables that it asks for.
func loadCompose(source Source) (project *types.Project, asked map[string]bool, err error) {
	defer func() { // the library panics where a value has another type than it takes for granted
		if told := recover(); told != nil {
			err = fmt.Errorf("it is no compose file that can be read: %v; docker compose config says more", told)
		}
	}()
	object := maps.Clone(source.Object)
	delete(object, "version") // means nothing any more
	networks, _ := object["networks"].(map[string]any)
	if _, ok := networks["default"]; !ok { // is there although no file says so
		object["networks"] = with(maps.Clone(networks), "default", any(map[string]any{}))
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		return nil, nil, err
	}
	asked = map[string]bool{}
	project, err = loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: source.From, Content: text}}, Environment: types.Mapping{},
	}, func(options *loader.Options) {
		options.SetProjectName("import", true)
		options.SkipInclude, options.SkipResolveEnvironment, options.SkipResolveLabels, options.SkipNormalization = true, true, true, true
		options.SkipDefaultValues, options.ResolvePaths = true, false
		options.Profiles = []string{"*"}
		options.ResourceLoaders = []loader.ResourceLoader{noFiles{}}
		options.Interpolate = &interpolation.Options{
			TypeCastMapping: options.Interpolate.TypeCastMapping,
			Substitute: func(value string, mapping template.Mapping) (string, error) {
				return template.SubstituteWithOptions(value, mapping, template.WithoutLogging)
			},
			LookupValue: func(name string) (string, bool) {
				asked[name] = true
				return "", false
			},
		}
	})
	if err != nil && len(asked) > 0 {
		return nil, nil, fmt.Errorf("%w; where that is because these variables have no value here, import what docker compose config prints: %s",
			err, strings.Join(slices.Sorted(maps.Keys(asked)), ", "))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w; correct it", err)
	}
	return project, asked, nil
}

// noFiles keeps the library from reading files.
type noFiles struct{}

// Accept takes every path, so that no other loader does.
func (noFiles) Accept(string) bool { return true }

// Load refuses.
func (noFiles) Load(_ context.Context, path string) (string, error) {
	return "", fmt.Errorf("%s: other files are not read; import what docker compose config prints", path)
}

// Dir returns the folder of a path.
func (noFiles) Dir(string) string { return "/" }

// composeTree returns a service as decoded JSON, with the file's configs, secrets and volumes that it names beside its own fields.
func composeTree(project *types.Project, service types.ServiceConfig) (map[string]any, error) {
	environment := service.Environment
	service.Environment = nil
	tree, err := treeOf(service)
	if err != nil {
		return nil, err
	}
	var variables []any
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		variable := map[string]any{"name": name}
		if value := environment[name]; value != nil {
			variable["value"] = *value
		}
		variables = append(variables, variable)
	}
	if len(variables) > 0 {
		tree["environment"] = variables
	}
	maps.Copy(tree, service.Extensions)
	for i, reference := range service.Configs {
		config := types.FileObjectConfig(project.Configs[reference.Source])
		if err := describe(tree, "configs", i, map[string]any{"content": config.Content, "file": config.File, "external": bool(config.External), "environment": config.Environment}); err != nil {
			return nil, err
		}
	}
	for i, reference := range service.Secrets {
		secret := types.FileObjectConfig(project.Secrets[reference.Source])
		if err := describe(tree, "secrets", i, map[string]any{"file": secret.File, "external": bool(secret.External), "environment": secret.Environment}); err != nil {
			return nil, err
		}
	}
	for i, mount := range service.Volumes {
		volume := project.Volumes[mount.Source]
		if mount.Type != types.VolumeTypeVolume {
			continue
		}
		if err := describe(tree, "volumes", i, map[string]any{"driver": volume.Driver, "driver_opts": volume.DriverOpts, "external": bool(volume.External)}); err != nil {
			return nil, err
		}
	}
	delete(tree, "name")
	dropEmpties(tree)
	return tree, nil
}

// dropEmpties removes objects that the library's types write although nothing is in them.
func dropEmpties(tree map[string]any) {
	for name, value := range tree {
		fields, ok := value.(map[string]any)
		if !ok {
			continue
		}
		if dropEmpties(fields); len(fields) == 0 {
			delete(tree, name)
		}
	}
}

// describe adds what the file says of a thing to a service's use of it, without what is not set.
func describe(tree map[string]any, list string, index int, of map[string]any) error {
	items, ok := tree[list].([]any)
	if !ok || index >= len(items) {
		return fmt.Errorf("%s[%d] is not there", list, index)
	}
	fields, ok := items[index].(map[string]any)
	if !ok {
		return fmt.Errorf("%s[%d] is no object", list, index)
	}
	known := map[string]any{}
	for name, value := range of {
		if text := jsonOf(value); text != `""` && text != "false" && text != "null" && text != "{}" {
			known[name] = value
		}
	}
	if len(known) > 0 {
		decoded, _ := generic(known).(map[string]any)
		fields["definition"] = decoded
	}
	return nil
}

func treeOf(value any) (map[string]any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	tree := map[string]any{}
	return tree, json.Unmarshal(data, &tree)
}

// expanded is what Kubernetes replaces in variables, commands and probes: $(NAME), and $$ by $ (kubernetes
// third_party/forked/golang/expansion).
var expanded = regexp.MustCompile(`[$]{2,}|[$][(]`)

// literal returns a text that Kubernetes takes as it is.
func literal(text string) string {
	return expanded.ReplaceAllStringFunc(text, func(found string) string { return strings.ReplaceAll(found, "$", "$$") })
}

// literals is literal for each of the texts.
func literals(texts []string) []string {
	for i := range texts {
		texts[i] = literal(texts[i])
	}
	return texts
}
