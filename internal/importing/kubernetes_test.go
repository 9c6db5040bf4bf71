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
	"strings"
	"testing"
)

// imported returns what is printed for manifests, which the API server takes.
func imported(t *testing.T, manifests string) string {
	t.Helper()
	sources, err := Parse("x.yaml", []byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	text := outcome(sources, Options{})
	for _, refusal := range refusals(t, []byte(text)) {
		t.Errorf("the API server would refuse it: %v", refusal)
	}
	return text
}

// wantLines holds that a text has the lines, in this order.
func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	rest := text
	for _, line := range lines {
		_, after, found := strings.Cut(rest, "\n"+line+"\n")
		if !found {
			t.Errorf("no line %q after those before it in:\n%s", line, text)
			return
		}
		rest = "\n" + after
	}
}

// deployment is a Deployment named web, with more of its pods' spec, of its container and of its own spec.
func deployment(spec, pod, container string) string {
	return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  ` + strings.TrimSuffix(spec+", ", ", ") + `
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      ` + pod + `
      containers:
      - name: web
        image: registry.example.com/web:1
        ` + container + "\n"
}

// TestNoPortIsOpenedToTheOutside holds that a port which a load balancer does not serve is not served by it afterwards, and that who asks
// for it by its name still finds it.
func TestNoPortIsOpenedToTheOutside(t *testing.T) {
	web := deployment("", "", `ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9000}, {name: old, containerPort: 80}]
        readinessProbe: {httpGet: {path: /ready, port: admin}}
        lifecycle: {preStop: {httpGet: {path: /stop, port: admin}}}`)
	service := func(kind string) string {
		return "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n" +
			"spec: {type: " + kind + ", selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}\n"
	}
	policy := `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: prometheus}}}], ports: [{port: admin}]}]
`
	text := imported(t, web+service("LoadBalancer")+policy)
	if strings.Contains(text, "additionalPorts") {
		t.Errorf("the load balancer serves more than before:\n%s", text)
	}
	wantLines(t, text, "    readiness:", "      httpGet:", "        path: /ready", "        port: 9000")
	wantLines(t, text, "    preStop:", "      httpGet:", "        port: 9000")
	wantLines(t, text, "    ingressFrom:", "          - port: 9000")
	wantLines(t, text, "# x.yaml: Deployment web, spec.template.spec.containers[0].ports[1]: 9000")

	text = imported(t, web+service("ClusterIP")) // the number of the third port is the Service's own
	wantLines(t, text, "  additionalPorts:", "    - name: admin", "      port: 9000", "  service:", "    port: 80")
	wantLines(t, text, "# x.yaml: Deployment web, spec.template.spec.containers[0].ports[1]: 9000", "# x.yaml: Deployment web, spec.template.spec.containers[0].ports[2]: 80")
}
