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
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// newForeign begins an import of another tool's object. Its container is described where main is, and its pod where pod is.
func newForeign(s *session, doc *document, pod, main part) *workload {
	s.app.Name = cmp.Or(s.options.Name, doc.name)
	return &workload{session: s, doc: doc, pod: pod, main: main, mainName: doc.name, podLabels: map[string]string{}}
}

// identify takes the metadata of an object of another tool.
func (w *workload) identify() {
	w.objectMetadata(w.doc)
	if name := w.doc.name; name != w.app.Name {
		w.doc.root().note("metadata.name", name, "the Application is called "+w.app.Name)
	}
}

// listens adds a port. The first one is spec.port.
func (w *workload) listens(within part, name string, number, served int32, protocol corev1.Protocol) *portEntry {
	entry := &portEntry{
		name: name, serviceName: name, containerName: name, number: number, served: served, protocol: cmp.Or(protocol, corev1.ProtocolTCP),
		hasService: true, within: within,
	}
	if w.hasPort(number, protocol) {
		within.note("", served, fmt.Sprintf("another port leads to %d as well, and an Application serves each of its ports once; have clients use the other port", number))
		return entry
	}
	w.ports = append(w.ports, entry)
	return entry
}

// hasPort reports whether there is a port of the number and the protocol, which is TCP unless it is said.
func (w *workload) hasPort(number int32, protocol corev1.Protocol) bool {
	protocol = cmp.Or(protocol, corev1.ProtocolTCP)
	return slices.ContainsFunc(w.ports, func(entry *portEntry) bool { return entry.number == number && entry.protocol == protocol })
}

// finishPorts moves the first TCP port to the front, and sets what was added.
func (w *workload) finishPorts() {
	w.moveMainPort()
	w.namePorts()
	w.setPorts()
}

// scaling returns spec.autoscaling, which is made if there is none.
func (w *workload) scaling() *v1.AutoscalingSpec {
	if w.app.Spec.Autoscaling == nil {
		w.app.Spec.Autoscaling = &v1.AutoscalingSpec{}
	}
	return w.app.Spec.Autoscaling
}

// replicasBetween sets how many pods run. Bounds that are the same are a number.
func (w *workload) replicasBetween(least, most int32) {
	switch {
	case most <= least:
		w.app.Spec.Replicas = &least
	case least == 1:
		w.scaling().MaxReplicas = most
	default:
		w.scaling().MinReplicas, w.scaling().MaxReplicas = &least, most
	}
}

// addFileOf adds a file or folder.
func (w *workload) addFileOf(within part, file v1.File) {
	for _, other := range w.app.Spec.Files {
		if other.MountPath == file.MountPath {
			within.note("", file.MountPath, "something else is mounted there already; give one of the two another path")
			return
		}
	}
	w.app.Spec.Files = append(w.app.Spec.Files, file)
}

// configFile is a ConfigMap's or Secret's key, as a file of its own.
func configFile(path, key string, source v1.VolumeSource) v1.File {
	return v1.File{MountPath: path, SubPath: key, VolumeSource: source}
}

func fromConfigMap(name string) v1.VolumeSource {
	return v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
}

func fromSecret(name string) v1.VolumeSource {
	return v1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}
}

// seconds takes a duration, as 1m30s, and returns its seconds.
func (p part) seconds(name string) *int32 {
	text := p.text(name)
	if text == "" {
		return nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil || duration < 0 || duration > 365*24*time.Hour {
		p.doc.session.fail(p.doc, p.pathOf(name), fmt.Errorf("%q is no duration such as 30s; correct it", text))
		return nil
	}
	rounded := int32(math.Ceil(duration.Seconds()))
	if rounded > 0 && duration%time.Second != 0 {
		p.note(name, text, fmt.Sprintf("seconds are whole numbers; it is %d here", rounded))
	}
	return &rounded
}

// number takes a number that may be written as a text.
func (p part) number(name string) (int32, bool) {
	value, ok := take[intstr.IntOrString](p, name)
	if !ok {
		return 0, false
	}
	if value.Type == intstr.Int {
		return value.IntVal, true
	}
	number, err := strconv.ParseInt(value.StrVal, 10, 32)
	if err != nil {
		p.doc.session.fail(p.doc, p.pathOf(name), fmt.Errorf("%q is no number; correct it", value.StrVal))
		return 0, false
	}
	return int32(number), true
}

// setResources changes spec.resources, which are made if there are none.
func (w *workload) setResources(set func(*v1.ResourceRequirements)) {
	if w.app.Spec.Resources == nil {
		w.app.Spec.Resources = &v1.ResourceRequirements{}
	}
	set(w.app.Spec.Resources)
}

// setImage takes the image.
func (w *workload) setImage(in part, name string) {
	w.app.Spec.Image = in.text(name)
	if w.app.Spec.Image == "" {
		w.fail(w.doc, in.pathOf(name), errNoImage)
	}
}

// setPullPolicy takes when the image is pulled.
func (w *workload) setPullPolicy(policy corev1.PullPolicy) {
	if policy != "" && policy != resources.PullPolicy(w.app.Spec.Image) {
		w.app.Spec.ImagePullPolicy = policy
	}
}

// probes returns spec.probes, which is made if there is none.
func (w *workload) probes() *v1.ProbesSpec {
	if w.app.Spec.Probes == nil {
		w.app.Spec.Probes = &v1.ProbesSpec{}
	}
	return w.app.Spec.Probes
}

// podMetadata returns spec.podMetadata, which is made if there is none.
func (w *workload) podMetadata() *v1.PodMetadata {
	if w.app.Spec.PodMetadata == nil {
		w.app.Spec.PodMetadata = &v1.PodMetadata{}
	}
	return w.app.Spec.PodMetadata
}
