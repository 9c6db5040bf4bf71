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
	"maps"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// operatorPrefix is that of the operator's own labels and annotations.
const operatorPrefix = "apps.example.com/"

// reserved reports whether a label is the operator's to set.
func reserved(key string) bool {
	return key == resources.LabelName || key == resources.LabelInstance || key == resources.LabelManagedBy || key == "pod-template-hash" ||
		strings.HasPrefix(key, operatorPrefix)
}

// labels takes the labels of a metadata that users may set. Of those that the operator sets, a remark has each that changes.
func (s *session) labels(metadata part) map[string]string {
	all, _ := take[map[string]string](metadata, "labels")
	own := resources.Labels(s.app.Name)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value := all[key]
		if !reserved(key) {
			continue
		}
		delete(all, key)
		if !strings.HasPrefix(key, operatorPrefix) && key != "pod-template-hash" && own[key] != value {
			metadata.note("labels["+key+"]", value, "the operator sets it to "+own[key]+"; what selects by it has to ask for that")
		}
	}
	return all
}

// annotations takes the annotations of a metadata that users may set.
func (s *session) annotations(metadata part) map[string]string {
	all, _ := take[map[string]string](metadata, "annotations")
	maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, operatorPrefix) })
	return all
}

// objectMetadata takes the metadata of the workload itself: every object gets its labels and annotations.
func (s *session) objectMetadata(doc *document) {
	metadata := doc.root().in("metadata")
	s.ownObject(doc)
	labels, annotations := s.labels(metadata), s.annotations(metadata)
	if len(labels)+len(annotations) > 0 {
		s.app.Spec.ObjectMetadata = &v1.ObjectMetadata{Labels: orNil(labels), Annotations: orNil(annotations)}
	}
}

// ownName are the kinds of which an Application has one object, with its own name, whatever the name was before.
var ownName = map[string]bool{
	"Service": true, "Ingress": true, "HTTPRoute": true, "HorizontalPodAutoscaler": true, "PodDisruptionBudget": true, "NetworkPolicy": true,
	"ServiceMonitor": true,
}

// ownObject takes what identifies an object that becomes a part of the Application.
func (s *session) ownObject(doc *document) {
	root, metadata := doc.root(), doc.root().in("metadata")
	root.drop("apiVersion", "kind")
	metadata.drop("name")
	if unlike := doc.name != s.app.Name; unlike && ownName[doc.kind] {
		metadata.note("name", doc.name, "the Application's is called "+s.app.Name+", as all its objects are; remove this one when the other serves")
	}
	if namespace := metadata.text("namespace"); namespace != "" && s.app.Namespace == "" {
		s.app.Namespace = namespace
	}
	metadata.remark("ownerReferences", "its owner makes it again and again; take it away from its owner first")
}

// companion takes the metadata of an object beside the workload, and returns its own annotations. The labels of the Service go to every
// object, since others find it by them.
func (s *session) companion(doc *document) map[string]string {
	s.ownObject(doc)
	metadata := doc.root().in("metadata")
	if labels := s.labels(metadata); doc.kind == "Service" {
		s.addLabels(metadata, labels)
	} else {
		s.missingLabels(metadata, labels)
	}
	return s.ownAnnotations(metadata)
}

// ownAnnotations takes the annotations that not every object has.
func (s *session) ownAnnotations(metadata part) map[string]string {
	annotations := s.annotations(metadata)
	if common := s.app.Spec.ObjectMetadata; common != nil {
		maps.DeleteFunc(annotations, func(key, value string) bool { return common.Annotations[key] == value })
	}
	return orNil(annotations)
}

// addLabels has every object have the labels that one has, as far as no other has another value.
func (s *session) addLabels(metadata part, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		value := labels[key]
		if s.app.Spec.ObjectMetadata == nil {
			s.app.Spec.ObjectMetadata = &v1.ObjectMetadata{}
		}
		common := s.app.Spec.ObjectMetadata
		if known, ok := common.Labels[key]; ok && known != value {
			metadata.note("labels["+key+"]", value, "all objects have one value in spec.objectMetadata.labels: "+known)
			continue
		}
		if common.Labels == nil {
			common.Labels = map[string]string{}
		}
		common.Labels[key] = value
	}
}

// missingLabels says which labels of an object all objects do not have.
func (s *session) missingLabels(metadata part, labels map[string]string) {
	common := ptr.Deref(s.app.Spec.ObjectMetadata, v1.ObjectMetadata{}).Labels
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if common[key] != labels[key] {
			metadata.note("labels["+key+"]", labels[key], "it has the labels of spec.objectMetadata.labels, as all objects do; add it there if all may have it")
		}
	}
}

// plainCompanion is companion for an object that has no annotations of its own in an Application.
func (s *session) plainCompanion(doc *document) {
	annotations := s.companion(doc)
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		doc.root().in("metadata").note("annotations["+key+"]", annotations[key],
			"it has the annotations of spec.objectMetadata.annotations, as all objects do; add it there if all may have it")
	}
}

func orNil[M ~map[K]V, K comparable, V any](m M) M {
	if len(m) == 0 {
		return nil
	}
	return m
}
