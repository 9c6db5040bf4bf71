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

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/example/app-operator/api/v1"
)

// large returns an Application whose arguments are so many bytes.
func large(bytes int) *v1.Application {
	return &v1.Application{
		ObjectMeta: fullMeta(nil),
		Spec: v1.ApplicationSpec{
			Image: "nginx", Args: []string{strings.Repeat("x", bytes)}, Replicas: new(int32(7)), DeletionPolicy: v1.DeletionPolicyDrain,
		},
		Status: v1.ApplicationStatus{URL: "http://my-app.shop.svc"},
	}
}

func TestStripApplication(t *testing.T) {
	full := large(200 << 10)
	full.Annotations["note"] = strings.Repeat("x", 200<<10) // does not count
	want := full.DeepCopy()
	want.Annotations, want.Labels, want.ManagedFields = nil, nil, nil
	if diff := cmp.Diff(want, strip(t, stripApplication, full)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestOfALargeApplicationLittleIsKept is about what all of memory would go to.
func TestOfALargeApplicationLittleIsKept(t *testing.T) {
	full := large(MaxApplicationBytes)
	want := &v1.Application{
		ObjectMeta: identity(full.ObjectMeta), Status: full.Status, Oversized: true,
		Spec: v1.ApplicationSpec{Replicas: full.Spec.Replicas, DeletionPolicy: v1.DeletionPolicyDrain},
	}
	want.Generation, want.Finalizers = full.Generation, full.Finalizers
	if diff := cmp.Diff(want, strip(t, stripApplication, full)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNobodyCallsAnApplicationOversized holds that the mark is not in the API.
func TestNobodyCallsAnApplicationOversized(t *testing.T) {
	content, err := json.Marshal(&v1.Application{Oversized: true})
	if err != nil || strings.Contains(strings.ToLower(string(content)), "oversized") {
		t.Errorf("it is written as %s: %v", content, err)
	}
	read := &v1.Application{}
	if err := json.Unmarshal([]byte(`{"oversized":true,"Oversized":true}`), read); err != nil || read.Oversized {
		t.Errorf("it is read: %v", err)
	}
}

// TestListsAreReadInPages holds that no more than a page is held before it is stripped, whatever is asked for.
func TestListsAreReadInPages(t *testing.T) {
	const count = 3*pageSize - 1
	var asked []metav1.ListOptions
	list := inPages(stripObject(), func(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
		asked = append(asked, options)
		first := 0
		if options.Continue != "" {
			if _, err := fmt.Sscan(options.Continue, &first); err != nil {
				return nil, err
			}
		}
		page := &corev1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "42"}}
		for i := first; i < min(first+int(options.Limit), count); i++ {
			page.Items = append(page.Items, corev1.Service{ObjectMeta: metav1.ObjectMeta{
				Name: fmt.Sprint(i), Annotations: map[string]string{"note": "long"},
			}})
		}
		if first+int(options.Limit) < count {
			page.Continue = fmt.Sprint(first + int(options.Limit))
		}
		return page, nil
	})
	for _, options := range []metav1.ListOptions{
		{ResourceVersion: "0", Limit: 500}, {ResourceVersion: "7", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}, {},
	} {
		asked = nil
		got, err := list(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		if err := meta.EachListItem(got, func(object runtime.Object) error {
			service := object.(*corev1.Service)
			names[service.Name] = true
			if service.Annotations != nil {
				t.Error("it is not stripped")
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if about, err := meta.ListAccessor(got); err != nil || about.GetResourceVersion() != "42" || about.GetContinue() != "" {
			t.Errorf("the list is of version %q, to be continued at %q: %v", about.GetResourceVersion(), about.GetContinue(), err)
		}
		if len(names) != count || len(asked) != 3 {
			t.Errorf("%d objects in %d pages, want %d in 3", len(names), len(asked), count)
		}
		for _, request := range asked {
			if request.Limit != pageSize || request.ResourceVersion != "" || request.ResourceVersionMatch != "" {
				t.Errorf("asked for %+v, of which the API server makes no pages", request)
			}
		}
	}
}
