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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestWhichJobsPreferTheApplicationsNode holds that only a claim that maybe one node can mount has a say in where Jobs run.
func TestWhichJobsPreferTheApplicationsNode(t *testing.T) {
	many := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce, corev1.ReadWriteMany}
	for name, test := range map[string]struct {
		source  v1.VolumeSource
		prefers bool
	}{
		"a made claim":                   {v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi"}}, true},
		"a made claim for many":          {v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi", AccessModes: many}}, false},
		"a claim that is there":          {v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{ClaimName: "data"}}, true},
		"a directory that no one shares": {v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, false},
	} {
		for where, spec := range map[string]v1.ApplicationSpec{
			"files":   {Files: []v1.File{{MountPath: "/data", VolumeSource: test.source}}},
			"volumes": {Volumes: []v1.Volume{{Name: "data", VolumeSource: test.source}}},
		} {
			t.Run(name+" in "+where, func(t *testing.T) {
				spec.Image = "nginx"
				app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: spec}
				template, err := jobPods(app, map[string]string{LabelApplication: app.Name})
				if err != nil {
					t.Fatal(err)
				}
				if got := template.Spec.Affinity != nil; got != test.prefers {
					t.Errorf("an affinity: %t, want %t", got, test.prefers)
				}
			})
		}
	}
}
