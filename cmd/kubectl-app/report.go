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
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/takeover"
	"github.com/example/app-operator/internal/cli/view"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/resources"
)

// lastLines is how much there is of each log.
const lastLines = 5000

// bundle is what a report has gathered.
type bundle struct {
	connection *cli.Connection
	names      []string
	files      map[string][]byte
}

func (b *bundle) add(name string, content []byte) {
	b.names = append(b.names, name)
	b.files[name] = content
}

func (b *bundle) addYAML(name string, object any) error {
	text, err := yaml.Marshal(object)
	if err == nil {
		b.add(name, text)
	}
	return err
}

func newReport(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var output string
	cmd := about(flags, streams, &cobra.Command{
		Use:   "report NAME",
		Short: "Gather what others need to help with an Application, as a tar.gz",
		Long: "Gathers the Application, its objects, pods and events, how it fares, and the operator's Deployments and logs, as far as you may read " +
			"them, with a list of what is in it. Secrets are never read. Look through it before you give it away: a spec may hold what is secret.",
		Example: "  kubectl app report my-app --output my-app.tar.gz",
	}, func(ctx context.Context, connection *cli.Connection, r *reading) error {
		b := &bundle{connection: connection, files: map[string][]byte{}}
		if err := b.gather(ctx, r); err != nil {
			return err
		}
		if output == "" {
			output = r.Application().Namespace + "-" + r.Application().Name + "-report.tar.gz"
		}
		if err := b.write(output, r); err != nil {
			return err
		}
		for _, name := range b.names {
			_, _ = fmt.Fprintln(streams.Out, name)
		}
		for _, unseen := range r.Unseen {
			_, _ = fmt.Fprintf(streams.Out, "not in it: %s\n", unseen)
		}
		_, _ = fmt.Fprintf(streams.Out, "%s is written. No Secret was read; look through it before you give it away.\n", output)
		return nil
	})
	cmd.Flags().StringVarP(&output, "output", "o", "", "The file to write. Default: NAMESPACE-NAME-report.tar.gz.")
	return cmd
}

// gather reads what belongs into the report.
func (b *bundle) gather(ctx context.Context, r *reading) error {
	if err := r.readOperators(ctx, b.connection); err != nil {
		return err
	}
	if err := r.readClaims(ctx, b.connection); err != nil {
		return err
	}
	var status, why bytes.Buffer
	view.Status(&status, &r.Facts, view.Wide)
	view.Why(&why, &r.Facts)
	b.add("status.txt", status.Bytes())
	b.add("why.txt", why.Bytes())
	if err := b.addYAML("application.yaml", r.Application()); err != nil {
		return err
	}
	if err := b.addYAML("events.yaml", r.Events); err != nil {
		return err
	}
	for i := range children.Table {
		child := &children.Table[i]
		for _, object := range r.Live[child.Kind] {
			if app := r.Application(); !child.Owns(app, object) && child.ApplicationOf(object) != app.Name { // somebody else's, in its place
				if err := b.addStranger(child, object); err != nil {
					return err
				}
				continue
			}
			if err := b.addObject(ctx, kindOf(b.connection, child), client.ObjectKeyFromObject(object), "objects/"); err != nil {
				return err
			}
		}
	}
	for i := range r.Pods {
		if err := b.addYAML("pods/"+r.Pods[i].Name+".yaml", &r.Pods[i]); err != nil {
			return err
		}
	}
	return b.addOperators(ctx, r)
}

// addStranger says whose an object is that has a name which the Application may need.
func (b *bundle) addStranger(child *children.Child, object children.Object) error {
	kind := kindOf(b.connection, child)
	stranger := cluster.MetadataOf(kind)
	cluster.CopyIdentity(stranger, object)
	return b.addYAML("objects/"+kind.Kind+"-"+object.GetName()+".yaml", stranger)
}

// addObject adds an object as it is. Of ConfigMaps there is the metadata alone, as the operator reads them.
func (b *bundle) addObject(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey, folder string) error {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(kind)
	if err := b.connection.Get(ctx, key, live); err != nil {
		return client.IgnoreNotFound(err)
	}
	if kind.Kind == resources.KindConfigMap {
		delete(live.Object, "data")
		delete(live.Object, "binaryData")
	}
	annotations := live.GetAnnotations()
	for _, copied := range []string{corev1.LastAppliedConfigAnnotation, takeover.AnnotationBefore} { // which have the content once more
		delete(annotations, copied)
	}
	live.SetAnnotations(annotations)
	return b.addYAML(folder+kind.Kind+"-"+key.Name+".yaml", live.Object)
}

// addOperators adds the operators that were found, and what their pods have logged.
func (b *bundle) addOperators(ctx context.Context, r *reading) error {
	logs, err := kubernetes.NewForConfig(b.connection.Config)
	if err != nil {
		return err
	}
	for _, operator := range r.Operators {
		folder := "operators/" + operator.Namespace + "/"
		key := client.ObjectKey{Namespace: operator.Namespace, Name: operator.Name}
		if err := b.addObject(ctx, schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, key, folder); err != nil {
			return err
		}
		pods := &corev1.PodList{}
		if err := b.connection.List(ctx, pods, client.InNamespace(operator.Namespace), operatorLabels); err != nil {
			if err := r.see("Pod of the operator in "+operator.Namespace, err); err != nil {
				return err
			}
			continue
		}
		for i := range pods.Items {
			text, err := logs.CoreV1().Pods(operator.Namespace).
				GetLogs(pods.Items[i].Name, &corev1.PodLogOptions{TailLines: ptr.To[int64](lastLines)}).DoRaw(ctx)
			if err != nil { // one that has not begun has none
				r.Unseen = append(r.Unseen, fmt.Sprintf("the log of pod %s: %v", pods.Items[i].Name, err))
				continue
			}
			b.add(folder+pods.Items[i].Name+".log", text)
		}
	}
	return nil
}

// write writes the archive, with a list of what is in it first.
func (b *bundle) write(file string, r *reading) (err error) {
	var list bytes.Buffer
	_, _ = fmt.Fprintf(&list, "Report on Application %s in namespace %s, by kubectl-app %s, %s\n\n",
		r.Application().Name, r.Application().Namespace, version, r.Now.UTC().Format(time.RFC3339))
	for _, name := range b.names {
		_, _ = fmt.Fprintln(&list, name)
	}
	for _, unseen := range r.Unseen {
		_, _ = fmt.Fprintf(&list, "not in it: %s\n", unseen)
	}
	const contents = "CONTENTS.txt"
	b.names = append([]string{contents}, b.names...)
	b.files[contents] = list.Bytes()
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the file that the user names
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return b.archive(out, r.Now)
}

func (b *bundle) archive(out io.Writer, now time.Time) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for _, name := range b.names {
		header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(b.files[name])), ModTime: now}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(b.files[name]); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}
