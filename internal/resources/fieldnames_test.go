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
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/example/app-operator/api/v1"
)

// fieldsOf are the names of each child's fields. TestEveryBuilderIsTested holds the list of kinds complete.
var fieldsOf = map[string]func(app *v1.Application, name string) FieldNames{
	"ServiceAccount":          always(ServiceAccountFields),
	"NetworkPolicy":           always(NetworkPolicyFields),
	"Deployment":              always(DeploymentFields),
	"Service":                 always(ServiceFields),
	"HorizontalPodAutoscaler": always(HorizontalPodAutoscalerFields),
	"PodDisruptionBudget":     always(PodDisruptionBudgetFields),
	"Ingress":                 always(IngressFields),
	"HTTPRoute":               always(HTTPRouteFields),
	"ServiceMonitor":          always(ServiceMonitorFields),
	"CronJob":                 CronJobFields,
	"ControllerRevision":      always(ControllerRevisionFields),
	"Job":                     always(JobFields),
	"ConfigMap":               ConfigMapFields,
	"PersistentVolumeClaim":   PersistentVolumeClaimFields,
}

func always(fields func(*v1.Application) FieldNames) func(*v1.Application, string) FieldNames {
	return func(app *v1.Application, _ string) FieldNames { return fields(app) }
}

// ownFields are the fields of children that the operator decides by itself, so that no field of an Application is to blame.
var ownFields = regexp.MustCompile(`^(apiVersion|kind|metadata\.(namespace|ownerReferences)\b.*` +
	`|metadata\.annotations\[(apps\.example\.com/.*|argocd\.argoproj\.io/sync-options\])|spec(\.\w+)?\.selector\b.*|spec\.podSelector\b.*` +
	`|spec\.(jobTemplate\.spec\.)?template\.spec\.containers\[0\]\.terminationMessagePolicy` +
	`|spec\.jobTemplate\.metadata\.labels\b.*|spec\.(jobTemplate\.spec\.)?template\.spec\.(restartPolicy|readinessGates\b.*)|spec\.podFailurePolicy\b.*` +
	`|data\.(env|files|image|port|probes|resources|scheduling)\b.*|revision|spec\.(paused|scaleTargetRef|unhealthyPodEvictionPolicy)\b.*` +
	`|spec\.egress\[0\]\..*|spec\.rules\[0\]\.(matches|backendRefs)\[0\]\.(group|kind|name|weight|path\.type))$`)

// leaves returns the paths of all values, as the API server's validation writes them.
func leaves(path string, value any) []string {
	var all []string
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			next := path + "." + key
			if strings.ContainsAny(key, "./") {
				next = path + "[" + key + "]"
			}
			all = append(all, leaves(strings.TrimPrefix(next, "."), below)...)
		}
		if len(value) > 0 {
			return all
		}
	case []any:
		for i, below := range value {
			all = append(all, leaves(fmt.Sprintf("%s[%d]", path, i), below)...)
		}
		if len(value) > 0 {
			return all
		}
	}
	return []string{path}
}

var part = regexp.MustCompile(`\.?([A-Za-z][\w-]*)|\[([^\]]*)\]`)

// isField reports whether Applications have a field of this path.
func isField(path string) bool {
	at := reflect.TypeFor[v1.Application]()
	for _, found := range part.FindAllStringSubmatch(path, -1) {
		for at.Kind() == reflect.Pointer {
			at = at.Elem()
		}
		switch {
		case at.Kind() == reflect.Map:
			at = at.Elem()
		case found[2] != "" && at.Kind() == reflect.Slice:
			at = at.Elem()
		case at == reflect.TypeFor[metav1.FieldsV1](), at == reflect.TypeFor[resource.Quantity](), at == reflect.TypeFor[intstr.IntOrString]():
			return false
		case at.Kind() != reflect.Struct:
			return false
		default:
			below, ok := fieldByJSON(at, found[1])
			if !ok {
				return false
			}
			at = below
		}
	}
	return true
}

func fieldByJSON(of reflect.Type, name string) (reflect.Type, bool) {
	for field := range of.Fields() {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == name && name != "" {
			return field.Type, true
		}
		if field.Anonymous && tag == "" {
			if below, ok := fieldByJSON(field.Type, name); ok {
				return below, true
			}
		}
	}
	return nil, false
}

// TestEveryFieldIsCalledAsTheUserCallsIt walks each field of each child of each case: either the operator decides it by itself, or
// an Application has a field of the name that a refusal gives it. And each field of an Application gives some field its name.
func TestEveryFieldIsCalledAsTheUserCallsIt(t *testing.T) {
	named := map[string]bool{}
	for _, name := range cases(t) {
		in := readInputs(t, name)
		if in.Pods != nil { // what is refused of an earlier revision, the spec does not say
			continue
		}
		for heading, config := range buildAll(t, in) {
			kind := kindOf(heading)
			content, err := json.Marshal(config)
			if err != nil {
				t.Fatal(err)
			}
			var tree map[string]any
			if err := json.Unmarshal(content, &tree); err != nil {
				t.Fatal(err)
			}
			fields := fieldsOf[kind](in.Application, tree["metadata"].(map[string]any)["name"].(string))
			for _, path := range leaves("", tree) {
				switch called := fields.of(path); {
				case called == "" && ownFields.MatchString(path):
				case called == "":
					t.Errorf("%s: no field of the Application stands for the %s's %s", name, kind, path)
				case !isField(called):
					t.Errorf("%s: the %s's %s is called %s, which Applications do not have", name, kind, path, called)
				default:
					field, _, _ := strings.Cut(strings.TrimPrefix(called, "spec."), "[")
					named[strings.Join(strings.Split(field, ".")[:min(2, strings.Count(field, ".")+1)], ".")] = true
				}
			}
		}
	}
	for path := range specFields(t) {
		if !named[path] && !notInChildren[path] {
			t.Errorf("no field of a child is called spec.%s", path)
		}
	}
}

// notInChildren are the fields that are in no child as such: they decide how the operator goes about it.
var notInChildren = map[string]bool{
	"suspend": true, "paused": true, "deletionPolicy": true, "rollout.restartOnConfigChange": true, "rollout.failAfterSeconds": true,
	"rollout.onFailure":        true, // but where it gives pods time to crash
	"disruptionBudget.enabled": true,
}

// specFields returns the fields of the spec, and those of its parts that are ours.
func specFields(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	spec := reflect.TypeFor[v1.ApplicationSpec]()
	for field := range spec.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		of := field.Type
		for of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			all[name] = true
			continue
		}
		for part := range of.Fields() {
			below, _, _ := strings.Cut(part.Tag.Get("json"), ",")
			all[name+"."+below] = true
		}
	}
	return all
}

func TestRefusalsAreInTheUsersWords(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1.ApplicationSpec{
		Port: new(int32(80)), AdditionalPorts: []v1.AdditionalPort{{Name: "admin", Port: 9000}, {Name: "more", Port: 9001, ServicePort: new(int32(81))}},
		Service:        &v1.ServiceSpec{Port: new(int32(8080)), Annotations: map[string]string{"a": "b"}},
		Sidecars:       []corev1.Container{{Name: "proxy"}},
		InitContainers: []corev1.Container{{Name: "migrate"}, {Name: "wait"}},
		Files: []v1.File{
			{MountPath: "/a", VolumeSource: v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "a"}}}},
			{MountPath: "/b", VolumeSource: v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "a"}}}},
			{MountPath: "/c", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
		Autoscaling: &v1.AutoscalingSpec{TargetCPUUtilizationPercentage: new(int32(50)), TargetMemoryUtilizationPercentage: new(int32(50))},
		NetworkPolicy: &v1.NetworkPolicySpec{
			IngressFrom: []v1.NetworkPeer{
				{CIDR: "10.0.0.0/8", Ports: []v1.NetworkPort{{Port: new(intstr.FromInt32(80))}}},
				{CIDR: "10.1.0.0/16"},
				{CIDR: "10.2.0.0/16", Ports: []v1.NetworkPort{{Port: new(intstr.FromInt32(81))}}},
			},
			EgressTo: []v1.NetworkPeer{{CIDR: "10.0.0.0/8"}},
		},
		Ingress:   &v1.IngressSpec{AdditionalRules: []v1.IngressRule{{Host: "a"}, {Path: "/b"}, {Host: "a", Path: "/c"}}},
		Schedules: []v1.Schedule{{Name: "hourly"}, {Name: "nightly", Resources: &v1.ResourceRequirements{}}},
	}}
	for kind, tests := range map[string]map[string]string{
		"Deployment": {
			`spec.template.spec.containers[0].image: Required value`:    `spec.image: Required value`,
			`spec.template.spec.initContainers[0].env[1].name: Invalid`: `spec.sidecars[0].env[1].name: Invalid`,
			`spec.template.spec.initContainers[2].image: Required`:      `spec.initContainers[1].image: Required`,
			`spec.template.spec.initContainers[7].image: Required`:      `the Deployment's spec.template.spec.initContainers[7].image: Required`,
			`[spec.replicas: Invalid value: -1, spec.template.spec.containers[0].resources.requests[cpu]: Invalid value: "2": must be less]`: `[spec.replicas: Invalid value: -1, ` +
				`spec.resources.requests[cpu]: Invalid value: "2": must be less]`,
			`.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]`:    `spec.env: duplicate entries for key [name="A"]`,
			`.spec.template.spec.initContainers[name="migrate"].env[name="A"].value: expected string`: `spec.initContainers[0].env[name="A"].value: expected string`,
			`.spec.template.spec.containers[name="web"].ports: duplicate entries`:                     `spec.additionalPorts: duplicate entries`,
			`spec.template.spec.containers[0].ports[containerPort=9000,protocol="TCP"].name: Invalid`: `spec.additionalPorts[0].name: Invalid`,
			`spec.template.spec.containers[0].ports[0].containerPort: Invalid`:                        `spec.port: Invalid`,
			`spec.template.spec.containers[0].volumeMounts[1].mountPath: must be unique`:              `spec.files[1].mountPath: must be unique`,
			`spec.template.spec.volumes[0].configMap.items[0].path: Invalid`:                          `spec.files[0].configMap.items[0].path: Invalid`,
			`spec.template.spec.volumes[1].emptyDir.sizeLimit: Forbidden`:                             `spec.files[2].emptyDir.sizeLimit: Forbidden`,
			`spec.template.spec.volumes[1].name: Invalid`:                                             `spec.files[2].mountPath: Invalid`,
			`spec.template.spec.containers[0].livenessProbe.httpGet.path: Required`:                   `spec.probes.liveness.httpGet.path: Required`,
			`spec.template.spec.containers[0].lifecycle.preStop.sleep.seconds: Invalid`:               `spec.shutdown.preStopSleepSeconds: Invalid`,
			`spec.template.labels: Invalid value: "a b"`:                                              `spec.podMetadata.labels: Invalid value: "a b"`,
			`spec.template.metadata.annotations[example.com/a]: Invalid`:                              `spec.podMetadata.annotations[example.com/a]: Invalid`,
			`spec.template.spec.affinity.nodeAffinity.x: Required`:                                    `spec.scheduling.affinity.nodeAffinity.x: Required`,
			`spec.template.spec.containers[1].image: Required`:                                        `the Deployment's spec.template.spec.containers[1].image: Required`,
			`spec.selector: Invalid value: {"matchLabels":{}}: field is immutable`:                    `the Deployment's spec.selector: Invalid value: {"matchLabels":{}}: field is immutable`,
			`policy images failed at path /spec/template/spec/containers/0/image/`:                    `policy images failed at path spec.image`,
			`at /spec/template/metadata/annotations/example.com~1a: no`:                               `at spec.podMetadata.annotations[example.com/a]: no`,
			`denied request: failed expression: object.spec.replicas <= 5`:                            `denied request: failed expression: object.spec.replicas <= 5`,
			`Invalid value: "see spec.replicas and \"spec.template.spec.volumes[0]\"": no`:            `Invalid value: "see spec.replicas and \"spec.template.spec.volumes[0]\"": no`,
			`images of the spec are read from metadata; mounted at /spec.d and specs.replicas`:        `images of the spec are read from metadata; mounted at /spec.d and specs.replicas`,
		},
		"Service": {
			`spec.ports[0].port: Invalid`:     `spec.service.port: Invalid`,
			`spec.ports[1].port: Invalid`:     `spec.additionalPorts[0].port: Invalid`,
			`spec.ports[1].nodePort: Invalid`: `spec.additionalPorts[0].nodePort: Invalid`,
			`spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated`: `spec.service.nodePort: Invalid value: 30080: provided port is already allocated`,
			`spec.ports[2].port: Invalid`:                                         `spec.additionalPorts[1].servicePort: Invalid`,
			`.spec.ports[port=81,protocol="TCP"].targetPort: Invalid`:             `spec.additionalPorts[1].port: Invalid`,
			`spec.LoadBalancerSourceRanges[1]: Invalid`:                           `spec.service.loadBalancerSourceRanges[1]: Invalid`,
			`spec.loadBalancerClass: Invalid value: "b": may not change once set`: `spec.service.loadBalancerClass: Invalid value: "b": may not change once set`,
			`.spec.ports[port=9000,protocol="TCP"].name: Invalid`:                 `spec.additionalPorts[0].name: Invalid`,
			`spec.ports[4].port: Invalid`:                                         `the Service's spec.ports[4].port: Invalid`,
			`metadata.annotations: Too long`:                                      `spec.service.annotations: Too long`,
			`spec.clusterIPs[0]: Invalid value: "None": may not change`:           `the Service's spec.clusterIPs[0]: Invalid value: "None": may not change`,
		},
		"HorizontalPodAutoscaler": {
			`spec.metrics[1].resource.target.averageUtilization: Invalid`: `spec.autoscaling.targetMemoryUtilizationPercentage: Invalid`,
			`spec.maxReplicas: Invalid`:                                   `spec.autoscaling.maxReplicas: Invalid`,
		},
		"Ingress": {
			`spec.rules[1].host: Invalid`:                                      `spec.ingress.additionalRules[0].host: Invalid`,
			`spec.rules[0].http.paths[0].pathType: Invalid`:                    `spec.ingress.pathType: Invalid`,
			`spec.rules[0].http.paths[1].path: Invalid`:                        `spec.ingress.additionalRules[1].path: Invalid`,
			`spec.rules[1].http.paths[1].backend.service.port.number: Invalid`: `spec.ingress.additionalRules[2].port: Invalid`,
			`spec.tls[0].hosts[0]: Invalid`:                                    `spec.ingress.additionalRules[0].host: Invalid`,
		},
		"CronJob": {
			`spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base`:          `spec.schedules[nightly].timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base`,
			`spec.schedule: Invalid value: "0 0 31-1 * *"`:                                    `spec.schedules[nightly].schedule: Invalid value: "0 0 31-1 * *"`,
			`spec.jobTemplate.spec.template.spec.containers[0].image: Required`:               `spec.image: Required`,
			`spec.jobTemplate.spec.template.spec.containers[0].command[0]: Invalid`:           `spec.schedules[nightly].command[0]: Invalid`,
			`spec.jobTemplate.spec.template.spec.containers[0].resources.requests[cpu]: no`:   `spec.schedules[nightly].resources.requests[cpu]: no`,
			`.spec.jobTemplate.spec.template.spec.containers[name="web"].args: no`:            `spec.schedules[nightly].args: no`,
			`.spec.jobTemplate.spec.template.spec.containers[name="web"].env: duplicate`:      `spec.env: duplicate`,
			`spec.jobTemplate.spec.template.spec.initContainers[2].image: Required`:           `spec.initContainers[1].image: Required`,
			`spec.jobTemplate.spec.template.labels: Invalid value: "a b"`:                     `spec.podMetadata.labels: Invalid value: "a b"`,
			`spec.jobTemplate.spec.activeDeadlineSeconds: Invalid`:                            `spec.schedules[nightly].activeDeadlineSeconds: Invalid`,
			`spec.jobTemplate.spec.template.spec.restartPolicy: Required`:                     `the CronJob's spec.jobTemplate.spec.template.spec.restartPolicy: Required`,
			`metadata.name: Invalid value: "web-nightly": must be no more than 52 characters`: `spec.schedules[nightly].name: Invalid value: "web-nightly": must be no more than 52 characters`,
		},
		"NetworkPolicy": {
			`spec.egress[1].to[0].ipBlock.cidr: Invalid`:    `spec.networkPolicy.egressTo[0].cidr: Invalid`,
			`spec.ingress[0].from[0].ipBlock.cidr: Invalid`: `spec.networkPolicy.ingressFrom[1].cidr: Invalid`,
			`spec.ingress[1].from[0].ipBlock.cidr: Invalid`: `spec.networkPolicy.ingressFrom[0].cidr: Invalid`,
			`spec.ingress[2].ports[0].port: Invalid`:        `spec.networkPolicy.ingressFrom[2].ports[0].port: Invalid`,
			`spec.egress[0].ports[0].port: Invalid`:         `the NetworkPolicy's spec.egress[0].ports[0].port: Invalid`,
		},
	} {
		for _, said := range slices.Sorted(maps.Keys(tests)) {
			if got := fieldsOf[kind](app, "web-nightly").InUsersWords(said, "the "+kind); got != tests[said] {
				t.Errorf("%s: %s\nbecomes %s,\nwant    %s", kind, said, got, tests[said])
			}
		}
	}
	said, want := `spec.initContainers[1].image: Required, metadata.labels: Invalid, spec.hostname: Invalid`,
		`spec.initContainers[0].image: Required, spec.podMetadata.labels: Invalid, the pod's spec.hostname: Invalid`
	if got := PodFields(app).InUsersWords(said, "the pod"); got != want {
		t.Errorf("of a pod: %s, want %s", got, want)
	}
}
