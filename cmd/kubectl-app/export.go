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
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/export"
	"github.com/example/app-operator/internal/resources"
)

func newExport(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return about(flags, streams, &cobra.Command{
		Use:   "export NAME",
		Short: "Write what runs as plain manifests, which apply without the operator",
		Long: "Writes the objects of an Application as they are, with their names, labels and selectors, and without their owner. What others " +
			"have added to them is there as well. The Secrets and ConfigMaps that the spec refers to are not the Application's, and stay where they are.\n\n" +
			"To leave the operator with no pod replaced: set spec.deletionPolicy to Orphan, wait until the Application is Ready, export it, delete it, " +
			"and apply what was exported.",
		Example: "  kubectl app export my-app > my-app.yaml",
	}, func(ctx context.Context, connection *cli.Connection, r *reading) error {
		if len(r.Unseen) > 0 {
			return fmt.Errorf("not all can be exported, and a part would be taken for the whole: not seen: %s", strings.Join(r.Unseen, "; "))
		}
		count := 0
		for i := range children.Table {
			child := &children.Table[i]
			for _, object := range r.Live[child.Kind] {
				if child.Expendable || !child.Owns(r.Application(), object) {
					continue
				}
				live := &unstructured.Unstructured{}
				live.SetGroupVersionKind(kindOf(connection, child))
				if err := connection.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
					return err
				}
				plain := export.Plain(live)
				if resources.Autoscaled(r.Application()) && child.Kind == children.Deployment { // an apply would set back what was decided since
					unstructured.RemoveNestedField(plain.Object, "spec", "replicas")
				}
				text, err := yaml.Marshal(plain.Object)
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(streams.Out, "---\n%s", text)
				count++
			}
		}
		if count == 0 {
			return errors.New("the Application has no objects; kubectl app why " + r.Application().Name + " says why")
		}
		return nil
	})
}
