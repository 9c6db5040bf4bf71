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
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// edit is a change of what an Application's pods are made from.
type edit struct {
	name string
	do   func(*Inputs)
}

// editOf is an edit of the spec.
func editOf(name string, do func(*v1.ApplicationSpec)) edit {
	return edit{name: name, do: func(in *Inputs) { do(&in.Application.Spec) }}
}

// harmless are edits that must not restart a single pod: of how many there are, and of all that is around them.
var harmless = []edit{
	editOf("scaling", func(spec *v1.ApplicationSpec) { spec.Replicas = new(int32(9)) }),
	editOf("scaling to one", func(spec *v1.ApplicationSpec) { spec.Replicas = new(int32(1)) }),
	editOf("suspending", func(spec *v1.ApplicationSpec) { spec.Suspend = true }),
	editOf("pausing", func(spec *v1.ApplicationSpec) { spec.Paused = true }),
	editOf("another deletion policy", func(spec *v1.ApplicationSpec) { spec.DeletionPolicy = v1.DeletionPolicyDrain }),
	editOf("another Service", func(spec *v1.ApplicationSpec) {
		spec.Service = &v1.ServiceSpec{Type: "LoadBalancer", Port: new(int32(443)), Annotations: map[string]string{"a": "b"}}
	}),
	editOf("annotations of the ServiceAccount", func(spec *v1.ApplicationSpec) {
		spec.ServiceAccount = &v1.ServiceAccountSpec{Annotations: map[string]string{"a": "b"}}
	}),
	editOf("an autoscaler", func(spec *v1.ApplicationSpec) {
		spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 5}
	}),
	editOf("a disruption budget", func(spec *v1.ApplicationSpec) {
		spec.DisruptionBudget = &v1.DisruptionBudgetSpec{MinAvailable: new(intstr.FromInt32(2))}
	}),
	editOf("no disruption budget", func(spec *v1.ApplicationSpec) {
		spec.DisruptionBudget = &v1.DisruptionBudgetSpec{Enabled: new(false)}
	}),
	editOf("an Ingress", func(spec *v1.ApplicationSpec) {
		spec.Ingress = &v1.IngressSpec{Host: "shop.example.com", TLSSecretName: "shop-tls"}
	}),
	editOf("a route", func(spec *v1.ApplicationSpec) {
		spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
	}),
	editOf("a network policy", func(spec *v1.ApplicationSpec) {
		spec.NetworkPolicy = &v1.NetworkPolicySpec{IngressFrom: []v1.NetworkPeer{{CIDR: "10.0.0.0/8"}}}
	}),
	editOf("monitoring", func(spec *v1.ApplicationSpec) { spec.Monitoring = &v1.MonitoringSpec{} }),
	editOf("another pace of the rollout", func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{
			MaxSurge: new(intstr.FromInt32(3)), MaxUnavailable: new(intstr.FromString("50%")), MinReadySeconds: 10,
			ProgressDeadlineSeconds: new(int32(60)), RevisionHistoryLimit: new(int32(0)),
		}
	}),
	editOf("another strategy of the rollout", func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
	}),
	editOf("restarts on a change of configuration that there is none of", func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{RestartOnConfigChange: true}
	}),
	{name: "deleting", do: func(in *Inputs) { in.Application.DeletionTimestamp = new(metav1.Now()) }},
	{name: "labels of the Application", do: func(in *Inputs) { in.Application.Labels = map[string]string{"a": "b"} }},
	{name: "its status", do: func(in *Inputs) { in.Application.Status.Replicas = 3 }},
	{name: "what the autoscaler asks for", do: func(in *Inputs) {
		in.Application.Spec.Autoscaling = &v1.AutoscalingSpec{MaxReplicas: 5}
		in.Live = pods(4)
		in.Application.Status.Autoscaled = &v1.AutoscaledStatus{Replicas: 4, Overridden: 3}
	}},
	{name: "what an autoscaler has asked for before it was taken away", do: func(in *Inputs) {
		in.Live = pods(4)
		in.Application.Status.Autoscaled = &v1.AutoscaledStatus{Replicas: 4, Overridden: 3}
	}},
	{name: "a Deployment that somebody has scaled", do: func(in *Inputs) { in.Live = pods(1) }},
}

// spelledOut are edits that ask for what is there already.
var spelledOut = []edit{
	editOf("the default security profile", func(spec *v1.ApplicationSpec) {
		spec.Security = &v1.SecuritySpec{Profile: v1.SecurityProfileBaseline}
	}),
	editOf("the default shutdown", func(spec *v1.ApplicationSpec) {
		spec.Shutdown = &v1.ShutdownSpec{GracePeriodSeconds: new(int64(30))}
	}),
	editOf("the default rollout", func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{
			Strategy: appsv1.RollingUpdateDeploymentStrategyType,
			MaxSurge: new(intstr.FromString("25%")), MaxUnavailable: new(intstr.FromInt32(0)),
			ProgressDeadlineSeconds: new(int32(600)), RevisionHistoryLimit: new(int32(3)),
		}
	}),
	editOf("no pod metadata", func(spec *v1.ApplicationSpec) { spec.PodMetadata = &v1.PodMetadata{} }),
	editOf("no scheduling", func(spec *v1.ApplicationSpec) { spec.Scheduling = &v1.SchedulingSpec{} }),
	editOf("no probes", func(spec *v1.ApplicationSpec) { spec.Probes = &v1.ProbesSpec{} }),
	editOf("no resources", func(spec *v1.ApplicationSpec) { spec.Resources = &v1.ResourceRequirements{} }),
	editOf("no files and no other containers", func(spec *v1.ApplicationSpec) {
		spec.Files, spec.InitContainers, spec.Sidecars = []v1.File{}, []corev1.Container{}, []corev1.Container{}
	}),
}

// TestWhatDoesNotTouchThePods holds that these edits of an Application restart none of its pods.
func TestWhatDoesNotTouchThePods(t *testing.T) {
	want := text(t, deploymentOf(t, readInputs(t, "smallest")).Spec.Template)
	for _, edits := range [][]edit{harmless, spelledOut} {
		for _, edit := range edits {
			t.Run(edit.name, func(t *testing.T) {
				in := readInputs(t, "smallest")
				edit.do(&in)
				if diff := cmp.Diff(want, text(t, deploymentOf(t, in).Spec.Template)); diff != "" {
					t.Errorf("the pod template changes (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// TestWhatIsSpelledOutChangesNothing holds that defaults are the same whether the schema, the user or nobody says them.
func TestWhatIsSpelledOutChangesNothing(t *testing.T) {
	want := text(t, buildAll(t, readInputs(t, "smallest")))
	for _, edit := range spelledOut {
		t.Run(edit.name, func(t *testing.T) {
			in := readInputs(t, "smallest")
			edit.do(&in)
			if diff := cmp.Diff(want, text(t, buildAll(t, in))); diff != "" {
				t.Errorf("something changes (-before +after):\n%s", diff)
			}
		})
	}
}

// TestAnotherConfigurationRestartsThePods is what restartOnConfigChange is for.
func TestAnotherConfigurationRestartsThePods(t *testing.T) {
	in := readInputs(t, "smallest")
	in.Application.Spec.PodMetadata = &v1.PodMetadata{Annotations: map[string]string{"a": "b"}}
	in.ConfigHash = "1"
	before := deploymentOf(t, in).Spec.Template
	want := map[string]string{"a": "b", annotationConfigHash: "1"}
	if diff := cmp.Diff(want, before.Annotations); diff != "" {
		t.Errorf("the pods' annotations (-want +got):\n%s", diff)
	}
	in.ConfigHash = "2"
	after := deploymentOf(t, in).Spec.Template
	if after.Annotations[annotationConfigHash] != "2" {
		t.Errorf("the pods bear %q for another configuration", after.Annotations[annotationConfigHash])
	}
	if diff := cmp.Diff(text(t, before.Spec), text(t, after.Spec)); diff != "" {
		t.Errorf("the pods' spec changes as well (-before +after):\n%s", diff)
	}
}

// TestSecurityOfOtherContainers holds that the profile reaches the user's own containers, and that their word counts.
func TestSecurityOfOtherContainers(t *testing.T) {
	none := corev1ac.SecurityContext
	drop := func(names ...corev1.Capability) *corev1ac.CapabilitiesApplyConfiguration {
		return corev1ac.Capabilities().WithDrop(names...)
	}
	tests := []struct {
		name                 string
		own                  *corev1.SecurityContext
		baseline, restricted *corev1ac.SecurityContextApplyConfiguration
	}{
		{
			name:       "says nothing",
			baseline:   none().WithAllowPrivilegeEscalation(false),
			restricted: none().WithAllowPrivilegeEscalation(false).WithCapabilities(drop("ALL")),
		},
		{
			name:       "says nothing, in many words",
			own:        &corev1.SecurityContext{Capabilities: &corev1.Capabilities{}},
			baseline:   none().WithAllowPrivilegeEscalation(false).WithCapabilities(corev1ac.Capabilities()),
			restricted: none().WithAllowPrivilegeEscalation(false).WithCapabilities(drop("ALL")),
		},
		{
			name:       "speaks of something else",
			own:        &corev1.SecurityContext{RunAsUser: new(int64(0)), ReadOnlyRootFilesystem: new(true)},
			baseline:   none().WithRunAsUser(0).WithReadOnlyRootFilesystem(true).WithAllowPrivilegeEscalation(false),
			restricted: none().WithRunAsUser(0).WithReadOnlyRootFilesystem(true).WithAllowPrivilegeEscalation(false).WithCapabilities(drop("ALL")),
		},
		{
			name:       "may escalate privileges",
			own:        &corev1.SecurityContext{AllowPrivilegeEscalation: new(true)},
			baseline:   none().WithAllowPrivilegeEscalation(true),
			restricted: none().WithAllowPrivilegeEscalation(true).WithCapabilities(drop("ALL")),
		},
		{
			name:       "is privileged",
			own:        &corev1.SecurityContext{Privileged: new(true)},
			baseline:   none().WithPrivileged(true),
			restricted: none().WithPrivileged(true).WithCapabilities(drop("ALL")),
		},
		{
			name:       "may administer the system",
			own:        &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"CAP_SYS_ADMIN"}}},
			baseline:   none().WithCapabilities(corev1ac.Capabilities().WithAdd("CAP_SYS_ADMIN")),
			restricted: none().WithCapabilities(drop("ALL").WithAdd("CAP_SYS_ADMIN")),
		},
		{
			name:       "says that it is not privileged",
			own:        &corev1.SecurityContext{Privileged: new(false)},
			baseline:   none().WithPrivileged(false).WithAllowPrivilegeEscalation(false),
			restricted: none().WithPrivileged(false).WithAllowPrivilegeEscalation(false).WithCapabilities(drop("ALL")),
		},
		{
			name:       "adds a capability",
			own:        &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"NET_BIND_SERVICE"}}},
			baseline:   none().WithAllowPrivilegeEscalation(false).WithCapabilities(corev1ac.Capabilities().WithAdd("NET_BIND_SERVICE")),
			restricted: none().WithAllowPrivilegeEscalation(false).WithCapabilities(drop("ALL").WithAdd("NET_BIND_SERVICE")),
		},
		{
			name:       "drops others",
			own:        &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"NET_RAW"}}},
			baseline:   none().WithAllowPrivilegeEscalation(false).WithCapabilities(drop("NET_RAW")),
			restricted: none().WithAllowPrivilegeEscalation(false).WithCapabilities(drop("NET_RAW")),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for profile, want := range map[v1.SecurityProfile]*corev1ac.SecurityContextApplyConfiguration{
				v1.SecurityProfileBaseline: test.baseline, v1.SecurityProfileRestricted: test.restricted,
			} {
				in := readInputs(t, "smallest")
				in.Application.Spec.Security = &v1.SecuritySpec{Profile: profile}
				in.Application.Spec.InitContainers = []corev1.Container{{Name: "init", SecurityContext: test.own}}
				in.Application.Spec.Sidecars = []corev1.Container{{Name: "sidecar", SecurityContext: test.own}}
				for _, container := range deploymentOf(t, in).Spec.Template.Spec.InitContainers {
					if diff := cmp.Diff(want, container.SecurityContext); diff != "" {
						t.Errorf("%s of the %s profile (-want +got):\n%s", *container.Name, profile, diff)
					}
				}
			}
		})
	}
}

// TestPullPolicy compares with what the API server made of the same images, in Kubernetes 1.36.
func TestPullPolicy(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for image, want := range map[string]corev1.PullPolicy{
		"nginx":                                  corev1.PullAlways,
		"nginx:latest":                           corev1.PullAlways,
		"registry.example.com:5000/nginx":        corev1.PullAlways,
		"nginx:latest" + digest:                  corev1.PullAlways,
		"nginx:1.29":                             corev1.PullIfNotPresent,
		"nginx" + digest:                         corev1.PullIfNotPresent,
		"nginx:1.29" + digest:                    corev1.PullIfNotPresent,
		"registry.example.com:5000/a/b:v1":       corev1.PullIfNotPresent,
		"registry.example.com:5000/a/b" + digest: corev1.PullIfNotPresent,
	} {
		if got := PullPolicy(image); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
}
