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
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// manager is the field manager of these tests.
const manager = "app-operator"

// TestWantedConfigurationIsRecognisedOnceApplied holds what a quiet cluster rests on: what the operator owns of an
// object that was applied equals what is built the next time, although the API server has filled in its defaults.
// If it did not, every reconcile would write.
func TestWantedConfigurationIsRecognisedOnceApplied(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			configs := buildAll(t, readInputs(t, name))
			for heading, builder := range configs.inOrder {
				if builder.kind == "ControllerRevision" { // once one exists, it is not applied again
					continue
				}
				config := configs[heading]
				live := applied(t, builder, config)
				owned, err := extract(t, builder, config, live)
				if err != nil {
					t.Fatalf("extract %s: %v", builder.kind, err)
				}
				if held, err := holds(config, live); err != nil || !held {
					t.Errorf("%s would be written again on every pass; error %v", builder.kind, err)
				}
				if !equality.Semantic.DeepEqual(config, owned) {
					t.Errorf("%s would be written again on every pass (-desired +owned):\n%s",
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
			configs := buildAll(t, readInputs(t, name))
			for heading, builder := range configs.inOrder {
				config := configs[heading]
				back := tree(t, asObject(t, builder, config))
				if lost := missing(builder.kind, tree(t, config), back); lost != "" {
					t.Error(lost)
				}
			}
		})
	}
}

// userValue is something that the user has said in the words of Kubernetes, and what has become of it.
type userValue struct {
	name      string
	want, got any
}

// TestUserValuesArriveUnchanged compares what is desired with the user's own values, as Kubernetes compares them.
func TestUserValuesArriveUnchanged(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			in := readInputs(t, name)
			configs := buildAll(t, in)
			deployment := asObject(t, builderOfKind(t, "Deployment"), configs["Deployment"]).(*appsv1.Deployment)
			spec, pod := in.ofPods().Application.Spec, deployment.Spec.Template.Spec
			values := slices.Concat(ofContainer(spec, pod.Containers[0]), ofOtherContainers(spec, pod), ofPod(spec, pod))
			if autoscaling := spec.Autoscaling; autoscaling != nil {
				built := asObject(t, builderOfKind(t, "HorizontalPodAutoscaler"), configs["HorizontalPodAutoscaler"])
				autoscaler := built.(*autoscalingv2.HorizontalPodAutoscaler).Spec
				ours := len(autoscaler.Metrics) - len(autoscaling.Metrics) // come first
				values = append(values, userValue{"metrics", autoscaling.Metrics, autoscaler.Metrics[ours:]},
					userValue{"behavior", saying(autoscaling.Behavior), autoscaler.Behavior})
			}
			for _, value := range values {
				if !equality.Semantic.DeepEqual(value.want, value.got) {
					t.Errorf("%s (-want +got):\n%s", value.name, cmp.Diff(text(t, value.want), text(t, value.got)))
				}
			}
		})
	}
}

func ofContainer(spec v1.ApplicationSpec, container corev1.Container) []userValue {
	desired := corev1.Container{Env: spec.Env}
	if spec.Resources != nil {
		desired.Resources.Limits = corev1.ResourceList(spec.Resources.Limits)
		desired.Resources.Requests = corev1.ResourceList(spec.Resources.Requests)
	}
	desired = wholeOwned(desired)
	return []userValue{
		{"resources", desired.Resources, container.Resources},
		{"env", desired.Env, container.Env},
		{"envFrom", spec.EnvFrom, container.EnvFrom},
		{"command", spec.Command, container.Command},
		{"args", spec.Args, container.Args},
	}
}

// ofOtherContainers leaves out what is completed and has tests of its own.
func ofOtherContainers(spec v1.ApplicationSpec, pod corev1.PodSpec) []userValue {
	var values []userValue
	for i, container := range slices.Concat(spec.Sidecars, spec.InitContainers) {
		want, got := wholeOwned(container), pod.InitContainers[i]
		if i < len(spec.Sidecars) {
			want.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		}
		want.SecurityContext, got.SecurityContext = nil, nil
		for j, mount := range want.VolumeMounts { // what is mounted by another path's name
			if !slices.ContainsFunc(pod.Volumes, func(volume corev1.Volume) bool { return volume.Name == mount.Name }) {
				want.VolumeMounts[j].Name, want.VolumeMounts[j].ReadOnly = got.VolumeMounts[j].Name, got.VolumeMounts[j].ReadOnly
			}
		}
		if want.ImagePullPolicy == "" {
			got.ImagePullPolicy = "" // Kubernetes' own, which has a test too
		}
		if want.TerminationMessagePolicy == "" {
			got.TerminationMessagePolicy = ""
		}
		values = append(values, userValue{"container " + container.Name, want, got})
	}
	return values
}

func ofPod(spec v1.ApplicationSpec, pod corev1.PodSpec) []userValue {
	var values []userValue
	for i, file := range spec.Files {
		if source, ok := userSource(file.VolumeSource); ok {
			values = append(values, userValue{"file " + file.MountPath, shared(source), shared(volumeNamed(pod, pod.Containers[0].VolumeMounts[i].Name))})
		}
	}
	all, _ := volumesOf(&v1.Application{Spec: spec})
	for _, volume := range spec.Volumes {
		if source, ok := userSource(volume.VolumeSource); ok {
			name := *all.byName[volume.Name].volume.Name
			values = append(values, userValue{"volume " + volume.Name, shared(source), shared(volumeNamed(pod, name))})
		}
	}
	scheduling := ptr.Deref(spec.Scheduling, v1.SchedulingSpec{})
	values = append(values, userValue{"nodeSelector", scheduling.NodeSelector, pod.NodeSelector},
		userValue{"tolerations", scheduling.Tolerations, pod.Tolerations},
		userValue{"affinity", scheduling.Affinity, pod.Affinity},
		userValue{"runtimeClassName", scheduling.RuntimeClassName, pod.RuntimeClassName})
	for i, constraint := range scheduling.TopologySpreadConstraints {
		got := pod.TopologySpreadConstraints[i]
		if constraint.LabelSelector == nil {
			got.LabelSelector = nil // ours
		}
		values = append(values, userValue{"constraint on " + constraint.TopologyKey, constraint, got})
	}
	return values
}

// userSource returns what the user has said in the words of Kubernetes. It returns false if that is nothing.
func userSource(source v1.VolumeSource) (corev1.VolumeSource, bool) {
	said := corev1.VolumeSource{
		ConfigMap: source.ConfigMap, Secret: source.Secret, EmptyDir: source.EmptyDir, Projected: source.Projected,
		CSI: source.CSI, DownwardAPI: source.DownwardAPI, Ephemeral: source.Ephemeral,
	}
	if claim := source.PersistentVolumeClaim; claim != nil && claim.ClaimName != "" {
		said.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.ClaimName, ReadOnly: claim.ReadOnly}
	}
	return said, said != corev1.VolumeSource{}
}

func volumeNamed(pod corev1.PodSpec, name string) corev1.VolumeSource {
	at := slices.IndexFunc(pod.Volumes, func(volume corev1.Volume) bool { return volume.Name == name })
	return pod.Volumes[at].VolumeSource
}

// shared returns a source without what several files of one volume may say each in its way.
func shared(source corev1.VolumeSource) corev1.VolumeSource {
	source = *source.DeepCopy()
	if source.ConfigMap != nil {
		source.ConfigMap.Optional = optionalKey(source.ConfigMap.Optional)
	}
	if source.Secret != nil {
		source.Secret.Optional = optionalKey(source.Secret.Optional)
	}
	if source.PersistentVolumeClaim != nil {
		source.PersistentVolumeClaim.ReadOnly = false
	}
	if source.DownwardAPI != nil {
		defaultPodFiles(source.DownwardAPI.Items)
	}
	if source.Projected != nil {
		for _, projection := range source.Projected.Sources {
			if projection.DownwardAPI != nil {
				defaultPodFiles(projection.DownwardAPI.Items)
			}
			if token := projection.ServiceAccountToken; token != nil && token.ExpirationSeconds == nil {
				token.ExpirationSeconds = new(int64(3600))
			}
		}
	}
	return source
}

func defaultPodFiles(files []corev1.DownwardAPIVolumeFile) {
	for _, file := range files {
		if file.FieldRef != nil && file.FieldRef.APIVersion == "" {
			file.FieldRef.APIVersion = "v1"
		}
	}
}

// saying returns a behavior without the rules that say nothing, or nil.
func saying(behavior *autoscalingv2.HorizontalPodAutoscalerBehavior) *autoscalingv2.HorizontalPodAutoscalerBehavior {
	if behavior == nil {
		return nil
	}
	behavior = behavior.DeepCopy()
	for _, rules := range []**autoscalingv2.HPAScalingRules{&behavior.ScaleUp, &behavior.ScaleDown} {
		if *rules != nil && equality.Semantic.DeepEqual(**rules, autoscalingv2.HPAScalingRules{}) {
			*rules = nil
		}
	}
	if behavior.ScaleUp == nil && behavior.ScaleDown == nil {
		return nil
	}
	return behavior
}

// wholeOwned returns a container with what the API server makes of values that have one owner as a whole.
func wholeOwned(container corev1.Container) corev1.Container {
	container = *container.DeepCopy()
	defaultVariables(container.Env)
	defaultPorts(container.Ports)
	round(container.Resources)
	return container
}

// asObject returns the configuration as an object of its kind. A field that the kind does not have is an error.
func asObject(t *testing.T, builder builder, config runtime.ApplyConfiguration) object {
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
	if got == nil && isZero(want) { // most types are stored without it
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
