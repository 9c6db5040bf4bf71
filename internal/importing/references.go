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

package importing

import (
	"github.com/example/app-operator/internal/resources"
)

// references returns the objects that the Application names, as kind and name.
func (w *workload) references() map[string]bool {
	all := map[string]bool{}
	for _, need := range resources.References(w.app) {
		all[need.String()] = true
	}
	if ingress := w.app.Spec.Ingress; ingress != nil && ingress.TLSSecretName != "" {
		all["Secret "+ingress.TLSSecretName] = true
	}
	return all
}
