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
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

const (
	policies    = "../../config/samples/policies"
	tenantsPage = "../../docs/operations/tenants.md"
)

// attempt is an Application of a tenant: its spec, and the message of the policy that has to refuse it; "" if none has.
type attempt struct {
	spec tree
	want string
}

// policy is a file of config/samples/policies.
type policy struct {
	name     string
	messages []string
	attempts []attempt
}

func loadPolicies(t *testing.T) []policy {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(policies, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no policies (%v)", err)
	}
	var all []policy
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		var object struct {
			Spec struct {
				Validations []struct {
					Message string `json:"message"`
				} `json:"validations"`
			} `json:"spec"`
		}
		first, _, _ := bytes.Cut(readFile(t, file), []byte("\n---\n"))
		if err := yaml.Unmarshal(first, &object); err != nil {
			t.Fatal(err)
		}
		loaded := policy{name: name}
		for _, validation := range object.Spec.Validations {
			loaded.messages = append(loaded.messages, validation.Message)
		}
		for document := range strings.SplitSeq(string(readFile(t, filepath.Join("testdata", "policies", name+".yaml"))), "---\n") {
			var next attempt
			if line, _, found := strings.Cut(document, "\n"); found && strings.HasPrefix(line, "# want: ") {
				next.want = strings.TrimPrefix(line, "# want: ")
			}
			next.spec, _ = decode(t, []byte(document))["spec"].(tree)
			loaded.attempts = append(loaded.attempts, next)
		}
		all = append(all, loaded)
	}
	return all
}

// tryTo makes an Application, without storing it, and returns the API server's answer.
func tryTo(t *testing.T, namespace string, spec tree) error {
	t.Helper()
	text, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	app := tenantsApplication(namespace, decode(t, bytes.ReplaceAll(text, []byte("NAMESPACE"), []byte(namespace))))
	return cluster.client.Create(t.Context(), app, client.DryRunAll)
}

func tenantsApplication(namespace string, spec tree) *unstructured.Unstructured {
	app := &unstructured.Unstructured{Object: tree{"spec": spec}}
	app.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
	app.SetNamespace(namespace)
	app.SetName("my-app")
	return app
}

// applyPolicies has the API server enforce the sample policies, in namespaces that are a tenant's, until the test ends.
func applyPolicies(t *testing.T, loaded []policy) {
	t.Helper()
	for _, policy := range loaded {
		for document := range bytes.SplitSeq(readFile(t, filepath.Join(policies, policy.name+".yaml")), []byte("\n---\n")) {
			object := &unstructured.Unstructured{Object: decode(t, document)}
			if err := cluster.client.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			removeAfter(t, object)
		}
	}
}

func makeTenant(t *testing.T, name string) {
	t.Helper()
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := patch(t, space, `{"metadata":{"labels":{"tenant":"true"}}}`); err != nil {
		t.Fatal(err)
	}
}

// TestSamplePolicies holds that each rule of each sample policy refuses what it is for, by its own message, and that what it
// leaves is admitted by all of them together.
func TestSamplePolicies(t *testing.T) {
	loaded := loadPolicies(t)
	free, tenant := namespace(t, ""), namespace(t, "")
	makeTenant(t, tenant)
	applyPolicies(t, loaded)
	for _, policy := range loaded {
		t.Run(policy.name, func(t *testing.T) {
			for _, message := range policy.messages {
				if !slices.ContainsFunc(policy.attempts, func(attempt attempt) bool { return attempt.want == message }) {
					t.Errorf("nothing is refused with %q", message)
				}
			}
			admitted := 0
			for _, attempt := range policy.attempts {
				if attempt.want != "" {
					expectRefusal(t, tenant, policy.name, attempt)
					if err := tryTo(t, free, attempt.spec); err != nil {
						t.Errorf("%v is refused in a namespace that is no tenant's: %v", attempt.spec, err)
					}
					continue
				}
				admitted++
				if err := tryTo(t, tenant, attempt.spec); err != nil {
					t.Errorf("%v is refused: %v", attempt.spec, err)
				}
			}
			if admitted == 0 {
				t.Error("nothing is admitted")
			}
		})
	}
}

// expectRefusal waits until the policy refuses the attempt: the API server takes a moment to learn a policy.
func expectRefusal(t *testing.T, tenant, name string, attempt attempt) {
	t.Helper()
	var refusal error
	eventually(t, func() error {
		if refusal = tryTo(t, tenant, attempt.spec); refusal == nil {
			return fmt.Errorf("%v is admitted", attempt.spec)
		}
		return nil
	})
	for _, part := range []string{"'applications-" + name + "'", attempt.want} {
		if !strings.Contains(refusal.Error(), part) {
			t.Errorf("%v is refused by %v, want %q", attempt.spec, refusal, part)
		}
	}
}

// TestSamplePoliciesLetGo holds that what was made before a policy can lose its finalizer, and be put right.
func TestSamplePoliciesLetGo(t *testing.T) {
	space := namespace(t, "")
	old := tenantsApplication(space, tree{"image": "nginx"})
	old.SetFinalizers([]string{v1.Finalizer})
	if err := cluster.client.Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	applyPolicies(t, loadPolicies(t))
	makeTenant(t, space)
	replicas := 1
	eventually(t, func() error {
		replicas++
		if patch(t, old, fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)) == nil {
			return errors.New("its spec can be changed, and stays what no tenant may have")
		}
		return nil
	})
	if err := patch(t, old, `{"metadata":{"finalizers":null}}`); err != nil {
		t.Errorf("the finalizer stays: %v", err)
	}
	if err := patch(t, old, `{"spec":{"image":"registry.example.com/web"}}`); err != nil {
		t.Errorf("it cannot be put right: %v", err)
	}
}

// TestEachPolicyIsInTheTable holds that the page for platform teams has each sample.
func TestEachPolicyIsInTheTable(t *testing.T) {
	page := string(readFile(t, tenantsPage))
	for _, policy := range loadPolicies(t) {
		if link := "(../../config/samples/policies/" + policy.name + ".yaml)"; !strings.Contains(page, link) {
			t.Errorf("%s does not have %s", tenantsPage, link)
		}
	}
}
