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

package resources

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/revisions"
)

// The annotations of a ControllerRevision: only its metadata is cached.
const (
	annotationNumber        = "apps.example.com/number"
	annotationReleased      = "apps.example.com/released"
	annotationFailedRelease = "apps.example.com/failed-release"
	annotationFailed        = "apps.example.com/failed"
)

// maxNumber is above what any Application comes to. The next revision has the highest number and one more, which has to be a number still.
const maxNumber = math.MaxInt32

// maxFailureWords bounds what a ControllerRevision remembers of a failure, in bytes.
const maxFailureWords = 1024

// ControllerRevision returns the revision that the spec asks for. It has no label but one of the operator's own: a StatefulSet or a
// DaemonSet takes those for its history that its selector finds.
func ControllerRevision(in Inputs) ([]*appsv1ac.ControllerRevisionApplyConfiguration, error) {
	if in.Update.Name == "" {
		return nil, nil
	}
	app := in.Application
	return []*appsv1ac.ControllerRevisionApplyConfiguration{appsv1ac.ControllerRevision(in.Update.Name, app.Namespace).
		WithLabels(map[string]string{LabelApplication: app.Name}).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(revisionAnnotations(in.Update.Record)).
		WithOwnerReferences(owner(app)).
		WithRevision(in.Update.Record.Number).
		WithData(runtime.RawExtension{Raw: slices.Clone(in.Update.Data)})}, nil
}

// ControllerRevisionNames returns the name of the revision that the spec asks for.
func ControllerRevisionNames(in Inputs) []string {
	if in.Update.Name == "" {
		return nil
	}
	return []string{in.Update.Name}
}

// KeepsRevision reports whether an earlier revision is kept.
func KeepsRevision(in Inputs, name string) bool { return in.History[name] }

// revisionAnnotations returns what a ControllerRevision has of its record.
func revisionAnnotations(record revisions.Record) map[string]string {
	annotations := map[string]string{annotationNumber: strconv.FormatInt(record.Number, 10)}
	if record.Released != "" {
		annotations[annotationReleased] = record.Released
	}
	if record.FailedRelease != "" {
		annotations[annotationFailedRelease] = fmt.Sprintf("%s: %s", record.FailedRelease, shortened(record.FailedReleaseWords))
	}
	if record.Failed != "" {
		annotations[annotationFailed] = shortened(record.Failed)
	}
	return annotations
}

// RevisionPatch returns the merge patch by which a ControllerRevision, in this version of it, remembers its record, and forgets what is
// not in it any more.
func RevisionPatch(record revisions.Record, resourceVersion string) map[string]any {
	annotations := map[string]any{annotationReleased: nil, annotationFailedRelease: nil, annotationFailed: nil}
	for key, value := range revisionAnnotations(record) {
		annotations[key] = value
	}
	return map[string]any{
		"metadata": map[string]any{"resourceVersion": resourceVersion, "annotations": annotations}, "revision": record.Number,
	}
}

// RevisionRecord returns the record of a ControllerRevision that was last written at that time.
func RevisionRecord(revision metav1.Object, written metav1.Time) revisions.Record {
	annotations := revision.GetAnnotations()
	number, err := strconv.ParseInt(annotations[annotationNumber], 10, 64)
	if err != nil || number < 0 || number > maxNumber { // an edit of it makes it the oldest
		number = 0
	}
	job, words, _ := strings.Cut(annotations[annotationFailedRelease], ": ")
	return revisions.Record{
		Number: number, Since: written, Released: annotations[annotationReleased],
		FailedRelease: job, FailedReleaseWords: words, Failed: annotations[annotationFailed],
	}
}

func shortened(words string) string { return outcome.Shorten(outcome.OneLine(words), maxFailureWords) }
