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
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// skiperatorUser is whom pods run as there.
const skiperatorUser = 150

// readSkiperator reads an Application of skiperator.
func readSkiperator(s *session, doc *document) {
	spec := doc.root().in("spec")
	w := newForeign(s, doc, spec, spec)
	w.identify()
	w.setImage(spec, "image")
	w.setPullPolicy(corev1.PullAlways)
	w.app.Spec.ImagePullSecrets = []string{"github-auth"}
	spec.note("image", nil, "it is pulled there at every start, with the Secret github-auth; both are in the Application")
	w.app.Spec.Command = mustList[string](spec, "command")
	w.readSkiperatorPorts(spec)
	w.readEnv()
	spec.dropEmpty("env")
	w.readFrom(spec, "configMap")
	w.readResources()
	for _, name := range []string{"liveness", "readiness", "startup"} {
		w.readSimpleProbe(spec, name)
	}
	w.readSkiperatorReplicas(spec)
	w.readSimpleStrategy(spec.in("strategy"))
	w.readSkiperatorSecurity(spec)
	for _, host := range mustList[string](spec, "ingresses") {
		name, secret, custom := strings.Cut(host, "+")
		w.addRule(v1.IngressRule{Host: name})
		if custom {
			spec.note("ingresses", host, "one certificate is served for all hosts; make a Secret with "+secret+" and name it in spec.ingress.tlsSecretName")
		}
	}
	w.readAccessPolicy(spec)
	if of := spec.in("prometheus"); of.fields != nil {
		w.readSimplePrometheus(of)
	}
	w.readSkiperatorLabels(spec)
	w.readPodSettings(spec)
	w.readSidecars("extraContainers")
	w.dropIfEmpty("prometheus", "strategy", "replicas", "accessPolicy", "podSettings", "gcp")
	w.keepRest()
	w.finishScaling()
}

func (w *workload) readSkiperatorPorts(spec part) {
	number, _ := spec.number("port")
	main := w.listens(spec, "", number, number, corev1.ProtocolTCP)
	switch protocol := spec.text("appProtocol"); protocol {
	case "", "http":
	case "udp":
		main.protocol = corev1.ProtocolUDP
	default:
		main.name, main.appProtocol = protocol, &protocol
	}
	for _, item := range spec.list("additionalPorts") {
		port, _ := item.number("port")
		w.listens(item, item.text("name"), port, port, corev1.Protocol(strings.ToUpper(item.text("protocol"))))
	}
	spec.dropEmpty("additionalPorts")
	w.finishPorts()
}

// readSkiperatorReplicas reads how many pods run: two to five by 80 % of CPU if nothing is said.
func (w *workload) readSkiperatorReplicas(spec part) {
	if _, isObject := spec.fields["replicas"].(map[string]any); !isObject && spec.has("replicas") {
		if replicas, ok := spec.number("replicas"); ok {
			w.app.Spec.Replicas = &replicas
		}
		return
	}
	of := spec.in("replicas")
	if of.fields == nil {
		spec.note("replicas", nil, "it is not set, and two to five by CPU there; they are in spec.autoscaling")
		w.replicasBetween(2, 5)
		return
	}
	least, _ := of.number("min")
	most, said := of.number("max")
	if !said {
		most = max(5, least)
		of.note("max", nil, "it is not set, and 5 there")
	}
	w.replicasBetween(max(least, 1), most)
	if w.app.Spec.Autoscaling == nil {
		return
	}
	if percent, ok := of.number("targetCpuUtilization"); ok {
		w.scaling().TargetCPUUtilizationPercentage = &percent
	}
	if percent, ok := of.number("targetMemoryUtilization"); ok {
		w.scaling().TargetMemoryUtilizationPercentage = &percent
	}
}

// readSkiperatorSecurity sets as whom pods run there without a word.
func (w *workload) readSkiperatorSecurity(spec part) {
	user := int64(skiperatorUser)
	w.app.Spec.Security = &v1.SecuritySpec{
		Profile: v1.SecurityProfileRestricted, RunAsUser: &user, RunAsGroup: &user, FSGroup: &user, ReadOnlyRootFilesystem: new(true),
	}
	if !slices.ContainsFunc(w.app.Spec.Files, func(file v1.File) bool { return file.MountPath == "/tmp" }) {
		w.addFileOf(spec, v1.File{MountPath: "/tmp", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	}
	spec.note("image", nil, "pods run there as user 150 with a read-only root filesystem and a /tmp; so they do here")
}

func (w *workload) readSkiperatorLabels(spec part) {
	labels, _ := take[map[string]string](spec, "labels")
	if team := spec.text("team"); team != "" {
		labels = with(labels, "team", team)
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if reserved(key) {
			spec.note("labels["+key+"]", labels[key], "the operator sets it")
			continue
		}
		w.addLabel(key, labels[key])
		w.podMetadata().Labels = with(w.podMetadata().Labels, key, labels[key])
	}
}

func (w *workload) readPodSettings(spec part) {
	settings := spec.in("podSettings")
	if annotations, ok := take[map[string]string](settings, "annotations"); ok {
		w.podMetadata().Annotations = annotations
	}
	if grace, ok := take[int64](settings, "terminationGracePeriodSeconds"); ok {
		w.shutdown().GracePeriodSeconds = &grace
	}
	if priority := spec.text("priority"); priority != "" && priority != "medium" {
		w.app.Spec.Scheduling = &v1.SchedulingSpec{PriorityClassName: "skip-" + priority}
	}
	if enabled, ok := take[bool](spec, "enablePDB"); ok && !enabled {
		w.app.Spec.DisruptionBudget = &v1.DisruptionBudgetSpec{Enabled: new(false)}
	}
	if account := spec.in("gcp", "auth").text("serviceAccount"); account != "" {
		w.app.Spec.ServiceAccount = &v1.ServiceAccountSpec{Annotations: map[string]string{"iam.gke.io/gcp-service-account": account}}
		spec.note("gcp.auth.serviceAccount", account, "it is an annotation of the ServiceAccount; the volume with the credentials has to be given in spec.files[].projected")
	}
	if auth := spec.in("gcp"); len(auth.in("auth").fields) == 0 {
		auth.drop("auth")
	}
	spec.dropIf("redirectToHTTPS", true)
}
