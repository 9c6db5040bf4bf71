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

package cli

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func forbidden(words string) error {
	return fmt.Errorf("read: %w", apierrors.NewForbidden(schema.GroupResource{Group: "apps.example.com", Resource: "applications"}, "my-app", errors.New(words)))
}

func TestARefusalNamesTheMissingRight(t *testing.T) {
	cases := map[string]struct {
		err  error
		want string
	}{
		"in a namespace": {
			forbidden(`User "jane" cannot get resource "applications" in API group "apps.example.com" in the namespace "shop"`),
			"error: you have no right to get applications of apps.example.com in namespace shop.\n" +
				"Ask for it, and check with: kubectl auth can-i get applications.apps.example.com --namespace=shop",
		},
		"of the core group, of a subresource": {
			forbidden(`User "jane" cannot get resource "pods/log" in API group "" in the namespace "shop"`),
			"error: you have no right to get pods/log in namespace shop.\n" +
				"Ask for it, and check with: kubectl auth can-i get pods --subresource=log --namespace=shop",
		},
		"in the cluster": {
			forbidden(`User "jane" cannot list resource "leases" in API group "coordination.k8s.io" at the cluster scope`),
			"error: you have no right to list leases of coordination.k8s.io in the cluster.\n" +
				"Ask for it, and check with: kubectl auth can-i list leases.coordination.k8s.io",
		},
		"of a policy": {forbidden("not on Fridays"), `error: read: applications.apps.example.com "my-app" is forbidden: not on Fridays`},
		"said before": {ErrNotWell, ""},
	}
	for name, each := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Message(each.err); got != each.want {
				t.Errorf("got  %s\nwant %s", got, each.want)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{ExitOK: nil, ExitError: errors.New("no"), ExitNotWell: fmt.Errorf("status: %w", ErrNotWell)} {
		if got := ExitCode(err); got != want {
			t.Errorf("%v: exit code %d, want %d", err, got, want)
		}
	}
}
