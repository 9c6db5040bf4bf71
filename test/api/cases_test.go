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
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// TestValid creates every manifest of testdata/valid and compares what is stored with what has to be.
func TestValid(t *testing.T) {
	for _, manifest := range loadManifests(t, "valid") {
		t.Run(manifest.name, func(t *testing.T) {
			if len(manifest.wants) > 0 {
				t.Fatal("a valid manifest has no # want: lines")
			}
			name, _ := manifest.object["metadata"].(tree)["namespace"].(string)
			stored, err := create(t, namespace(t, name), manifest.body)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			removeAfter(t, &unstructured.Unstructured{Object: stored})
			if diff := cmp.Diff(expectedSpec(manifest), stored["spec"]); diff != "" {
				t.Errorf("stored spec (-want +got):\n%s", diff)
			}
			fitsGoType(t, stored)
		})
	}
}

// expectedSpec is the second document's spec, or else the spec as given with the two defaults that every spec
// gets.
func expectedSpec(manifest manifest) any {
	if manifest.stored != nil {
		return manifest.stored["spec"]
	}
	spec := tree{"replicas": 1.0, "deletionPolicy": "Delete"}
	maps.Copy(spec, manifest.object["spec"].(tree))
	return spec
}

// fitsGoType proves that the operator can read whatever the schema lets in.
func fitsGoType(t *testing.T, stored tree) {
	t.Helper()
	data, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v1.Application{}); err != nil {
		t.Errorf("decode into the Go type: %v", err)
	}
}

// TestInvalid creates every manifest of testdata/invalid and compares the messages of the refusal, all of them,
// with the desired ones.
func TestInvalid(t *testing.T) {
	space := namespace(t, "")
	for _, manifest := range loadManifests(t, "invalid") {
		t.Run(manifest.name, func(t *testing.T) {
			_, err := create(t, space, manifest.body)
			for _, complaint := range mismatches(manifest.wants, err) {
				t.Error(complaint)
			}
		})
	}
	// One that is stored and cannot be decoded would hide all others.
	stored := &v1.ApplicationList{}
	if err := cluster.client.List(t.Context(), stored, client.InNamespace(space)); err != nil || len(stored.Items) > 0 {
		t.Errorf("%d are stored; error of the list: %v", len(stored.Items), err)
	}
}

// mismatches compares a refusal with the messages that it has to contain: each desired one has to be there, and
// nothing else may be.
func mismatches(wants []string, err error) []string {
	if len(wants) == 0 {
		return []string{"an invalid manifest needs a # want: line"}
	}
	if err == nil {
		return []string{"accepted"}
	}
	messages := inOneWording(messagesOf(err))
	wants = inOneWording(wants)
	var complaints []string
	for _, want := range wants {
		if !anyContains(messages, want) {
			complaints = append(complaints, fmt.Sprintf("want: %s\ngot:  %s", want, strings.Join(messages, "\n      ")))
		}
	}
	for _, message := range messages {
		if !containsAny(message, wants) {
			complaints = append(complaints, "not desired: "+message)
		}
	}
	return complaints
}

// messagesOf lists what the API server says, as kubectl lists it: a line for each cause.
func messagesOf(err error) []string {
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Details == nil || len(status.ErrStatus.Details.Causes) == 0 {
		return []string{err.Error()}
	}
	var messages []string
	for _, cause := range status.ErrStatus.Details.Causes {
		if !isUncheckedRulesNote(cause) && !isFormatNote(cause) {
			messages = append(messages, cause.Field+": "+cause.Message)
		}
	}
	return messages
}

// shownValue is where an API server shows the refused value, which others leave out or show in another way.
var shownValue = regexp.MustCompile(`(Invalid|Duplicate) value: ` +
	`(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.e+]*|null|\{.*\}|map\[.*\](?:interface \{\}\{.*\})?)(?:: |$)`)

// wordings are what API servers of different releases say in their own ways, and the one that is compared.
var wordings = []struct {
	of   *regexp.Regexp
	same string
}{
	{shownValue, "$1 value: "},
	{regexp.MustCompile(`may not be (?:longer|more) than (\d+)(?: bytes)?`), "may not be more than $1"},
	{regexp.MustCompile(`must be of type int(?:eger|32|64): "(?:float64|number)"`), "must be of type integer"},
}

// inOneWording takes out of messages what differs between the API servers of Kubernetes' releases, and is not ours.
func inOneWording(messages []string) []string {
	same := make([]string, len(messages))
	for i, message := range messages {
		for _, wording := range wordings {
			message = wording.of.ReplaceAllString(message, wording.same)
		}
		same[i] = message
	}
	return same
}

// isUncheckedRulesNote tells the API server's remark, made with every fault that the schema itself finds, that it
// has not looked at the CEL rules yet.
func isUncheckedRulesNote(cause metav1.StatusCause) bool {
	return strings.Contains(cause.Message, "some validation rules were not checked because the object was invalid")
}

// isFormatNote tells what newer API servers remark of a number that its bound has refused already.
func isFormatNote(cause metav1.StatusCause) bool {
	return strings.Contains(cause.Message, "Checked value must be of type integer")
}

func anyContains(texts []string, part string) bool {
	for _, text := range texts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func containsAny(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// TestMismatches proves that the comparison of TestInvalid can fail, in each of its ways.
func TestMismatches(t *testing.T) {
	refusal := &apierrors.StatusError{ErrStatus: metav1.Status{Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
		{Field: "spec.port", Message: "Invalid value: 0: too low"},
		{Field: "spec.image", Message: "Required value"},
		{Field: "<nil>", Message: "some validation rules were not checked because the object was invalid"},
	}}}}
	tests := []struct {
		name  string
		wants []string
		err   error
		want  int
	}{
		{"all as desired", []string{"spec.port: Invalid value: 0", "spec.image: Required value"}, refusal, 0},
		{"another message", []string{"spec.port: Invalid value: 0: too high", "spec.image: Required value"}, refusal, 2},
		{"another value", []string{`spec.port: Invalid value: "integer": too low`, "spec.image: Required value"}, refusal, 0},
		{"another field", []string{"spec.port: Invalid value: 0", "spec.images: Required value"}, refusal, 2},
		{"one more than desired", []string{"spec.image: Required value"}, refusal, 1},
		{"nothing desired", nil, refusal, 1},
		{"accepted", []string{"spec.image: Required value"}, nil, 1},
		{"no causes", []string{"unknown field"}, errors.New("strict decoding error: unknown field \"spec.a\""), 0},
		{"no causes, another message", []string{"unknown field"}, errors.New("connection refused"), 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mismatches(test.wants, test.err); len(got) != test.want {
				t.Errorf("%d complaints, want %d: %q", len(got), test.want, got)
			}
		})
	}
}
