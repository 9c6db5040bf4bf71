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

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/view"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// readClaims looks for the claims that the pods wait for, where the condition says that they wait for any, and whether the cluster has what
// those wait for. Who may not see StorageClasses is not told of them.
func (r *reading) readClaims(ctx context.Context, connection *cli.Connection) error {
	_, condition := view.VerdictOf(r.Application())
	if condition == nil || condition.Reason != v1.ReasonUnschedulable || !status.WaitsForVolume(condition.Message) {
		return nil
	}
	list := &corev1.PersistentVolumeClaimList{}
	if err := connection.List(ctx, list, client.InNamespace(r.Application().Namespace)); err != nil {
		return r.see(resources.KindPersistentVolumeClaim, err)
	}
	classes := &metav1.PartialObjectMetadataList{}
	classes.SetGroupVersionKind(storagev1.SchemeGroupVersion.WithKind("StorageClassList"))
	err := connection.List(ctx, classes)
	if err != nil && cli.MissingRight(err) == nil {
		return err
	}
	used := claimsOf(r.Pods)
	for i := range list.Items {
		claim := &list.Items[i]
		if claim.Spec.VolumeName != "" || !used[claim.Name] {
			continue
		}
		unbound := view.Claim{UnboundClaim: status.UnboundClaim{Name: claim.Name, StorageClassName: claim.Spec.StorageClassName}}
		if err == nil {
			unbound.Missing = missingClass(classes, claim.Spec.StorageClassName)
		}
		r.Unbound = append(r.Unbound, unbound)
	}
	return nil
}

// claimsOf returns the names of the claims that pods use.
func claimsOf(pods []corev1.Pod) map[string]bool {
	used := map[string]bool{}
	for i := range pods {
		for _, volume := range pods[i].Spec.Volumes {
			if volume.PersistentVolumeClaim != nil {
				used[volume.PersistentVolumeClaim.ClaimName] = true
			}
			if volume.Ephemeral != nil {
				used[pods[i].Name+"-"+volume.Name] = true
			}
		}
	}
	return used
}

// defaultClass marks the StorageClass of the claims that name none (kubernetes pkg/apis/storage/util).
const defaultClass = "storageclass.kubernetes.io/is-default-class"

// missingClass says that the cluster has not the StorageClass that a claim names, or no default one for a claim that names none; "" if it has.
func missingClass(classes *metav1.PartialObjectMetadataList, name *string) string {
	switch {
	case name == nil && !slices.ContainsFunc(classes.Items, func(class metav1.PartialObjectMetadata) bool { return class.Annotations[defaultClass] == "true" }):
		return "the cluster has no default StorageClass"
	case name != nil && *name != "" &&
		!slices.ContainsFunc(classes.Items, func(class metav1.PartialObjectMetadata) bool { return class.Name == *name }):
		return "the cluster has no StorageClass " + *name
	default:
		return ""
	}
}
