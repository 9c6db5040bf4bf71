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

package status

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// Held says whose finalizers keep an object that is being deleted, or returns "". Those of Kubernetes' own garbage collector and the
// operator's own go by themselves.
func Held(object metav1.Object) string {
	holders := slices.DeleteFunc(slices.Clone(object.GetFinalizers()), func(finalizer string) bool {
		return finalizer == metav1.FinalizerDeleteDependents || finalizer == metav1.FinalizerOrphanDependents || finalizer == v1.Finalizer
	})
	if object.GetDeletionTimestamp() == nil || len(holders) == 0 {
		return ""
	}
	return "; it stays until whoever has put these finalizers on it takes them off: " + strings.Join(holders, ", ")
}
