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
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// countingMapper counts what it is asked; an error is for all.
type countingMapper struct {
	meta.RESTMapper
	asked int
	err   error
}

func (m *countingMapper) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	m.asked++
	if m.err != nil {
		return nil, m.err
	}
	return &meta.RESTMapping{GroupVersionKind: kind.WithVersion(versions[0])}, nil
}

func TestMappingsAreRemembered(t *testing.T) {
	inner := &countingMapper{}
	mapper := &knownMappings{RESTMapper: inner}
	ask := func(kind string, wantAsked int, versions ...string) {
		t.Helper()
		group := schema.GroupKind{Group: "apps", Kind: kind}
		got, err := mapper.RESTMapping(group, versions...)
		if err != nil || got.GroupVersionKind != group.WithVersion(versions[0]) || inner.asked != wantAsked {
			t.Errorf("%s in %v: %+v, asked %d times, want %d; error %v", kind, versions, got, inner.asked, wantAsked, err)
		}
	}
	ask("Deployment", 1, "v1")
	ask("Deployment", 1, "v1")
	ask("Deployment", 2, "v2", "v1")
	ask("StatefulSet", 3, "v1")
	ask("StatefulSet", 3, "v1")
	ask("Deployment", 3, "v2", "v1")
}

func TestAKindThatIsNotServedMayCome(t *testing.T) {
	inner := &countingMapper{err: errors.New("not served")}
	mapper := &knownMappings{RESTMapper: inner}
	route := schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
	if _, err := mapper.RESTMapping(route, "v1"); !errors.Is(err, inner.err) {
		t.Fatalf("error %v, want %v", err, inner.err)
	}
	inner.err = nil
	if _, err := mapper.RESTMapping(route, "v1"); err != nil {
		t.Errorf("served by now: %v", err)
	}
}
