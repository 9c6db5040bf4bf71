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
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// mainPort returns the name of the port that the Application's URL is about: its port, or else the first additional
// one. A worker has none.
func mainPort(app *v1.Application) string {
	switch {
	case app.Spec.Port != nil:
		return resources.MainPortName
	case len(app.Spec.AdditionalPorts) > 0:
		return app.Spec.AdditionalPorts[0].Name
	default:
		return ""
	}
}

// url returns where the Application is served: by its Ingress, else by its HTTPRoute, else by its Service.
func url(app *v1.Application, seen Observed) string {
	for _, address := range []string{ingressURL(seen.Ingress), routeURL(seen.HTTPRoute)} {
		if address != "" {
			return address
		}
	}
	return serviceURL(seen.Service, mainPort(app))
}

// ingressURL returns the address of the Ingress's first host, or without one that of its load balancer. It returns ""
// where neither is known: a wildcard is no address.
func ingressURL(ingress *networkingv1.Ingress) string {
	if ingress == nil || len(ingress.Spec.Rules) == 0 {
		return ""
	}
	rule := ingress.Spec.Rules[0]
	host := rule.Host
	for _, balancer := range ingress.Status.LoadBalancer.Ingress {
		host = cmp.Or(host, balancer.Hostname, bracketed(balancer.IP))
	}
	path := ""
	if rule.HTTP != nil && len(rule.HTTP.Paths) > 0 {
		path = rule.HTTP.Paths[0].Path
	}
	scheme := "http"
	if len(ingress.Spec.TLS) > 0 {
		scheme = "https"
	}
	return external(scheme, host, path)
}

// routeURL returns the address of the HTTPRoute's first host that is not a wildcard, or "". Whether it is served with
// TLS only the Gateway knows, which may be in another namespace; the port or the name of the listener tell it as a
// rule.
func routeURL(route *gatewayv1.HTTPRoute) string {
	if route == nil {
		return ""
	}
	scheme := "http"
	if slices.ContainsFunc(route.Spec.ParentRefs, func(parent gatewayv1.ParentReference) bool {
		return ptr.Deref(parent.Port, 0) == 443 || strings.HasPrefix(string(ptr.Deref(parent.SectionName, "")), "https")
	}) {
		scheme = "https"
	}
	path := ""
	if rules := route.Spec.Rules; len(rules) > 0 && len(rules[0].Matches) > 0 && rules[0].Matches[0].Path != nil {
		path = ptr.Deref(rules[0].Matches[0].Path.Value, "")
	}
	for _, host := range route.Spec.Hostnames {
		if address := external(scheme, string(host), path); address != "" {
			return address
		}
	}
	return ""
}

func external(scheme, host, path string) string {
	if host == "" || strings.HasPrefix(host, "*") {
		return ""
	}
	return scheme + "://" + host + strings.TrimSuffix(path, "/")
}

// bracketed returns an address as it stands in a URL.
func bracketed(address string) string {
	if strings.Contains(address, ":") { // of IPv6
		return "[" + address + "]"
	}
	return address
}

// serviceURL returns where the Service's port of this name is reached: at the load balancer's address if it has one, otherwise
// by the Service's name in the cluster. It returns "" without a Service or such a port; ports that others have added
// do not count.
func serviceURL(service *corev1.Service, name string) string {
	if service == nil {
		return ""
	}
	at := slices.IndexFunc(service.Spec.Ports, func(port corev1.ServicePort) bool { return port.Name == name })
	if at < 0 {
		return ""
	}
	port := service.Spec.Ports[at]
	scheme := schemeOf(port)
	host := fmt.Sprintf("%s.%s.svc", service.Name, service.Namespace)
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		if ingress.Hostname != "" {
			host = ingress.Hostname
			break
		}
		if ingress.IP != "" {
			host = bracketed(ingress.IP)
			break
		}
	}
	if isDefaultPort(scheme, port.Port) {
		return scheme + "://" + host
	}
	return fmt.Sprintf("%s://%s:%d", scheme, host, port.Port)
}

// schemeOf returns what an additional port's appProtocol says where it is a URL's scheme, http for the main port,
// and otherwise the transport protocol. An additional port may bear the main one's name where there is none.
func schemeOf(port corev1.ServicePort) string {
	if port.AppProtocol != nil {
		switch *port.AppProtocol {
		case "http", "https", "ws", "wss", "grpc":
			return *port.AppProtocol
		}
	}
	if port.Name == resources.MainPortName && port.Protocol == corev1.ProtocolTCP {
		return "http"
	}
	return strings.ToLower(string(port.Protocol))
}

func isDefaultPort(scheme string, port int32) bool {
	return scheme == "http" && port == 80 || scheme == "https" && port == 443
}
