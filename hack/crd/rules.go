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

package main

// rule is a rule in CEL, where the refusal is shown, and what it says.
type rule struct{ fieldPath, rule, message string }

// containerRules refuse what the API server would refuse of the pods later: what is given twice in one container.
var containerRules = []rule{
	{
		".ports",
		"!has(self.ports) || self.ports.all(p, self.ports.exists_one(q, q.containerPort == p.containerPort && " +
			"(has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP')))",
		"a container may have each containerPort once per protocol, which is TCP where it is not given; " +
			"remove the repeated port",
	},
	{
		".ports",
		"!has(self.ports) || self.ports.all(p, !has(p.name) || p.name == '' || " +
			"self.ports.exists_one(q, has(q.name) && q.name == p.name))",
		"a container may have each port name once; give the port another name",
	},
	{
		".ports",
		"!has(self.ports) || self.ports.all(p, !has(p.hostPort) || p.hostPort == 0 || self.ports.exists_one(q, " +
			"has(q.hostPort) && q.hostPort == p.hostPort && (has(q.hostIP) ? q.hostIP : '') == (has(p.hostIP) ? p.hostIP : '') && " +
			"(has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP')))",
		"a container may take each hostPort once per protocol and hostIP; choose another hostPort",
	},
	{
		".resizePolicy",
		"!has(self.resizePolicy) || self.resizePolicy.all(p, self.resizePolicy.exists_one(q, q.resourceName == p.resourceName))",
		"there is one resizePolicy for each resource; remove the repeated one",
	},
	{
		".volumeDevices",
		"!has(self.volumeDevices) || self.volumeDevices.all(d, self.volumeDevices.exists_one(e, e.name == d.name) && " +
			"(!has(self.volumeMounts) || !self.volumeMounts.exists(m, m.name == d.name || m.mountPath == d.devicePath)))",
		"a volume is given to a container once, as a device or mounted, and a path is used once; remove the repeated one",
	},
}

// affinityRules refuse what the API server would refuse of the pods later: a key that selects in two ways.
var affinityRules = []rule{
	{
		".matchLabelKeys",
		"!has(self.matchLabelKeys) || !has(self.mismatchLabelKeys) || " +
			"self.matchLabelKeys.all(k, !(k in self.mismatchLabelKeys))",
		"a key is in mismatchLabelKeys, too; remove it from one of the two",
	},
	spreadRule,
}

var spreadRule = rule{
	".matchLabelKeys",
	"!has(self.matchLabelKeys) || !has(self.labelSelector) || self.matchLabelKeys.all(k, " +
		"!(has(self.labelSelector.matchLabels) && k in self.labelSelector.matchLabels) && " +
		"!(has(self.labelSelector.matchExpressions) && self.labelSelector.matchExpressions.exists(e, e.key == k)))",
	"a key is in labelSelector, too; remove it from one of the two",
}

// ownLabelsRule is about a constraint without labelSelector, which the operator gives its own labels.
var ownLabelsRule = rule{
	".matchLabelKeys",
	"has(self.labelSelector) || !has(self.matchLabelKeys) || self.matchLabelKeys.all(k, " +
		"!(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by']))",
	"without labelSelector the pods are selected by app.kubernetes.io/name, app.kubernetes.io/instance and " +
		"app.kubernetes.io/managed-by already; remove the key, or give a labelSelector",
}

// rulesAt are the rules of those items that no marker can reach, by their paths.
var rulesAt = map[string][]rule{
	"spec.initContainers[]": containerRules,
	"spec.sidecars[]":       containerRules,

	"spec.scheduling.topologySpreadConstraints[]": {spreadRule, ownLabelsRule},

	affinity + "podAffinity." + required + "[]":                      affinityRules,
	affinity + "podAffinity." + preferred + "[].podAffinityTerm":     affinityRules,
	affinity + "podAntiAffinity." + required + "[]":                  affinityRules,
	affinity + "podAntiAffinity." + preferred + "[].podAffinityTerm": affinityRules,
}

const (
	affinity  = "spec.scheduling.affinity."
	required  = "requiredDuringSchedulingIgnoredDuringExecution"
	preferred = "preferredDuringSchedulingIgnoredDuringExecution"
)

// addRules adds the rules of this path, and returns at how many paths it has: at one, or at none.
func addRules(path string, property map[string]any) int {
	rules, ok := rulesAt[path]
	if !ok {
		return 0
	}
	all, _ := property["x-kubernetes-validations"].([]any)
	for _, add := range rules {
		all = append(all, map[string]any{
			"fieldPath": add.fieldPath, "message": add.message, "reason": "FieldValueInvalid", "rule": add.rule,
		})
	}
	property["x-kubernetes-validations"] = all
	return 1
}
