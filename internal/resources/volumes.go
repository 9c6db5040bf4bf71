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
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// fileVolumes are the volumes that an Application's files come from, and those that are for sidecars and init containers. The
// same source is one volume, however often it is mounted: kubelets before 1.35 wait for ever for the second volume of a claim.
type fileVolumes struct {
	volumes []*corev1ac.VolumeApplyConfiguration
	// ofFile has the name by which each file's volume is known, in the order of the files.
	ofFile []string
	// byName has each volume by the names that users know: those that they give, and those that the files' paths make.
	byName map[string]fileVolume
}

// fileVolume is a volume, and the source that a file or volume of the spec gives it under one name.
type fileVolume struct {
	source v1.VolumeSource
	volume *corev1ac.VolumeApplyConfiguration
}

// namedSource is what a file or a volume of the spec has for a volume, with the volume's name.
type namedSource struct {
	name string
	// field is the file or volume, as spec.files[0], and nameField what of it makes the name.
	field, nameField string
	v1.VolumeSource
}

// sourcesOf returns the sources of all files and volumes that have one, in their order.
func sourcesOf(app *v1.Application) []namedSource {
	var all []namedSource
	for i, name := range volumeNames(app.Spec.Files, app.Spec.Volumes) {
		file := app.Spec.Files[i]
		if hasSource(file.VolumeSource) {
			all = append(all, namedSource{name, fmt.Sprintf("spec.files[%d]", i), nameField(file), file.VolumeSource})
		}
	}
	for i, volume := range app.Spec.Volumes {
		all = append(all, namedSource{volume.Name, fmt.Sprintf("spec.volumes[%d]", i), ".name", volume.VolumeSource})
	}
	return all
}

// hasSource reports whether a file is made of something, and does not only mount the volume of another.
func hasSource(of v1.VolumeSource) bool {
	return of.Inline != nil || of.ConfigMap != nil || of.Secret != nil || of.EmptyDir != nil || of.PersistentVolumeClaim != nil ||
		of.Projected != nil || of.CSI != nil || of.DownwardAPI != nil || of.Ephemeral != nil
}

// nameField returns the field of a file that makes its volume's name.
func nameField(file v1.File) string {
	if file.Name != "" {
		return ".name"
	}
	return ".mountPath"
}

func volumesOf(app *v1.Application) (fileVolumes, error) {
	all := fileVolumes{
		ofFile: volumeNames(app.Spec.Files, app.Spec.Volumes), byName: make(map[string]fileVolume, len(app.Spec.Files)+len(app.Spec.Volumes)),
	}
	bySource := map[string]*corev1ac.VolumeApplyConfiguration{}
	for _, source := range sourcesOf(app) {
		key, err := sourceKey(app, source)
		if err != nil {
			return all, err
		}
		volume := bySource[key]
		switch {
		case volume == nil || key == "":
			if volume, err = volumeOf(app, source); err != nil {
				return all, err
			}
			bySource[key] = volume
			all.volumes = append(all.volumes, volume)
		case volume.PersistentVolumeClaim != nil && !source.PersistentVolumeClaim.ReadOnly:
			volume.PersistentVolumeClaim.WithReadOnly(false) // one of its mounts is written to
		}
		all.byName[source.name] = fileVolume{source.VolumeSource, volume}
	}
	return all, nil
}

func volumeOf(app *v1.Application, source namedSource) (*corev1ac.VolumeApplyConfiguration, error) {
	volume := corev1ac.Volume().WithName(source.name)
	var err error
	switch {
	case source.Inline != nil:
		volume.WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(ownedName(app, source.name)))
	case source.ConfigMap != nil:
		volume.ConfigMap, err = toApplyConfig[corev1ac.ConfigMapVolumeSourceApplyConfiguration](source.ConfigMap)
	case source.Secret != nil:
		volume.Secret, err = toApplyConfig[corev1ac.SecretVolumeSourceApplyConfiguration](source.Secret)
	case source.EmptyDir != nil:
		volume.EmptyDir, err = toApplyConfig[corev1ac.EmptyDirVolumeSourceApplyConfiguration](source.EmptyDir)
	case source.PersistentVolumeClaim != nil:
		volume.WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().
			WithClaimName(claimName(app, source)).WithReadOnly(source.PersistentVolumeClaim.ReadOnly))
	case source.Projected != nil:
		volume.Projected, err = toApplyConfig[corev1ac.ProjectedVolumeSourceApplyConfiguration](source.Projected)
	case source.CSI != nil:
		volume.CSI, err = toApplyConfig[corev1ac.CSIVolumeSourceApplyConfiguration](source.CSI)
	case source.DownwardAPI != nil:
		volume.DownwardAPI, err = toApplyConfig[corev1ac.DownwardAPIVolumeSourceApplyConfiguration](source.DownwardAPI)
	case source.Ephemeral != nil:
		volume.Ephemeral, err = toApplyConfig[corev1ac.EphemeralVolumeSourceApplyConfiguration](source.Ephemeral)
	}
	if err != nil {
		return nil, err
	}
	setVolumeZeros(volume)
	setVolumeDefaults(volume)
	return volume, nil
}

// ownedName returns the name of what is made for a volume: a ConfigMap or a PersistentVolumeClaim.
func ownedName(app *v1.Application, volume string) string { return app.Name + "-" + volume }

// claimName returns the name of the claim that a source mounts.
func claimName(app *v1.Application, source namedSource) string {
	if isMade(source.PersistentVolumeClaim) {
		return ownedName(app, source.name)
	}
	return source.PersistentVolumeClaim.ClaimName
}

// isMade reports whether a claim is made for the Application.
func isMade(claim *v1.ClaimSource) bool { return claim != nil && claim.Size != "" }

// setVolumeDefaults does what the API server does to lists that have one owner as a whole: otherwise the live object would differ
// from what is desired, and each reconcile would write it.
func setVolumeDefaults(volume *corev1ac.VolumeApplyConfiguration) {
	if volume.DownwardAPI != nil {
		completePodFiles(volume.DownwardAPI.Items)
	}
	if volume.Projected != nil {
		for i := range volume.Projected.Sources {
			completeProjection(&volume.Projected.Sources[i])
		}
	}
	if volume.Ephemeral == nil || volume.Ephemeral.VolumeClaimTemplate == nil || volume.Ephemeral.VolumeClaimTemplate.Spec == nil {
		return
	}
	if resources := volume.Ephemeral.VolumeClaimTemplate.Spec.Resources; resources != nil {
		roundUp(resources.Limits)
		roundUp(resources.Requests)
	}
}

// The lives of what is projected, in seconds, where they are not given (kubernetes pkg/apis/core/v1/defaults.go).
const (
	tokenSeconds       = 3600
	certificateSeconds = 86400
)

func completeProjection(source *corev1ac.VolumeProjectionApplyConfiguration) {
	if source.DownwardAPI != nil {
		completePodFiles(source.DownwardAPI.Items)
	}
	if token := source.ServiceAccountToken; token != nil && token.ExpirationSeconds == nil {
		token.WithExpirationSeconds(tokenSeconds)
	}
	if certificate := source.PodCertificate; certificate != nil && certificate.MaxExpirationSeconds == nil {
		certificate.WithMaxExpirationSeconds(certificateSeconds)
	}
}

func completePodFiles(files []corev1ac.DownwardAPIVolumeFileApplyConfiguration) {
	for i := range files {
		if from := files[i].FieldRef; from != nil && from.APIVersion == nil {
			from.WithAPIVersion("v1")
		}
		if from := files[i].ResourceFieldRef; from != nil && from.Divisor == nil {
			from.WithDivisor(resource.Quantity{})
		}
	}
}

// sourceKey returns what is the same for two names of one volume, or "" for a source whose volume is its own. A claim is one
// volume always; of a ConfigMap or Secret, other items, modes or optional make another volume.
func sourceKey(app *v1.Application, of namedSource) (string, error) {
	var source any
	switch {
	case of.PersistentVolumeClaim != nil:
		return "claim " + claimName(app, of), nil
	case of.ConfigMap != nil:
		config := *of.ConfigMap
		config.Optional, config.DefaultMode = optionalKey(config.Optional), modeKey(config.DefaultMode)
		source = struct{ ConfigMap corev1.ConfigMapVolumeSource }{config}
	case of.Secret != nil:
		secret := *of.Secret
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
		mount := corev1ac.VolumeMount().
			WithName(v.ofFile[i]).
			WithMountPath(file.MountPath).
			WithReadOnly(file.ReadOnly).
			WithSubPath(file.SubPath)
		if known, ok := v.byName[v.ofFile[i]]; ok {
			mount.WithName(*known.volume.Name).WithReadOnly(file.ReadOnly || readsClaim(known.source))
		}
		mounts = append(mounts, mount)
	}
	return mounts
}

func readsClaim(source v1.VolumeSource) bool {
	return source.PersistentVolumeClaim != nil && source.PersistentVolumeClaim.ReadOnly
}

// rename has a container of the user's mount what the names that it knows stand for. Who mounts a claim that is only read under
// one name does not get to write because it is written under another.
func (v fileVolumes) rename(container *corev1ac.ContainerApplyConfiguration) {
	for i := range container.VolumeMounts {
		mount := &container.VolumeMounts[i]
		known, ok := v.byName[ptr.Deref(mount.Name, "")]
		if !ok {
			continue
		}
		mount.WithName(*known.volume.Name)
		if readsClaim(known.source) && !ptr.Deref(known.volume.PersistentVolumeClaim.ReadOnly, false) {
			mount.WithReadOnly(true)
		}
	}
	for i := range container.VolumeDevices {
		if known, ok := v.byName[ptr.Deref(container.VolumeDevices[i].Name, "")]; ok {
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

// volumeNames returns the name of each file's volume: the one that is given, or one that the file's path makes. No two of the
// latter are the same, and none is that of another file or volume, unless it is a name that users know.
func volumeNames(files []v1.File, volumes []v1.Volume) []string {
	names := make([]string, 0, len(files))
	count := make(map[string]int, len(files)+len(volumes))
	for _, volume := range volumes {
		count[volume.Name]++
	}
	for _, file := range files {
		name := file.Name
		if name == "" {
			name = VolumeName(file.MountPath)
		}
		names = append(names, name)
		count[name]++
	}
	for i, file := range files {
		if file.Name == "" && count[names[i]] > 1 && !isPlain(file.MountPath) {
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
