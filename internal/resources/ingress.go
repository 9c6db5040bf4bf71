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
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// Ingress returns the Ingress in front of the Service, or nil where none is desired.
func Ingress(in Inputs) (*networkingv1ac.IngressApplyConfiguration, error) {
	app := in.Application
	ingress := app.Spec.Ingress
	if ingress == nil || app.Spec.Port == nil {
		return nil, nil
	}
	rules := ingressRules(app)
	spec := networkingv1ac.IngressSpec().WithRules(rules...)
	if ingress.ClassName != "" {
		spec.WithIngressClassName(ingress.ClassName)
	}
	if tls := ingressTLS(ingress, rules); tls != nil {
		spec.WithTLS(tls)
	}
	return networkingv1ac.Ingress(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(ingress.Annotations).
		WithAnnotations(ownerMark(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec), nil
}

// ingressRules returns a rule for each host, in the order in which the hosts are first given, with its paths in their order: some
// ingress controllers take the last rule of a host for all of them.
func ingressRules(app *v1.Application) []*networkingv1ac.IngressRuleApplyConfiguration {
	ingress := app.Spec.Ingress
	given := append([]v1.IngressRule{{Host: ingress.Host, Path: ingress.Path, PathType: ingress.PathType}}, ingress.AdditionalRules...)
	var rules []*networkingv1ac.IngressRuleApplyConfiguration
	for _, next := range given {
		host := cmp.Or(next.Host, ingress.Host)
		at := slices.IndexFunc(rules, func(rule *networkingv1ac.IngressRuleApplyConfiguration) bool { return ptr.Deref(rule.Host, "") == host })
		if at < 0 {
			at = len(rules)
			rules = append(rules, networkingv1ac.IngressRule().WithHTTP(networkingv1ac.HTTPIngressRuleValue()))
			if host != "" {
				rules[at].WithHost(host)
			}
		}
		rules[at].HTTP.WithPaths(ingressPath(app, next))
	}
	return rules
}

// ingressPath returns a path that leads to the rule's port, which is the main one if the spec has none of its name.
func ingressPath(app *v1.Application, rule v1.IngressRule) *networkingv1ac.HTTPIngressPathApplyConfiguration {
	number := mainServicePort(app)
	if rule.Port != "" {
		if port := specPort(app, rule.Port); port != nil {
			number = port.served
		}
	}
	return networkingv1ac.HTTPIngressPath().
		WithPath(cmp.Or(rule.Path, "/")).
		WithPathType(cmp.Or(rule.PathType, networkingv1.PathTypePrefix)).
		WithBackend(networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
			WithName(app.Name).
			WithPort(networkingv1ac.ServiceBackendPort().WithNumber(number))))
}

// ingressTLS returns whose certificate is served for the rules' hosts, or nil where nothing is said about it. Without a Secret it is
// the ingress controller's own, and without hosts it is meant for all.
func ingressTLS(
	ingress *v1.IngressSpec, rules []*networkingv1ac.IngressRuleApplyConfiguration,
) *networkingv1ac.IngressTLSApplyConfiguration {
	if ingress.TLSSecretName == "" && ingress.TLS != v1.IngressTLSControllerDefault {
		return nil
	}
	tls := networkingv1ac.IngressTLS()
	if ingress.TLSSecretName != "" {
		tls.WithSecretName(ingress.TLSSecretName)
	}
	for _, rule := range rules {
		if rule.Host != nil {
			tls.WithHosts(*rule.Host)
		}
	}
	return tls
}
