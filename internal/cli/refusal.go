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
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// refusal is how the API server's RBAC says that a right is missing. The verb is nowhere else.
var refusal = regexp.MustCompile(`cannot (\S+) resource "(\S+)" in API group "(\S*)"(?: in the namespace "(\S+)")?`)

// Right is what somebody may do.
type Right struct{ Verb, Resource, Group, Namespace string }

// String returns the right as kubectl auth can-i takes it.
func (r Right) String() string {
	resource, sub, _ := strings.Cut(r.Resource, "/")
	if r.Group != "" {
		resource += "." + r.Group
	}
	words := r.Verb + " " + resource
	if sub != "" {
		words += " --subresource=" + sub
	}
	if r.Namespace != "" {
		return words + " --namespace=" + r.Namespace
	}
	return words
}

// MissingRight returns the right that was missing for a request, or nil if the request failed for another reason.
func MissingRight(err error) *Right {
	if !apierrors.IsForbidden(err) {
		return nil
	}
	found := refusal.FindStringSubmatch(err.Error())
	if found == nil {
		return nil
	}
	return &Right{Verb: found[1], Resource: found[2], Group: found[3], Namespace: found[4]}
}

// Message returns what is said of a command's error, and "" for one that has been said.
func Message(err error) string {
	if err == nil || errors.Is(err, ErrNotWell) {
		return ""
	}
	if right := MissingRight(err); right != nil {
		return fmt.Sprintf("error: you have no right to %s %s.\nAsk for it, and check with: kubectl auth can-i %s", right.Verb, right.place(), right)
	}
	return "error: " + err.Error()
}

// place returns what the right is about.
func (r Right) place() string {
	what := r.Resource
	if r.Group != "" {
		what += " of " + r.Group
	}
	if r.Namespace == "" {
		return what + " in the cluster"
	}
	return what + " in namespace " + r.Namespace
}

// ExitCode returns the exit code of a command that has returned the error.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrNotWell):
		return ExitNotWell
	default:
		return ExitError
	}
}
