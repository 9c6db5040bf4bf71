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
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestNamesOfPortsAreKept holds which names a Service keeps that is taken over, and that the annotation which says so, and which
// anybody may write who may write the Service, can ask for nothing that cannot be.
func TestNamesOfPortsAreKept(t *testing.T) {
	one := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1.ApplicationSpec{
		Port: new(int32(8080)), Service: &v1.ServiceSpec{Port: new(int32(80))},
	}}
	two := one.DeepCopy()
	two.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}}
	for name, test := range map[string]struct {
		app  *v1.Application
		live string
		want string
	}{
		"the same":                      {one, "http@80>http", ""},
		"another":                       {one, "web@80>3000", "80/TCP=web"},
		"of another number":             {one, "web@8080>3000", ""},
		"of another protocol":           {one, "web@80/UDP>3000", ""},
		"two":                           {two, "web@80>1 names@53/UDP>53", "80/TCP=web,53/UDP=names"},
		"none, of one":                  {one, "@80>1", "80/TCP="},
		"none, where names are needed":  {two, "@80>1", ""},
		"the name of another":           {two, "dns@80>1", ""},
		"the two the other way around":  {two, "dns@80>1 http@53/UDP>53", ""},
		"with others that are not ours": {one, "web@80>1 admin@9090>1", "80/TCP=web"},
	} {
		in := Inputs{Application: test.app}.KeepingPortNames(serviceList(test.live))
		_, kept := servedNames(in)
		if kept != test.want {
			t.Errorf("%s: kept %q, want %q", name, kept, test.want)
		}
		config, err := Service(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := config.Annotations[AnnotationPortNames]; got != test.want {
			t.Errorf("%s: the annotation is %q, want %q", name, got, test.want)
		}
		if again := parsePortNames(kept); len(again) != strings.Count(kept, "=") {
			t.Errorf("%s: %q is read as %v", name, kept, again)
		}
	}
	for _, annotation := range []string{
		"", "80/TCP", "=", ",,,", "80/TCP=Not A Name", "80/TCP=" + strings.Repeat("a", 64), "80=web", "80/TCP=dns", "9999/TCP=web",
	} {
		in := Inputs{Application: two}.WithService(&corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Annotations: map[string]string{AnnotationPortNames: annotation},
		}})
		if _, kept := servedNames(in); kept != "" {
			t.Errorf("of %q, %q is kept", annotation, kept)
		}
	}
}

// TestAKeptNameIsOneOfTheSpec holds that what chooses targets and container ports knows a port whose name was kept.
func TestAKeptNameIsOneOfTheSpec(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1.ApplicationSpec{Port: new(int32(8080))}}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{AnnotationPortNames: "8080/TCP=web"}},
		Spec:       corev1.ServiceSpec{Ports: serviceList("web@8080>http")},
	}
	in := Inputs{Application: app, Live: &LiveDeployment{Ports: containerList("http:8080")}}.WithService(service)
	if !PortsSettled(in) || Retargets(in) {
		t.Error("the ports are not settled")
	}
	if service.Spec.Ports[0].Name != "web" {
		t.Error("what was read was changed")
	}
	if got := ServedName(app, service, "http"); got != "web" {
		t.Errorf("the Service calls it %q", got)
	}
}
