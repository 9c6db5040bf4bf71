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

package api

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// tree is a YAML or JSON object as decoded without a type: numbers are float64, whatever they were written as.
type tree = map[string]any

// manifest is a file of testdata.
type manifest struct {
	name string
	// body is the first document, as written.
	body []byte
	// object is the same, decoded.
	object tree
	// stored is the second document: what has to be stored. nil if there is none.
	stored tree
	// wants are the messages of the "# want: " lines.
	wants []string
}

func loadManifests(t *testing.T, folder string) []manifest {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests in testdata/%s (%v)", folder, err)
	}
	manifests := make([]manifest, 0, len(files))
	for _, file := range files {
		manifests = append(manifests, loadManifest(t, file))
	}
	return manifests
}

func loadManifest(t *testing.T, file string) manifest {
	t.Helper()
	data := readFile(t, file)
	body, stored, _ := strings.Cut(string(data), "\n---\n")
	loaded := manifest{
		name:   strings.TrimSuffix(filepath.Base(file), ".yaml"),
		body:   []byte(body + "\n"),
		object: decode(t, []byte(body)),
	}
	if stored != "" {
		loaded.stored = decode(t, []byte(stored))
	}
	for line := range strings.Lines(body) {
		if want, ok := strings.CutPrefix(line, "# want: "); ok {
			loaded.wants = append(loaded.wants, strings.TrimRight(want, "\n"))
		}
	}
	return loaded
}

func readFile(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, data []byte) tree {
	t.Helper()
	var object tree
	if err := yaml.Unmarshal(data, &object); err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	return object
}

// decodeJSON decodes what the API server sends. YAML's decoder takes no key of 1024 characters, and managedFields
// may have such keys.
func decodeJSON(t *testing.T, data []byte) tree {
	t.Helper()
	var object tree
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	return object
}

// namespace makes a namespace of this name, or of a generated one, and returns its name.
func namespace(t *testing.T, name string) string {
	t.Helper()
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if name == "" {
		space.GenerateName = "test-api-"
	}
	if err := cluster.client.Create(t.Context(), space); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	return space.Name
}

// create sends a manifest as written, with the field validation that is kubectl's default, and returns what the
// API server stored.
func create(t *testing.T, namespace string, body []byte) (tree, error) {
	t.Helper()
	data, err := cluster.raw.Post().
		AbsPath("apis", v1.GroupVersion.Group, v1.GroupVersion.Version, "namespaces", namespace, "applications").
		Param("fieldValidation", metav1.FieldValidationStrict).
		SetHeader("Content-Type", "application/yaml").
		SetHeader("Accept", "application/json").
		Body(body).
		Do(t.Context()).Raw()
	if err != nil {
		return nil, asStatus(data, err)
	}
	return decodeJSON(t, data), nil
}

// asStatus returns the API server's own error, with all causes, which Raw leaves in the response body.
func asStatus(body []byte, err error) error {
	status := &apierrors.StatusError{}
	if json.Unmarshal(body, &status.ErrStatus) != nil || status.ErrStatus.Kind != "Status" {
		return err
	}
	return status
}

// application creates an Application from a spec in YAML and returns it as stored.
func application(t *testing.T, spec string) *v1.Application {
	t.Helper()
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: namespace(t, "")}}
	if err := yaml.UnmarshalStrict([]byte(spec), &app.Spec); err != nil {
		t.Fatal(err)
	}
	if err := cluster.client.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	return app
}

// removeAfter deletes an object when the test is over, so that tests can run again on the same API server.
func removeAfter(t *testing.T, object client.Object) {
	t.Helper()
	t.Cleanup(func() {
		// The test's own context has ended by now.
		err := cluster.client.Delete(context.WithoutCancel(t.Context()), object)
		if client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
}

func reload(t *testing.T, app *v1.Application) {
	t.Helper()
	if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(app), app); err != nil {
		t.Fatal(err)
	}
}

// patch sends a JSON merge patch, as kubectl patch --type=merge does.
func patch(t *testing.T, object client.Object, body string) error {
	t.Helper()
	return cluster.client.Patch(t.Context(), object, client.RawPatch(types.MergePatchType, []byte(body)),
		client.FieldValidation(metav1.FieldValidationStrict))
}

// kubectl runs the real kubectl and returns what it shows, errors included.
func kubectl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), cluster.kubectl, args...)
	command.Env = []string{"KUBECONFIG=" + cluster.kubeconfig, "HOME=" + cluster.home}
	shown, err := command.CombinedOutput()
	return string(shown), err
}

func mustKubectl(t *testing.T, args ...string) string {
	t.Helper()
	shown, err := kubectl(t, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, shown)
	}
	return shown
}

// eventually polls for what the API server does in its own time, such as publishing a changed schema.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	last := errors.New("never checked")
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 5*time.Minute, true,
		func(context.Context) (bool, error) {
			last = check()
			return last == nil, nil
		})
	if err != nil {
		t.Fatalf("%v; last: %v", err, last)
	}
}

// replaceSpec puts this spec in place of the application's and returns the one that is stored.
func replaceSpec(t *testing.T, app *v1.Application, spec tree) (any, error) {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
	if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(app), object); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = spec
	strict := client.FieldValidation(metav1.FieldValidationStrict)
	if err := cluster.client.Update(t.Context(), object, strict); err != nil {
		return nil, err
	}
	data, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, data)["spec"], nil
}
