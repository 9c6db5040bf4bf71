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

package importing

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// volumeSources are those that an Application has.
var volumeSources = []string{"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "csi", "downwardAPI", "ephemeral"}

// insteadOfVolume says what to do instead of a source that it has not.
var insteadOfVolume = map[string]string{
	"hostPath": "an Application has no access to its node; use a claim, or a DaemonSet of your own",
	"nfs":      "make a PersistentVolume and a claim of it, and name the claim in persistentVolumeClaim.claimName",
}

// knownVolume reports whether a volume has a source that an Application has.
func knownVolume(volume part) bool {
	return slices.ContainsFunc(volumeSources, volume.has)
}

// volumeNamed returns the volume of the pod that has the name.
func (w *workload) volumeNamed(name string) (part, bool) {
	for _, volume := range w.pod.list("volumes") {
		if volume.peek("name") == name {
			return volume, true
		}
	}
	return part{}, false
}

// dropUnknownMounts takes the mounts of volumes that an Application cannot have: without them the container is valid.
func (w *workload) dropUnknownMounts(container part) {
	list, ok := container.fields["volumeMounts"].([]any)
	if !ok {
		return
	}
	var kept []any
	for i, mount := range container.list("volumeMounts") {
		volume, found := w.volumeNamed(mount.peek("name"))
		if found && !knownVolume(volume) {
			container.note("volumeMounts["+mount.peek("name")+"]", mount.peek("mountPath"), "its volume cannot be had; see there")
			continue
		}
		kept = append(kept, list[i])
	}
	if container.drop("volumeMounts"); len(kept) > 0 {
		container.fields["volumeMounts"] = kept
	}
}

// readVolumes makes files of what the main container mounts, and volumes of the rest.
func (w *workload) readVolumes() {
	mounts := map[string]int{}
	for _, mount := range w.main.list("volumeMounts") {
		mounts[mount.peek("name")]++
	}
	for _, containers := range [][]corev1.Container{w.app.Spec.Sidecars, w.app.Spec.InitContainers} {
		for _, container := range containers {
			for _, mount := range container.VolumeMounts {
				mounts[mount.Name]++
			}
		}
	}
	used := map[string]bool{}
	for _, mount := range w.main.list("volumeMounts") {
		w.addFile(mount, mounts, used)
	}
	for _, volume := range w.pod.list("volumes") {
		name := volume.peek("name")
		switch {
		case used[name]:
		case !knownVolume(volume):
			w.refuseVolume(volume)
		default:
			w.app.Spec.Volumes = append(w.app.Spec.Volumes, v1.Volume{Name: name, VolumeSource: w.volumeSource(volume)})
		}
		volume.drop("name")
	}
}

// addFile makes a file of a mount. The first of several mounts has the volume's source.
func (w *workload) addFile(mount part, mounts map[string]int, used map[string]bool) {
	name := mount.peek("name")
	volume, found := w.volumeNamed(name)
	if !found {
		mount.note("name", name, "the pod has no volume of this name; correct it")
		mount.empty()
		return
	}
	if !knownVolume(volume) && !used[name] {
		mount.note("", name, "its volume cannot be had; see there")
		mount.empty()
		return
	}
	mount.dropIf("mountPropagation", string(corev1.MountPropagationNone))
	mount.drop("name")
	file := v1.File{MountPath: mount.text("mountPath"), SubPath: mount.text("subPath")}
	file.ReadOnly, _ = take[bool](mount, "readOnly")
	if !used[name] {
		file.VolumeSource = w.volumeSource(volume)
	}
	used[name] = true
	if mounts[name] > 1 || resources.VolumeName(file.MountPath) != name {
		file.Name = name
	}
	w.app.Spec.Files = append(w.app.Spec.Files, file)
}

// refuseVolume says what to do instead of a volume that an Application cannot have.
func (w *workload) refuseVolume(volume part) {
	for _, source := range slices.Sorted(maps.Keys(without(volume.fields, "name"))) {
		volume.remark(source, cmp.Or(insteadOfVolume[source], "an Application has no such volume; use a claim, or one of "+strings.Join(volumeSources, ", ")))
	}
}

// volumeSource takes what a volume is made of.
func (w *workload) volumeSource(volume part) v1.VolumeSource {
	name := volume.peek("name")
	claim, isClaim := take[corev1.PersistentVolumeClaimVolumeSource](volume, "persistentVolumeClaim")
	config := volume.in("configMap").peek("name")
	if files := w.inlineFiles(config, name); files != nil {
		volume.drop("configMap")
		return v1.VolumeSource{Inline: files}
	}
	source, _ := whole[v1.VolumeSource](part{volume.doc, volume.path, without(volume.fields, "name")})
	for field := range volume.fields {
		for _, known := range volumeSources {
			if field == known {
				w.takeSource(volume, field)
			}
		}
	}
	if isClaim {
		source.PersistentVolumeClaim = w.claim(claim, name)
	}
	if source.DownwardAPI != nil {
		w.renameContainer(source.DownwardAPI.Items)
	}
	if source.Projected != nil {
		for i := range source.Projected.Sources {
			if of := source.Projected.Sources[i].DownwardAPI; of != nil {
				w.renameContainer(of.Items)
			}
		}
	}
	return source
}

// takeSource takes a source, and leaves what the Application's type of it does not have.
func (w *workload) takeSource(volume part, field string) {
	_, rest, err := decode[v1.VolumeSource](map[string]any{field: volume.fields[field]})
	if err != nil {
		volume.unread(volume.pathOf(field), volume.fields[field], err)
	}
	volume.drop(field)
	if left, ok := rest.(map[string]any); ok && left[field] != nil {
		volume.fields[field] = left[field]
	}
}

func without(fields map[string]any, name string) map[string]any {
	rest := map[string]any{}
	for key, value := range fields {
		if key != name {
			rest[key] = value
		}
	}
	return rest
}

func (w *workload) renameContainer(items []corev1.DownwardAPIVolumeFile) {
	for _, item := range items {
		if item.ResourceFieldRef != nil && item.ResourceFieldRef.ContainerName == w.mainName {
			item.ResourceFieldRef.ContainerName = w.app.Name
		}
	}
}

// ownedByApplication reports whether the operator has made an object for the Application.
func (w *workload) ownedByApplication(doc *document) bool {
	labels := stringMap(doc.root().in("metadata").fields["labels"])
	return labels[resources.LabelApplication] == w.app.Name || labels[resources.LabelManagedBy] == resources.ManagedBy && labels[resources.LabelName] == w.app.Name
}

// inlineFiles takes the ConfigMap that the operator has made for a volume, and returns its files, or nil.
func (w *workload) inlineFiles(config, volume string) map[string]string {
	for _, doc := range w.docs {
		if doc.kind == "ConfigMap" && doc.name == config && config == w.app.Name+"-"+volume && w.ownedByApplication(doc) {
			files, _ := take[map[string]string](doc.root(), "data")
			return files
		}
	}
	return nil
}

// claim returns a claim: one that exists, or one that the operator has made for the Application.
func (w *workload) claim(of corev1.PersistentVolumeClaimVolumeSource, volume string) *v1.ClaimSource {
	for _, doc := range w.docs {
		if doc.kind != "PersistentVolumeClaim" || doc.name != of.ClaimName || of.ClaimName != w.app.Name+"-"+volume || !w.ownedByApplication(doc) {
			continue
		}
		spec := doc.root().in("spec")
		made := &v1.ClaimSource{ReadOnly: of.ReadOnly, Size: spec.in("resources", "requests").text("storage")}
		made.AccessModes, _ = take[[]corev1.PersistentVolumeAccessMode](spec, "accessModes")
		if len(made.AccessModes) == 1 && made.AccessModes[0] == corev1.ReadWriteOnce {
			made.AccessModes = nil
		}
		if class, ok := take[string](spec, "storageClassName"); ok {
			made.StorageClassName = &class
		}
		spec.drop("resources")
		return made
	}
	return &v1.ClaimSource{ClaimName: of.ClaimName, ReadOnly: of.ReadOnly}
}

// readConfig takes the metadata of the objects that the operator has made for volumes.
func (w *workload) readConfig() {
	for _, kind := range []string{"ConfigMap", "PersistentVolumeClaim"} {
		for _, doc := range w.ofKind(kind) {
			if !touched(doc) {
				continue
			}
			root := doc.root()
			root.in("metadata", "annotations").dropIf("argocd.argoproj.io/sync-options", "Prune=false")
			w.plainCompanion(doc)
			if len(root.in("spec").fields) == 0 {
				root.drop("spec")
			}
		}
	}
}
