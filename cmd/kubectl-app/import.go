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
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/importing"
)

const importExamples = `  # What runs in this namespace, with its Service, Ingress, autoscaler and the others that belong to it
  kubectl app import deployment/web

  # Manifests, or a file of another tool, checked before it is applied
  kubectl app import -f deployment.yaml -f service.yaml > application.yaml
  helm template shop ./chart | kubectl app import -f - --workload shop

  # What moving it would do; the move, up to where there is no way back; the rest of it, or the way back
  kubectl app import deployment/web --take-over --dry-run
  kubectl app import deployment/web --take-over --keep-old
  kubectl app import deployment/web --take-over
  kubectl app import deployment/web --take-over --undo`

// beside are the kinds that may belong to a Deployment.
var beside = []schema.GroupVersionKind{
	{Version: "v1", Kind: "Service"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"},
	{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"},
	{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"},
	{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"},
	{Group: "batch", Version: "v1", Kind: "CronJob"},
	{Version: "v1", Kind: "ServiceAccount"},
}

// importOptions are the command's flags.
type importOptions struct {
	files []string
	importing.Options
	takeOver takeOverOptions
}

func newImport(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	options := importOptions{}
	cmd := &cobra.Command{
		Use:   "import (deployment/NAME [--take-over [--undo]] | -f FILE...)",
		Short: "Make an Application of what a team has",
		Long: "import prints an Application for a Deployment of the cluster and what belongs to it, or for files: manifests of Kubernetes, and those of\n" +
			"other operators and tools. After it come, as comments, all that the Application does not say, each with its field and what to do.\n\n" +
			"It only reads, and no Secret. What you may not read is named in the comments.\n\n" +
			"With --take-over, it moves the Deployment into the Application, under its clients and step by step. Called again after an interruption, it\n" +
			"goes on; with --undo as well, it goes back. An Application that is there already under the name is taken as it is.",
		Example: importExamples,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.takeOver.asked() {
				return options.takeOver.run(cmd.Context(), &options, args, flags, streams)
			}
			sources, unread, err := options.sources(cmd.Context(), args, flags, streams)
			if err != nil {
				return err
			}
			result, err := importing.Import(sources, options.Options)
			if err != nil {
				return err
			}
			result.Remarks = append(unread, result.Remarks...)
			if _, result.Refused, err = stored(cmd.Context(), result.Application); err != nil {
				return err
			}
			if len(result.Refused) > 0 {
				_, _ = fmt.Fprintf(streams.ErrOut, "The API server would refuse Application %s. The comments after it say why.\n", result.Application.Name)
			}
			return result.Write(streams.Out)
		},
	}
	cmd.Flags().StringArrayVarP(&options.files, "filename", "f", nil, "a file to import, or - for the standard input; may be given several times")
	cmd.Flags().StringVar(&options.Name, "name", "", "the Application's name, in place of that of the Service or the workload")
	cmd.Flags().StringVar(&options.Workload, "workload", "", "the name of the Deployment, or of the service of a compose file, where the files have several")
	options.takeOver.addTo(cmd)
	return cmd
}

// sources returns what is to be imported, and what could not be read.
func (o *importOptions) sources(
	ctx context.Context, args []string, flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams,
) ([]importing.Source, []importing.Remark, error) {
	switch {
	case len(args) > 0 && len(o.files) > 0:
		return nil, nil, errors.New("give either deployment/NAME or --filename, not both")
	case len(o.files) > 0:
		sources, err := readFiles(o.files, streams.In)
		return sources, nil, err
	case len(args) == 0:
		return nil, nil, errors.New("say what to import: deployment/NAME for what runs in the namespace, or -f FILE for manifests")
	}
	name, err := deploymentName(args[0])
	if err != nil {
		return nil, nil, err
	}
	if o.Workload != "" {
		return nil, nil, errors.New("--workload chooses among files; give the Deployment's name as deployment/NAME")
	}
	o.Workload = name
	connection, err := cli.Connect(flags, streams)
	if err != nil {
		return nil, nil, err
	}
	return fromCluster(ctx, connection, name)
}

// deploymentName returns the name of the Deployment that an argument means.
func deploymentName(arg string) (string, error) {
	kind, name, found := strings.Cut(arg, "/")
	if !found {
		kind, name = "deployment", arg
	}
	switch strings.ToLower(kind) {
	case "deployment", "deployments", "deploy", "deployment.apps", "deployments.apps":
		return name, nil
	default:
		return "", fmt.Errorf("%s cannot be imported from the cluster: an Application runs a Deployment; give deployment/NAME, "+
			"or a manifest with -f", arg)
	}
}

// readFiles returns the documents of the files.
func readFiles(files []string, stdin io.Reader) ([]importing.Source, error) {
	var sources []importing.Source
	for _, file := range files {
		from, read := filepath.Base(file), func() ([]byte, error) { return os.ReadFile(filepath.Clean(file)) }
		if file == "-" {
			from, read = "stdin", func() ([]byte, error) { return io.ReadAll(stdin) }
		}
		data, err := read()
		if err != nil {
			return nil, fmt.Errorf("--filename: %w; correct the path", err)
		}
		parsed, err := importing.Parse(from, data)
		if err != nil {
			return nil, err
		}
		sources = append(sources, parsed...)
	}
	return sources, nil
}

// fromCluster returns a Deployment and what may belong to it.
func fromCluster(ctx context.Context, connection *cli.Connection, name string) ([]importing.Source, []importing.Remark, error) {
	deployment := &unstructured.Unstructured{}
	deployment.SetGroupVersionKind(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"})
	err := connection.Get(ctx, client.ObjectKey{Namespace: connection.Namespace, Name: name}, deployment)
	if apierrors.IsNotFound(err) {
		return nil, nil, fmt.Errorf("there is no Deployment %q in namespace %q; kubectl get deployments lists those that there are",
			name, connection.Namespace)
	}
	if err != nil {
		return nil, nil, err
	}
	if owner := children.Of(children.Deployment).ApplicationOf(deployment); owner != "" {
		return nil, nil, fmt.Errorf("the Deployment %q belongs to the Application %q already; kubectl get appl %s -o yaml shows it", name, owner, owner)
	}
	return withBeside(ctx, connection, deployment)
}

// withBeside returns a Deployment, which need not be there any more, and what may belong to it.
func withBeside(ctx context.Context, connection *cli.Connection, deployment *unstructured.Unstructured) ([]importing.Source, []importing.Remark, error) {
	sources := []importing.Source{{Object: deployment.Object}}
	var unread []importing.Remark
	for _, kind := range beside {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		err := connection.List(ctx, list, client.InNamespace(connection.Namespace))
		right := cli.MissingRight(err)
		switch {
		case right != nil:
			unread = append(unread, importing.Remark{
				Source:  "each " + kind.Kind + " of namespace " + connection.Namespace,
				Instead: "you have no right to see them, so none is in the Application; ask for it, and check with: kubectl auth can-i " + right.String(),
			})
			continue
		case meta.IsNoMatchError(err): // the cluster has no such kind
			continue
		case err != nil:
			return nil, nil, err
		}
		for i := range list.Items {
			list.Items[i].SetGroupVersionKind(kind)
			if kind.Kind == "ServiceAccount" && !usesAccount(deployment, list.Items[i].GetName()) {
				continue
			}
			sources = append(sources, importing.Source{Object: list.Items[i].Object})
		}
	}
	return sources, unread, nil
}

// usesAccount reports whether the pods of a Deployment run as the account. One that is none's has nothing to say here.
func usesAccount(deployment *unstructured.Unstructured, name string) bool {
	account, _, err := unstructured.NestedString(deployment.Object, "spec", "template", "spec", "serviceAccountName")
	if err != nil || account == "" {
		account = "default"
	}
	return account == name
}
