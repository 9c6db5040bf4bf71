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
	"cmp"

	networkingv1 "k8s.io/api/networking/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

// Ingress returns the Ingress in front of the Service's main port, or nil where none is desired.
func Ingress(in Inputs) (*networkingv1ac.IngressApplyConfiguration, error) {
	app := in.Application
	ingress := app.Spec.Ingress
	if ingress == nil || app.Spec.Port == nil {
		return nil, nil
	}
	path := networkingv1ac.HTTPIngressPath().
		WithPath(cmp.Or(ingress.Path, "/")).
		WithPathType(cmp.Or(ingress.PathType, networkingv1.PathTypePrefix)).
		WithBackend(networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
			WithName(app.Name).
			WithPort(networkingv1ac.ServiceBackendPort().WithNumber(mainServicePort(app)))))
	rule := networkingv1ac.IngressRule().WithHTTP(networkingv1ac.HTTPIngressRuleValue().WithPaths(path))
	if ingress.Host != "" {
		rule.WithHost(ingress.Host)
	}
	spec := networkingv1ac.IngressSpec().WithRules(rule)
	if ingress.ClassName != "" {
		spec.WithIngressClassName(ingress.ClassName)
	}
	if ingress.TLSSecretName != "" {
		tls := networkingv1ac.IngressTLS().WithSecretName(ingress.TLSSecretName)
		if ingress.Host != "" {
			tls.WithHosts(ingress.Host)
		}
		spec.WithTLS(tls)
	}
	return networkingv1ac.Ingress(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(ingress.Annotations).
		WithOwnerReferences(owner(app)).
		WithSpec(spec), nil
}
