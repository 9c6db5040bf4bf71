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

package gitops

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWarning(t *testing.T) {
	setsReplicas := []metav1.ManagedFieldsEntry{
		{Manager: "kubectl", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:paused":{}}}`)},
		{Manager: "kustomize-controller", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`)},
	}
	cases := map[string]struct {
		object *metav1.ObjectMeta
		path   []string
		want   string
	}{
		"nobody's": {&metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/instance": "shop"}}, []string{"spec", "replicas"}, ""},
		"Argo CD's, by its annotation": {
			&metav1.ObjectMeta{Annotations: map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps.example.com/Application:shop/cart"}},
			[]string{"spec", "paused"},
			"Argo CD (shop) owns this object, and may undo a change of spec.paused; make the change where it is written",
		},
		"Flux's, which sets the field": {
			&metav1.ObjectMeta{Labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps"}, ManagedFields: setsReplicas},
			[]string{"spec", "replicas"},
			"Flux (apps) sets spec.replicas, and will undo this; make the change where it is written",
		},
		"Flux's, by its field manager alone": {
			&metav1.ObjectMeta{ManagedFields: setsReplicas},
			[]string{"spec", "paused"},
			"Flux owns this object, and may undo a change of spec.paused; make the change where it is written",
		},
		"Helm's": {
			&metav1.ObjectMeta{Annotations: map[string]string{"meta.helm.sh/release-name": "cart"}},
			[]string{"spec"},
			"Helm (cart) owns this object, and may undo a change of spec; make the change where it is written",
		},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Warning(each.object, each.path...); got != each.want {
				t.Errorf("got  %s\nwant %s", got, each.want)
			}
		})
	}
}
