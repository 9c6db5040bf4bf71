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
	"errors"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// laxGroup is the group of a copy of the CRD that starts without limits and gets them later, as an upgrade that
// tightens the schema would do it. A copy, so that the CRD of the other tests stays as it is.
const laxGroup = "ratcheting.example.com"

var laxKind = schema.GroupVersionKind{Group: laxGroup, Version: "v1", Kind: "Application"}

// limitKeywords are the keywords of a schema that refuse values without changing what is stored.
var limitKeywords = []string{
	"x-kubernetes-validations", "minimum", "maximum", "minLength", "maxLength", "maxItems",
	"minItems", "maxProperties", "enum", "pattern",
}

// oldFaults are specs that the schema refuses, but that are stored since before it did.
var oldFaults = map[string]string{
	"reserved-label":  `{image: nginx, podMetadata: {labels: {app.kubernetes.io/name: a}}}`,
	"bad-secret-name": `{image: nginx, imagePullSecrets: [Bad]}`,
	"bad-enum":        `{image: nginx, imagePullPolicy: Sometimes}`,
	"bad-port":        `{image: nginx, port: 70000}`,
	"taken-name":      `{image: nginx, port: 80, additionalPorts: [{name: http, port: 8080}]}`,
	"useless-service": `{image: nginx, service: {}}`,
	"bad-quantity":    `{image: nginx, resources: {limits: {cpu: 1, memory: "1e10"}}}`,
	"bad-file":        `{image: nginx, files: [{mountPath: a, emptyDir: {}}, {mountPath: /b, emptyDir: {}}]}`,
	"bad-peer":        `{image: nginx, networkPolicy: {ingressFrom: [{cidr: a}, {cidr: 10.0.0.0/8}]}}`,
	"no-parents":      `{image: nginx, port: 80, httpRoute: {parentRefs: []}}`,
	"stuck-rollout":   `{image: nginx, rollout: {maxSurge: 0, maxUnavailable: 0}}`,
	"aimless-probe":   `{image: nginx, probes: {liveness: {tcpSocket: {}}}}`,
}

// TestRatcheting shows what becomes of stored objects when a later version adds limits: they can still be read,
// labelled, finalized, reported on and deleted, and a fault of one field does not stand in the way of other fields.
// Rules over several fields do: they are asked again with every edit of the spec, so none can be added later
// without care. On Kubernetes 1.31 they stand in the way of a status, too, and so do rules over one field.
func TestRatcheting(t *testing.T) {
	objects := storeFaults(t)
	harmless := []string{
		`{"metadata":{"labels":{"a":"b"}}}`,
		`{"metadata":{"finalizers":["apps.example.com/finalizer"]}}`,
		`{"metadata":{"finalizers":null}}`,
	}
	for name, object := range objects {
		for _, change := range harmless {
			if err := patch(t, object, change); err != nil {
				t.Errorf("%s: %s: %v", name, change, err)
			}
		}
		object.Object["status"] = tree{"readyReplicas": int64(1)}
		err := cluster.client.Status().Update(t.Context(), object)
		if err != nil && (!onOldestServer() || !apierrors.IsInvalid(err)) {
			t.Errorf("%s: status: %v", name, err)
		}
	}
	for _, test := range ratchetTests {
		t.Run(test.object+" "+test.change, func(t *testing.T) {
			err := patch(t, objects[test.object], test.change)
			if len(test.wants) > 0 {
				for _, complaint := range mismatches(test.wants, err) {
					t.Error(complaint)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for name, object := range objects {
		if err := cluster.client.Delete(t.Context(), object); err != nil {
			t.Errorf("%s: delete: %v", name, err)
		}
	}
}

const newImage = `{"spec":{"image":"nginx:2"}}`

var ratchetTests = []struct {
	object, change string
	wants          []string
}{
	{"reserved-label", newImage, nil},
	{"bad-secret-name", newImage, nil},
	{"bad-enum", newImage, nil},
	{"bad-port", newImage, nil},
	{
		"reserved-label", `{"spec":{"podMetadata":{"labels":{"b":"b"}}}}`,
		[]string{"spec.podMetadata.labels: Invalid value: app.kubernetes.io/name"},
	},
	{"bad-secret-name", `{"spec":{"imagePullSecrets":["Bad","Worse"]}}`, []string{
		`spec.imagePullSecrets[0]: Invalid value: "Bad": no Secret can have this name`,
		`spec.imagePullSecrets[1]: Invalid value: "Worse": no Secret can have this name`,
	}},
	{"bad-enum", `{"spec":{"imagePullPolicy":"Often"}}`, []string{`spec.imagePullPolicy: Unsupported value: "Often"`}},
	{"bad-port", `{"spec":{"port":70001}}`, []string{"spec.port: Invalid value: 70001"}},
	{"taken-name", newImage, []string{"spec.additionalPorts: Invalid value: the name of spec.port, which is spec.portName, or http without it, belongs to no other port"}},
	{"useless-service", newImage, []string{"spec.service: Invalid value: spec.service requires a port"}},
	{"useless-service", `{"spec":{"service":null}}`, nil},
	{"bad-quantity", newImage, nil},
	{"bad-quantity", `{"spec":{"resources":{"limits":{"cpu":2}}}}`, nil},
	{
		"bad-quantity", `{"spec":{"resources":{"limits":{"memory":"1e11"}}}}`,
		[]string{`spec.resources.limits.memory: Invalid value: "1e11"`},
	},
	{"bad-file", newImage, nil},
	// An entry of a list with keys is compared with what it was before.
	{"bad-file", `{"spec":{"files":[{"mountPath":"a","emptyDir":{}},{"mountPath":"/c","emptyDir":{}}]}}`, nil},
	{
		"bad-file", `{"spec":{"files":[{"mountPath":"b","emptyDir":{}}]}}`,
		[]string{`spec.files[0].mountPath: Invalid value: "b": a mountPath is absolute`},
	},
	{"bad-peer", newImage, nil},
	// A list without keys is one value.
	{
		"bad-peer", `{"spec":{"networkPolicy":{"ingressFrom":[{"cidr":"a"}]}}}`,
		[]string{`spec.networkPolicy.ingressFrom[0].cidr: Invalid value: "a": a cidr is the first address`},
	},
	{"no-parents", newImage, nil},
	{"no-parents", `{"spec":{"httpRoute":{"path":"/a"}}}`, nil},
	{"stuck-rollout", newImage, nil},
	{
		"stuck-rollout", `{"spec":{"rollout":{"minReadySeconds":1}}}`,
		[]string{"spec.rollout.maxUnavailable: Invalid value: maxSurge and maxUnavailable cannot both be 0"},
	},
	{"stuck-rollout", `{"spec":{"rollout":{"maxUnavailable":1}}}`, nil},
	{"aimless-probe", newImage, []string{"spec.probes: Invalid value: a probe without a port requires spec.port"}},
	{"aimless-probe", `{"spec":{"port":80}}`, nil},
}

// storeFaults stores the faulty objects under a schema without limits and then brings the limits into force.
func storeFaults(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	strict := copyOfCRD(t)
	lax := strict.DeepCopy()
	lax.Object["spec"] = withoutLimits(lax.Object["spec"])
	// A run before this one may still be going away.
	eventually(t, func() error { return cluster.client.Create(t.Context(), lax) })
	removeAfter(t, lax)

	space := namespace(t, "")
	objects := map[string]*unstructured.Unstructured{}
	for name, spec := range oldFaults {
		object := laxApplication(t, space, name, spec)
		eventually(t, func() error { return cluster.client.Create(t.Context(), object) })
		objects[name] = object
	}

	eventually(t, func() error {
		if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(lax), lax); err != nil {
			return err
		}
		strict.SetResourceVersion(lax.GetResourceVersion())
		return cluster.client.Update(t.Context(), strict)
	})
	eventually(t, func() error {
		for name, spec := range oldFaults {
			probe := laxApplication(t, space, "new-"+name, spec)
			if cluster.client.Create(t.Context(), probe, client.DryRunAll) == nil {
				return errors.New("the limits are not in force yet")
			}
		}
		return nil
	})
	return objects
}

func laxApplication(t *testing.T, namespace, name, spec string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: tree{"spec": decode(t, []byte(spec))}}
	object.SetGroupVersionKind(laxKind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// copyOfCRD is the CRD under another group, without the short names by which it would get in the way of kubectl.
func copyOfCRD(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	text := strings.ReplaceAll(string(readFile(t, crdFile)), v1.GroupVersion.Group, laxGroup)
	crd := &unstructured.Unstructured{Object: decode(t, []byte(text))}
	names := crd.Object["spec"].(tree)["names"].(tree)
	delete(names, "shortNames")
	delete(names, "categories")
	return crd
}

func withoutLimits(of any) any {
	switch of := of.(type) {
	case tree:
		left := tree{}
		for key, value := range of {
			if !isLimit(key, value) {
				left[key] = withoutLimits(value)
			}
		}
		return left
	case []any:
		left := make([]any, 0, len(of))
		for _, value := range of {
			left = append(left, withoutLimits(value))
		}
		return left
	default:
		return of
	}
}

// isLimit tells a limit from a property that happens to be called like one.
func isLimit(key string, value any) bool {
	_, isProperty := value.(tree)
	return !isProperty && slices.Contains(limitKeywords, key)
}
