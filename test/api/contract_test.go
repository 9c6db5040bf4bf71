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

package api

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contract lists the fields of spec that the API promises, and the fields below them that it names.
var contract = map[string][]string{
	"image":            nil,
	"imagePullPolicy":  nil,
	"imagePullSecrets": nil,
	"command":          nil,
	"args":             nil,
	"replicas":         nil,
	"port":             nil,
	"portName":         nil,
	"appProtocol":      nil,
	"additionalPorts":  {"[*].name", "[*].port", "[*].protocol", "[*].appProtocol", "[*].servicePort", "[*].nodePort"},
	"service": {
		".type", ".port", ".annotations", ".nodePort", ".externalTrafficPolicy", ".internalTrafficPolicy", ".sessionAffinity",
		".loadBalancerClass", ".loadBalancerSourceRanges",
	},
	"env":     {"[*].name", "[*].value", "[*].valueFrom"},
	"envFrom": {"[*].configMapRef", "[*].secretRef", "[*].prefix"},
	"files": {
		"[*].mountPath", "[*].readOnly", "[*].subPath", "[*].configMap", "[*].secret", "[*].emptyDir",
		"[*].persistentVolumeClaim.claimName", "[*].persistentVolumeClaim.size", "[*].persistentVolumeClaim.storageClassName",
		"[*].persistentVolumeClaim.accessModes", "[*].inline", "[*].projected", "[*].csi", "[*].downwardAPI", "[*].ephemeral", "[*].name",
	},
	"volumes": {
		"[*].name", "[*].configMap", "[*].secret", "[*].emptyDir", "[*].persistentVolumeClaim", "[*].inline", "[*].projected", "[*].csi",
		"[*].downwardAPI", "[*].ephemeral",
	},
	"resources":      {".requests", ".limits"},
	"probes":         withProbe(".liveness", ".readiness", ".startup"),
	"initContainers": {"[*].name", "[*].image", "[*].volumeMounts"},
	"sidecars":       {"[*].name", "[*].image", "[*].volumeMounts"},
	"rollout": {
		".strategy", ".maxSurge", ".maxUnavailable", ".minReadySeconds", ".progressDeadlineSeconds",
		".revisionHistoryLimit", ".restartOnConfigChange", ".failAfterSeconds",
	},
	"shutdown": {
		".gracePeriodSeconds", ".preStopSleepSeconds", ".preStop.exec.command", ".preStop.httpGet.path", ".preStop.httpGet.port",
	},
	"autoscaling": {
		".minReplicas", ".maxReplicas", ".targetCPUUtilizationPercentage", ".targetMemoryUtilizationPercentage",
		".metrics", ".behavior",
	},
	"disruptionBudget": {".enabled", ".maxUnavailable", ".minAvailable"},
	"ingress": {
		".host", ".path", ".pathType", ".className", ".tlsSecretName", ".annotations",
		".tls", ".additionalRules[*].host", ".additionalRules[*].path", ".additionalRules[*].pathType", ".additionalRules[*].port",
	},
	"httpRoute": {".parentRefs", ".hostnames", ".path", ".annotations"},
	"networkPolicy": {
		".ingressFrom[*].podLabels", ".ingressFrom[*].namespaceLabels", ".ingressFrom[*].cidr",
		".ingressFrom[*].ports[*].port", ".ingressFrom[*].ports[*].endPort", ".ingressFrom[*].ports[*].protocol",
		".egressTo[*].ports[*].port", ".egressTo[*].ports[*].endPort", ".egressTo[*].ports[*].protocol", ".ingress", ".egress",
		".egressTo[*].podLabels", ".egressTo[*].namespaceLabels", ".egressTo[*].cidr",
	},
	"serviceAccount": {".name", ".annotations", ".automountToken"},
	"monitoring":     {".path", ".port", ".interval", ".labels", ".scheme"},
	"scheduling": {
		".nodeSelector", ".tolerations", ".affinity", ".topologySpreadConstraints", ".priorityClassName",
		".runtimeClassName",
	},
	"podMetadata":    {".labels", ".annotations"},
	"objectMetadata": {".labels", ".annotations"},
	"security": {
		".profile", ".runAsUser", ".runAsGroup", ".fsGroup", ".readOnlyRootFilesystem", ".capabilities.add", ".capabilities.drop",
		".fsGroupChangePolicy", ".supplementalGroups", ".hostUsers",
	},
	"schedules": {
		"[*].name", "[*].schedule", "[*].timeZone", "[*].command", "[*].args", "[*].concurrencyPolicy", "[*].startingDeadlineSeconds",
		"[*].activeDeadlineSeconds", "[*].backoffLimit", "[*].suspend", "[*].resources", "[*].successfulJobsHistoryLimit",
		"[*].failedJobsHistoryLimit",
	},
	"release":            {".command", ".args", ".activeDeadlineSeconds", ".backoffLimit", ".resources.requests", ".resources.limits"},
	"enableServiceLinks": nil,
	"suspend":            nil,
	"paused":             nil,
	"deletionPolicy":     nil,
}

// statusContract lists the promised fields of status. Beside them are replicaSummary, for kubectl get alone, and autoscaled, which
// the operator remembers (decision 0026).
var statusContract = []string{
	"observedGeneration", "replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "selector", "url",
	"image", "currentRevision", "updateRevision", "schedules", "conditions",
}

func withProbe(kinds ...string) []string {
	var fields []string
	for _, kind := range kinds {
		for _, field := range []string{
			".httpGet.port", ".tcpSocket.port", ".grpc.port", ".exec.command", ".initialDelaySeconds",
			".periodSeconds", ".timeoutSeconds", ".successThreshold", ".failureThreshold",
		} {
			fields = append(fields, kind+field)
		}
	}
	return fields
}

// TestSpecContract holds the schema to the promised names. A field that the contract does not have would be one
// that nobody has agreed to keep.
func TestSpecContract(t *testing.T) {
	spec := loadSchema(t).Properties["spec"]
	if diff := cmp.Diff(sortedKeys(contract), sortedKeys(spec.Properties)); diff != "" {
		t.Errorf("fields of spec (-contract +schema):\n%s", diff)
	}
	there := map[string]bool{}
	visitAll("", spec, func(path string, _ *property) { there[path] = true })
	for _, name := range sortedKeys(contract) {
		for _, below := range contract[name] {
			if !there[name+below] {
				t.Errorf("spec.%s is not in the schema", name+below)
			}
		}
	}
	if diff := cmp.Diff([]string{"image"}, spec.Required); diff != "" {
		t.Errorf("required fields of spec (-contract +schema):\n%s", diff)
	}
}

// TestStatusContract does the same for status.
func TestStatusContract(t *testing.T) {
	want := slices.Sorted(slices.Values(append(statusContract, "autoscaled", "replicaSummary")))
	if diff := cmp.Diff(want, sortedKeys(loadSchema(t).Properties["status"].Properties)); diff != "" {
		t.Errorf("fields of status (-contract +schema):\n%s", diff)
	}
}
