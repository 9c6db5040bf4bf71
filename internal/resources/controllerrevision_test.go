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
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestANumberThatWasEditedIsTheOldest holds that nobody can give a revision a number after which there is none.
func TestANumberThatWasEditedIsTheOldest(t *testing.T) {
	for number, want := range map[string]int64{
		"7": 7, "": 0, "seven": 0, "-1": 0, "9223372036854775807": 0, "99999999999999999999": 0,
	} {
		revision := &appsv1.ControllerRevision{}
		revision.Annotations = map[string]string{annotationNumber: number}
		if got := RevisionRecord(revision, metav1.Time{}).Number; got != want {
			t.Errorf("%q is %d, want %d", number, got, want)
		}
	}
}
