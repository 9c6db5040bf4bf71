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
	"net/netip"
	"net/url"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// readNais reads a nais.yaml.
func readNais(s *session, doc *document) {
	spec := doc.root().in("spec")
	w := newForeign(s, doc, spec, spec)
	w.identify()
	w.setImage(spec, "image")
	w.app.Spec.Command = mustList[string](spec, "command")
	w.readNaisPorts(spec)
	w.readEnv()
	spec.dropEmpty("env")
	w.readFrom(spec, "configmap")
	w.readResources()
	for _, name := range []string{"liveness", "readiness", "startup"} {
		w.readSimpleProbe(spec, name)
	}
	w.readNaisShutdown(spec)
	w.readNaisReplicas(spec)
	w.readSimpleStrategy(spec.in("strategy"))
	w.readNaisIngresses(spec)
	w.readAccessPolicy(spec)
	if of := spec.in("prometheus"); of.fields != nil {
		if enabled, _ := take[bool](of, "enabled"); enabled {
			w.readSimplePrometheus(of)
		} else {
			spec.drop("prometheus")
		}
	}
	w.dropIfEmpty("prometheus", "strategy", "replicas", "accessPolicy", "service")
	w.keepRest()
	w.finishScaling()
}

// readNaisPorts reads where the program listens, and where the Service serves it: 8080 and 80 if nothing is said.
func (w *workload) readNaisPorts(spec part) {
	number, said := spec.number("port")
	if !said {
		number = 8080
		spec.note("port", nil, "it is not set, and 8080 there; correct spec.port if the program listens elsewhere")
	}
	service := spec.in("service")
	served, said := service.number("port")
	if !said {
		served = 80
	}
	entry := w.listens(spec, "", number, served, corev1.ProtocolTCP)
	if protocol := service.text("protocol"); protocol != "" && protocol != "http" {
		entry.name, entry.appProtocol = strings.ToLower(protocol), &protocol
	}
	w.finishPorts()
}

// readFrom reads the ConfigMaps and Secrets that become variables and files, in the words of nais and skiperator.
func (w *workload) readFrom(spec part, configMap string) {
	for _, item := range spec.list("envFrom") {
		if name := item.text(configMap); name != "" {
			w.app.Spec.EnvFrom = append(w.app.Spec.EnvFrom, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}})
		}
		if name := item.text("secret"); name != "" {
			w.app.Spec.EnvFrom = append(w.app.Spec.EnvFrom, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}})
		}
	}
	spec.dropEmpty("envFrom")
	for _, item := range spec.list("filesFrom") {
		w.readFileFrom(item, configMap)
	}
	spec.dropEmpty("filesFrom")
}

// readFileFrom reads one folder. Where its path is not said, it is a folder below /var/run there.
func (w *workload) readFileFrom(item part, configMap string) {
	var file v1.File
	var usual string
	if name := item.text(configMap); name != "" {
		file.VolumeSource, usual = fromConfigMap(name), "/var/run/configmaps/"+name
	}
	if name := item.text("secret"); name != "" {
		file.VolumeSource, usual = fromSecret(name), "/var/run/secrets"
	}
	if name := item.text("persistentVolumeClaim"); name != "" {
		file.VolumeSource, usual = v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{ClaimName: name}}, "/var/run/pvc/"+name
	}
	if item.has("emptyDir") {
		empty := &corev1.EmptyDirVolumeSource{}
		if _, isText := item.fields["emptyDir"].(string); isText {
			item.drop("emptyDir") // skiperator: a name that means nothing
		} else {
			medium := item.in("emptyDir").peek("medium")
			item.in("emptyDir").dropIf("medium", string(corev1.StorageMediumMemory))
			item.in("emptyDir").dropIf("medium", "Disk")
			if len(item.in("emptyDir").fields) == 0 {
				item.drop("emptyDir")
			}
			if medium == string(corev1.StorageMediumMemory) {
				empty.Medium = corev1.StorageMediumMemory
			}
		}
		file.VolumeSource = v1.VolumeSource{EmptyDir: empty}
	}
	if mode, ok := item.number("defaultMode"); ok {
		switch {
		case file.ConfigMap != nil:
			file.ConfigMap.DefaultMode = &mode
		case file.Secret != nil:
			file.Secret.DefaultMode = &mode
		default:
			item.note("defaultMode", mode, "files of a ConfigMap or a Secret alone have a mode")
		}
	}
	if file.MountPath = item.text("mountPath"); file.MountPath == "" {
		file.MountPath = usual
	}
	if file.MountPath == "" {
		item.note("mountPath", nil, "it does not say where it is mounted; give it in spec.files")
		return
	}
	w.addFileOf(item, file)
}

// readSimpleProbe reads a probe in the words of nais and skiperator.
func (w *workload) readSimpleProbe(spec part, name string) {
	of := spec.in(name)
	if of.fields == nil {
		return
	}
	probe := &v1.Probe{HTTPGet: &v1.HTTPGetProbe{Path: of.text("path")}}
	if port, ok := take[intstr.IntOrString](of, "port"); ok && !w.asksMain(port) {
		probe.HTTPGet.Port = &port
	}
	for _, number := range []struct {
		names []string
		to    **int32
	}{
		{[]string{"initialDelay", "initialDelaySeconds"}, &probe.InitialDelaySeconds},
		{[]string{"periodSeconds", "period"}, &probe.PeriodSeconds},
		{[]string{"timeout", "timeoutSeconds"}, &probe.TimeoutSeconds},
		{[]string{"failureThreshold"}, &probe.FailureThreshold},
		{[]string{"successThreshold"}, &probe.SuccessThreshold},
	} {
		for _, field := range number.names {
			if value, ok := of.number(field); ok && (value > 0 || field == "initialDelay") {
				*number.to = &value
			}
		}
	}
	w.setProbe(name, probe)
	if len(of.fields) == 0 {
		spec.drop(name)
	}
}

// mainPortNames are what the main port is called there.
var mainPortNames = []string{"http", "main"}

// asksMain reports whether a probe's port is the main one.
func (w *workload) asksMain(port intstr.IntOrString) bool {
	if port.Type == intstr.Int {
		return port.IntVal == ptr.Deref(w.app.Spec.Port, 0)
	}
	return w.isMainPort(port.StrVal) || slices.Contains(mainPortNames, port.StrVal)
}

func (w *workload) readNaisShutdown(spec part) {
	if grace, ok := take[int64](spec, "terminationGracePeriodSeconds"); ok {
		w.shutdown().GracePeriodSeconds = &grace
	}
	hook, path := spec.in("preStopHook"), spec.text("preStopHookPath")
	switch {
	case hook.has("exec"):
		command := mustList[string](hook.in("exec"), "command")
		hook.drop("exec")
		if seconds, ok := sleepSeconds(command); ok {
			w.shutdown().PreStopSleepSeconds = seconds
		} else {
			w.shutdown().PreStop = &v1.PreStopHook{Exec: &v1.ExecProbe{Command: command}}
		}
	case hook.has("http") || path != "":
		request := &v1.HTTPGetProbe{Path: cmp.Or(hook.in("http").text("path"), path)}
		if port, ok := hook.in("http").number("port"); ok {
			request.Port = new(intstr.FromInt32(port))
		}
		w.shutdown().PreStop = &v1.PreStopHook{HTTPGet: request}
		hook.drop("http")
	default:
		spec.note("preStopHook", nil, "it is not set, and a sleep of 5 seconds there, which is in spec.shutdown.preStopSleepSeconds")
		w.shutdown().PreStopSleepSeconds = 5
	}
	w.dropIfEmpty("preStopHook")
	if path != "" && hook.fields != nil {
		spec.note("preStopHookPath", path, "preStopHook is there too, and one of the two is done; it is that one")
	}
	if grace := ptr.Deref(w.shutdown().GracePeriodSeconds, 30); grace <= w.shutdown().PreStopSleepSeconds || grace == 0 && w.shutdown().PreStop != nil {
		spec.note("terminationGracePeriodSeconds", grace, "it ends before the pod has been told to end; the sleep or hook was left out: "+path)
		w.shutdown().PreStopSleepSeconds, w.shutdown().PreStop = 0, nil
	}
}

// readNaisReplicas reads how many pods run: two to four by CPU if nothing is said.
func (w *workload) readNaisReplicas(spec part) {
	of := spec.in("replicas")
	least, saysLeast := of.number("min")
	most, saysMost := of.number("max")
	if !saysLeast || !saysMost {
		of.note("", nil, "what is not set is there: min 2, max 4")
	}
	if !saysLeast {
		least = 2
	}
	if !saysMost {
		most = max(4, least)
	}
	fixed, _ := take[bool](of, "disableAutoScaling")
	cpu, aimed := of.number("cpuThresholdPercentage")
	if strategy := of.in("scalingStrategy"); strategy.in("cpu").has("thresholdPercentage") {
		cpu, aimed = strategy.in("cpu").number("thresholdPercentage")
	}
	switch {
	case fixed:
		w.app.Spec.Replicas = &most
		if least != most {
			of.note("min", least, fmt.Sprintf("without autoscaling there are max pods, %d", most))
		}
		return
	case least == 0:
		of.note("min", 0, "an autoscaler keeps at least one pod; set spec.suspend to have none")
		least = 1
		fallthrough
	default:
		w.replicasBetween(least, most)
	}
	if !aimed {
		cpu = 50
	}
	if w.app.Spec.Autoscaling != nil {
		w.scaling().TargetCPUUtilizationPercentage = &cpu
	}
}

// readSimpleStrategy reads how pods are replaced.
func (w *workload) readSimpleStrategy(strategy part) {
	w.readStrategyType(strategy)
	if surge, ok := take[intstr.IntOrString](strategy.in("rollingUpdate"), "maxSurge"); ok {
		w.rollout().MaxSurge = &surge
	}
	if unavailable, ok := take[intstr.IntOrString](strategy.in("rollingUpdate"), "maxUnavailable"); ok {
		w.rollout().MaxUnavailable = &unavailable
	}
	if len(strategy.in("rollingUpdate").fields) == 0 {
		strategy.drop("rollingUpdate")
	}
}

// readNaisIngresses makes rules of addresses.
func (w *workload) readNaisIngresses(spec part) {
	for i, text := range mustList[string](spec, "ingresses") {
		where := fmt.Sprintf("ingresses[%d]", i)
		address, err := url.Parse(text)
		if err != nil || address.Hostname() == "" {
			spec.note(where, text, "it is no address with a host; give spec.ingress.host")
			continue
		}
		if i == 0 {
			spec.note("ingresses", nil, "the certificate is the platform's there, and the ingress controller's own here; give spec.ingress.tlsSecretName if there is another")
		}
		if address.Port() != "" {
			spec.note(where, text, "an Ingress has no port: its controller serves 80 and 443")
		}
		w.addRule(v1.IngressRule{Host: address.Hostname(), Path: strings.TrimSuffix(address.Path, "/")})
	}
}

// readStrategyType takes one of the two ways in which pods are replaced.
func (w *workload) readStrategyType(strategy part) {
	if strategy.peek("type") == string(appsv1.RecreateDeploymentStrategyType) {
		strategy.drop("type")
		w.rollout().Strategy = appsv1.RecreateDeploymentStrategyType
	}
	strategy.dropIf("type", string(appsv1.RollingUpdateDeploymentStrategyType))
}

// addRule adds a host and path to spec.ingress.
func (w *workload) addRule(rule v1.IngressRule) {
	ingress := w.app.Spec.Ingress
	if ingress == nil {
		rule.Port = ""
		w.app.Spec.Ingress = &v1.IngressSpec{Host: rule.Host, Path: rule.Path, TLS: v1.IngressTLSControllerDefault}
		return
	}
	if rule.Host == ingress.Host {
		rule.Host = ""
	}
	known := rule.Host == "" && rule.Path == ingress.Path || slices.Contains(ingress.AdditionalRules, rule)
	if !known {
		ingress.AdditionalRules = append(ingress.AdditionalRules, rule)
	}
}

// readAccessPolicy reads who may connect, in the words of nais and skiperator.
func (w *workload) readAccessPolicy(spec part) {
	policy := spec.in("accessPolicy")
	if policy.fields == nil {
		spec.note("accessPolicy", nil, "nobody may connect there without it; without spec.networkPolicy everybody may")
		return
	}
	network := &v1.NetworkPolicySpec{}
	for _, rule := range policy.in("inbound").list("rules") {
		network.IngressFrom = append(network.IngressFrom, w.application(rule))
	}
	outbound := policy.in("outbound")
	for _, rule := range outbound.list("rules") {
		network.EgressTo = append(network.EgressTo, w.application(rule))
	}
	for _, external := range outbound.list("external") {
		w.readExternal(external, network)
	}
	outbound.dropEmpty("external")
	outbound.dropEmpty("rules")
	policy.in("inbound").dropEmpty("rules")
	for _, name := range []string{"inbound", "outbound"} {
		if len(policy.in(name).fields) == 0 {
			policy.drop(name)
		}
	}
	if w.app.Spec.Ingress != nil {
		policy.note("", nil, "the ingress controller may connect there too; add its namespace to spec.networkPolicy.ingressFrom")
	}
	if w.app.Spec.Monitoring != nil || spec.has("prometheus") {
		policy.note("", nil, "Prometheus may connect there too; add its namespace to spec.networkPolicy.ingressFrom")
	}
	w.app.Spec.NetworkPolicy = network
}

// application returns the peer that a rule calls an application: the pods of an Application of that name.
func (w *workload) application(rule part) v1.NetworkPeer {
	peer := v1.NetworkPeer{}
	name := rule.text("application")
	if name == "*" {
		peer.PodLabels = map[string]string{}
	} else {
		peer.PodLabels = map[string]string{resources.LabelName: name}
		rule.note("application", name, "it is an Application of that name; as long as it is not one, give its own labels in podLabels")
	}
	switch namespace := rule.text("namespace"); {
	case namespace == "*":
		peer.NamespaceLabels = map[string]string{}
	case namespace != "" && namespace != w.app.Namespace:
		peer.NamespaceLabels = map[string]string{corev1.LabelMetadataName: namespace}
	}
	if labels, ok := take[map[string]string](rule, "namespacesByLabel"); ok {
		peer.NamespaceLabels = labels
	}
	return peer
}

// readExternal reads an address outside the cluster.
func (w *workload) readExternal(external part, network *v1.NetworkPolicySpec) {
	var ports []v1.NetworkPort
	for _, port := range external.list("ports") {
		if number, ok := port.number("port"); ok {
			ports = append(ports, v1.NetworkPort{Port: new(intstr.FromInt32(number))})
		}
		port.drop("name", "protocol")
	}
	external.dropEmpty("ports")
	ip := cmp.Or(external.text("ip"), external.text("ipv4"))
	address, err := netip.ParseAddr(ip)
	if err != nil {
		external.note("host", external.peek("host"), "no policy of Kubernetes knows names; give addresses in spec.networkPolicy.egressTo[].cidr, or set "+
			"spec.networkPolicy.egress to Unrestricted")
		external.empty()
		return
	}
	external.remark("host", "the policy is about its address")
	network.EgressTo = append(network.EgressTo, v1.NetworkPeer{CIDR: netip.PrefixFrom(address, address.BitLen()).String(), Ports: ports})
}

// readSimplePrometheus reads how metrics are read.
func (w *workload) readSimplePrometheus(of part) {
	monitoring := &v1.MonitoringSpec{Path: of.text("path"), Interval: of.text("scrapeInterval")}
	if port, ok := take[intstr.IntOrString](of, "port"); ok {
		monitoring.Port = w.metricsPort(of, port.String())
	}
	if monitoring.Path == "/metrics" {
		monitoring.Path = ""
	}
	w.app.Spec.Monitoring = monitoring
}

// metricsPort returns the name of a port by its number or name. One that is not there is added.
func (w *workload) metricsPort(of part, text string) string {
	for i, entry := range w.ports {
		if fmt.Sprint(entry.number) == text || entry.name == text {
			if i == 0 {
				return ""
			}
			return entry.name
		}
	}
	var number int32
	if _, err := fmt.Sscan(text, &number); err != nil {
		of.note("port", text, "there is no port of this name; spec.port was taken")
		return ""
	}
	w.app.Spec.AdditionalPorts = append(w.app.Spec.AdditionalPorts, v1.AdditionalPort{Name: "metrics", Port: number})
	return "metrics"
}
