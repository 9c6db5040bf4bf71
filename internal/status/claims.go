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
	"fmt"
	"slices"
	"strings"

	v1 "github.com/example/app-operator/api/v1"
)

// UnboundClaim is a PersistentVolumeClaim of the pods that has no volume.
type UnboundClaim struct {
	Name string
	// StorageClassName is what its spec says; nil for nothing.
	StorageClassName *string
}

// String says what the claim waits for. Kubernetes gives a claim without a class the cluster's default one, when it is made or as soon as
// there is one (kubernetes pkg/controller/volume/persistentvolume, assignDefaultStorageClass).
func (c UnboundClaim) String() string {
	switch {
	case c.StorageClassName == nil:
		return fmt.Sprintf("claim %s names no StorageClass and waits for the cluster's default one", c.Name)
	case *c.StorageClassName == "":
		return fmt.Sprintf("claim %s waits for a volume without a StorageClass", c.Name)
	default:
		return fmt.Sprintf("claim %s waits for a volume of StorageClass %s", c.Name, *c.StorageClassName)
	}
}

// waitsForVolume is how the scheduler says that a pod waits for a claim to have a volume (kubernetes
// pkg/scheduler/framework/plugins/volumebinding, PreFilter and ErrReasonBindConflict). It does not say which claim.
var waitsForVolume = []string{"unbound immediate PersistentVolumeClaims", "didn't find available persistent volumes to bind"}

// WordsOfUnboundClaims returns how the scheduler says that a claim has no volume.
func WordsOfUnboundClaims() []string { return slices.Clone(waitsForVolume) }

// WaitsForVolume reports whether these words of the scheduler say that a claim has no volume.
func WaitsForVolume(words string) bool {
	return slices.ContainsFunc(waitsForVolume, func(said string) bool { return strings.Contains(words, said) })
}

// maxClaims is how many claims a message names.
const maxClaims = 3

// WithClaims returns the faults with the claims that pods wait for.
func WithClaims(faults []PodFault, unbound []UnboundClaim) []PodFault {
	explained := slices.Clone(faults)
	for i := range explained {
		if explained[i].Reason != v1.ReasonUnschedulable || !WaitsForVolume(explained[i].Message) {
			continue
		}
		for _, claim := range unbound[:min(len(unbound), maxClaims)] {
			explained[i].Message += "; " + claim.String()
		}
	}
	return explained
}
