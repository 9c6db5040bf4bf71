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
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryLimitIsRefused holds the schema against testdata/invalid: whatever a property forbids, a case shows
// the refusal and its message.
func TestEveryLimitIsRefused(t *testing.T) {
	index := regexp.MustCompile(`\[\d+\]`)
	var shown []string
	for _, manifest := range loadManifests(t, "invalid") {
		for _, want := range manifest.wants {
			shown = append(shown, index.ReplaceAllString(want, "[*]"))
		}
	}
	visitSpec(t, func(path string, at *property) {
		for _, refusal := range refusals(path, at) {
			if !refusal.isIn(shown) {
				t.Errorf("no case in testdata/invalid wants: %s", refusal)
			}
		}
	})
}

// outOfReach are the edges that no value reaches, because a rule comes first: the shortest cidr is ::/0.
var outOfReach = []string{
	"spec.networkPolicy.egressTo[*].cidr has length 1",
	"spec.networkPolicy.ingressFrom[*].cidr has length 1",
	"spec.service.loadBalancerSourceRanges[*] has length 1",
}

// TestEveryEdgeIsAccepted holds the schema against testdata/valid: every field is given somewhere, and every limit
// and every enum value is reached somewhere.
func TestEveryEdgeIsAccepted(t *testing.T) {
	shown := map[string]bool{}
	for _, manifest := range loadManifests(t, "valid") {
		facts("spec", manifest.object["spec"], func(fact string) { shown[fact] = true })
	}
	var excused []string
	visitSpec(t, func(path string, at *property) {
		for _, name := range sortedKeys(at.Properties) {
			if fact := join(path, name) + " is given"; !isKubernetesType(path) && !shown[fact] {
				t.Errorf("no case in testdata/valid where %s", fact)
			}
		}
		for _, edge := range edges(path, at) {
			if slices.Contains(outOfReach, edge) {
				excused = append(excused, edge)
			}
			if shown[edge] == slices.Contains(outOfReach, edge) {
				t.Errorf("testdata/valid has a case where %s: %t", edge, shown[edge])
			}
		}
	})
	slices.Sort(excused)
	if diff := cmp.Diff(slices.Sorted(slices.Values(outOfReach)), excused); diff != "" {
		t.Errorf("edges out of reach (-want +in the schema):\n%s", diff)
	}
}

// TestEveryDefaultIsShown holds the schema against testdata/valid: for every default, a case leaves the field out
// and wants the default to be stored.
func TestEveryDefaultIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, manifest := range loadManifests(t, "valid") {
		given := map[string]bool{}
		facts("spec", manifest.object["spec"], func(fact string) { given[fact] = true })
		facts("spec", expectedSpec(manifest), func(fact string) {
			path, _, _ := strings.Cut(fact, " ")
			if !given[path+" is given"] {
				shown[fact] = true
			}
		})
	}
	defaults := map[string]string{}
	visitSpec(t, func(path string, at *property) {
		if at.Default == nil {
			return
		}
		defaults[path] = plain(at.Default)
		if fact := fmt.Sprintf("%s is %s", path, plain(at.Default)); !shown[fact] {
			t.Errorf("no case in testdata/valid that leaves %s out and wants it stored as %s", path, plain(at.Default))
		}
	})
	released := map[string]string{
		"spec.replicas":                        "1",
		"spec.deletionPolicy":                  "Delete",
		"spec.service.type":                    "ClusterIP",
		"spec.security.profile":                "Baseline",
		"spec.rollout.strategy":                "RollingUpdate",
		"spec.rollout.maxSurge":                "25%",
		"spec.rollout.maxUnavailable":          "0",
		"spec.rollout.minReadySeconds":         "0",
		"spec.rollout.progressDeadlineSeconds": "600",
		"spec.rollout.revisionHistoryLimit":    "3",
		"spec.shutdown.gracePeriodSeconds":     "30",
		"spec.shutdown.preStopSleepSeconds":    "0",
		"spec.autoscaling.minReplicas":         "1",
		"spec.disruptionBudget.enabled":        "true",
		"spec.ingress.path":                    "/",
		"spec.ingress.pathType":                "Prefix",
		"spec.httpRoute.path":                  "/",
		"spec.monitoring.path":                 "/metrics",
		"spec.monitoring.port":                 "http",
		"spec.monitoring.interval":             "30s",
	}
	if !maps.Equal(defaults, released) {
		t.Errorf("defaults are %v; released ones never change: %v", defaults, released)
	}
}

// TestEveryRuleNamesFieldAndRemedy reads the messages of the CEL rules: after what is wrong, each says what to do,
// and each is shown at the field that has to be changed.
func TestEveryRuleNamesFieldAndRemedy(t *testing.T) {
	remedy := regexp.MustCompile(`; (choose|correct|give|remove|set|use) `)
	rules := 0
	visitSpec(t, func(path string, at *property) {
		for _, rule := range at.Rules {
			rules++
			if !remedy.MatchString(rule.Message) {
				t.Errorf("%s: no remedy after a semicolon: %s", path, rule.Message)
			}
			if overFields := path == "" || at.Properties != nil; overFields && rule.FieldPath == "" {
				t.Errorf("%s: a rule over several fields needs a fieldPath: %s", path, rule.Message)
			}
			// The API server shows no message with this reason.
			if rule.Reason == "FieldValueDuplicate" {
				t.Errorf("%s: reason %s hides the message: %s", path, rule.Reason, rule.Message)
			}
		}
	})
	if rules == 0 {
		t.Error("found no rules")
	}
}

// TestEveryPropertyIsDescribed keeps kubectl explain useful. Of Kubernetes' own types only the first level counts:
// hack/crd cuts what is deeper, which kubectl explain pod.spec has in full.
func TestEveryPropertyIsDescribed(t *testing.T) {
	described := 0
	visit("", loadSchema(t), func(path string, at *property) {
		for _, name := range sortedKeys(at.Properties) {
			// controller-gen leaves metadata bare, and the API server describes it by itself.
			if at.Properties[name].Description == "" && join(path, name) != "metadata" {
				t.Errorf("%s has no description", join(path, name))
			}
			described++
		}
	})
	if described < 200 {
		t.Errorf("visited only %d properties", described)
	}
}

func sortedKeys[V any](of map[string]V) []string {
	return slices.Sorted(maps.Keys(of))
}
