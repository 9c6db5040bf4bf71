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
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// The annotations of a Deployment in which its size is remembered beyond an autoscaler.
const (
	// annotationOverridden is the spec.replicas that an autoscaler has overridden.
	annotationOverridden = "apps.example.com/replicas-overridden"
	// annotationKept is how many pods ran when the autoscaler was taken away. They are kept until spec.replicas is
	// another one than the one overridden.
	annotationKept = "apps.example.com/replicas-kept"
)

// LiveDeployment is what an Application's Deployment says of its size and its ports.
type LiveDeployment struct {
	// Replicas is how many pods it asks for.
	Replicas int32
	// Overridden is the spec.replicas that an autoscaler has overridden; nil when none has.
	Overridden *int32
	// Kept is how many pods are kept instead; nil while the autoscaler decides.
	Kept *int32
	// Image is what the container that runs the image has.
	Image string
	// Ports are that container's.
	Ports []corev1.ContainerPort
}

// LiveFrom returns what an Application's Deployment says of its size and its ports, or nil for nil. The ports share memory
// with the Deployment.
func LiveFrom(deployment *appsv1.Deployment) *LiveDeployment {
	if deployment == nil {
		return nil
	}
	live := &LiveDeployment{
		Replicas:   ptr.Deref(deployment.Spec.Replicas, 1), // Kubernetes' own default
		Overridden: number(deployment.Annotations[annotationOverridden]),
		Kept:       number(deployment.Annotations[annotationKept]),
	}
	if main := MainContainer(&deployment.Spec.Template.Spec, deployment.Name); main != nil {
		live.Image, live.Ports = main.Image, main.Ports
	}
	return live
}

// MainContainer returns the container that runs the image of the Application of this name, or nil. Others may have added
// theirs.
func MainContainer(pod *corev1.PodSpec, name string) *corev1.Container {
	for i := range pod.Containers {
		if pod.Containers[i].Name == name {
			return &pod.Containers[i]
		}
	}
	return nil
}

// number returns the number that an annotation holds, or nil where somebody has made something else of it.
func number(text string) *int32 {
	value, err := strconv.ParseInt(text, 10, 32)
	if err != nil || value < 0 {
		return nil
	}
	return new(int32(value))
}

// WantedReplicas returns how many pods should run now: none while the application is suspended or being deleted;
// with an autoscaler as many as it has asked for; otherwise spec.replicas, which is 1 by default. What an autoscaler
// that is gone has asked for stays until spec.replicas is changed.
func WantedReplicas(in Inputs) int32 {
	switch app := in.Application; {
	case app.Spec.Suspend || app.DeletionTimestamp != nil:
		return 0
	case app.Spec.Autoscaling != nil && starting(in):
		return within(app.Spec.Autoscaling, specReplicas(app))
	case app.Spec.Autoscaling != nil:
		return in.Live.Replicas
	case Keeping(in):
		return keptReplicas(in)
	default:
		return specReplicas(app)
	}
}

// starting tells whether the autoscaler has nothing to start from: it leaves a Deployment of no pods alone.
func starting(in Inputs) bool {
	return in.Live == nil || in.Live.Replicas == 0
}

// Keeping tells whether what an autoscaler has asked for is still in force, although it is gone.
func Keeping(in Inputs) bool {
	return in.Application.Spec.Autoscaling == nil && in.Live != nil && in.Live.Overridden != nil &&
		*in.Live.Overridden == specReplicas(in.Application) && keptReplicas(in) > 0
}

// keptReplicas returns how many pods ran when the autoscaler was taken away.
func keptReplicas(in Inputs) int32 {
	return ptr.Deref(in.Live.Kept, in.Live.Replicas)
}

// Autoscaled tells whether an autoscaler decides how many pods run now.
func Autoscaled(app *v1.Application) bool {
	return app.Spec.Autoscaling != nil && !app.Spec.Suspend && app.DeletionTimestamp == nil
}

func specReplicas(app *v1.Application) int32 {
	return ptr.Deref(app.Spec.Replicas, 1)
}

// minReplicas returns the least number of pods that the autoscaler may ask for.
func minReplicas(autoscaling *v1.AutoscalingSpec) int32 {
	return ptr.Deref(autoscaling.MinReplicas, 1)
}

func within(autoscaling *v1.AutoscalingSpec, replicas int32) int32 {
	return min(max(replicas, minReplicas(autoscaling)), autoscaling.MaxReplicas)
}
