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
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// addVolumes adds a volume for each of the files.
func addVolumes(spec *corev1ac.PodSpecApplyConfiguration, app *v1.Application) error {
	for _, file := range app.Spec.Files {
		volume, err := volumeOf(file)
		if err != nil {
			return err
		}
		spec.WithVolumes(volume)
	}
	return nil
}

func volumeOf(file v1.File) (*corev1ac.VolumeApplyConfiguration, error) {
	volume := corev1ac.Volume().WithName(VolumeName(file.MountPath))
	var err error
	switch {
	case file.ConfigMap != nil:
		volume.ConfigMap, err = as[corev1ac.ConfigMapVolumeSourceApplyConfiguration](file.ConfigMap)
	case file.Secret != nil:
		volume.Secret, err = as[corev1ac.SecretVolumeSourceApplyConfiguration](file.Secret)
	case file.EmptyDir != nil:
		volume.EmptyDir, err = as[corev1ac.EmptyDirVolumeSourceApplyConfiguration](file.EmptyDir)
	case file.PersistentVolumeClaim != nil:
		volume.PersistentVolumeClaim, err = as[corev1ac.PersistentVolumeClaimVolumeSourceApplyConfiguration](file.PersistentVolumeClaim)
	}
	return volume, err
}

func volumeMounts(app *v1.Application) []*corev1ac.VolumeMountApplyConfiguration {
	mounts := make([]*corev1ac.VolumeMountApplyConfiguration, 0, len(app.Spec.Files))
	for _, file := range app.Spec.Files {
		mount := corev1ac.VolumeMount().WithName(VolumeName(file.MountPath)).WithMountPath(file.MountPath)
		if file.ReadOnly {
			mount.WithReadOnly(true)
		}
		if file.SubPath != "" {
			mount.WithSubPath(file.SubPath)
		}
		mounts = append(mounts, mount)
	}
	return mounts
}

// maxVolumeName is the longest that a volume's name may be: it is a DNS label (RFC 1123).
const maxVolumeName = 63

var (
	plainPath  = regexp.MustCompile(`^(/[a-z0-9]+)+$`)
	notInLabel = regexp.MustCompile(`[^a-z0-9]+`)
)

// VolumeName returns the name of the volume that is mounted at the path. Users may know it, to mount the volume into
// their sidecars: /var/cache is var-cache. A path for which that would not be unique or not be a name gets a hash.
func VolumeName(mountPath string) string {
	words := strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(mountPath), "-"), "-")
	if plainPath.MatchString(mountPath) && len(words) <= maxVolumeName {
		return words
	}
	sum := sha256.Sum256([]byte(mountPath))
	hash := hex.EncodeToString(sum[:])[:8]
	if words == "" {
		return "files-" + hash
	}
	words = strings.TrimRight(words[:min(len(words), maxVolumeName-len(hash)-1)], "-")
	return words + "-" + hash
}
