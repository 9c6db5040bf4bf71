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
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/example/app-operator/api/v1"
)

// TestAClaimThatExistsOnlyGrows holds that nothing is asked of a claim that Kubernetes does not change.
func TestAClaimThatExistsOnlyGrows(t *testing.T) {
	claim := v1.ClaimSource{Size: "2Gi", StorageClassName: new("fast"), AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}}
	app := &v1.Application{}
	app.Name = "my-app"
	app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &claim}}}
	once := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	for name, test := range map[string]struct {
		live  *LiveClaim
		size  string
		class *string
		modes []corev1.PersistentVolumeAccessMode
	}{
		"a new one":                {nil, "2Gi", new("fast"), claim.AccessModes},
		"a smaller one":            {&LiveClaim{resource.MustParse("1Gi"), once, new("slow")}, "2Gi", new("slow"), once},
		"a larger one":             {&LiveClaim{resource.MustParse("3Gi"), once, nil}, "3Gi", nil, once},
		"one of the default class": {&LiveClaim{resource.MustParse("2048Mi"), claim.AccessModes, nil}, "2Gi", nil, claim.AccessModes},
	} {
		t.Run(name, func(t *testing.T) {
			in := Inputs{Application: app}
			if test.live != nil {
				in.Claims = map[string]*LiveClaim{"my-app-data": test.live}
			}
			configs, err := PersistentVolumeClaim(in)
			if err != nil || len(configs) != 1 {
				t.Fatalf("%d claims: %v", len(configs), err)
			}
			spec := configs[0].Spec
			if got := (*spec.Resources.Requests)[corev1.ResourceStorage]; got.String() != test.size {
				t.Errorf("size %s, want %s", got.String(), test.size)
			}
			if diff := cmp.Diff(test.class, spec.StorageClassName); diff != "" {
				t.Errorf("class (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.modes, spec.AccessModes); diff != "" {
				t.Errorf("modes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClaimsHaveNoLabelsThatToolsPruneBy is about the labels of all objects.
func TestClaimsHaveNoLabelsThatToolsPruneBy(t *testing.T) {
	app := &v1.Application{}
	app.Name = "my-app"
	app.Spec.ObjectMetadata = &v1.ObjectMetadata{Labels: map[string]string{
		"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/version": "1", "team": "a",
	}}
	if diff := cmp.Diff(map[string]string{"team": "a", LabelApplication: "my-app"}, claimLabels(app)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWhatIsMadeIsNotMissing holds that what the operator makes is no reference, whoever else names it.
func TestWhatIsMadeIsNotMissing(t *testing.T) {
	app := &v1.Application{}
	app.Name = "my-app"
	app.Spec.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: "my-app-settings"},
	}}}
	app.Spec.Volumes = []v1.Volume{{Name: "more", VolumeSource: v1.VolumeSource{
		PersistentVolumeClaim: &v1.ClaimSource{ClaimName: "my-app-data"},
	}}}
	if got := References(app); len(got) != 2 {
		t.Errorf("references: %v", got)
	}
	app.Spec.Files = []v1.File{
		{MountPath: "/a", Name: "settings", VolumeSource: v1.VolumeSource{Inline: map[string]string{"a": "b"}}},
		{MountPath: "/b", Name: "data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi"}}},
	}
	if got := References(app); len(got) != 0 {
		t.Errorf("references: %v", got)
	}
}
