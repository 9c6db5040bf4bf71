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

package takeover

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli"
)

// rights collects rights, each once.
type rights struct {
	namespace string
	all       []cli.Right
}

func (r *rights) need(kind schema.GroupVersionKind, verbs ...string) {
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	for _, verb := range verbs {
		right := cli.Right{Verb: verb, Resource: resource.Resource, Group: resource.Group, Namespace: r.namespace}
		known := false
		for _, other := range r.all {
			known = known || other == right
		}
		if !known {
			r.all = append(r.all, right)
		}
	}
}

// kinds of what a move writes beside the objects that are given away.
var (
	application = v1.GroupVersion.WithKind("Application")
	deployment  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	replicaSet  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}
	policy      = schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}
)

// Rights returns what somebody has to have the right to for the steps that are left.
func Rights(f *Facts, steps []Step) []cli.Right {
	r := &rights{namespace: f.Namespace}
	for _, step := range steps {
		if !step.Done {
			r.forStep(f, step.Kind)
		}
	}
	return r.all
}

func (r *rights) forStep(f *Facts, kind Kind) {
	for _, need := range needs[kind] {
		r.need(need.kind, need.verbs...)
	}
	if kind == Create {
		r.need(application, map[bool]string{true: "create", false: "patch"}[f.App == nil])
	}
	if kind == Remove && !f.sameName() {
		r.need(deployment, "delete")
	}
	if (kind == Remove || kind == Tidy) && len(f.Copies)+len(f.of(isPolicy)) > 0 {
		r.need(policy, "delete")
	}
	if writesObjects[kind] {
		for i := range f.Objects {
			r.need(f.Objects[i].Kind, "get", "update")
		}
	}
}

type need struct {
	kind  schema.GroupVersionKind
	verbs []string
}

// needs are the rights that a step needs, whatever there is.
var needs = map[Kind][]need{
	Protect:  {{policy, []string{"get", "create"}}},
	LetGo:    {{replicaSet, []string{"patch"}}, {deployment, []string{"delete"}}},
	Remove:   {{replicaSet, []string{"delete"}}},
	Pause:    {{application, []string{"patch"}}},
	Delete:   {{application, []string{"delete"}}},
	Recreate: {{deployment, []string{"create"}}},
	Tidy:     {{replicaSet, []string{"patch"}}},
}

// writesObjects are the steps that write the objects which are given away.
var writesObjects = map[Kind]bool{GiveFirst: true, Give: true, Remove: true, TakeBack: true, Restore: true}
