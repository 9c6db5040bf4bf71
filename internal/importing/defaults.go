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
	"strings"
)

// defaults are values by their paths, in which [] is each item of a list. A field that says no more is not looked at.
type defaults map[string]any

// anything is a default whatever the value: the API server, controllers and kubectl write it.
type anything struct{}

// bookkeeping is what others than users write into each object.
var bookkeeping = defaults{
	"metadata.annotations.serving.knative.dev/creator":      anything{},
	"metadata.annotations.serving.knative.dev/lastModifier": anything{},
	"status":                     anything{},
	"metadata.uid":               anything{},
	"metadata.resourceVersion":   anything{},
	"metadata.generation":        anything{},
	"metadata.creationTimestamp": anything{},
	"metadata.managedFields":     anything{},
	"metadata.selfLink":          anything{},
	"metadata.annotations.kubectl.kubernetes.io/last-applied-configuration": anything{},
	"metadata.annotations.deployment.kubernetes.io/revision":                anything{},
	"metadata.annotations.deprecated.deployment.rollback.to":                anything{},
	"metadata.annotations.autoscaling.alpha.kubernetes.io/conditions":       anything{},
}

// containerDefaults are Kubernetes' own, and what the operator sets everywhere.
var containerDefaults = defaults{
	"terminationMessagePath": "/dev/termination-log", "workingDir": "", "stdin": false, "stdinOnce": false, "tty": false,
	"resources.claims": []any{}, "ports[].protocol": "TCP", "ports[].hostPort": 0,
	"env[].valueFrom.fieldRef.apiVersion": "v1", "env[].valueFrom.resourceFieldRef.divisor": "0",
	"volumeMounts[].readOnly": false, "volumeMounts[].subPath": "", "volumeMounts[].recursiveReadOnly": "Disabled",
}

var probeDefaults = defaults{
	"periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3, "initialDelaySeconds": 0,
	"httpGet.scheme": "HTTP", "grpc.service": "",
}

// podDefaults are those of a pod's spec, and of its metadata.
var podDefaults = under("spec", defaults{
	"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
	"hostNetwork": false, "hostPID": false, "hostIPC": false, "shareProcessNamespace": false, "enableServiceLinks": true,
	"preemptionPolicy": "PreemptLowerPriority", "priority": anything{}, "hostUsers": true, "setHostnameAsFQDN": false, "hostname": "", "subdomain": "",
	"volumes[].configMap.defaultMode": 420, "volumes[].secret.defaultMode": 420, "volumes[].projected.defaultMode": 420,
	"volumes[].downwardAPI.defaultMode": 420, "volumes[].downwardAPI.items[].fieldRef.apiVersion": "v1",
	"volumes[].configMap.optional": false, "volumes[].secret.optional": false, "volumes[].emptyDir.medium": "",
	"volumes[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion":      "v1",
	"volumes[].projected.sources[].downwardAPI.items[].resourceFieldRef.divisor": "0",
	"volumes[].projected.sources[].serviceAccountToken.expirationSeconds":        3600,
	"volumes[].projected.sources[].podCertificate.maxExpirationSeconds":          86400,
	"volumes[].downwardAPI.items[].resourceFieldRef.divisor":                     "0",
	"volumes[].persistentVolumeClaim.readOnly":                                   false,
	"volumes[].ephemeral.volumeClaimTemplate.spec.volumeMode":                    "Filesystem",
	"securityContext.fsGroupChangePolicy":                                        "Always",
}, ofContainers()).with(defaults{
	"metadata.creationTimestamp":                             anything{},
	"metadata.annotations.kubectl.kubernetes.io/restartedAt": anything{},
})

// ofContainers returns the defaults of all containers of a pod.
func ofContainers() defaults {
	all := defaults{}
	for _, list := range []string{"containers[]", "initContainers[]"} {
		maps.Copy(all, under(list, containerDefaults))
		for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe", "lifecycle.preStop"} {
			maps.Copy(all, under(list+"."+probe, probeDefaults))
		}
	}
	return all
}

// workloadDefaults are those of the kinds.
var workloadDefaults = map[string]defaults{
	"Deployment": under("spec.template", podDefaults).with(defaults{
		"spec.progressDeadlineSeconds": 600, "spec.strategy.type": "RollingUpdate",
		"spec.strategy.rollingUpdate.maxSurge": "25%", "spec.paused": false,
		"spec.minReadySeconds": 0,
	}),
	"Service": {
		"spec.type": "ClusterIP", "spec.sessionAffinity": "None", "spec.internalTrafficPolicy": "Cluster", "spec.externalTrafficPolicy": "Cluster",
		"spec.allocateLoadBalancerNodePorts": true, "spec.ipFamilyPolicy": "SingleStack", "spec.publishNotReadyAddresses": false,
		"spec.ports[].protocol": "TCP", "spec.ports[].nodePort": 0, "spec.sessionAffinityConfig.clientIP.timeoutSeconds": 10800,
		"spec.healthCheckNodePort": anything{},
	},
	"HTTPRoute": {
		"spec.parentRefs[].group": "gateway.networking.k8s.io", "spec.parentRefs[].kind": "Gateway",
		"spec.rules[].backendRefs[].group": "", "spec.rules[].backendRefs[].kind": "Service", "spec.rules[].backendRefs[].weight": 1,
		"spec.rules[].matches[].path.type": "PathPrefix",
	},
	"PodDisruptionBudget": {"spec.unhealthyPodEvictionPolicy": "IfHealthyBudget"},
	"NetworkPolicy":       {"spec.ingress[].ports[].protocol": "TCP", "spec.egress[].ports[].protocol": "TCP"},
	"CronJob": under("spec.jobTemplate.spec.template", podDefaults).with(defaults{
		"spec.concurrencyPolicy": "Allow", "spec.suspend": false, "spec.successfulJobsHistoryLimit": 3, "spec.failedJobsHistoryLimit": 1,
		"spec.jobTemplate.spec.backoffLimit": 6, "spec.jobTemplate.spec.completions": 1, "spec.jobTemplate.spec.parallelism": 1,
		"spec.jobTemplate.spec.completionMode": "NonIndexed", "spec.jobTemplate.spec.suspend": false,
		"spec.jobTemplate.metadata.creationTimestamp": anything{},
	}),
	"Job": under("spec.template", podDefaults).with(defaults{
		"spec.completions": 1, "spec.parallelism": 1, "spec.completionMode": "NonIndexed", "spec.suspend": false, "spec.manualSelector": false,
		"spec.podReplacementPolicy": "TerminatingOrFailed",
	}),
}

// defaultsOf returns the defaults of a kind.
func defaultsOf(apiVersion, kind string) defaults {
	all := maps.Clone(bookkeeping)
	if !ofKubernetes(apiVersion, kind) {
		return all
	}
	maps.Copy(all, workloadDefaults[kind])
	return all
}

// ofKubernetes reports whether a kind is Kubernetes' own.
func ofKubernetes(apiVersion, kind string) bool {
	return kind != "" && apiVersion != compose && (!strings.Contains(apiVersion, ".") || strings.Contains(apiVersion, ".k8s.io/"))
}

// under returns defaults below a path.
func under(path string, all ...defaults) defaults {
	moved := defaults{}
	for _, each := range all {
		for name, value := range each {
			moved[path+"."+name] = value
		}
	}
	return moved
}

func (d defaults) with(more defaults) defaults {
	maps.Copy(d, more)
	return d
}

// dropDefaults removes from an object what is a default.
func dropDefaults(object map[string]any, all defaults) {
	for path, value := range all {
		dropAt(object, path, value)
	}
}

// dropAt removes the field at the path, if it has the value. A name may have dots itself, as annotations have.
func dropAt(object map[string]any, path string, value any) {
	if field, ok := object[path]; ok {
		if _, always := value.(anything); always || same(field, value) {
			delete(object, path)
		}
		return
	}
	for i := range path {
		if path[i] != '.' {
			continue
		}
		name, isList := strings.CutSuffix(path[:i], "[]")
		switch next := object[name].(type) {
		case map[string]any:
			if had := len(next); !isList {
				if dropAt(next, path[i+1:], value); had > 0 && len(next) == 0 && keepsNothing(name) {
					delete(object, name)
				}
			}
			return
		case []any:
			for _, item := range next {
				if fields, ok := item.(map[string]any); ok && isList {
					dropAt(fields, path[i+1:], value)
				}
			}
			return
		}
	}
}

// keepsNothing reports whether an object of this name says nothing when it is empty.
func keepsNothing(name string) bool {
	return name == "annotations" || name == "rollingUpdate" || name == "strategy" || name == "metadata" || name == "sessionAffinityConfig" ||
		name == "clientIP" || name == "fieldRef"
}
