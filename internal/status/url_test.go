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
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
)

func TestServiceURL(t *testing.T) {
	main := func(number int32) corev1.ServicePort {
		return corev1.ServicePort{Name: "http", Port: number, Protocol: corev1.ProtocolTCP}
	}
	additional := func(number int32, protocol corev1.Protocol, appProtocol string) corev1.ServicePort {
		port := corev1.ServicePort{Name: "extra", Port: number, Protocol: protocol}
		if appProtocol != "" {
			port.AppProtocol = new(appProtocol)
		}
		return port
	}
	const tcp, udp, sctp = corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP
	named := func(name string, port corev1.ServicePort) corev1.ServicePort {
		port.Name = name
		return port
	}
	tests := []struct {
		name    string
		ports   []corev1.ServicePort
		ingress []corev1.LoadBalancerIngress
		of      string // the name of the port in question; the first port's if empty
		want    string
	}{
		{name: "port 80 goes without saying", ports: []corev1.ServicePort{main(80)}, want: "http://my-app.shop.svc"},
		{name: "another port is said", ports: []corev1.ServicePort{main(8080)}, want: "http://my-app.shop.svc:8080"},
		{name: "port 443 is https", ports: []corev1.ServicePort{main(443)}, want: "https://my-app.shop.svc"},
		{
			name: "port 443 of a load balancer is https", ports: []corev1.ServicePort{main(443)},
			ingress: []corev1.LoadBalancerIngress{{IP: "2001:db8::7"}}, want: "https://[2001:db8::7]",
		},
		{name: "port 443 that says otherwise", ports: []corev1.ServicePort{additional(443, tcp, "http")}, want: "http://my-app.shop.svc:443"},
		{name: "an additional port 443", ports: []corev1.ServicePort{additional(443, tcp, "")}, want: "https://my-app.shop.svc"},
		{name: "port 443 over UDP", ports: []corev1.ServicePort{additional(443, udp, "")}, want: "udp://my-app.shop.svc:443"},
		{name: "a web socket", ports: []corev1.ServicePort{additional(80, tcp, "kubernetes.io/ws")}, want: "ws://my-app.shop.svc"},
		{name: "a web socket over TLS", ports: []corev1.ServicePort{additional(443, tcp, "kubernetes.io/wss")}, want: "wss://my-app.shop.svc"},
		{name: "gRPC over TLS", ports: []corev1.ServicePort{additional(8443, tcp, "grpcs")}, want: "grpcs://my-app.shop.svc:8443"},
		{name: "named https", ports: []corev1.ServicePort{{Name: "https", Port: 8443, Protocol: tcp}}, want: "https://my-app.shop.svc:8443"},
		{name: "named https-web", ports: []corev1.ServicePort{{Name: "https-web", Port: 9443, Protocol: tcp}}, want: "https://my-app.shop.svc:9443"},
		{
			name: "the main port comes first", ports: []corev1.ServicePort{main(8080), additional(443, tcp, "https")},
			want: "http://my-app.shop.svc:8080",
		},
		{name: "a Service without ports has none", want: ""},
		{
			name: "a port that somebody has added does not count", of: "http",
			ports: []corev1.ServicePort{additional(99, tcp, ""), main(80)}, want: "http://my-app.shop.svc",
		},
		{name: "nor does it stand in for one that is missing", of: "http", ports: []corev1.ServicePort{additional(99, tcp, "")}},

		{
			name: "a load balancer's address", ports: []corev1.ServicePort{main(80)},
			ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.7"}}, want: "http://192.0.2.7",
		},
		{
			name: "a load balancer's address and another port", ports: []corev1.ServicePort{main(8080)},
			ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.7"}}, want: "http://192.0.2.7:8080",
		},
		{
			name: "a load balancer's name", ports: []corev1.ServicePort{main(80)},
			ingress: []corev1.LoadBalancerIngress{{Hostname: "lb.example.com"}}, want: "http://lb.example.com",
		},
		{
			name: "a load balancer's name before its address", ports: []corev1.ServicePort{main(80)},
			ingress: []corev1.LoadBalancerIngress{{IP: "192.0.2.7", Hostname: "lb.example.com"}}, want: "http://lb.example.com",
		},
		{
			name: "the first of a load balancer's addresses", ports: []corev1.ServicePort{main(80)},
			ingress: []corev1.LoadBalancerIngress{{}, {IP: "192.0.2.7"}, {Hostname: "lb.example.com"}}, want: "http://192.0.2.7",
		},
		{
			name: "an address of version 6", ports: []corev1.ServicePort{main(80)},
			ingress: []corev1.LoadBalancerIngress{{IP: "2001:db8::7"}}, want: "http://[2001:db8::7]",
		},
		{
			name: "an address of version 6 and another port", ports: []corev1.ServicePort{main(8080)},
			ingress: []corev1.LoadBalancerIngress{{IP: "2001:db8::7"}}, want: "http://[2001:db8::7]:8080",
		},
		{
			name: "a load balancer that has no address yet", ports: []corev1.ServicePort{main(80)},
			ingress: []corev1.LoadBalancerIngress{{}}, want: "http://my-app.shop.svc",
		},

		{name: "https on its port", ports: []corev1.ServicePort{additional(443, tcp, "https")}, want: "https://my-app.shop.svc"},
		{name: "https on another port", ports: []corev1.ServicePort{additional(8443, tcp, "https")}, want: "https://my-app.shop.svc:8443"},
		{name: "https on port 80", ports: []corev1.ServicePort{additional(80, tcp, "https")}, want: "https://my-app.shop.svc:80"},
		{name: "grpc", ports: []corev1.ServicePort{additional(9000, tcp, "grpc")}, want: "grpc://my-app.shop.svc:9000"},
		{name: "HTTP/2 without TLS", ports: []corev1.ServicePort{additional(9000, tcp, "kubernetes.io/h2c")}, want: "http://my-app.shop.svc:9000"},
		{name: "a protocol that is no URL's scheme", ports: []corev1.ServicePort{named("http", additional(6379, tcp, "redis"))}, want: "tcp://my-app.shop.svc:6379"},
		{name: "such a protocol on port 443", ports: []corev1.ServicePort{named("https", additional(443, tcp, "redis"))}, want: "tcp://my-app.shop.svc:443"},
		{name: "a name that says what it speaks", ports: []corev1.ServicePort{named("grpc-api", additional(9000, tcp, ""))}, want: "grpc://my-app.shop.svc:9000"},
		{name: "a name that says http", ports: []corev1.ServicePort{named("http2-api", additional(80, tcp, ""))}, want: "http://my-app.shop.svc"},
		{name: "a name that begins like one", ports: []corev1.ServicePort{named("httpd", additional(9000, tcp, ""))}, want: "tcp://my-app.shop.svc:9000"},
		{name: "a protocol before the name", ports: []corev1.ServicePort{named("redis", additional(8080, tcp, "http"))}, want: "http://my-app.shop.svc:8080"},
		{name: "an unknown protocol", ports: []corev1.ServicePort{additional(5432, tcp, "postgresql")}, want: "tcp://my-app.shop.svc:5432"},
		{name: "a port that says nothing", ports: []corev1.ServicePort{additional(5432, tcp, "")}, want: "tcp://my-app.shop.svc:5432"},
		{name: "UDP", ports: []corev1.ServicePort{additional(53, udp, "")}, want: "udp://my-app.shop.svc:53"},
		{name: "SCTP", ports: []corev1.ServicePort{additional(2905, sctp, "")}, want: "sctp://my-app.shop.svc:2905"},
		{
			name: "an additional port may have the main one's name where there is none", want: "https://my-app.shop.svc",
			ports: []corev1.ServicePort{named("http", additional(443, tcp, "https"))},
		},
		{
			name: "an additional port of that name over UDP", want: "udp://my-app.shop.svc:443",
			ports: []corev1.ServicePort{named("http", additional(443, udp, ""))},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			service := &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop"},
				Spec:       corev1.ServiceSpec{Ports: test.ports},
				Status:     corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: test.ingress}},
			}
			name := test.of
			if name == "" && len(test.ports) > 0 {
				name = test.ports[0].Name
			}
			if got := serviceURL(service, name, ""); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := serviceURL(nil, "http", ""); got != "" {
		t.Errorf("got %q without a Service", got)
	}
}

func TestURL(t *testing.T) {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}}},
	}
	ingress := func(host, path string, tls bool, balancers ...networkingv1.IngressLoadBalancerIngress) *networkingv1.Ingress {
		rule := networkingv1.IngressRule{Host: host}
		rule.HTTP = &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: path}}}
		ingress := &networkingv1.Ingress{Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{rule}}}
		if tls {
			ingress.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "certificate"}}
		}
		ingress.Status.LoadBalancer.Ingress = balancers
		return ingress
	}
	route := func(path string, parent gatewayv1.ParentReference, hosts ...gatewayv1.Hostname) *gatewayv1.HTTPRoute {
		route := &gatewayv1.HTTPRoute{Spec: gatewayv1.HTTPRouteSpec{Hostnames: hosts, Rules: []gatewayv1.HTTPRouteRule{{
			Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}},
		}}}}
		route.Spec.ParentRefs = []gatewayv1.ParentReference{parent}
		return route
	}
	plain := gatewayv1.ParentReference{Name: "public"}
	const inside = "http://my-app.shop.svc"
	tests := []struct {
		name string
		seen Observed
		want string
	}{
		{name: "an Ingress's host", seen: Observed{Ingress: ingress("shop.example.com", "/", false)}, want: "http://shop.example.com"},
		{name: "with TLS", seen: Observed{Ingress: ingress("shop.example.com", "/", true)}, want: "https://shop.example.com"},
		{name: "with a path", seen: Observed{Ingress: ingress("shop.example.com", "/cart/", true)}, want: "https://shop.example.com/cart"},
		{name: "a wildcard is no address", seen: Observed{Ingress: ingress("*.example.com", "/", false)}, want: inside},
		{name: "any host, and no address yet", seen: Observed{Ingress: ingress("", "/", false)}, want: inside},
		{
			name: "any host, at the load balancer's name", want: "http://lb.example.com/cart",
			seen: Observed{Ingress: ingress("", "/cart", false, networkingv1.IngressLoadBalancerIngress{Hostname: "lb.example.com"})},
		},
		{
			name: "any host, at the load balancer's address", want: "http://[2001:db8::7]",
			seen: Observed{Ingress: ingress("", "/", false, networkingv1.IngressLoadBalancerIngress{IP: "2001:db8::7"})},
		},
		{name: "an Ingress that somebody has emptied", seen: Observed{Ingress: &networkingv1.Ingress{}}, want: inside},
		{
			name: "an Ingress before a route", want: "http://shop.example.com",
			seen: Observed{Ingress: ingress("shop.example.com", "/", false), HTTPRoute: route("/", plain, "route.example.com")},
		},
		{
			name: "the first host that is no wildcard", want: "https://api.example.com/v1",
			seen: Observed{Ingress: withRule(ingress("*.example.com", "/", true), "api.example.com", "/v1")},
		},
		{
			name: "a rule for any host that has no address yet, and another", want: "http://api.example.com/v1",
			seen: Observed{Ingress: withRule(ingress("", "/", false), "api.example.com", "/v1")},
		},
		{
			name: "a rule for any host that has an address", want: "http://lb.example.com/cart",
			seen: Observed{Ingress: withRule(
				ingress("", "/cart", false, networkingv1.IngressLoadBalancerIngress{Hostname: "lb.example.com"}), "api.example.com", "/v1")},
		},
		{name: "a route's host", seen: Observed{HTTPRoute: route("/", plain, "*.example.com", "route.example.com")}, want: "http://route.example.com"},
		{name: "a route's path", seen: Observed{HTTPRoute: route("/cart", plain, "route.example.com")}, want: "http://route.example.com/cart"},
		{
			name: "a route at an https listener", want: "https://route.example.com",
			seen: Observed{HTTPRoute: route("/", gatewayv1.ParentReference{SectionName: new(gatewayv1.SectionName("https-public"))}, "route.example.com")},
		},
		{
			name: "a route at port 443", want: "https://route.example.com",
			seen: Observed{HTTPRoute: route("/", gatewayv1.ParentReference{Port: new(gatewayv1.PortNumber(443))}, "route.example.com")},
		},
		{name: "a route for all of the listener's hosts", seen: Observed{HTTPRoute: route("/", plain)}, want: inside},
		{name: "an empty route", seen: Observed{HTTPRoute: &gatewayv1.HTTPRoute{}}, want: inside},
		{name: "neither", want: inside},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.seen.Service = service
			app := newApplication(func(app *v1.Application) { app.Spec.Port = new(int32(80)) })
			if got := Of(app, test.seen, nil).URL; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPathsBeforePatterns(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/cart": "/cart", "/v1.0/users": "/v1.0/users", "/$metadata": "/$metadata", "/~me": "/~me", "/a+b": "/a+b", "": "",
		"/*": "/", "/cart/*": "/cart/", "/cart*": "/cart", "/**": "/", "/?": "/",
		"/api(/|$)(.*)": "/api", "/api(/|$)": "/api", "/(.*)": "/", "/.*": "/", "/cart/.*": "/cart/", "/cart.*": "/cart", "/cart$": "/cart",
		"/api(?:/(.*))?": "/api", "/api(|/.*)": "/api", "/api(/.*)?$": "/api", "/files(.html)?": "/files",
		"/api/v[0-9]+/users": "/api/", "/v(1|2)": "/", "/(?i)cart": "/", "/cart.+": "/", "/users/{id}": "/users/", `/v1\.0`: "/", "/a|/b": "/",
	} {
		if got := beforePattern(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestPatternsAreNotShown(t *testing.T) {
	for kind, want := range map[networkingv1.PathType]string{
		networkingv1.PathTypeImplementationSpecific: "http://shop.example.com/api",
		networkingv1.PathTypePrefix:                 "http://shop.example.com/api",
		networkingv1.PathTypeExact:                  "http://shop.example.com/api(/|$)(.*)",
	} {
		ingress := &networkingv1.Ingress{Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{
			Host: "shop.example.com",
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: "/api(/|$)(.*)", PathType: &kind}},
			}},
		}}}}
		if got := ingressURL(ingress); got != want {
			t.Errorf("%s: got %q, want %q", kind, got, want)
		}
	}
}

func TestTLSOfTheController(t *testing.T) {
	for annotation, want := range map[[2]string]string{
		{"a-person", "was here"}: "http://shop.example.com",
		{"alb.ingress.kubernetes.io/certificate-arn", "arn:aws:acm:x"}:               "https://shop.example.com",
		{"alb.ingress.kubernetes.io/listen-ports", `[{"HTTP": 80}, {"HTTPS": 443}]`}: "https://shop.example.com",
		{"alb.ingress.kubernetes.io/listen-ports", `[{"HTTP": 80}]`}:                 "http://shop.example.com",
		{"traefik.ingress.kubernetes.io/router.entrypoints", "websecure"}:            "https://shop.example.com",
		{"traefik.ingress.kubernetes.io/router.entrypoints", "web"}:                  "http://shop.example.com",
		{"traefik.ingress.kubernetes.io/router.tls", "true"}:                         "https://shop.example.com",
		{"nginx.ingress.kubernetes.io/force-ssl-redirect", "true"}:                   "https://shop.example.com",
		{"nginx.ingress.kubernetes.io/force-ssl-redirect", "false"}:                  "http://shop.example.com",
		{"kubernetes.io/ingress.allow-http", "false"}:                                "https://shop.example.com",
		{"networking.gke.io/managed-certificates", "shop"}:                           "https://shop.example.com",
		{"route.openshift.io/termination", "edge"}:                                   "https://shop.example.com",
	} {
		ingress := &networkingv1.Ingress{
			ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{annotation[0]: annotation[1]}},
			Spec:       networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: "shop.example.com"}}},
		}
		if got := ingressURL(ingress); got != want {
			t.Errorf("%v: got %q, want %q", annotation, got, want)
		}
	}
}

func withRule(ingress *networkingv1.Ingress, host, path string) *networkingv1.Ingress {
	rule := networkingv1.IngressRule{Host: host}
	rule.HTTP = &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: path}}}
	ingress.Spec.Rules = append(ingress.Spec.Rules, rule)
	return ingress
}

// TestTheSpecTellsWhatThePortSpeaks is about a main port whose name does not say it.
func TestTheSpecTellsWhatThePortSpeaks(t *testing.T) {
	monitored := func(port, scheme string) func(*v1.ApplicationSpec) {
		return func(spec *v1.ApplicationSpec) { spec.Monitoring = &v1.MonitoringSpec{Port: port, Scheme: scheme} }
	}
	for name, test := range map[string]struct {
		spec func(*v1.ApplicationSpec)
		want string
	}{
		"nothing":              {func(*v1.ApplicationSpec) {}, "tcp://my-app.shop.svc:8080"},
		"its own appProtocol":  {func(spec *v1.ApplicationSpec) { spec.AppProtocol = new("grpc") }, "grpc://my-app.shop.svc:8080"},
		"no scheme":            {func(spec *v1.ApplicationSpec) { spec.AppProtocol, spec.Ingress = new("redis"), &v1.IngressSpec{} }, "tcp://my-app.shop.svc:8080"},
		"an Ingress":           {func(spec *v1.ApplicationSpec) { spec.Ingress = &v1.IngressSpec{Host: "*.example.com"} }, "http://my-app.shop.svc:8080"},
		"a route":              {func(spec *v1.ApplicationSpec) { spec.HTTPRoute = &v1.HTTPRouteSpec{} }, "http://my-app.shop.svc:8080"},
		"monitoring":           {monitored("http", ""), "http://my-app.shop.svc:8080"},
		"monitoring by name":   {monitored("api", "http"), "http://my-app.shop.svc:8080"},
		"monitoring by https":  {monitored("http", "https"), "https://my-app.shop.svc:8080"},
		"monitoring elsewhere": {monitored("metrics", "https"), "tcp://my-app.shop.svc:8080"},
		"a probe": {func(spec *v1.ApplicationSpec) {
			spec.Probes = &v1.ProbesSpec{Startup: &v1.Probe{HTTPGet: &v1.HTTPGetProbe{Port: new(intstr.FromString("api"))}}}
		}, "http://my-app.shop.svc:8080"},
		"a probe elsewhere": {func(spec *v1.ApplicationSpec) {
			spec.Probes = &v1.ProbesSpec{Startup: &v1.Probe{HTTPGet: &v1.HTTPGetProbe{Port: new(intstr.FromString("metrics"))}}}
		}, "tcp://my-app.shop.svc:8080"},
		"a probe by TCP": {func(spec *v1.ApplicationSpec) {
			spec.Probes = &v1.ProbesSpec{Startup: &v1.Probe{TCPSocket: &v1.TCPSocketProbe{}}}
		}, "tcp://my-app.shop.svc:8080"},
	} {
		app := newApplication(func(app *v1.Application) {
			app.Spec.Port, app.Spec.PortName = new(int32(8080)), "api"
			app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "metrics", Port: 9090}}
			test.spec(&app.Spec)
		})
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop"},
			Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
				{Name: "api", Port: 8080, Protocol: corev1.ProtocolTCP, AppProtocol: app.Spec.AppProtocol},
				{Name: "metrics", Port: 9090, Protocol: corev1.ProtocolTCP},
			}},
		}
		if got := url(app, Observed{Service: service}); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// TestAProbeTellsWhatThePortSpeaks is about a container that serves TLS on another port than 443.
func TestAProbeTellsWhatThePortSpeaks(t *testing.T) {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 8443, Protocol: corev1.ProtocolTCP}}},
	}
	for name, test := range map[string]struct {
		get  *v1.HTTPGetProbe
		want string
	}{
		"by https":                 {&v1.HTTPGetProbe{Scheme: corev1.URISchemeHTTPS}, "https://my-app.shop.svc:8443"},
		"by https, at the number":  {&v1.HTTPGetProbe{Scheme: corev1.URISchemeHTTPS, Port: new(intstr.FromInt32(8443))}, "https://my-app.shop.svc:8443"},
		"by https at another port": {&v1.HTTPGetProbe{Scheme: corev1.URISchemeHTTPS, Port: new(intstr.FromInt32(9443))}, "http://my-app.shop.svc:8443"},
		"by http":                  {&v1.HTTPGetProbe{}, "http://my-app.shop.svc:8443"},
	} {
		app := newApplication(func(app *v1.Application) {
			app.Spec.Port = new(int32(8443))
			app.Spec.Probes = &v1.ProbesSpec{Liveness: &v1.Probe{HTTPGet: test.get}}
		})
		if got := url(app, Observed{Service: service}); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
