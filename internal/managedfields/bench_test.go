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

package managedfields_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/example/app-operator/internal/managedfields"
)

// BenchmarkHold compares a Deployment that has this many environment variables.
func BenchmarkHold(b *testing.B) {
	for _, count := range []int{200, 2000, 10000} {
		owned, desired, live := variables(b, count)
		b.Run(fmt.Sprintf("variables=%d", count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if same, err := owned.Matches(desired, live); err != nil || !same {
					b.Fatal(same, err)
				}
			}
		})
	}
}

// TestHoldTakesTimeByLength guards against a search of the list for each of its items, by what it allocates rather than
// by a clock: a list ten times as long takes ten times as much, not a hundred times.
func TestHoldTakesTimeByLength(t *testing.T) {
	count := func(length int) float64 {
		owned, desired, live := variables(t, length)
		return testing.AllocsPerRun(1, func() {
			if same, err := owned.Matches(desired, live); err != nil || !same {
				t.Fatal(same, err)
			}
		})
	}
	few, many := count(100), count(1000)
	if many > 15*few {
		t.Errorf("100 variables take %.0f allocations and 1,000 take %.0f", few, many)
	}
}

// variables returns a Deployment with this many environment variables, as it is desired, as it is live, and what is owned
// of it.
func variables(t testing.TB, count int) (
	managedfields.Fields, *appsv1ac.DeploymentApplyConfiguration, *appsv1.Deployment,
) {
	t.Helper()
	var managed strings.Builder
	container := corev1ac.Container().WithName("web")
	live := corev1.Container{Name: "web"}
	for i := range count {
		name := fmt.Sprintf("NAME_%05d", i)
		container.WithEnv(corev1ac.EnvVar().WithName(name).WithValue("x"))
		live.Env = append(live.Env, corev1.EnvVar{Name: name, Value: "x"})
		fmt.Fprintf(&managed, `,"k:{\"name\":\"%s\"}":{".":{},"f:name":{},"f:value":{}}`, name)
	}
	owned := of(t, `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:name":{},"f:env":{`+
		managed.String()[1:]+`}}}}}}}`)
	return owned,
		appsv1ac.Deployment("web", "apps").WithSpec(appsv1ac.DeploymentSpec().WithTemplate(
			corev1ac.PodTemplateSpec().WithSpec(corev1ac.PodSpec().WithContainers(container)))),
		&appsv1.Deployment{Spec: appsv1.DeploymentSpec{
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{live}}},
		}}
}
