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

package resources

import (
	"fmt"
	"iter"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// The annotation that keeps Argo CD from deleting an object that it takes for its own.
const (
	annotationSyncOptions = "argocd.argoproj.io/sync-options"
	doNotPrune            = "Prune=false"
)

// LiveClaim is what a claim that was made for the Application says of itself. Its size can grow, and nothing else of it can change.
type LiveClaim struct {
	// Size is what the claim asks for.
	Size resource.Quantity
	// AccessModes are the claim's.
	AccessModes []corev1.PersistentVolumeAccessMode
	// StorageClassName is the claim's class, or nil if it has none or one that was not the operator's to give.
	StorageClassName *string
}

// PersistentVolumeClaim returns one claim for each that the spec gives a size.
func PersistentVolumeClaim(in Inputs) ([]*corev1ac.PersistentVolumeClaimApplyConfiguration, error) {
	app := in.Application
	var configs []*corev1ac.PersistentVolumeClaimApplyConfiguration
	for name, source := range madeClaims(in) {
		spec, err := claimSpec(source.PersistentVolumeClaim, in.Claims[name])
		if err != nil {
			return nil, fmt.Errorf("%s.persistentVolumeClaim.size: %w", source.field, err)
		}
		configs = append(configs, corev1ac.PersistentVolumeClaim(name, app.Namespace).
			WithLabels(claimLabels(app)).
			WithAnnotations(objectAnnotations(app)).
			WithAnnotations(map[string]string{annotationSyncOptions: doNotPrune}).
			WithSpec(spec))
	}
	return configs, nil
}

// madeClaims returns the sources of the claims that are made, by the claims' names. The claim of an earlier revision is as large as the
// spec says.
func madeClaims(in Inputs) iter.Seq2[string, namedSource] {
	return func(yield func(string, namedSource) bool) {
		seen := map[string]bool{}
		needed := map[string]bool{}
		for _, app := range in.Running() {
			for _, source := range sourcesOf(app) {
				if isMade(source.PersistentVolumeClaim) {
					needed[ownedName(app, source.name)] = true
				}
			}
		}
		for _, app := range []*v1.Application{in.Application, in.ofPods().Application} {
			for _, source := range sourcesOf(app) {
				name := ownedName(app, source.name)
				if !isMade(source.PersistentVolumeClaim) || !needed[name] || seen[name] {
					continue
				}
				seen[name] = true
				if !yield(name, source) {
					return
				}
			}
		}
	}
}

// PersistentVolumeClaimNames returns the names of the claims.
func PersistentVolumeClaimNames(in Inputs) []string {
	var names []string
	for name := range madeClaims(in) {
		names = append(names, name)
	}
	return names
}

// claimSpec returns the spec of a claim: of one that exists, as it is, except that it may grow.
func claimSpec(claim *v1.ClaimSource, live *LiveClaim) (*corev1ac.PersistentVolumeClaimSpecApplyConfiguration, error) {
	size, err := resource.ParseQuantity(claim.Size)
	if err != nil {
		return nil, err
	}
	modes := claim.AccessModes
	if len(modes) == 0 {
		modes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	}
	class := claim.StorageClassName
	if live != nil {
		modes, class = live.AccessModes, live.StorageClassName
		if live.Size.Cmp(size) > 0 {
			size = live.Size
		}
	}
	requests := corev1.ResourceList{corev1.ResourceStorage: size}
	roundUp(&requests)
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(modes...).
		WithResources(corev1ac.VolumeResourceRequirements().WithRequests(requests))
	spec.StorageClassName = ptrCopy(class)
	return spec, nil
}

// claimLabels returns a claim's labels: none by which a tool would take it for a part of what it has deployed, and would delete
// it with the rest.
func claimLabels(app *v1.Application) map[string]string {
	labels := map[string]string{}
	if app.Spec.ObjectMetadata != nil {
		maps.Copy(labels, app.Spec.ObjectMetadata.Labels)
	}
	maps.DeleteFunc(labels, func(key, _ string) bool { return strings.HasPrefix(key, "app.kubernetes.io/") })
	labels[LabelApplication] = app.Name
	return labels
}

// PersistentVolumeClaimFields names the fields of the claim of this name.
func PersistentVolumeClaimFields(app *v1.Application, name string) FieldNames {
	for _, source := range sourcesOf(app) {
		if isMade(source.PersistentVolumeClaim) && ownedName(app, source.name) == name {
			claim := source.field + ".persistentVolumeClaim"
			return append(objectFields(), FieldNames{
				{"metadata.name", source.field + source.nameField},
				{"spec", claim},
				{"spec.resources.requests", claim + ".size"},
				{"spec.resources.requests.storage", claim + ".size"},
				{"spec.resources.requests[storage]", claim + ".size"},
				{"spec.storageClassName", claim + ".storageClassName"},
				{"spec.accessModes", claim + ".accessModes*"},
			}...)
		}
	}
	return nil
}
