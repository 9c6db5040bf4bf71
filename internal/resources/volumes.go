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
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// fileVolumes are the volumes that an Application's files come from. The same source is one volume, however often it is
// mounted: kubelets before 1.35 wait for ever for the second volume of a claim.
type fileVolumes struct {
	volumes []*corev1ac.VolumeApplyConfiguration
	// ofFile has the name of each file's volume, in the order of the files.
	ofFile []string
	// byPath has each file and its volume by the name that the file's path makes, which users know.
	byPath map[string]fileVolume
}

type fileVolume struct {
	file   v1.File
	volume *corev1ac.VolumeApplyConfiguration
}

func volumesOf(files []v1.File) (fileVolumes, error) {
	names := volumeNames(files)
	all := fileVolumes{byPath: make(map[string]fileVolume, len(files))}
	bySource := map[string]*corev1ac.VolumeApplyConfiguration{}
	for i, file := range files {
		source, err := sourceKey(file)
		if err != nil {
			return all, err
		}
		volume := bySource[source]
		switch {
		case volume == nil || source == "":
			if volume, err = volumeOf(names[i], file); err != nil {
				return all, err
			}
			bySource[source] = volume
			all.volumes = append(all.volumes, volume)
		case volume.PersistentVolumeClaim != nil && !file.PersistentVolumeClaim.ReadOnly:
			volume.PersistentVolumeClaim.WithReadOnly(false) // one of its mounts is written to
		}
		all.ofFile = append(all.ofFile, *volume.Name)
		all.byPath[names[i]] = fileVolume{file, volume}
	}
	return all, nil
}

func volumeOf(name string, file v1.File) (*corev1ac.VolumeApplyConfiguration, error) {
	volume := corev1ac.Volume().WithName(name)
	var err error
	switch {
	case file.ConfigMap != nil:
		volume.ConfigMap, err = toApplyConfig[corev1ac.ConfigMapVolumeSourceApplyConfiguration](file.ConfigMap)
	case file.Secret != nil:
		volume.Secret, err = toApplyConfig[corev1ac.SecretVolumeSourceApplyConfiguration](file.Secret)
	case file.EmptyDir != nil:
		volume.EmptyDir, err = toApplyConfig[corev1ac.EmptyDirVolumeSourceApplyConfiguration](file.EmptyDir)
	case file.PersistentVolumeClaim != nil:
		volume.PersistentVolumeClaim, err = toApplyConfig[corev1ac.PersistentVolumeClaimVolumeSourceApplyConfiguration](file.PersistentVolumeClaim)
	}
	if err != nil {
		return nil, err
	}
	setVolumeZeros(volume)
	return volume, nil
}

// sourceKey returns what is the same for two files of one volume, or "" for a file whose volume is its own. A claim is one
// volume always; of a ConfigMap or Secret, other items, modes or optional make another volume.
func sourceKey(file v1.File) (string, error) {
	var source any
	switch {
	case file.PersistentVolumeClaim != nil:
		return "claim " + file.PersistentVolumeClaim.ClaimName, nil
	case file.ConfigMap != nil:
		config := *file.ConfigMap
		config.Optional, config.DefaultMode = optionalKey(config.Optional), modeKey(config.DefaultMode)
		source = struct{ ConfigMap corev1.ConfigMapVolumeSource }{config}
	case file.Secret != nil:
		secret := *file.Secret
		secret.Optional, secret.DefaultMode = optionalKey(secret.Optional), modeKey(secret.DefaultMode)
		source = struct{ Secret corev1.SecretVolumeSource }{secret}
	default:
		return "", nil
	}
	key, err := json.Marshal(source)
	if err != nil {
		return "", fmt.Errorf("encode %T: %w", source, err)
	}
	return string(key), nil
}

// optionalKey and modeKey return values in which Kubernetes' defaults, given or not, are the same.
func optionalKey(optional *bool) *bool { return new(ptr.Deref(optional, false)) }

func modeKey(mode *int32) *int32 {
	return new(ptr.Deref(mode, corev1.ConfigMapVolumeSourceDefaultMode))
}

// mounts returns where the container that runs the image mounts the volumes.
func (v fileVolumes) mounts(files []v1.File) []*corev1ac.VolumeMountApplyConfiguration {
	mounts := make([]*corev1ac.VolumeMountApplyConfiguration, 0, len(files))
	for i, file := range files {
		mounts = append(mounts, corev1ac.VolumeMount().
			WithName(v.ofFile[i]).
			WithMountPath(file.MountPath).
			WithReadOnly(file.ReadOnly || readsClaim(file)).
			WithSubPath(file.SubPath))
	}
	return mounts
}

func readsClaim(file v1.File) bool {
	return file.PersistentVolumeClaim != nil && file.PersistentVolumeClaim.ReadOnly
}

// rename has a container of the user's mount what the names that it knows, of the files' paths, stand for. Who mounts a claim
// that is only read at the path does not get to write because it is written at another.
func (v fileVolumes) rename(container *corev1ac.ContainerApplyConfiguration) {
	for i := range container.VolumeMounts {
		mount := &container.VolumeMounts[i]
		known, ok := v.byPath[ptr.Deref(mount.Name, "")]
		if !ok {
			continue
		}
		mount.WithName(*known.volume.Name)
		if readsClaim(known.file) && !ptr.Deref(known.volume.PersistentVolumeClaim.ReadOnly, false) {
			mount.WithReadOnly(true)
		}
	}
	for i := range container.VolumeDevices {
		if known, ok := v.byPath[ptr.Deref(container.VolumeDevices[i].Name, "")]; ok {
			container.VolumeDevices[i].WithName(*known.volume.Name)
		}
	}
}

// maxVolumeName is the longest that a volume's name may be: it is a DNS label (RFC 1123).
const maxVolumeName = 63

var (
	plainPath  = regexp.MustCompile(`^(/[a-z0-9]+)+$`)
	notInLabel = regexp.MustCompile(`[^a-z0-9]+`)
)

// volumeNames returns the name that each file's path makes. No two of them are the same.
func volumeNames(files []v1.File) []string {
	names := make([]string, 0, len(files))
	count := make(map[string]int, len(files))
	for _, file := range files {
		name := VolumeName(file.MountPath)
		names = append(names, name)
		count[name]++
	}
	for i, file := range files {
		if count[names[i]] > 1 && !isPlain(file.MountPath) {
			names[i] = longVolumeName(file.MountPath)
		}
	}
	return names
}

// VolumeName returns the name of the volume that is mounted at the path. Users may know it, to mount the volume into
// their sidecars: /var/cache is var-cache. A path for which that would not be unique or not be a name gets a hash.
func VolumeName(mountPath string) string {
	if isPlain(mountPath) {
		return wordsOf(mountPath)
	}
	return hashedName(mountPath, "-", 8)
}

// longVolumeName returns the name for a path whose VolumeName another path has too: nearly all of the hash, after what no
// VolumeName has.
func longVolumeName(mountPath string) string { return hashedName(mountPath, "--", 40) }

// isPlain reports whether the path alone makes a name, which no other path makes.
func isPlain(mountPath string) bool {
	return plainPath.MatchString(mountPath) && len(wordsOf(mountPath)) <= maxVolumeName
}

// wordsOf returns what can stand in a name of the path.
func wordsOf(mountPath string) string {
	return strings.Trim(notInLabel.ReplaceAllString(strings.ToLower(mountPath), "-"), "-")
}

func hashedName(mountPath, separator string, digits int) string {
	sum := sha256.Sum256([]byte(mountPath))
	end := separator + hex.EncodeToString(sum[:])[:digits]
	words := wordsOf(mountPath)
	if words == "" {
		return "files" + end
	}
	return strings.TrimRight(words[:min(len(words), maxVolumeName-len(end))], "-") + end
}
