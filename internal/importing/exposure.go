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
	"cmp"
	"fmt"
	"maps"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/example/app-operator/api/v1"
)

// ingressBackend is the Service and the port that a path of an Ingress leads to.
func ingressBackend(path part) (service string, port intstr.IntOrString) {
	of := path.in("backend", "service")
	if number, _, err := decode[int32](of.in("port").fields["number"]); err == nil && number != 0 {
		return of.peek("name"), intstr.FromInt32(number)
	}
	return of.peek("name"), intstr.FromString(of.in("port").peek("name"))
}

// backends returns the ports of the Service that routes and Ingresses lead to: those of routes first, since a route leads to spec.port
// alone.
func (w *workload) backends() []intstr.IntOrString {
	var all []intstr.IntOrString
	for _, doc := range w.ofKind("HTTPRoute") {
		for _, rule := range doc.root().in("spec").list("rules") {
			for _, backend := range rule.list("backendRefs") {
				if port, _, err := decode[int32](backend.fields["port"]); err == nil && backend.peek("name") == w.service.name {
					all = append(all, intstr.FromInt32(port))
				}
			}
		}
	}
	for _, doc := range w.ofKind("Ingress") {
		for _, rule := range doc.root().in("spec").list("rules") {
			for _, path := range rule.in("http").list("paths") {
				if name, port := ingressBackend(path); name == w.service.name {
					all = append(all, port)
				}
			}
		}
		if fallback := doc.root().in("spec"); fallback.has("defaultBackend") {
			if name, port := ingressBackend(part{doc, "", map[string]any{"backend": fallback.fields["defaultBackend"]}}); name == w.service.name {
				all = append(all, port)
			}
		}
	}
	return all
}

// leadsHere reports whether any path of an Ingress leads to the Service.
func (w *workload) leadsHere(doc *document) bool {
	if w.service == nil {
		return false
	}
	spec := doc.root().in("spec")
	found := spec.in("defaultBackend", "service").peek("name") == w.service.name
	for _, rule := range spec.list("rules") {
		for _, path := range rule.in("http").list("paths") {
			name, _ := ingressBackend(path)
			found = found || name == w.service.name
		}
	}
	return found
}

// readIngress reads the Ingress in front of the Service. An Application has one.
func (w *workload) readIngress(doc *document) {
	if !w.leadsHere(doc) {
		return
	}
	if w.app.Spec.Ingress != nil {
		doc.keep("an Application has one Ingress; keep this one as an object of its own, which leads to the Service " + w.app.Name)
		return
	}
	spec := doc.root().in("spec")
	rules := w.ingressRules(spec)
	if len(rules) == 0 {
		return
	}
	main := rules[0]
	ingress := &v1.IngressSpec{Host: main.Host, Path: main.Path, PathType: main.PathType, ClassName: spec.text("ingressClassName")}
	for _, rule := range rules[1:] {
		if rule.Host == ingress.Host {
			rule.Host = ""
		} else if rule.Host == "" {
			doc.root().note("spec.rules", rule.Path, "a rule without a host has to be the first; keep an Ingress of your own for it")
			continue
		}
		ingress.AdditionalRules = append(ingress.AdditionalRules, rule)
	}
	if main.Port != "" {
		doc.root().note("spec.rules", main.Port, "the first rule leads to spec.port here, and not to this port; exchange the two ports, or the order of the rules")
	}
	w.readTLS(spec, ingress, rules)
	ingress.Annotations = w.companion(doc)
	w.app.Spec.Ingress = ingress
}

// ingressRules takes the rules that lead to the Service.
func (w *workload) ingressRules(spec part) []v1.IngressRule {
	var rules []v1.IngressRule
	for _, rule := range spec.list("rules") {
		http := rule.in("http")
		for _, path := range http.list("paths") {
			next, ok := w.ingressRule(path, rule.peek("host"))
			twice := func(other v1.IngressRule) bool { return other.Host == next.Host && other.Path == next.Path }
			switch at := slices.IndexFunc(rules, twice); {
			case !ok:
			case at < 0:
				rules = append(rules, next)
			case rules[at].Port != next.Port:
				path.note("", cmp.Or(next.Path, "/"), "a path of a host leads to one port; keep an Ingress of your own for this one")
			case next.PathType == "": // which finds what the other finds
				rules[at].PathType = ""
			}
		}
		rule.drop("host")
	}
	if fallback := spec.in("defaultBackend"); len(rules) == 0 && fallback.in("service").peek("name") == w.service.name {
		spec.drop("defaultBackend")
		rules = append(rules, v1.IngressRule{})
	}
	return rules
}

// ingressRule takes a path, and returns the rule that it is; false if it leads elsewhere.
func (w *workload) ingressRule(path part, host string) (v1.IngressRule, bool) {
	name, port := ingressBackend(path)
	entry := w.servedPort(port)
	where := host + cmp.Or(path.peek("path"), "/")
	if name != w.service.name || entry == nil {
		path.note("", where, "it leads to another backend; keep an Ingress of your own for it")
		path.empty()
		return v1.IngressRule{}, false
	}
	path.drop("backend")
	rule := v1.IngressRule{Host: host, Path: path.text("path"), PathType: networkingv1.PathType(path.text("pathType"))}
	if rule.Path == "/" {
		rule.Path = ""
	}
	if rule.PathType == networkingv1.PathTypePrefix {
		rule.PathType = ""
	}
	if entry != w.ports[0] {
		rule.Port = entry.name
	}
	return rule, true
}

// readTLS reads whose certificate is served. An Application has one for all hosts.
func (w *workload) readTLS(spec part, ingress *v1.IngressSpec, rules []v1.IngressRule) {
	hosts := map[string]bool{}
	for _, rule := range rules {
		hosts[cmp.Or(rule.Host, ingress.Host)] = true
	}
	delete(hosts, "")
	defer spec.dropEmpty("tls")
	for i, tls := range spec.list("tls") {
		parsed, ok := whole[networkingv1.IngressTLS](tls)
		switch {
		case !ok:
		case i > 0:
			tls.note("", parsed.SecretName, "one certificate is served for all hosts; keep an Ingress of your own for the hosts of the other, or have one for all")
			continue
		case parsed.SecretName == "":
			ingress.TLS = v1.IngressTLSControllerDefault
		default:
			ingress.TLSSecretName = parsed.SecretName
		}
		covered := map[string]bool{}
		for _, host := range parsed.Hosts {
			covered[host] = true
		}
		if !maps.Equal(hosts, covered) {
			tls.note("hosts", parsed.Hosts, fmt.Sprintf("the certificate is served for all hosts of the rules: %v", slices.Sorted(maps.Keys(hosts))))
		}
	}
}

// readHTTPRoute reads the route to the Service, if it is one that an Application can have. Otherwise it stays what it is.
func (w *workload) readHTTPRoute(doc *document) {
	spec := doc.root().in("spec")
	rules := spec.list("rules")
	here := w.service != nil && slices.ContainsFunc(rules, func(rule part) bool {
		return slices.ContainsFunc(rule.list("backendRefs"), func(backend part) bool { return backend.peek("name") == w.service.name })
	})
	if !here {
		return
	}
	if why := cmp.Or(w.notOurParents(spec), w.notOurRoute(rules)); why != "" {
		doc.keep(why + "; keep it as an object of its own, which leads to the Service " + w.app.Name)
		return
	}
	if w.app.Spec.HTTPRoute != nil {
		doc.keep("an Application has one HTTPRoute; keep this one as an object of its own, which leads to the Service " + w.app.Name)
		return
	}
	route := &v1.HTTPRouteSpec{ParentRefs: mustList[v1.ParentReference](spec, "parentRefs"), Hostnames: mustList[string](spec, "hostnames")}
	for _, match := range rules[0].list("matches") {
		if path := match.in("path").text("value"); path != "/" {
			route.Path = path
		}
	}
	spec.drop("rules")
	route.Annotations = w.companion(doc)
	w.app.Spec.HTTPRoute = route
}

// notOurParents says which of the parents an Application's route cannot have, or "".
func (w *workload) notOurParents(spec part) string {
	for _, parent := range spec.list("parentRefs") {
		if kind := cmp.Or(parent.peek("kind"), "Gateway"); kind != "Gateway" && kind != "ListenerSet" {
			return "spec.httpRoute belongs to a Gateway or a ListenerSet, and not to a " + kind
		}
	}
	return ""
}

// notOurRoute says what of the rules an Application cannot say, or "".
func (w *workload) notOurRoute(rules []part) string {
	if len(rules) != 1 {
		return fmt.Sprintf("it has %d rules, and spec.httpRoute is one", len(rules))
	}
	rule := rules[0]
	for _, name := range slices.Sorted(maps.Keys(rule.fields)) {
		if name != "matches" && name != "backendRefs" {
			return "spec.httpRoute has no " + name
		}
	}
	backends, matches := rule.list("backendRefs"), rule.list("matches")
	if len(backends) != 1 || len(matches) > 1 {
		return "spec.httpRoute has one path and one backend"
	}
	port, _, _ := decode[int32](backends[0].fields["port"])
	if w.servedPort(intstr.FromInt32(port)) == nil || len(backends[0].fields) != 2 {
		return "its backend is not simply the Service's port"
	}
	if w.servedPort(intstr.FromInt32(port)) != w.ports[0] {
		return "it leads to another port than spec.port"
	}
	for _, match := range matches {
		path := match.in("path")
		if len(match.fields) != 1 || !path.has("value") || len(path.fields) != 1 {
			return "spec.httpRoute matches by the prefix of a path alone"
		}
	}
	return ""
}
