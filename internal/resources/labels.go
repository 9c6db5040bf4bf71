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
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// The labels that every child and every pod has. Selectors are made of them, and selectors cannot be changed
// once they exist, so neither can these.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelManagedBy = "app.kubernetes.io/managed-by"

	// LabelApplication names the Application of what must not be taken for one of its own pods or objects: of Jobs and their pods,
	// and of claims, which have no owner and outlive it.
	LabelApplication = "apps.example.com/application"

	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "app-operator"

	// FieldOwner is the field manager of what is built here: children.FieldOwner.
	FieldOwner = "app-operator"
)

// Labels returns the labels of the children and pods of the Application of this name.
func Labels(name string) map[string]string {
	return map[string]string{
		LabelName:      name,
		LabelInstance:  name,
		LabelManagedBy: ManagedBy,
	}
}

// Selector returns, in the form of kubectl's --selector, what finds the pods of the Application of this name.
func Selector(name string) string {
	return labels.SelectorFromSet(Labels(name)).String()
}

// objectLabels returns the labels of an object that is made for the Application: the user's, and over them the operator's own.
func objectLabels(app *v1.Application) map[string]string {
	all := map[string]string{}
	if app.Spec.ObjectMetadata != nil {
		maps.Copy(all, app.Spec.ObjectMetadata.Labels)
	}
	maps.Copy(all, Labels(app.Name))
	return all
}

// objectAnnotations returns the annotations that every object has which is made for the Application. Those that are of one kind
// of object are added over them. Argo CD may take what has no owner for its own, by a label, and prune it.
func objectAnnotations(app *v1.Application) map[string]string {
	all := map[string]string{}
	if app.Spec.DeletionPolicy == v1.DeletionPolicyOrphan {
		all[annotationSyncOptions] = doNotPrune
	}
	if app.Spec.ObjectMetadata != nil {
		maps.Copy(all, app.Spec.ObjectMetadata.Annotations)
	}
	return all
}

// podLabels returns what the pods have: the user's labels, and ours, which win.
func podLabels(app *v1.Application) map[string]string {
	all := map[string]string{}
	if app.Spec.PodMetadata != nil {
		maps.Copy(all, app.Spec.PodMetadata.Labels)
	}
	maps.Copy(all, Labels(app.Name))
	return all
}

// owners returns the owner references of a child: none while the children are to outlive the Application, since the garbage collector
// deletes in the foreground whatever finalizers say (decision 0051).
func owners(app *v1.Application) []*metav1ac.OwnerReferenceApplyConfiguration {
	if app.Spec.DeletionPolicy == v1.DeletionPolicyOrphan {
		return nil
	}
	return []*metav1ac.OwnerReferenceApplyConfiguration{owner(app)}
}

// ownerMark returns the annotation that says whose a child is which has no owner reference. It is set over all annotations of users.
func ownerMark(app *v1.Application) map[string]string {
	if app.Spec.DeletionPolicy != v1.DeletionPolicyOrphan {
		return nil
	}
	return map[string]string{v1.AnnotationOwner: app.Name + "/" + string(app.UID)}
}

// ParseOwnerMark returns which Application the annotation of a child names, and nothing if it is no such annotation.
func ParseOwnerMark(annotation string) (name string, uid types.UID) {
	name, id, marked := strings.Cut(annotation, "/")
	if !marked || id == "" || len(id) > maxUID || len(validation.IsDNS1035Label(name)) > 0 {
		return "", ""
	}
	return name, types.UID(id)
}

// maxUID is how long a UID is, which is a UUID in text.
const maxUID = 36

// owner returns the reference that makes the Application the controller of a child, so that the garbage
// collector takes the child when the Application goes.
func owner(app *v1.Application) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1.GroupVersion.String()).
		WithKind("Application").
		WithName(app.Name).
		WithUID(app.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}
