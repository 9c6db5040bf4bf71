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
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

func TestMissingRequests(t *testing.T) {
	const cpu, memory = corev1.ResourceCPU, corev1.ResourceMemory
	one := resource.MustParse("1")
	requests := func(names ...corev1.ResourceName) *v1.ResourceRequirements {
		of := &v1.ResourceRequirements{Requests: v1.ResourceList{}}
		for _, name := range names {
			of.Requests[name] = one
		}
		return of
	}
	proxy := corev1.Container{Name: "proxy"}
	ready := corev1.Container{Name: "ready", Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{cpu: one, memory: one}}}
	resourceMetric := func(of corev1.ResourceName, kind autoscalingv2.MetricTargetType) autoscalingv2.MetricSpec {
		return autoscalingv2.MetricSpec{
			Type:     autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricSource{Name: of, Target: autoscalingv2.MetricTarget{Type: kind}},
		}
	}
	ofContainer := func(name string) autoscalingv2.MetricSpec {
		return autoscalingv2.MetricSpec{
			Type: autoscalingv2.ContainerResourceMetricSourceType, ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
				Name: cpu, Container: name, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType},
			},
		}
	}
	const mine, sidecars = "spec.resources.requests.", "spec.sidecars[0].resources.requests."
	for name, test := range map[string]struct {
		spec v1.ApplicationSpec
		want []string
	}{
		"no autoscaler":           {v1.ApplicationSpec{}, nil},
		"CPU where none is named": {v1.ApplicationSpec{Autoscaling: &v1.AutoscalingSpec{}}, []string{mine + "cpu"}},
		"CPU that is requested":   {v1.ApplicationSpec{Autoscaling: &v1.AutoscalingSpec{}, Resources: requests(cpu)}, nil},
		"CPU that is limited": {v1.ApplicationSpec{
			Autoscaling: &v1.AutoscalingSpec{}, Resources: &v1.ResourceRequirements{Limits: v1.ResourceList{cpu: one}},
		}, nil},
		"memory alone": {v1.ApplicationSpec{
			Autoscaling: &v1.AutoscalingSpec{TargetMemoryUtilizationPercentage: new(int32(80))}, Resources: requests(cpu),
		}, []string{mine + "memory"}},
		"both": {v1.ApplicationSpec{Autoscaling: &v1.AutoscalingSpec{
			TargetMemoryUtilizationPercentage: new(int32(80)), TargetCPUUtilizationPercentage: new(int32(80)),
		}}, []string{mine + "cpu", mine + "memory"}},
		"a sidecar": {v1.ApplicationSpec{
			Autoscaling: &v1.AutoscalingSpec{}, Resources: requests(cpu), Sidecars: []corev1.Container{proxy, ready},
		}, []string{sidecars + "cpu"}},
		"a share, as a metric of one's own": {v1.ApplicationSpec{Autoscaling: &v1.AutoscalingSpec{
			Metrics: []autoscalingv2.MetricSpec{resourceMetric(memory, autoscalingv2.UtilizationMetricType)},
		}}, []string{mine + "memory"}},
		"a value, which is no share": {v1.ApplicationSpec{Autoscaling: &v1.AutoscalingSpec{
			Metrics: []autoscalingv2.MetricSpec{resourceMetric(memory, autoscalingv2.AverageValueMetricType)},
		}}, nil},
		"one container's share": {v1.ApplicationSpec{
			Autoscaling: &v1.AutoscalingSpec{Metrics: []autoscalingv2.MetricSpec{ofContainer("my-app")}}, Sidecars: []corev1.Container{proxy},
		}, []string{mine + "cpu"}},
		"one sidecar's share": {v1.ApplicationSpec{
			Autoscaling: &v1.AutoscalingSpec{Metrics: []autoscalingv2.MetricSpec{ofContainer("proxy")}}, Sidecars: []corev1.Container{proxy},
		}, []string{sidecars + "cpu"}},
	} {
		got := MissingRequests(&v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app"}, Spec: test.spec})
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
