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
		return resources.MainPortName(app)
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
	if seen.Service == nil {
		return ""
	}
	return serviceURL(seen.Service, resources.ServedName(app, seen.Service, mainPort(app)), usedScheme(app))
}

// usedScheme returns the scheme by which the spec has the main port asked, which the URL is about: https or http, or "" if it does
// not say.
func usedScheme(app *v1.Application) string {
	if app.Spec.Port == nil {
		return ""
	}
	main, monitoring := resources.MainPortName(app), app.Spec.Monitoring
	if monitoring != nil && resources.MonitoredPort(app) != main {
		monitoring = nil
	}
	probed := probedScheme(app, main)
	switch {
	case probed == "https", monitoring != nil && monitoring.Scheme == "https":
		return "https"
	case probed == "http", monitoring != nil, app.Spec.Ingress != nil, app.Spec.HTTPRoute != nil:
		return "http"
	default:
		return ""
	}
}

// probedScheme returns the scheme by which probes ask the main port: https if any does, or http, or "".
func probedScheme(app *v1.Application, main string) string {
	if app.Spec.Probes == nil {
		return ""
	}
	probes := app.Spec.Probes
	scheme := ""
	for _, probe := range []*v1.Probe{probes.Readiness, probes.Liveness, probes.Startup} {
		if probe == nil || probe.HTTPGet == nil {
			continue
		}
		port := ptr.Deref(probe.HTTPGet.Port, intstr.FromString(main))
		if port != intstr.FromString(main) && port != intstr.FromInt32(*app.Spec.Port) {
			continue
		}
		if probe.HTTPGet.Scheme == corev1.URISchemeHTTPS {
			return "https"
		}
		scheme = "http"
	}
	return scheme
}

// ingressURL returns the address of the Ingress's first host that is not a wildcard; that of a rule without a host is the load
// balancer's. It returns "" where neither is known.
func ingressURL(ingress *networkingv1.Ingress) string {
	if ingress == nil {
		return ""
	}
	balanced := ""
	for _, balancer := range ingress.Status.LoadBalancer.Ingress {
		balanced = cmp.Or(balanced, balancer.Hostname, bracketed(balancer.IP))
	}
	scheme := "http"
	if len(ingress.Spec.TLS) > 0 || slices.ContainsFunc(controllerTLS, func(known annotationWord) bool { return known.isIn(ingress.Annotations) }) {
		scheme = "https"
	}
	for _, rule := range ingress.Spec.Rules {
		if address := external(scheme, cmp.Or(rule.Host, balanced), firstPath(rule)); address != "" {
			return address
		}
	}
	return ""
}

// firstPath returns the first path of a rule, as far as it is no pattern.
func firstPath(rule networkingv1.IngressRule) string {
	if rule.HTTP == nil || len(rule.HTTP.Paths) == 0 {
		return ""
	}
	first := rule.HTTP.Paths[0]
	if ptr.Deref(first.PathType, networkingv1.PathTypePrefix) == networkingv1.PathTypeExact {
		return first.Path
	}
	return beforePattern(first.Path)
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
// do not count. Where the Service does not say what the port speaks, used does: how the spec has it asked.
func serviceURL(service *corev1.Service, name, used string) string {
	if service == nil {
		return ""
	}
	at := slices.IndexFunc(service.Spec.Ports, func(port corev1.ServicePort) bool { return port.Name == name })
	if at < 0 {
		return ""
	}
	port := service.Spec.Ports[at]
	scheme := schemeOf(port)
	if port.AppProtocol == nil && (used == "https" || used != "" && scheme == "tcp") {
		scheme = used
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

// schemeOf returns what the port's appProtocol says, or tcp where that is no URL's scheme; without one https for port 443, else what
// the first part of the port's name says, as meshes take it, and otherwise the transport protocol.
func schemeOf(port corev1.ServicePort) string {
	if port.Protocol != corev1.ProtocolTCP && port.AppProtocol == nil {
		return strings.ToLower(string(port.Protocol))
	}
	if port.AppProtocol != nil {
		protocol := strings.ToLower(strings.TrimPrefix(*port.AppProtocol, "kubernetes.io/"))
		if scheme, ok := schemes[protocol]; ok {
			return scheme
		}
		return strings.ToLower(string(port.Protocol))
	}
	if port.Port == 443 {
		return "https"
	}
	protocol, _, _ := strings.Cut(port.Name, "-")
	if scheme, ok := schemes[protocol]; ok {
		return scheme
	}
	return "tcp"
}

// schemes are those of the protocols that have a URL's scheme, by their names in an appProtocol or in the name of a port.
var schemes = map[string]string{
	"http": "http", "http2": "http", "h2c": "http", "web": "http", "https": "https", "ws": "ws", "wss": "wss", "grpc": "grpc", "grpcs": "grpcs",
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
