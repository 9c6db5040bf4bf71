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
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
)

// manager is the field manager of these tests.
const manager = "app-operator"

// TestWantedConfigurationIsRecognisedOnceApplied holds what a quiet cluster rests on: what the operator owns of an
// object that was applied equals what is built the next time, although the API server has filled in its defaults.
// If it did not, every pass would write.
func TestWantedConfigurationIsRecognisedOnceApplied(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			app := readApplication(t, name)
			for _, builder := range builders {
				config, err := builder.build(Inputs{Application: app})
				if err != nil {
					t.Fatal(err)
				}
				if config == nil {
					continue
				}
				live := applied(t, builder, config)
				owned, err := builder.owned(live, manager)
				if err != nil {
					t.Fatalf("extract %s: %v", builder.kind, err)
				}
				if !equality.Semantic.DeepEqual(config, owned) {
					t.Errorf("%s would be written again on every pass (-wanted +owned):\n%s",
						builder.kind, cmp.Diff(text(t, config), text(t, owned)))
				}
			}
		})
	}
}

// TestWantedConfigurationFitsItsKind holds that no field of a configuration is lost on an object of its kind.
func TestWantedConfigurationFitsItsKind(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			app := readApplication(t, name)
			for _, builder := range builders {
				config, err := builder.build(Inputs{Application: app})
				if err != nil {
					t.Fatal(err)
				}
				if config == nil {
					continue
				}
				back := tree(t, typed(t, builder, config))
				if lost := missing(builder.kind, tree(t, config), back); lost != "" {
					t.Error(lost)
				}
			}
		})
	}
}

// TestUserValuesArriveUnchanged compares what is wanted with the user's own values, as Kubernetes compares them.
func TestUserValuesArriveUnchanged(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			app := readApplication(t, name)
			deployment := typed(t, builderOfKind(t, "Deployment"), buildAll(t, app)["Deployment"]).(*appsv1.Deployment)
			container := deployment.Spec.Template.Spec.Containers[0]
			wanted := app.DeepCopy().Spec
			fillDefaults(wanted.Env)
			resources := corev1.ResourceRequirements{}
			if wanted.Resources != nil {
				resources.Limits = corev1.ResourceList(wanted.Resources.Limits)
				resources.Requests = corev1.ResourceList(wanted.Resources.Requests)
			}
			round(resources)
			for _, field := range []struct {
				name      string
				want, got any
			}{
				{"resources", resources, container.Resources},
				{"env", wanted.Env, container.Env},
				{"envFrom", wanted.EnvFrom, container.EnvFrom},
				{"command", wanted.Command, container.Command},
				{"args", wanted.Args, container.Args},
			} {
				if !equality.Semantic.DeepEqual(field.want, field.got) {
					t.Errorf("%s (-want +got):\n%s", field.name, cmp.Diff(text(t, field.want), text(t, field.got)))
				}
			}
		})
	}
}

// applied returns the object that the API server would hold after the configuration was applied to nothing.
func applied(t *testing.T, builder builder, config runtime.ApplyConfiguration) object {
	t.Helper()
	live := typed(t, builder, config)
	sent := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text(t, config)), &sent.Object); err != nil {
		t.Fatal(err)
	}
	typedConfig, err := applyconfigurations.NewTypeConverter(scheme.Scheme).ObjectToTyped(sent)
	if err != nil {
		t.Fatalf("%s does not fit the schema: %v", builder.kind, err)
	}
	set, err := typedConfig.ToFieldSet()
	if err != nil {
		t.Fatal(err)
	}
	fields, err := set.ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	entry := metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply,
		APIVersion: sent.GetAPIVersion(), FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{},
	}
	entry.FieldsV1.SetRawBytes(fields)
	live.SetManagedFields([]metav1.ManagedFieldsEntry{entry})
	serverDefaults(live)
	return live
}

// serverDefaults does to an object what the API server does to values that have one owner as a whole, so that its
// defaults end up in what we own. It was compared with a real API server, of Kubernetes 1.36.
func serverDefaults(live object) {
	deployment, ok := live.(*appsv1.Deployment)
	if !ok {
		return
	}
	container := &deployment.Spec.Template.Spec.Containers[0]
	fillDefaults(container.Env)
	round(container.Resources)
	container.TerminationMessagePath = corev1.TerminationMessagePathDefault
	container.TerminationMessagePolicy = corev1.TerminationMessageReadFile
	deployment.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyAlways
	deployment.Spec.Template.Spec.DNSPolicy = corev1.DNSClusterFirst
}

func round(resources corev1.ResourceRequirements) {
	for _, list := range []corev1.ResourceList{resources.Limits, resources.Requests} {
		for name, quantity := range list {
			quantity.RoundUp(resource.Milli)
			list[name] = quantity
		}
	}
}

func fillDefaults(env []corev1.EnvVar) {
	for i := range env {
		if from := env[i].ValueFrom; from != nil && from.FieldRef != nil && from.FieldRef.APIVersion == "" {
			from.FieldRef.APIVersion = "v1"
		}
	}
}

// typed returns the configuration as an object of its kind. A field that the kind does not have is an error.
func typed(t *testing.T, builder builder, config runtime.ApplyConfiguration) object {
	t.Helper()
	live := builder.empty()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text(t, config))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(live); err != nil {
		t.Fatalf("%s is no %T: %v", builder.kind, live, err)
	}
	return live
}

func builderOfKind(t *testing.T, kind string) builder {
	t.Helper()
	for _, builder := range builders {
		if builder.kind == kind {
			return builder
		}
	}
	t.Fatalf("no builder of %s", kind)
	return builder{}
}

// missing returns what want has, at any depth, and got has not; "" is nothing.
func missing(path string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for key, value := range want {
			if lost := missing(path+"."+key, value, got[key]); lost != "" {
				return lost
			}
		}
		return ""
	case []any:
		got, _ := got.([]any)
		if len(got) != len(want) {
			return fmt.Sprintf("%s has %d elements, want %d", path, len(got), len(want))
		}
		for i := range want {
			if lost := missing(fmt.Sprintf("%s[%d]", path, i), want[i], got[i]); lost != "" {
				return lost
			}
		}
		return ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Sprintf("%s (-want +got):\n%s", path, diff)
	}
	return ""
}

// tree returns a value as decoded JSON.
func tree(t *testing.T, value any) any {
	t.Helper()
	var decoded any
	if err := json.Unmarshal([]byte(text(t, value)), &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// text returns a value as JSON, one field a line.
func text(t testing.TB, value any) string {
	t.Helper()
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatalf("encode %T: %v", value, err)
	}
	return string(data)
}
