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
	"slices"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// ServiceAccount returns the account that the pods run as, or nil when the Application names an existing one.
func ServiceAccount(in Inputs) (*corev1ac.ServiceAccountApplyConfiguration, error) {
	app := accountOwner(in)
	if app == nil {
		return nil, nil
	}
	config := corev1ac.ServiceAccount(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithOwnerReferences(owners(app)...).
		WithAutomountServiceAccountToken(automountToken(app))
	if account := app.Spec.ServiceAccount; account != nil {
		config.WithAnnotations(account.Annotations)
	}
	config.WithAnnotations(ownerMark(app))
	return config, nil
}

// accountOwner returns the first of those whose pods run as the account that is made, or nil.
func accountOwner(in Inputs) *v1.Application {
	for _, app := range in.Running() {
		if ReferencedServiceAccount(app) == "" {
			return app
		}
	}
	return nil
}

// RefersToServiceAccount reports whether pods that run, or are released, run as an existing ServiceAccount of this name.
func RefersToServiceAccount(in Inputs, name string) bool {
	return slices.ContainsFunc(in.Running(), func(app *v1.Application) bool { return name == ReferencedServiceAccount(app) })
}

// ReferencedServiceAccount returns the name of the existing ServiceAccount that the Application asks for, or ""
// when one is made for it.
func ReferencedServiceAccount(app *v1.Application) string {
	if app.Spec.ServiceAccount == nil {
		return ""
	}
	return app.Spec.ServiceAccount.Name
}

// serviceAccountName returns as whom the pods run.
func serviceAccountName(app *v1.Application) string {
	if name := ReferencedServiceAccount(app); name != "" {
		return name
	}
	return app.Name
}

func automountToken(app *v1.Application) bool {
	return app.Spec.ServiceAccount != nil && app.Spec.ServiceAccount.AutomountToken
}
