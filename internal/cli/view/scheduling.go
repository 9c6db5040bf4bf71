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

package view

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/example/app-operator/internal/status"
)

// Claim is a PersistentVolumeClaim of the pods that has no volume.
type Claim struct {
	status.UnboundClaim
	// Missing says what the cluster has not that it waits for; "" for nothing, or where that could not be seen.
	Missing string
}

// hindrance is one of the causes for which the scheduler finds no node.
type hindrance struct {
	words *regexp.Regexp
	do    string
	next  []string
}

const (
	claims = "kubectl describe pvc -n NAMESPACE"
	nodes  = "kubectl describe nodes"
)

// hindrances are told apart by the words of the scheduler's plugins (kubernetes pkg/scheduler/framework/plugins, as of 1.36; the constants
// ErrReason... and the reasons of noderesources and tainttoleration, with what they were called in 1.33). The message begins with
// "0/N nodes are available: " and has each of them, with how many nodes it concerns (FitError in pkg/scheduler/framework/types.go). These
// words are no API: one that is not known has the advice of the reason alone.
var hindrances = []hindrance{
	{
		regexp.MustCompile(`Insufficient ([a-z0-9./-]*[a-z0-9])`),
		"no node has so much $1 left: lower spec.resources.requests, or add nodes",
		[]string{edit, nodes},
	},
	{regexp.MustCompile(`Too many pods`), "nodes have as many pods as they may: add nodes", []string{nodes}},
	{
		regexp.MustCompile(`untolerated taint|taints that the pod didn't tolerate`),
		"nodes have taints: tolerate them in spec.scheduling.tolerations, or have them removed",
		[]string{"kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints", edit},
	},
	{
		regexp.MustCompile(`didn't match Pod's node affinity/selector`),
		"nodes do not have the labels that spec.scheduling.nodeSelector or affinity asks for: change it, or label nodes",
		[]string{"kubectl get nodes --show-labels", edit},
	},
	{
		regexp.MustCompile(`didn't match pod affinity rules`),
		"there is no pod beside which spec.scheduling.affinity asks for this one: change it, or start that pod",
		[]string{edit},
	},
	{
		regexp.MustCompile(`didn't match pod anti-affinity rules|didn't satisfy existing pods anti-affinity rules`),
		"each node has a pod beside which this one must not be: relax podAntiAffinity, lower the replicas, or add nodes",
		[]string{edit},
	},
	{
		regexp.MustCompile(`didn't match pod topology spread constraints`),
		"spec.scheduling.topologySpreadConstraints allow no node: relax them, or add nodes with the label that they name",
		[]string{"kubectl get nodes --show-labels", edit},
	},
	{
		regexp.MustCompile(`node\(s\) were unschedulable`),
		"nodes are cordoned: have them uncordoned, or add nodes",
		[]string{"kubectl get nodes"},
	},
	{regexp.MustCompile(`didn't have free ports`), "the hostPort of a container is taken on each node: change it, or add nodes", []string{edit}},
	{
		regexp.MustCompile(strings.Join(status.WordsOfUnboundClaims(), "|")),
		"a claim has no volume yet: see that its StorageClass exists and can provision one",
		[]string{claims, "kubectl get storageclasses"},
	},
	{
		regexp.MustCompile(`didn't match PersistentVolume's node affinity|volume node affinity conflict|no available volume zone`),
		"the volume of a claim is in another zone or on another node than those with room: add nodes there",
		[]string{claims},
	},
	{
		regexp.MustCompile(`did not have enough free storage|exceed max volume count`),
		"nodes have no room for another volume: ask for a smaller one, or add nodes",
		[]string{claims},
	},
	{
		regexp.MustCompile(`bound to non-existent pv|ReadWriteOncePod access mode already in-use|had no available disk`),
		"the volume of a claim is gone or in use by another pod: see who uses it",
		[]string{claims},
	},
}

// hindrancesIn returns what to do about each cause that a message of the scheduler names, and the commands that show more.
func hindrancesIn(message string) Advice {
	var found Advice
	for _, each := range hindrances {
		var told []string
		for _, words := range each.words.FindAllStringSubmatchIndex(message, -1) {
			if do := string(each.words.ExpandString(nil, each.do, message, words)); !slices.Contains(told, do) {
				told = append(told, do)
			}
		}
		if len(told) == 0 {
			continue
		}
		found.Do += "\n  - " + strings.Join(told, "\n  - ")
		for _, command := range each.next {
			if !slices.Contains(found.Next, command) {
				found.Next = append(found.Next, command)
			}
		}
	}
	return found
}

// claimWords returns what is said of the claims that pods wait for, but for what a message says of them already.
func (f *Facts) claimWords(message string) []string {
	var words []string
	for _, claim := range f.Unbound {
		told := strings.Contains(message, claim.String())
		switch {
		case told && claim.Missing != "":
			words = append(words, claim.Missing)
		case claim.Missing != "":
			words = append(words, fmt.Sprintf("%s: %s", &claim.UnboundClaim, claim.Missing))
		case !told:
			words = append(words, claim.String())
		}
	}
	return words
}
