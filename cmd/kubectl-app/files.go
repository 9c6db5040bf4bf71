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

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/config"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/offline"
)

// files are what --filename names.
type files []string

func (f *files) addTo(cmd *cobra.Command) {
	cmd.Flags().StringSliceVarP((*[]string)(f), "filename", "f", nil, "A file with Applications; - is standard input. May be repeated.")
	if err := cmd.MarkFlagFilename("filename", "yaml", "yml", "json"); err != nil {
		panic(err) // the flag is there
	}
}

// application is one of a file, with the schema's defaults, and why the API server would refuse it.
type application struct {
	*offline.Document
	app     *v1.Application
	refused []string
}

// valid returns an error if the API server would refuse the Application.
func (a *application) valid() error {
	if len(a.refused) == 0 {
		return nil
	}
	return fmt.Errorf("%s is invalid: %s; kubectl app validate has all that is wrong", a, a.refused[0])
}

// read returns the Applications in the files. Other objects are left out, which is said.
func (f *files) read(ctx context.Context, streams genericiooptions.IOStreams) ([]application, error) {
	if len(*f) == 0 {
		return nil, errors.New("no file is given; give it with --filename")
	}
	schema, err := applicationSchema()
	if err != nil {
		return nil, err
	}
	var found []application
	for _, name := range *f {
		documents, err := readDocuments(name, streams.In)
		if err != nil {
			return nil, err
		}
		for i := range documents {
			if !documents[i].IsApplication() {
				_, _ = fmt.Fprintf(streams.ErrOut, "%s: left out, since it is no Application\n", &documents[i])
				continue
			}
			app, refused := schema.Application(ctx, &documents[i])
			found = append(found, application{&documents[i], app, refused})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("--filename: there is no Application in what was read")
	}
	return found, nil
}

// applicationSchema returns the schema of the CRD that the plugin was built with.
func applicationSchema() (offline.Schema, error) {
	crd, err := config.Files.ReadFile(config.CRD)
	if err != nil {
		return nil, err
	}
	return offline.NewSchema(crd)
}

// stored returns what the API server would store of an Application, with defaults, or why it would refuse it.
func stored(ctx context.Context, app *v1.Application) (*v1.Application, []string, error) {
	schema, err := applicationSchema()
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(app)
	if err != nil {
		return nil, nil, err
	}
	documents, err := offline.Read("the Application", bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	whole, refused := schema.Application(ctx, &documents[0])
	return whole, refused, nil
}

func readDocuments(name string, stdin io.Reader) ([]offline.Document, error) {
	if name == "-" {
		return offline.Read("standard input", stdin)
	}
	file, err := os.Open(name) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return offline.Read(name, file)
}

func newValidate(_ *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var from files
	cmd := &cobra.Command{
		Use:   "validate -f FILE",
		Short: "Say what the API server would refuse of a file, without a cluster",
		Long: "Checks Applications by the schema and the rules of the CustomResourceDefinition of this version of the plugin. What a cluster " +
			"adds, such as admission policies, it does not know.",
		Example: "  kubectl app validate -f app.yaml\n  kustomize build overlays/production | kubectl app validate -f -",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := from.read(cmd.Context(), streams)
			if err != nil {
				return err
			}
			for _, each := range found {
				if len(each.refused) == 0 {
					_, _ = fmt.Fprintf(streams.Out, "%s is valid\n", each)
					continue
				}
				err = cli.ErrNotWell
				_, _ = fmt.Fprintf(streams.Out, "%s is invalid:\n", each)
				for _, refusal := range each.refused {
					_, _ = fmt.Fprintf(streams.Out, "- %s\n", refusal)
				}
			}
			return err
		},
	}
	from.addTo(cmd)
	return cmd
}

func newRender(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var from files
	var all bool
	cmd := &cobra.Command{
		Use:   "render -f FILE",
		Short: "Show the objects that the operator makes of a file, without a cluster",
		Long: "Shows what the operator of this version makes of Applications that it has not seen yet. What it takes from a cluster, such as " +
			"the hash of a ConfigMap's content, is not there.",
		Example: "  kubectl app render -f app.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := from.read(cmd.Context(), streams)
			if err != nil {
				return err
			}
			parts := offline.Lasting
			if all {
				parts = offline.WithRollout
			}
			return render(found, *flags.Namespace, parts, streams.Out)
		},
	}
	from.addTo(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "Show also the objects of the first rollout: the revision, and the Job of the release command.")
	return cmd
}

func render(found []application, namespace string, parts offline.Parts, out io.Writer) error {
	for i, each := range found {
		if err := each.valid(); err != nil {
			return err
		}
		if each.app.Namespace == "" {
			each.app.Namespace = namespace
		}
		text, err := offline.Render(each.app, parts)
		if err != nil {
			return fmt.Errorf("%s: %w", each, err)
		}
		if i > 0 {
			_, _ = io.WriteString(out, "---\n")
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return nil
}
