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

	v1 "github.com/example/app-operator/api/v1"
)

func named(name string) corev1.LocalObjectReference {
	return corev1.LocalObjectReference{Name: name}
}

// optional, mandatory and content are the needs of a reference.
func optional(kind, name string) Need {
	return Need{Reference: Reference{Kind: kind, Name: name}, Optional: true, Content: true}
}

func mandatory(kind, name string) Need {
	return Need{Reference: Reference{Kind: kind, Name: name}}
}

func content(kind, name string) Need {
	return Need{Reference: Reference{Kind: kind, Name: name}, Content: true}
}

func secretVariable(name string, isOptional *bool) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: named(name), Key: "key", Optional: isOptional,
	}}}
}

func configMapVariable(name string, isOptional *bool) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
		LocalObjectReference: named(name), Key: "key", Optional: isOptional,
	}}}
}

func fromSecret(name string, isOptional *bool) corev1.EnvFromSource {
	return corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named(name), Optional: isOptional}}
}

func fromConfigMap(name string, isOptional *bool) corev1.EnvFromSource {
	return corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named(name), Optional: isOptional}}
}

func TestReferences(t *testing.T) {
	tests := []struct {
		name string
		spec v1.ApplicationSpec
		want []Need
	}{
		{name: "none", want: []Need{}},
		{name: "the ServiceAccount", spec: v1.ApplicationSpec{
			ServiceAccount: &v1.ServiceAccountSpec{Name: "builder"},
		}, want: []Need{mandatory(KindServiceAccount, "builder")}},
		{name: "a ServiceAccount of its own is none", spec: v1.ApplicationSpec{
			ServiceAccount: &v1.ServiceAccountSpec{AutomountToken: true},
		}, want: []Need{}},
		{name: "credentials for images: no restart when they change", spec: v1.ApplicationSpec{
			ImagePullSecrets: []string{"registry", "mirror"},
		}, want: []Need{mandatory(KindSecret, "mirror"), mandatory(KindSecret, "registry")}},
		{name: "certificates of an Ingress are none", spec: v1.ApplicationSpec{
			Ingress: &v1.IngressSpec{TLSSecretName: "shop-tls"},
		}, want: []Need{}},
		{name: "files", spec: v1.ApplicationSpec{Files: []v1.File{
			{VolumeSource: v1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls"}}},
			{VolumeSource: v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: named("settings"), Optional: new(true)}}},
			{VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{ClaimName: "data"}}},
			{VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		}}, want: []Need{
			optional(KindConfigMap, "settings"), mandatory(KindPersistentVolumeClaim, "data"), content(KindSecret, "tls"),
		}},
		{name: "optional files", spec: v1.ApplicationSpec{Files: []v1.File{
			{VolumeSource: v1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls", Optional: new(true)}}},
			{VolumeSource: v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: named("settings"), Optional: new(false)}}},
		}}, want: []Need{content(KindConfigMap, "settings"), optional(KindSecret, "tls")}},
		{name: "variables", spec: v1.ApplicationSpec{Env: []corev1.EnvVar{
			{Name: "PLAIN", Value: "text"},
			{Name: "POD", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			secretVariable("b", nil), secretVariable("a", new(true)),
			configMapVariable("d", new(false)), configMapVariable("c", new(true)),
		}}, want: []Need{
			optional(KindConfigMap, "c"), content(KindConfigMap, "d"), optional(KindSecret, "a"), content(KindSecret, "b"),
		}},
		{name: "sources of variables", spec: v1.ApplicationSpec{EnvFrom: []corev1.EnvFromSource{
			{Prefix: "EMPTY_"},
			fromSecret("b", nil), fromSecret("a", new(true)), fromConfigMap("d", new(false)), fromConfigMap("c", new(true)),
		}}, want: []Need{
			optional(KindConfigMap, "c"), content(KindConfigMap, "d"), optional(KindSecret, "a"), content(KindSecret, "b"),
		}},
		{name: "init containers and sidecars", spec: v1.ApplicationSpec{
			InitContainers: []corev1.Container{{
				Env: []corev1.EnvVar{secretVariable("init", nil)}, EnvFrom: []corev1.EnvFromSource{fromConfigMap("init", nil)},
			}, {
				Env: []corev1.EnvVar{secretVariable("second", nil)},
			}},
			Sidecars: []corev1.Container{{
				Env: []corev1.EnvVar{configMapVariable("sidecar", nil)}, EnvFrom: []corev1.EnvFromSource{fromSecret("sidecar", new(true))},
			}},
		}, want: []Need{
			content(KindConfigMap, "init"), content(KindConfigMap, "sidecar"),
			content(KindSecret, "init"), content(KindSecret, "second"), optional(KindSecret, "sidecar"),
		}},
		{name: "each once", spec: v1.ApplicationSpec{
			Env:     []corev1.EnvVar{secretVariable("a", new(true)), configMapVariable("a", nil)},
			EnvFrom: []corev1.EnvFromSource{fromSecret("a", new(true))},
		}, want: []Need{content(KindConfigMap, "a"), optional(KindSecret, "a")}},
		{name: "optional only where it is so everywhere: not first", spec: v1.ApplicationSpec{
			Env: []corev1.EnvVar{secretVariable("a", nil)}, EnvFrom: []corev1.EnvFromSource{fromSecret("a", new(true))},
			Sidecars: []corev1.Container{{Env: []corev1.EnvVar{secretVariable("a", new(true))}}},
		}, want: []Need{content(KindSecret, "a")}},
		{name: "optional only where it is so everywhere: not last", spec: v1.ApplicationSpec{
			Env: []corev1.EnvVar{secretVariable("a", new(true))}, EnvFrom: []corev1.EnvFromSource{fromSecret("a", new(true))},
			Sidecars: []corev1.Container{{Env: []corev1.EnvVar{secretVariable("a", new(false))}}},
		}, want: []Need{content(KindSecret, "a")}},
		{name: "credentials for images that are configuration too", spec: v1.ApplicationSpec{
			ImagePullSecrets: []string{"a"}, EnvFrom: []corev1.EnvFromSource{fromSecret("a", new(true))},
		}, want: []Need{content(KindSecret, "a")}},
		{name: "without a name there is nothing to need", spec: v1.ApplicationSpec{
			ImagePullSecrets: []string{""},
			Files:            []v1.File{{VolumeSource: v1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}}},
			Env:              []corev1.EnvVar{configMapVariable("", nil)},
		}, want: []Need{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, References(&v1.Application{Spec: test.spec})); diff != "" {
				t.Errorf("References (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferenceIsNamedInMessages(t *testing.T) {
	reference := Reference{Kind: KindConfigMap, Name: "settings"}
	if got := reference.String(); got != "ConfigMap settings" {
		t.Errorf("String = %q", got)
	}
}
