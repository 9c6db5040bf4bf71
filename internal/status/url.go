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
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
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
	return serviceURL(seen.Service, mainPort(app), probedScheme(app))
}

// probedScheme returns https where a probe of the main port, which the URL is about, asks by it; otherwise "".
func probedScheme(app *v1.Application) string {
	probes := app.Spec.Probes
	if probes == nil || app.Spec.Port == nil {
		return ""
	}
	for _, probe := range []*v1.Probe{probes.Readiness, probes.Liveness, probes.Startup} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Scheme != corev1.URISchemeHTTPS {
			continue
		}
		port := ptr.Deref(probe.HTTPGet.Port, intstr.FromString(resources.MainPortName))
		if port == intstr.FromString(resources.MainPortName) || port == intstr.FromInt32(*app.Spec.Port) {
			return "https"
		}
	}
	return ""
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
		if ptr.Deref(rule.HTTP.Paths[0].PathType, networkingv1.PathTypePrefix) != networkingv1.PathTypeExact {
			path = beforePattern(path)
		}
	}
	scheme := "http"
	if len(ingress.Spec.TLS) > 0 || slices.ContainsFunc(controllerTLS, func(known annotationWord) bool { return known.isIn(ingress.Annotations) }) {
		scheme = "https"
	}
	return external(scheme, host, path)
}

// annotationWord is an annotation whose value says something if it contains the word; "" is in any value that is not empty.
type annotationWord struct{ key, word string }

func (a annotationWord) isIn(annotations map[string]string) bool {
	value := annotations[a.key]
	return value != "" && strings.Contains(strings.ToLower(value), a.word)
}

// controllerTLS are the annotations by which ingress controllers serve TLS, or send everybody to it, without a Secret in the
// Ingress.
var controllerTLS = []annotationWord{
	{"alb.ingress.kubernetes.io/certificate-arn", ""},
	{"alb.ingress.kubernetes.io/listen-ports", "https"},
	{"appgw.ingress.kubernetes.io/appgw-ssl-certificate", ""},
	{"haproxy.org/ssl-redirect", "true"},
	{"haproxy-ingress.github.io/ssl-redirect", "true"},
	{"ingress.gcp.kubernetes.io/pre-shared-cert", ""},
	{"ingress.kubernetes.io/force-ssl-redirect", "true"},
	{"konghq.com/protocols", "https"},
	{"kubernetes.io/ingress.allow-http", "false"},
	{"networking.gke.io/managed-certificates", ""},
	{"nginx.ingress.kubernetes.io/force-ssl-redirect", "true"},
	{"nginx.ingress.kubernetes.io/ssl-passthrough", "true"},
	{"route.openshift.io/termination", ""},
	{"traefik.ingress.kubernetes.io/router.entrypoints", "websecure"},
	{"traefik.ingress.kubernetes.io/router.tls", "true"},
}

// patternStart finds where a path begins to be a pattern: a wildcard, or a regular expression as ingress controllers take it.
// A dot and a dollar sign are often meant as they are.
var patternStart = regexp.MustCompile(`[*?()\[\]{}|\\^]|[.][*+]|[$]$`)

// optionalPart finds a pattern that matches nothing as well, or that begins a new part of the path: what is before it is a
// path that is served.
var optionalPart = regexp.MustCompile(`^([*?]|[.][*]|[$]|[(]([?]:)?[/|$]|[(][^()]*[)][*?])`)

// beforePattern returns what of a path comes before a pattern in it: all of it where there is none, and otherwise up to the
// last part that is served as it is.
func beforePattern(path string) string {
	at := patternStart.FindStringIndex(path)
	if at == nil {
		return path
	}
	before := path[:at[0]]
	if optionalPart.MatchString(path[at[0]:]) {
		return before
	}
	return before[:strings.LastIndex(before, "/")+1]
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
		listener := string(ptr.Deref(parent.SectionName, ""))
		return ptr.Deref(parent.Port, 0) == 443 || strings.Contains(listener, "https") || strings.Contains(listener, "tls") ||
			listener == "websecure"
	}) {
		scheme = "https"
	}
	path := ""
	if rules := route.Spec.Rules; len(rules) > 0 && len(rules[0].Matches) > 0 && rules[0].Matches[0].Path != nil {
		path = beforePattern(ptr.Deref(rules[0].Matches[0].Path.Value, ""))
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
// do not count. A scheme is given where the spec says what the port speaks and the Service does not.
func serviceURL(service *corev1.Service, name, scheme string) string {
	if service == nil {
		return ""
	}
	at := slices.IndexFunc(service.Spec.Ports, func(port corev1.ServicePort) bool { return port.Name == name })
	if at < 0 {
		return ""
	}
	port := service.Spec.Ports[at]
	if port.AppProtocol != nil || scheme == "" {
		scheme = schemeOf(port)
	}
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

// schemeOf returns what an additional port's appProtocol says where it is a URL's scheme, https for port 443 and for one that
// is named so, http for the main port, and otherwise the transport protocol. An additional port may have the main one's name
// where there is none.
func schemeOf(port corev1.ServicePort) string {
	if port.AppProtocol != nil {
		switch protocol := strings.ToLower(strings.TrimPrefix(*port.AppProtocol, "kubernetes.io/")); protocol {
		case "http", "https", "ws", "wss", "grpc", "grpcs":
			return protocol
		}
	}
	switch {
	case port.Protocol != corev1.ProtocolTCP:
		return strings.ToLower(string(port.Protocol))
	case port.Port == 443, port.Name == "https", strings.HasPrefix(port.Name, "https-"):
		return "https"
	case port.Name == resources.MainPortName:
		return "http"
	default:
		return "tcp"
	}
}

func isDefaultPort(scheme string, port int32) bool {
	switch scheme {
	case "http", "ws":
		return port == 80
	case "https", "wss":
		return port == 443
	default:
		return false
	}
}
