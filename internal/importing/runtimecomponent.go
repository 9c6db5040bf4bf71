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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// readRuntimeComponent reads a RuntimeComponent, or an OpenLibertyApplication, which has the same words and some of its own.
func readRuntimeComponent(s *session, doc *document) {
	spec := doc.root().in("spec")
	w := newForeign(s, doc, spec, spec)
	dropDefaults(doc.left, under("spec", ofContainers()).with(under("spec.probes", probesDefaults("liveness", "readiness", "startup"))))
	w.identify()
	w.setImage(spec, "applicationImage")
	w.setPullPolicy(corev1.PullPolicy(spec.text("pullPolicy")))
	if secret := spec.text("pullSecret"); secret != "" {
		w.app.Spec.ImagePullSecrets = []string{secret}
	}
	w.addLabel("app.kubernetes.io/part-of", spec.text("applicationName"))
	w.addLabel("app.kubernetes.io/version", spec.text("applicationVersion"))
	w.readManagedTLS(spec)
	w.readComponentService(spec.in("service"))
	w.app.Spec.Command, w.app.Spec.Args = mustList[string](spec, "command"), mustList[string](spec, "args")
	w.readEnv()
	w.app.Spec.EnvFrom = mustList[corev1.EnvFromSource](spec, "envFrom")
	w.readResources()
	w.readComponentProbes(spec.in("probes"))
	w.readComponentSecurity(spec)
	w.readOtherContainers()
	w.readSidecars("sidecarContainers")
	w.readVolumes()
	for _, name := range []string{"volumes", "volumeMounts", "initContainers", "env"} {
		spec.dropEmpty(name)
	}
	w.readComponentAccount(spec)
	w.readComponentScaling(spec)
	w.readComponentScheduling(spec)
	w.readComponentRoute(spec)
	w.readComponentPolicy(spec)
	w.readComponentMonitoring(spec.in("monitoring"))
	w.keepRest()
	w.finishScaling()
}

func probesDefaults(names ...string) defaults {
	all := defaults{}
	for _, name := range names {
		all = all.with(under(name, probeDefaults))
	}
	return all
}

// addLabel adds a label of all objects.
func (w *workload) addLabel(key, value string) {
	if value != "" {
		w.addLabels(w.doc.root().in("metadata"), map[string]string{key: value})
	}
}

// readManagedTLS reads whether the program serves HTTPS with a certificate that is mounted for it.
func (w *workload) readManagedTLS(spec part) {
	managed, said := take[bool](spec, "manageTLS")
	if said && !managed {
		return
	}
	w.tls = true
	spec.note("manageTLS", nil, "it is on unless it says false: a certificate is mounted at /etc/x509/certs, and the program serves HTTPS. Here nobody mounts one: "+
		"give it as a file of a Secret, or have the program serve HTTP")
}

// readComponentService reads the ports. Without any, there is one all the same.
func (w *workload) readComponentService(service part) {
	number, said := service.number("port")
	if !said {
		number = 8080
		if w.doc.kind == "OpenLibertyApplication" {
			number = 9080
		}
		if w.tls {
			number += 363 // 8443, or 9443
		}
		service.note("port", nil, fmt.Sprintf("it is not set, and %d there; correct spec.port if the program listens elsewhere", number))
	}
	target, said := service.number("targetPort")
	if !said {
		target = number
	}
	main := w.listens(service, service.text("portName"), target, number, corev1.ProtocolTCP)
	if node, ok := service.number("nodePort"); ok {
		main.nodePort = &node
	}
	for _, item := range service.list("ports") {
		within := item
		port, ok := whole[corev1.ServicePort](item)
		if !ok {
			continue
		}
		to := cmp.Or(port.TargetPort.IntVal, port.Port)
		entry := w.listens(within, port.Name, to, port.Port, port.Protocol)
		entry.appProtocol = port.AppProtocol
		if port.NodePort != 0 {
			entry.nodePort = &port.NodePort
		}
		if port.TargetPort.Type == intstr.String && port.TargetPort.StrVal != "" {
			within.note("targetPort", port.TargetPort.StrVal, fmt.Sprintf("ports have no name to lead to there; give the number in spec.additionalPorts, which is %d here", to))
		}
	}
	service.dropEmpty("ports")
	w.finishPorts()
	if given := corev1.ServiceType(service.text("type")); given != "" && given != corev1.ServiceTypeClusterIP {
		w.specService().Type = given
	}
	if annotations, ok := take[map[string]string](service, "annotations"); ok {
		w.specService().Annotations = annotations
	}
	service.dropIf("bindable", false)
	w.dropIfEmpty("service")
}

// dropIfEmpty takes an object of the spec in which nothing is left.
func (w *workload) dropIfEmpty(names ...string) {
	spec := w.doc.root().in("spec")
	for _, name := range names {
		if spec.has(name) && len(spec.in(name).fields) == 0 {
			spec.drop(name)
		}
	}
}

// libertyPaths are where Open Liberty is asked.
var libertyPaths = map[string]string{"liveness": "/health/live", "readiness": "/health/ready", "startup": "/health/started"}

func (w *workload) readComponentProbes(probes part) {
	for _, name := range []string{"liveness", "readiness", "startup"} {
		if !probes.has(name) {
			continue
		}
		probe, ok := take[v1.Probe](probes, name)
		if !ok {
			continue
		}
		if probe.HTTPGet == nil && probe.TCPSocket == nil && probe.GRPC == nil && probe.Exec == nil {
			if w.doc.kind != "OpenLibertyApplication" {
				probes.note(name, nil, "it does not say what is asked; give httpGet, tcpSocket, grpc or exec")
				continue
			}
			probe.HTTPGet = &v1.HTTPGetProbe{Path: libertyPaths[name]}
			if w.tls {
				probe.HTTPGet.Scheme = corev1.URISchemeHTTPS
			}
		}
		w.setProbePorts(&probe)
		if of := probe.HTTPGet; of != nil && of.Port != nil && of.Port.Type == intstr.Int && of.Port.IntVal == ptr.Deref(w.app.Spec.Port, 0) {
			of.Port = nil
		}
		w.setProbe(name, &probe)
	}
	w.dropIfEmpty("probes")
}

func (w *workload) setProbe(name string, probe *v1.Probe) {
	switch name {
	case "liveness":
		w.probes().Liveness = probe
	case "readiness":
		w.probes().Readiness = probe
	default:
		w.probes().Startup = probe
	}
}

// readComponentSecurity reads the container's context. What it does not say is there what the profile Restricted says.
func (w *workload) readComponentSecurity(spec part) {
	if !spec.has("securityContext") && spec.fields != nil {
		spec.fields["securityContext"] = map[string]any{}
	}
	context := spec.in("securityContext")
	if context.fields == nil { // is no object, which is told
		return
	}
	if !context.has("runAsNonRoot") {
		context.fields["runAsNonRoot"] = true
	}
	if !context.has("capabilities") {
		context.fields["capabilities"] = map[string]any{"drop": []any{"ALL"}}
	}
	w.readSecurity()
}

func (w *workload) readComponentAccount(spec part) {
	account := spec.in("serviceAccount")
	name := cmp.Or(account.text("name"), spec.text("serviceAccountName"))
	mount, said := take[bool](account, "mountToken")
	w.dropIfEmpty("serviceAccount")
	if name == "" && !mount {
		return
	}
	w.app.Spec.ServiceAccount = &v1.ServiceAccountSpec{Name: name, AutomountToken: mount || !said}
}

func (w *workload) readComponentScaling(spec part) {
	if replicas, ok := spec.number("replicas"); ok {
		w.app.Spec.Replicas = &replicas
	}
	if of := spec.in("autoscaling"); of.has("maxReplicas") {
		least, said := of.number("minReplicas")
		if !said {
			least = 1
		}
		most, _ := of.number("maxReplicas")
		w.replicasBetween(least, most)
		if w.app.Spec.Autoscaling != nil {
			for name, to := range map[string]**int32{
				"targetCPUUtilizationPercentage":    &w.scaling().TargetCPUUtilizationPercentage,
				"targetMemoryUtilizationPercentage": &w.scaling().TargetMemoryUtilizationPercentage,
			} {
				if percent, ok := of.number(name); ok {
					*to = &percent
				}
			}
		}
	}
	deployment := spec.in("deployment")
	strategy := deployment.in("updateStrategy")
	w.readStrategyType(strategy)
	if surge, ok := take[intstr.IntOrString](strategy.in("rollingUpdate"), "maxSurge"); ok {
		w.rollout().MaxSurge = &surge
	}
	if unavailable, ok := take[intstr.IntOrString](strategy.in("rollingUpdate"), "maxUnavailable"); ok {
		w.rollout().MaxUnavailable = &unavailable
	}
	if annotations, ok := take[map[string]string](deployment, "annotations"); ok {
		w.podMetadata().Annotations = annotations
	}
	w.readStorage(spec.in("statefulSet"))
	w.dropIfEmpty("autoscaling")
}

// readStorage makes a claim of the storage of a StatefulSet of one replica.
func (w *workload) readStorage(set part) {
	storage := set.in("storage")
	if size := storage.text("size"); size != "" {
		file := v1.File{MountPath: cmp.Or(storage.text("mountPath"), "/data"), VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: size}}}
		if class := storage.text("class"); class != "" {
			file.PersistentVolumeClaim.StorageClassName = &class
		}
		storage.note("size", size, "the claim is a new one: bring the data of the old one there. A pod that writes there is the only one: replicas are 1, "+
			"and the old pod ends before the new one starts")
		w.addFileOf(storage, file)
		spec := w.doc.root().in("spec")
		if w.app.Spec.Replicas != nil {
			spec.note("replicas", w.app.Spec.Replicas, "one pod writes to the claim; there is one")
		}
		if w.app.Spec.Autoscaling != nil {
			spec.note("autoscaling", w.app.Spec.Autoscaling, "one pod writes to the claim; nothing adds others")
		}
		w.app.Spec.Replicas, w.app.Spec.Autoscaling = nil, nil
		w.rollout().Strategy = appsv1.RecreateDeploymentStrategyType
	}
}

func (w *workload) readComponentScheduling(spec part) {
	var scheduling v1.SchedulingSpec
	scheduling.Tolerations = mustList[corev1.Toleration](spec, "tolerations")
	affinity := spec.in("affinity")
	scheduling.NodeSelector, _ = take[map[string]string](affinity, "nodeAffinityLabels")
	var of corev1.Affinity
	of.NodeAffinity, _ = take[*corev1.NodeAffinity](affinity, "nodeAffinity")
	of.PodAffinity, _ = take[*corev1.PodAffinity](affinity, "podAffinity")
	of.PodAntiAffinity, _ = take[*corev1.PodAntiAffinity](affinity, "podAntiAffinity")
	if !same(of, corev1.Affinity{}) {
		scheduling.Affinity = &of
	}
	scheduling.TopologySpreadConstraints = mustList[corev1.TopologySpreadConstraint](spec.in("topologySpreadConstraints"), "constraints")
	if disabled, ok := take[bool](spec, "disableServiceLinks"); ok {
		w.app.Spec.EnableServiceLinks = new(!disabled)
	}
	if !same(scheduling, v1.SchedulingSpec{}) {
		w.app.Spec.Scheduling = &scheduling
	}
	w.dropIfEmpty("affinity", "topologySpreadConstraints")
}

// readComponentRoute makes an Ingress of what is exposed.
func (w *workload) readComponentRoute(spec part) {
	route := spec.in("route")
	exposed, _ := take[bool](spec, "expose")
	if !exposed {
		spec.remark("route", "it means nothing while expose is not true; give spec.ingress if it is to be exposed")
		return
	}
	ingress := &v1.IngressSpec{
		Host: route.text("host"), Path: route.text("path"), PathType: networkingv1.PathType(route.text("pathType")), TLSSecretName: route.text("certificateSecretRef"),
	}
	ingress.Annotations, _ = take[map[string]string](route, "annotations")
	if ingress.Host == "" {
		spec.note("expose", true, "the host is chosen by the cluster there; give it in spec.ingress.host")
	}
	w.app.Spec.Ingress = ingress
	w.dropIfEmpty("route")
}

// readComponentPolicy makes a policy of what is said of it. The one that is there without a word is not made.
func (w *workload) readComponentPolicy(spec part) {
	policy := spec.in("networkPolicy")
	if disabled, _ := take[bool](policy, "disable"); disabled {
		w.dropIfEmpty("networkPolicy")
		return
	}
	peer := v1.NetworkPeer{}
	if labels, ok := take[map[string]string](policy, "namespaceLabels"); ok {
		peer.NamespaceLabels = orEmpty(labels)
	}
	if labels, ok := take[map[string]string](policy, "fromLabels"); ok {
		peer.PodLabels = orEmpty(labels)
	}
	if peer.NamespaceLabels == nil && peer.PodLabels == nil {
		policy.note("", nil, "there is one unless disable is true, which lets in the pods of the same applicationName and the router; without spec.networkPolicy "+
			"everybody may connect")
	} else {
		w.app.Spec.NetworkPolicy = &v1.NetworkPolicySpec{Egress: v1.NetworkUnrestricted, IngressFrom: []v1.NetworkPeer{peer}}
		if w.app.Spec.Ingress != nil {
			policy.note("", nil, "the ingress controller may connect there too; add its namespace to spec.networkPolicy.ingressFrom")
		}
	}
	w.dropIfEmpty("networkPolicy")
}

// readComponentMonitoring reads the first endpoint.
func (w *workload) readComponentMonitoring(monitoring part) {
	if monitoring.fields == nil {
		return
	}
	of := &v1.MonitoringSpec{}
	of.Labels, _ = take[map[string]string](monitoring, "labels")
	for i, endpoint := range monitoring.list("endpoints") {
		if i > 0 {
			break
		}
		of.Path, of.Interval, of.Scheme = endpoint.text("path"), endpoint.text("interval"), endpoint.text("scheme")
		if port := endpoint.text("port"); port != "" {
			of.Port = port
			if w.portNumber(port) == 0 {
				endpoint.note("port", port, "there is no port of this name; spec.port was taken")
				of.Port = ""
			}
		}
	}
	monitoring.dropEmpty("endpoints")
	w.app.Spec.Monitoring = of
	w.dropIfEmpty("monitoring")
}
