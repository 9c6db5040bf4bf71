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
	"encoding/binary"
	"encoding/json"
	"maps"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/randfill"

	v1 "github.com/example/app-operator/api/v1"
)

// TestInvariants holds for the golden cases what FuzzChildren holds for any Application.
func TestInvariants(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) { checkInvariants(t, readApplication(t, name)) })
	}
}

// FuzzChildren builds the children of Applications that no schema has checked.
func FuzzChildren(f *testing.F) {
	// A Filler that runs out of bytes goes on with random numbers that follow from the first eight.
	for seed := range uint64(100) {
		f.Add(binary.BigEndian.AppendUint64(nil, seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkInvariants(t, randomApplication(data))
	})
}

func randomApplication(data []byte) *v1.Application {
	app := &v1.Application{}
	randfill.NewFromGoFuzz(data).NilChance(0.3).NumElements(0, 4).Funcs(
		// A quantity's own fields are not exported, so it would always be zero.
		func(quantity *resource.Quantity, c randfill.Continue) {
			quantity.SetScaled(c.Int63n(1<<40), resource.Scale(c.Intn(19)-9))
		},
		func(metadata *v1.PodMetadata, c randfill.Continue) {
			c.FillNoCustom(metadata)
			if metadata.Labels != nil && c.Bool() {
				metadata.Labels[LabelInstance] = c.String(8)
			}
		},
	).Fill(app)
	return app
}

func checkInvariants(t *testing.T, app *v1.Application) {
	t.Helper()
	before := app.DeepCopy()
	configs := buildAll(t, app)
	if diff := cmp.Diff(before, app); diff != "" {
		t.Fatalf("building changed the Application (-before +after):\n%s", diff)
	}
	again := buildAll(t, app.DeepCopy())
	for _, builder := range builders {
		if diff := cmp.Diff(text(t, configs[builder.kind]), text(t, again[builder.kind])); diff != "" {
			t.Errorf("two builds of %s differ:\n%s", builder.kind, diff)
		}
		if config := configs[builder.kind]; config != nil {
			checkIdentity(t, app, builder.kind, config)
		}
	}
	checkSelectors(t, app, configs)
	checkPorts(t, configs)

	// The client decodes the API server's answer into a configuration: that must not reach the Application.
	for _, config := range configs {
		scribble(reflect.ValueOf(config))
	}
	if diff := cmp.Diff(before, app); diff != "" {
		t.Errorf("a configuration shares memory with the Application (-before +after):\n%s", diff)
	}
}

// checkIdentity holds that a child bears the Application's name, its labels and one owner reference.
func checkIdentity(t *testing.T, app *v1.Application, kind string, config runtime.ApplyConfiguration) {
	t.Helper()
	var object struct {
		Kind     string                                `json:"kind"`
		Metadata metav1ac.ObjectMetaApplyConfiguration `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(text(t, config)), &object); err != nil {
		t.Fatal(err)
	}
	want := &metav1ac.ObjectMetaApplyConfiguration{
		Name:      new(app.Name),
		Namespace: new(app.Namespace),
		Labels:    map[string]string{LabelName: app.Name, LabelInstance: app.Name, LabelManagedBy: ManagedBy},
		OwnerReferences: []metav1ac.OwnerReferenceApplyConfiguration{{
			APIVersion: new("apps.example.com/v1"), Kind: new("Application"), Name: new(app.Name), UID: new(app.UID),
			Controller: new(true), BlockOwnerDeletion: new(true),
		}},
		// Annotations are the user's.
		Annotations: object.Metadata.Annotations,
	}
	if object.Kind != kind {
		t.Errorf("kind = %q, want %q", object.Kind, kind)
	}
	if diff := cmp.Diff(text(t, want), text(t, object.Metadata)); diff != "" {
		t.Errorf("metadata of %s (-want +got):\n%s", kind, diff)
	}
}

// checkSelectors holds that selectors depend on the name alone, and that the pods bear what they select.
func checkSelectors(t *testing.T, app *v1.Application, configs map[string]runtime.ApplyConfiguration) {
	t.Helper()
	want := map[string]string{LabelName: app.Name, LabelInstance: app.Name, LabelManagedBy: ManagedBy}
	deployment := configs["Deployment"].(*appsv1ac.DeploymentApplyConfiguration)
	selector := metav1ac.LabelSelector().WithMatchLabels(want)
	if diff := cmp.Diff(selector, deployment.Spec.Selector); diff != "" {
		t.Errorf("the Deployment's selector (-want +got):\n%s", diff)
	}
	if service := serviceOf(configs); service != nil {
		if diff := cmp.Diff(want, service.Spec.Selector); diff != "" {
			t.Errorf("the Service's selector (-want +got):\n%s", diff)
		}
	}
	// Reserved labels win over the user's; all other labels are the user's.
	labels := map[string]string{}
	if app.Spec.PodMetadata != nil {
		maps.Copy(labels, app.Spec.PodMetadata.Labels)
	}
	maps.Copy(labels, want)
	if diff := cmp.Diff(labels, deployment.Spec.Template.Labels); diff != "" {
		t.Errorf("the pods' labels (-want +got):\n%s", diff)
	}
}

// checkPorts holds that what the Service targets by name is a port of the container, of the same protocol.
func checkPorts(t *testing.T, configs map[string]runtime.ApplyConfiguration) {
	t.Helper()
	service := serviceOf(configs)
	deployment := configs["Deployment"].(*appsv1ac.DeploymentApplyConfiguration)
	ports := deployment.Spec.Template.Spec.Containers[0].Ports
	if service == nil {
		if len(ports) > 0 {
			t.Errorf("there is no Service for the container's ports: %s", text(t, ports))
		}
		return
	}
	if len(service.Spec.Ports) != len(ports) {
		t.Errorf("the Service has %d ports, the container %d", len(service.Spec.Ports), len(ports))
	}
	for _, port := range service.Spec.Ports {
		if !targets(port, ports) {
			t.Errorf("the container has no port for the Service's: %s", text(t, port))
		}
	}
}

func targets(port corev1ac.ServicePortApplyConfiguration, ports []corev1ac.ContainerPortApplyConfiguration) bool {
	for _, candidate := range ports {
		if *candidate.Name == port.TargetPort.StrVal && *candidate.Protocol == *port.Protocol {
			return true
		}
	}
	return false
}

func serviceOf(configs map[string]runtime.ApplyConfiguration) *corev1ac.ServiceApplyConfiguration {
	service, _ := configs["Service"].(*corev1ac.ServiceApplyConfiguration)
	return service
}

// scribble overwrites all that can be reached from a value.
func scribble(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			scribble(value.Elem())
		}
	case reflect.Struct:
		for _, inner := range value.Fields() {
			scribble(inner)
		}
	case reflect.Slice:
		for i := range value.Len() {
			scribble(value.Index(i))
		}
	case reflect.Map:
		if value.IsNil() {
			return
		}
		value.SetMapIndex(reflect.Zero(value.Type().Key()), reflect.Zero(value.Type().Elem()))
	default:
		if !value.CanSet() {
			return
		}
		switch value.Kind() {
		case reflect.String:
			value.SetString(value.String() + "x")
		case reflect.Bool:
			value.SetBool(!value.Bool())
		case reflect.Int32, reflect.Int64:
			value.SetInt(value.Int() + 1)
		}
	}
}
