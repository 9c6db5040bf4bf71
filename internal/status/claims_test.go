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

package status

import (
	"testing"

	v1 "github.com/example/app-operator/api/v1"
)

// TestClaimsThatPodsWaitFor holds that a message names the claims that have no volume, where the scheduler speaks of such.
func TestClaimsThatPodsWaitFor(t *testing.T) {
	class, none := "fast", ""
	const unbound = "pod a: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
	for name, test := range map[string]struct {
		reason, words string
		claims        []UnboundClaim
		want          string
	}{
		"a class":          {v1.ReasonUnschedulable, unbound, []UnboundClaim{{"web-data", &class}}, unbound + "; claim web-data waits for a volume of StorageClass fast"},
		"the default":      {v1.ReasonUnschedulable, unbound, []UnboundClaim{{"web-data", nil}}, unbound + "; claim web-data names no StorageClass and waits for the cluster's default one"},
		"no class":         {v1.ReasonUnschedulable, unbound, []UnboundClaim{{"web-data", &none}}, unbound + "; claim web-data waits for a volume without a StorageClass"},
		"nothing is known": {v1.ReasonUnschedulable, unbound, nil, unbound},
		"late binding": {
			v1.ReasonUnschedulable, "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.",
			[]UnboundClaim{{"a", &class}},
			"0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.; claim a waits for a volume of StorageClass fast",
		},
		"another cause": {v1.ReasonUnschedulable, "0/1 nodes are available: 1 Insufficient cpu.", []UnboundClaim{{"a", &class}}, "0/1 nodes are available: 1 Insufficient cpu."},
		"another fault": {v1.ReasonCrashLooping, unbound, []UnboundClaim{{"a", &class}}, unbound},
		"many": {
			v1.ReasonUnschedulable, unbound,
			[]UnboundClaim{{"a", &class}, {"b", &class}, {"c", &class}, {"d", &class}},
			unbound + "; claim a waits for a volume of StorageClass fast; claim b waits for a volume of StorageClass fast; claim c waits for a volume of StorageClass fast",
		},
	} {
		before := []PodFault{{Reason: test.reason, Message: test.words}}
		if got := WithClaims(before, test.claims); got[0].Message != test.want {
			t.Errorf("%s: %q, want %q", name, got[0].Message, test.want)
		}
		if before[0].Message != test.words {
			t.Errorf("%s: the fault itself was changed", name)
		}
	}
}
