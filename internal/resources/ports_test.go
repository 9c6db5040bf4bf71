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
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/example/app-operator/api/v1"
)

// containerPort reads "web:8080" or "dns:53/UDP".
func containerPort(text string) corev1.ContainerPort {
	name, rest, _ := strings.Cut(text, ":")
	number, protocol, given := strings.Cut(rest, "/")
	if !given {
		protocol = "TCP"
	}
	return corev1.ContainerPort{Name: name, ContainerPort: parsed(number), Protocol: corev1.Protocol(protocol)}
}

// containerList reads "web:8080 dns:53/UDP".
func containerList(text string) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	for field := range strings.FieldsSeq(text) {
		ports = append(ports, containerPort(field))
	}
	return ports
}

func parsed(number string) int32 {
	value, err := strconv.ParseInt(number, 10, 32)
	if err != nil {
		panic(err)
	}
	return int32(value)
}

// serviceList reads "http@80>web dns@53/UDP>53": name, port, protocol and target.
func serviceList(text string) []corev1.ServicePort {
	var ports []corev1.ServicePort
	for field := range strings.FieldsSeq(text) {
		served, target, _ := strings.Cut(field, ">")
		port := containerPort(strings.Replace(served, "@", ":", 1))
		ports = append(ports, corev1.ServicePort{
			Name: port.Name, Port: port.ContainerPort, Protocol: port.Protocol, TargetPort: intstr.Parse(target),
		})
	}
	return ports
}

// specOf reads a spec: "http:8080@80 web:9090", in which http, or else the one with a star, is spec.port, and @ is where the Service
// serves it.
func specOf(text string) v1.ApplicationSpec {
	spec := v1.ApplicationSpec{Image: "nginx:1"}
	for field := range strings.FieldsSeq(text) {
		field, served, given := strings.Cut(field, "@")
		named, starred := strings.CutPrefix(field, "*")
		port := containerPort(named)
		if !starred && (port.Name != DefaultPortName || strings.Contains(text, "*")) {
			additional := v1.AdditionalPort{Name: port.Name, Port: port.ContainerPort, Protocol: port.Protocol}
			if given {
				additional.ServicePort = new(parsed(served))
			}
			spec.AdditionalPorts = append(spec.AdditionalPorts, additional)
			continue
		}
		spec.Port = &port.ContainerPort
		if starred {
			spec.PortName = port.Name
		}
		if given {
			spec.Service = &v1.ServiceSpec{Port: new(parsed(served))}
		}
	}
	return spec
}

func describeContainer(ports []port) string {
	var all []string
	for _, port := range ports {
		all = append(all, fmt.Sprintf("%s:%d%s", port.containerName, port.number, suffix(port.protocol)))
	}
	return strings.Join(all, " ")
}

func describeService(ports []port) string {
	var all []string
	for _, port := range ports {
		all = append(all, fmt.Sprintf("%s@%d%s>%s", port.name, port.served, suffix(port.protocol), port.target.String()))
	}
	return strings.Join(all, " ")
}

func suffix(protocol corev1.Protocol) string {
	if protocol == corev1.ProtocolTCP {
		return ""
	}
	return "/" + string(protocol)
}

// TestPortsReachOldAndNewPods is the table of what may happen to a port. The Deployment, its Service and its pods are as the
// spec before has made them.
func TestPortsReachOldAndNewPods(t *testing.T) {
	tests := []struct {
		name string
		// deployment and service are what there is.
		deployment, service string
		// pods are oldest first.
		pods []string
		// image is the Deployment's, if it is another than the spec's.
		image string
		spec  string
		// wantContainer and wantService are what there has to be.
		wantContainer, wantService string
	}{
		{name: "the first pods", spec: "http:8080@80 web:9090", wantContainer: "http:8080 web:9090", wantService: "http@80>http web@9090>web"},
		{
			name: "nothing changes", deployment: "http:8080", service: "http@8080>http", pods: []string{"http:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>http",
		},
		{
			name: "another number", deployment: "http:8080", service: "http@8080>http", pods: []string{"http:8080"},
			spec: "http:9090", wantContainer: "http:9090", wantService: "http@9090>http",
		},
		{
			name: "another number for the Service", deployment: "http:8080", service: "http@8080>http", pods: []string{"http:8080"},
			spec: "http:8080@80", wantContainer: "http:8080", wantService: "http@80>http",
		},
		{
			name: "another name", deployment: "web:8080", service: "web@8080>web", pods: []string{"web:8080"},
			spec: "api:8080", wantContainer: "api:8080", wantService: "api@8080>8080",
		},
		{
			name: "an additional port becomes the main one", deployment: "web:8080", service: "web@8080>web", pods: []string{"web:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>8080",
		},
		{
			name: "the main port becomes an additional one", deployment: "http:8080 web:9090", service: "http@80>http web@9090>web",
			pods: []string{"http:8080 web:9090"},
			spec: "api:8080 web:9090", wantContainer: "api:8080 web:9090", wantService: "api@8080>8080 web@9090>web",
		},
		{
			name: "half-way", deployment: "http:8080", service: "http@8080>8080", pods: []string{"web:8080", "http:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>8080",
		},
		{
			name: "done", deployment: "http:8080", service: "http@8080>8080", pods: []string{"http:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>http",
		},
		{
			name: "the Service is written, the Deployment is not", deployment: "web:8080", service: "http@8080>8080", pods: []string{"web:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>8080",
		},
		{
			name: "the Deployment is written, the Service is not", deployment: "http:8080", service: "web@8080>web", pods: []string{"web:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>8080",
		},
		{
			name: "half-way, and the Service was deleted", deployment: "http:8080", pods: []string{"web:8080", "http:8080"},
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>8080",
		},
		{
			name: "half-way, and somebody has edited the Service", deployment: "http:8080", service: "http@8080>http",
			pods: []string{"web:8080", "http:8080"}, spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>8080",
		},
		{
			name: "a third name half-way", deployment: "http:8080", service: "http@8080>8080", pods: []string{"web:8080", "http:8080"},
			spec: "api:8080", wantContainer: "api:8080", wantService: "api@8080>8080",
		},
		{
			name: "back half-way", deployment: "http:8080", service: "http@8080>8080", pods: []string{"web:8080", "http:8080"},
			spec: "web:8080", wantContainer: "web:8080", wantService: "web@8080>8080",
		},
		{
			name: "suspended half-way", deployment: "http:8080", service: "http@8080>8080",
			spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>http",
		},

		{
			name: "another name and number behind the same port of the Service", deployment: "web:8080", service: "web@8080>web",
			pods: []string{"web:8080"}, spec: "http:80@8080", wantContainer: "web:80", wantService: "http@8080>web",
		},
		{
			name: "another name and number for all", deployment: "web:8080", service: "web@8080>web", pods: []string{"web:8080"},
			spec: "api:9090", wantContainer: "web:9090", wantService: "api@9090>web",
		},
		{
			name: "the main port moves to another number and back to its own name", deployment: "http:80 metrics:9090",
			service: "http@80>http metrics@9090>metrics", pods: []string{"http:80 metrics:9090"},
			spec: "web:8080 metrics:9090", wantContainer: "http:8080 metrics:9090", wantService: "web@8080>http metrics@9090>metrics",
		},
		{
			name: "half-way with the older name", deployment: "web:80", service: "http@8080>web", pods: []string{"web:8080", "web:80"},
			spec: "http:80@8080", wantContainer: "web:80", wantService: "http@8080>web",
		},
		{
			name: "the older name stays when all is done", deployment: "web:80", service: "http@8080>web", pods: []string{"web:80"},
			spec: "http:80@8080", wantContainer: "web:80", wantService: "http@8080>web",
		},
		{
			name: "also if somebody deletes the Service", deployment: "web:80", pods: []string{"web:80"},
			spec: "http:80@8080", wantContainer: "web:80", wantService: "http@8080>web",
		},
		{
			name: "another image brings the port's own name", deployment: "web:80", service: "http@8080>web", pods: []string{"web:80"},
			image: "nginx:0", spec: "http:80@8080", wantContainer: "http:80", wantService: "http@8080>80",
		},
		{
			name: "another image half-way does not", deployment: "web:80", service: "http@8080>web", pods: []string{"web:8080", "web:80"},
			image: "nginx:0", spec: "http:80@8080", wantContainer: "web:80", wantService: "http@8080>web",
		},
		{
			name: "a third number with the older name", deployment: "web:80", service: "http@8080>web", pods: []string{"web:8080", "web:80"},
			spec: "http:81@8080", wantContainer: "web:81", wantService: "http@8080>web",
		},
		{
			name: "a third name with the older name", deployment: "web:80", service: "http@8080>web", pods: []string{"web:80"},
			spec: "api:80", wantContainer: "api:80", wantService: "api@80>80",
		},
		{
			name: "back to the name that the pods have", deployment: "web:80", service: "http@8080>web", pods: []string{"web:8080", "web:80"},
			spec: "web:8080", wantContainer: "web:8080", wantService: "web@8080>web",
		},
		{
			name: "a new port takes the older name", deployment: "web:80", service: "http@8080>web", pods: []string{"web:80"},
			spec: "http:80@8080 web:7070", wantContainer: "http:80 web:7070", wantService: "http@8080>80 web@7070>web",
		},
		{
			name:       "another number after another name, half-way: the oldest pods have served all the time",
			deployment: "http:8080", service: "http@8080>8080", pods: []string{"web:8080", "http:8080"},
			spec: "http:9090", wantContainer: "web:9090", wantService: "http@9090>web",
		},
		{
			name: "what was decided stays when the oldest pods are gone", deployment: "web:9090", service: "http@9090>web",
			pods: []string{"http:8080", "web:9090"}, spec: "http:9090", wantContainer: "web:9090", wantService: "http@9090>web",
		},

		{
			name: "two ports swap their numbers", deployment: "a:8080 b:9090", service: "a@8080>a b@9090>b", pods: []string{"a:8080 b:9090"},
			spec: "a:9090 b:8080", wantContainer: "a:9090 b:8080", wantService: "a@9090>a b@8080>b",
		},
		{
			name: "half-way", deployment: "a:9090 b:8080", service: "a@9090>a b@8080>b", pods: []string{"a:8080 b:9090", "a:9090 b:8080"},
			spec: "a:9090 b:8080", wantContainer: "a:9090 b:8080", wantService: "a@9090>a b@8080>b",
		},
		{
			name: "two ports get two other names", deployment: "a:8080 b:9090", service: "a@8080>a b@9090>b", pods: []string{"a:8080 b:9090"},
			spec: "c:8080 d:9090", wantContainer: "c:8080 d:9090", wantService: "c@8080>8080 d@9090>9090",
		},
		{
			name: "a port moves on and another comes where it was", deployment: "a:8080", service: "a@8080>a", pods: []string{"a:8080"},
			spec: "a:9090 c:8080", wantContainer: "a:9090 c:8080", wantService: "a@9090>a c@8080>8080",
		},
		{
			name: "a port is added", deployment: "http:8080", service: "http@8080>http", pods: []string{"http:8080"},
			spec: "http:8080 metrics:9090", wantContainer: "http:8080 metrics:9090", wantService: "http@8080>http metrics@9090>metrics",
		},
		{
			name:       "a port that was just added gets another name: the oldest pods have none",
			deployment: "http:8080 metrics:9090", service: "http@8080>http metrics@9090>metrics",
			pods: []string{"http:8080", "http:8080 metrics:9090"},
			spec: "http:8080 prom:9090", wantContainer: "http:8080 metrics:9090", wantService: "http@8080>http prom@9090>metrics",
		},
		{
			name: "a port goes", deployment: "http:8080 metrics:9090", service: "http@8080>http metrics@9090>metrics",
			pods: []string{"http:8080 metrics:9090"}, spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>http",
		},
		{
			name: "one goes and another comes", deployment: "http:8080 metrics:9090", service: "http@8080>http metrics@9090>metrics",
			pods: []string{"http:8080 metrics:9090"},
			spec: "http:8080 grpc:7070", wantContainer: "http:8080 grpc:7070", wantService: "http@8080>http grpc@7070>grpc",
		},
		{
			name: "another protocol", deployment: "http:8080 dns:53", service: "http@8080>http dns@53>dns", pods: []string{"http:8080 dns:53"},
			spec: "http:8080 dns:53/UDP", wantContainer: "http:8080 dns:53/UDP", wantService: "http@8080>http dns@53/UDP>dns",
		},
		{
			name: "one number with two protocols, and other names", deployment: "a:53 b:53/UDP", service: "a@53>a b@53/UDP>b",
			pods: []string{"a:53 b:53/UDP"},
			spec: "c:53 d:53/UDP", wantContainer: "c:53 d:53/UDP", wantService: "c@53>53 d@53/UDP>53",
		},
		{
			name: "the main port gets a name", deployment: "http:6379", service: "http@6379>http", pods: []string{"http:6379"},
			spec: "*redis:6379", wantContainer: "redis:6379", wantService: "redis@6379>6379",
		},
		{
			name: "half-way", deployment: "redis:6379", service: "redis@6379>6379", pods: []string{"http:6379", "redis:6379"},
			spec: "*redis:6379", wantContainer: "redis:6379", wantService: "redis@6379>6379",
		},
		{
			name: "done", deployment: "redis:6379", service: "redis@6379>6379", pods: []string{"redis:6379"},
			spec: "*redis:6379", wantContainer: "redis:6379", wantService: "redis@6379>redis",
		},
		{
			name: "its name goes", deployment: "redis:6379", service: "redis@6379>redis", pods: []string{"redis:6379"},
			spec: "http:6379", wantContainer: "http:6379", wantService: "http@6379>6379",
		},
		{
			name: "its name is the usual one, said", deployment: "http:80", service: "http@80>http", pods: []string{"http:80"},
			spec: "*http:80", wantContainer: "http:80", wantService: "http@80>http",
		},
		{
			name: "another name and number of the main port beside another", deployment: "redis:6379 metrics:9121",
			service: "redis@6379>redis metrics@9121>metrics", pods: []string{"redis:6379 metrics:9121"},
			spec: "*cache:6380 metrics:9121", wantContainer: "redis:6380 metrics:9121", wantService: "cache@6380>redis metrics@9121>metrics",
		},
		{
			name: "an additional port that has the usual name of the main one goes, and another comes", deployment: "redis:6379 http:8080",
			service: "redis@6379>redis http@8080>http", pods: []string{"redis:6379 http:8080"},
			spec: "*redis:6379 metrics:9121", wantContainer: "redis:6379 metrics:9121", wantService: "redis@6379>redis metrics@9121>metrics",
		},
		{
			name: "the main port and an additional one exchange their names", deployment: "redis:6379 http:8080",
			service: "redis@6379>redis http@8080>http", pods: []string{"redis:6379 http:8080"},
			spec: "*http:6379 redis:8080", wantContainer: "http:6379 redis:8080", wantService: "http@6379>http redis@8080>redis",
		},
		{
			name: "another number for the Service of an additional port", deployment: "http:80 web:8080", service: "http@80>http web@8080>web",
			pods: []string{"http:80 web:8080"},
			spec: "http:80 web:8080@81", wantContainer: "http:80 web:8080", wantService: "http@80>http web@81>web",
		},
		{
			name: "another name and number behind the same port of the Service, additional", deployment: "http:80 web:8080",
			service: "http@80>http web@8080>web", pods: []string{"http:80 web:8080"},
			spec: "http:80 api:9090@8080", wantContainer: "http:80 web:9090", wantService: "http@80>http api@8080>web",
		},
		{
			name: "a worker gets a port", pods: []string{""}, spec: "http:8080", wantContainer: "http:8080", wantService: "http@8080>http",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := Inputs{
				Application:  &v1.Application{Spec: specOf(test.spec)},
				Live:         &LiveDeployment{Image: "nginx:1", Ports: containerList(test.deployment)},
				ServicePorts: serviceList(test.service),
			}
			if test.image != "" {
				in.Live.Image = test.image
			}
			for _, pod := range test.pods {
				in.PodPorts = append(in.PodPorts, containerList(pod))
			}
			ports := portsOf(in)
			if got := describeContainer(ports); got != test.wantContainer {
				t.Errorf("container: %s, want %s", got, test.wantContainer)
			}
			if got := describeService(ports); got != test.wantService {
				t.Errorf("Service: %s, want %s", got, test.wantService)
			}
		})
	}
}

// TestAPolicyKnowsPortsByAllTheirNames is about old pods, which have another name for a port than new ones.
func TestAPolicyKnowsPortsByAllTheirNames(t *testing.T) {
	for _, test := range []struct {
		name, deployment, service, spec string
		pods                            []string
		want                            []string
	}{
		{"the first pods", "", "", "*redis:6379", nil, []string{"redis"}},
		{"another name", "http:6379", "http@6379>http", "*redis:6379", []string{"http:6379"}, []string{"redis", "http"}},
		{"half-way", "redis:6379", "redis@6379>6379", "*redis:6379", []string{"http:6379", "redis:6379"}, []string{"redis", "http"}},
		{"done", "redis:6379", "redis@6379>redis", "*redis:6379", nil, []string{"redis"}},
		{"another name and number", "web:6380", "redis@6379>web", "*redis:6380", []string{"web:6379", "web:6380"}, []string{"web"}},
		{"a sidecar's port", "http:80", "http@80>http", "http:80", []string{"http:80"}, []string{"redis"}},
	} {
		in := Inputs{
			Application: &v1.Application{Spec: specOf(test.spec)}, ServicePorts: serviceList(test.service),
			Live: &LiveDeployment{Image: "nginx:1", Ports: containerList(test.deployment)},
		}
		for _, pod := range test.pods {
			in.PodPorts = append(in.PodPorts, containerList(pod))
		}
		in.Application.Spec.NetworkPolicy = &v1.NetworkPolicySpec{IngressFrom: []v1.NetworkPeer{{
			CIDR: "10.0.0.0/8", Ports: []v1.NetworkPort{{Port: new(intstr.FromString("redis"))}},
		}}}
		policies, err := NetworkPolicy(in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, port := range policies[0].Spec.Ingress[0].Ports {
			got = append(got, port.Port.String())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// running is an Application with its Deployment, Service and pods, as a cluster would have them.
type running struct {
	in Inputs
	// pods are the ports of each pod, oldest first.
	pods [][]corev1.ContainerPort
}

// pass does what a reconcile of the operator does to a running Application.
func (r *running) pass() []port {
	r.in.PodPorts = nil
	for _, pod := range r.pods {
		if !slices.ContainsFunc(r.in.PodPorts, func(known []corev1.ContainerPort) bool { return slices.Equal(known, pod) }) {
			r.in.PodPorts = append(r.in.PodPorts, pod)
		}
	}
	ports := portsOf(r.in)
	r.in.Live = &LiveDeployment{Image: r.in.Application.Spec.Image, Ports: containerList(describeContainer(ports))}
	r.in.ServicePorts = serviceList(describeService(ports))
	return ports
}

// TestPortsOfManyChanges follows Applications through random changes of their ports, each begun before the one before is
// complete.
func TestPortsOfManyChanges(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 0))
		now := &running{in: Inputs{Application: &v1.Application{Spec: specOf(randomPorts(random))}}}
		var history []string
		for range 6 {
			before := *now
			ports := now.pass()
			history = append(history, describeService(ports)+" | "+describeContainer(ports))
			complaint := checkReach(ports, now.in.Live.Ports) + checkRest(now, ports) + checkServed(&before, now)
			for range random.IntN(4) { // pods come, of which the newest are the first to go if they fail
				if now.pods = append(now.pods, now.in.Live.Ports); random.IntN(3) == 0 && len(now.pods) > 1 {
					now.pods = now.pods[1:]
				}
				again := now.pass()
				complaint += checkReach(again, now.in.Live.Ports)
				if describeContainer(again) != describeContainer(ports) {
					complaint += "the pods are replaced once more, as " + describeContainer(again)
				}
			}
			if random.IntN(2) == 0 { // all is done
				now.pods = [][]corev1.ContainerPort{now.in.Live.Ports}
				complaint += checkDone(now, ports)
			}
			if complaint != "" {
				t.Fatalf("seed %d: %s\nafter:\n%s\npods: %v", seed, complaint, strings.Join(history, "\n"), now.pods)
			}
			now.in.Application = &v1.Application{Spec: specOf(randomPorts(random))}
			if random.IntN(3) == 0 {
				now.in.Application.Spec.Image = "nginx:" + strconv.Itoa(random.IntN(3))
			}
		}
	}
}

func randomPorts(random *rand.Rand) string {
	names := []string{"http", "web", "api", "dns"}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	numbers := random.Perm(4)
	var all []string
	for i, name := range names[:1+random.IntN(3)] {
		text := fmt.Sprintf("%s:%d", name, 8000+numbers[i])
		switch {
		case name == "dns" && random.IntN(2) == 0:
			text += "/UDP"
		case name == "http" && random.IntN(2) == 0:
			text += "@80"
		case name == "api" && random.IntN(4) == 0:
			text += "@81"
		}
		all = append(all, text)
	}
	if main := random.IntN(2 * len(all)); main < len(all) && !strings.HasPrefix(all[main], "dns") { // any of them may be the main one
		all[0], all[main] = "*"+all[main], all[0]
		if main == 0 {
			all[0] = "*" + strings.TrimLeft(all[0], "*")
		}
	}
	return strings.Join(all, " ")
}

// checkReach holds that the Service's ports reach the new pods, each by one port of theirs.
func checkReach(ports []port, container []corev1.ContainerPort) string {
	names := map[string]bool{}
	for _, port := range ports {
		if names[port.containerName] {
			return "two ports of the container have the name " + port.containerName
		}
		names[port.containerName] = true
		if has := find(container, port.target, port.protocol); has == nil || has.ContainerPort != port.number {
			return "new pods are not reached by " + port.name
		}
	}
	return ""
}

// checkRest holds that a second pass does not replace the pods once more, and that it is soon all by name or number as it stays:
// where a port cannot be reached in the oldest pods by what it was, the next two reconciles may find another way.
func checkRest(now *running, ports []port) string {
	second := now.pass()
	if diff := cmp.Diff(describeContainer(ports), describeContainer(second)); diff != "" {
		return "a second pass replaces the pods once more: " + diff
	}
	third, fourth := now.pass(), now.pass()
	if diff := cmp.Diff(describeService(third), describeService(fourth)); diff != "" {
		return "a fourth pass has more to do: " + diff
	}
	return ""
}

// checkServed holds that the oldest pods are reached by each port that keeps its name in the Service, unless what they have for
// it has a name that the spec gives to another port now: new pods cannot have it twice.
func checkServed(before, now *running) string {
	if len(now.pods) == 0 {
		return ""
	}
	oldest := now.pods[0]
	for _, was := range before.in.ServicePorts {
		for _, is := range now.in.ServicePorts {
			served := find(oldest, was.TargetPort, was.Protocol)
			if is.Name != was.Name || is.Protocol != was.Protocol || served == nil || wantedElsewhere(now, served.Name, is.Name) {
				continue
			}
			if got := find(oldest, is.TargetPort, is.Protocol); got == nil || *got != *served {
				return fmt.Sprintf("%s does not reach the oldest pods any more", is.Name)
			}
		}
	}
	return ""
}

func wantedElsewhere(now *running, containerName, serviceName string) bool {
	return containerName != serviceName && slices.ContainsFunc(now.in.ServicePorts, func(other corev1.ServicePort) bool {
		return other.Name == containerName || other.Name != serviceName && other.TargetPort == intstr.FromString(containerName)
	})
}

// checkDone holds that when all pods are new, all is by name, and stays so.
func checkDone(now *running, ports []port) string {
	done := now.pass()
	for i, port := range done {
		if port.target != intstr.FromString(port.containerName) {
			return "it is done, and targets " + port.target.String()
		}
		if port.containerName != ports[i].containerName {
			return "it is done, and the pods are replaced once more"
		}
	}
	if !PortsSettled(now.in) || Retargets(now.in) {
		return "it is done, and does not look so"
	}
	return checkRest(now, done)
}

func TestAnEmptyListOfSourceRangesIsKeptEmpty(t *testing.T) {
	for name, test := range map[string]struct {
		service *v1.ServiceSpec
		want    int
	}{
		"no Service": {nil, 0}, "nothing said": {&v1.ServiceSpec{}, 0}, "some": {&v1.ServiceSpec{LoadBalancerSourceRanges: []string{"10.0.0.0/8"}}, 0},
		"none": {&v1.ServiceSpec{LoadBalancerSourceRanges: []string{}}, 1},
	} {
		if got := NotInService(Inputs{Application: &v1.Application{Spec: v1.ApplicationSpec{Service: test.service}}}); len(got) != test.want {
			t.Errorf("%s: %v must not be there, want %d", name, got, test.want)
		}
	}
}
