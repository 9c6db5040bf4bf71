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
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

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

// url returns where the Service's port of this name is reached: at the load balancer's address if it has one, otherwise
// by the Service's name in the cluster. It returns "" without a Service or such a port; ports that others have added
// do not count.
func url(service *corev1.Service, name string) string {
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
			host = ingress.IP
			break
		}
	}
	if strings.Contains(host, ":") { // an IPv6 address
		host = "[" + host + "]"
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
