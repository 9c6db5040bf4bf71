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
	"os"
	"path/filepath"
	"strings"
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// TestStatusBeforeTheFirstLook holds that nobody who goes by kstatus takes an Application that nobody has looked at for one
// that is done, and that the default which says so makes no manifest differ.
func TestStatusBeforeTheFirstLook(t *testing.T) {
	app := application(t, `{image: nginx, replicas: 2}`)
	reload(t, app)
	if app.Status.ObservedGeneration != -1 {
		t.Errorf("observedGeneration is %d, want -1", app.Status.ObservedGeneration)
	}
	if got := kstatusOf(t, app); got != kstatus.InProgressStatus {
		t.Errorf("kstatus says %s", got)
	}

	app.Status.ObservedGeneration = app.Generation
	if err := cluster.client.Status().Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if got := kstatusOf(t, app); got != kstatus.CurrentStatus {
		t.Errorf("of one that somebody has looked at kstatus says %s", got)
	}

	file := filepath.Join(t.TempDir(), "application.yaml")
	manifest := "apiVersion: apps.example.com/v1\nkind: Application\nmetadata: {name: " + app.Name + "-applied, namespace: " + app.Namespace +
		"}\nspec: {image: nginx}\n"
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	mustKubectl(t, "apply", "-f", file)
	if again := mustKubectl(t, "apply", "-f", file); !strings.Contains(again, "unchanged") {
		t.Errorf("a second kubectl apply says %s", again)
	}
	mustKubectl(t, "delete", "-f", file)
}

func kstatusOf(t *testing.T, app *v1.Application) kstatus.Status {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
	if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(app), object); err != nil {
		t.Fatal(err)
	}
	result, err := kstatus.Compute(object)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}
