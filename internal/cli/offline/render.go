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

package offline

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
)

// Parts are which objects are rendered.
type Parts int

const (
	// Lasting are the objects that are there as long as the Application.
	Lasting Parts = iota
	// WithRollout are also those of its first rollout: its revision, and the Job of the release command.
	WithRollout
)

// Render returns what the operator makes of an Application that it has not seen yet, as YAML with a heading for each object: kinds in
// the order in which they are applied, and the objects of a kind by their names.
func Render(app *v1.Application, parts Parts) ([]byte, error) {
	in := resources.Inputs{Application: app}
	if parts == WithRollout {
		if err := addRollout(&in); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	for i := range children.Table {
		child := &children.Table[i]
		configs, err := child.Build(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", child.Kind, err)
		}
		slices.SortFunc(configs, func(a, b children.Config) int { return cmp.Compare(a.Name, b.Name) })
		for _, config := range configs {
			text, err := yaml.Marshal(config.ApplyConfiguration)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", child.Kind, config.Name, err)
			}
			if out.Len() > 0 {
				out.WriteString("---\n")
			}
			heading := child.Kind
			if config.Name != app.Name {
				heading += " " + config.Name
			}
			fmt.Fprintf(&out, "# %s\n%s", heading, text)
		}
	}
	return out.Bytes(), nil
}

// addRollout adds the revision that the spec asks for, and that its release command is to be run.
func addRollout(in *resources.Inputs) error {
	app := in.Application
	revision, err := revisions.Of(app)
	if err != nil {
		return err
	}
	command, err := revisions.CommandHash(app)
	if err != nil {
		return err
	}
	decision := revisions.Decide(revisions.Facts{App: app.Name, Update: revision.Hash, Command: command})
	in.Update = resources.Update{
		Name: decision.Update, Hash: revision.Hash, Data: revision.Data, Record: decision.Records[decision.Update],
	}
	in.Revision, in.ReleaseJob, in.RunRelease = decision.Update, decision.ReleaseJob, decision.RunRelease
	return nil
}
