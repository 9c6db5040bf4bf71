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
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// Reference is an object of the Application's namespace that its pods need and that is not made for it.
type Reference struct {
	// Kind is ConfigMap, PersistentVolumeClaim, Secret or ServiceAccount.
	Kind string
	// Name of the object.
	Name string
}

// String returns kind and name.
func (r Reference) String() string { return r.Kind + " " + r.Name }

// Need is how much an Application needs a referenced object.
type Need struct {
	Reference
	// Optional says that the pods start without it too.
	Optional bool
	// Content says that the pods take their configuration from what is in it.
	Content bool
}

// The kinds of referenced objects.
const (
	KindConfigMap             = "ConfigMap"
	KindPersistentVolumeClaim = "PersistentVolumeClaim"
	KindSecret                = "Secret"
	KindServiceAccount        = "ServiceAccount"
)

// References returns what the pods of the Applications refer to, each object once, in the order of kinds and names. Certificates
// of an Ingress are not among them: the pods do not need them, and they may be made because there is an Ingress.
func References(apps ...*v1.Application) []Need {
	found := needs{}
	for _, app := range apps {
		found.addPods(app)
	}
	all := make([]Need, 0, len(found))
	for reference, need := range found {
		need.Reference = reference
		all = append(all, need)
	}
	slices.SortFunc(all, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// needs collects references. An object is optional only if it is so wherever it is referred to.
type needs map[Reference]Need

// addPods adds what an Application's pods refer to.
func (n needs) addPods(app *v1.Application) {
	own := needs{}
	own.add(KindServiceAccount, ReferencedServiceAccount(app), nil, false)
	for _, name := range app.Spec.ImagePullSecrets {
		own.add(KindSecret, name, nil, false)
	}
	sources := sourcesOf(app)
	for _, source := range sources {
		own.addSource(source.VolumeSource)
	}
	own.addEnvironment(app.Spec.Env, app.Spec.EnvFrom)
	for _, containers := range [][]corev1.Container{app.Spec.InitContainers, app.Spec.Sidecars} {
		for i := range containers {
			own.addEnvironment(containers[i].Env, containers[i].EnvFrom)
		}
	}
	for _, source := range sources { // what is made for the Application, others of its fields may name, too
		if source.Inline != nil {
			delete(own, Reference{KindConfigMap, ownedName(app, source.name)})
		}
		if isMade(source.PersistentVolumeClaim) {
			delete(own, Reference{KindPersistentVolumeClaim, ownedName(app, source.name)})
		}
	}
	for reference, need := range own {
		n.add(reference.Kind, reference.Name, &need.Optional, need.Content)
	}
}

func (n needs) add(kind, name string, optional *bool, content bool) {
	if name == "" {
		return
	}
	reference := Reference{Kind: kind, Name: name}
	known, ok := n[reference]
	n[reference] = Need{
		Optional: optional != nil && *optional && (known.Optional || !ok),
		Content:  content || known.Content,
	}
}

func (n needs) addSource(source v1.VolumeSource) {
	switch {
	case source.ConfigMap != nil:
		n.add(KindConfigMap, source.ConfigMap.Name, source.ConfigMap.Optional, true)
	case source.Secret != nil:
		n.add(KindSecret, source.Secret.SecretName, source.Secret.Optional, true)
	case source.PersistentVolumeClaim != nil:
		n.add(KindPersistentVolumeClaim, source.PersistentVolumeClaim.ClaimName, nil, false)
	case source.CSI != nil && source.CSI.NodePublishSecretRef != nil:
		n.add(KindSecret, source.CSI.NodePublishSecretRef.Name, nil, false)
	case source.Projected != nil:
		for _, projection := range source.Projected.Sources {
			n.addProjection(projection)
		}
	}
}

func (n needs) addProjection(projection corev1.VolumeProjection) {
	if config := projection.ConfigMap; config != nil {
		n.add(KindConfigMap, config.Name, config.Optional, true)
	}
	if secret := projection.Secret; secret != nil {
		n.add(KindSecret, secret.Name, secret.Optional, true)
	}
}

func (n needs) addEnvironment(env []corev1.EnvVar, envFrom []corev1.EnvFromSource) {
	for _, variable := range env {
		from := variable.ValueFrom
		if from == nil {
			continue
		}
		if key := from.ConfigMapKeyRef; key != nil {
			n.add(KindConfigMap, key.Name, key.Optional, true)
		}
		if key := from.SecretKeyRef; key != nil {
			n.add(KindSecret, key.Name, key.Optional, true)
		}
	}
	for _, source := range envFrom {
		if from := source.ConfigMapRef; from != nil {
			n.add(KindConfigMap, from.Name, from.Optional, true)
		}
		if from := source.SecretRef; from != nil {
			n.add(KindSecret, from.Name, from.Optional, true)
		}
	}
}
