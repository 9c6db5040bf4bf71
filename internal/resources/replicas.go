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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// LiveDeployment is what an Application's Deployment says of its size and its ports.
type LiveDeployment struct {
	// Replicas is how many pods it asks for.
	Replicas int32
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
	live := &LiveDeployment{Replicas: ptr.Deref(deployment.Spec.Replicas, 1)} // Kubernetes' own default
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

// DesiredReplicas returns how many pods should run now: none while the application is suspended or being deleted;
// with an autoscaler as many as it has asked for; otherwise spec.replicas, which is 1 by default. What an autoscaler
// that is gone has asked for stays until spec.replicas is changed.
func DesiredReplicas(in Inputs) int32 {
	switch app := in.Application; {
	case app.Spec.Suspend || app.DeletionTimestamp != nil:
		return 0
	case app.Spec.Autoscaling != nil && !starting(in):
		return in.Live.Replicas
	case app.Spec.Autoscaling != nil: // which starts from what it has asked for last
		start := cmp.Or(askedReplicas(in), specReplicas(app))
		return min(max(start, minReplicas(app.Spec.Autoscaling)), app.Spec.Autoscaling.MaxReplicas)
	case Keeping(in):
		return askedReplicas(in)
	default:
		return specReplicas(app)
	}
}

// starting reports whether the autoscaler has nothing to start from: it leaves a Deployment of no pods alone.
func starting(in Inputs) bool {
	return in.Live == nil || in.Live.Replicas == 0
}

// Keeping reports whether what an autoscaler has asked for is still in force, although it is gone.
func Keeping(in Inputs) bool {
	app := in.Application
	return app.Spec.Autoscaling == nil && app.Status.Autoscaled != nil &&
		app.Status.Autoscaled.Overridden == specReplicas(app) && askedReplicas(in) > 0
}

// askedReplicas returns how many pods the autoscaler has asked for last, or 0 if that is not known. The Deployment says so
// while the autoscaler decides. The status says so where there is no Deployment, where the Application is suspended, and
// where the autoscaler is gone.
func askedReplicas(in Inputs) int32 {
	app := in.Application
	if was := app.Status.Autoscaled; was != nil {
		gone := was.Kept && app.Spec.Autoscaling == nil
		if gone || app.Spec.Suspend || starting(in) {
			return was.Replicas
		}
	}
	if in.Live == nil {
		return 0
	}
	return in.Live.Replicas
}

// AutoscaledStatus returns what the status has to say of the autoscaler's decisions: nil if there never was an
// autoscaler, or if spec.replicas has taken over since.
func AutoscaledStatus(in Inputs) *v1.AutoscaledStatus {
	app, was, asked := in.Application, in.Application.Status.Autoscaled, askedReplicas(in)
	switch {
	case app.DeletionTimestamp != nil:
		return was
	case app.Spec.Paused && (was == nil || was.Kept || asked == 0):
		return was // nothing is applied, so nothing changes hands
	case app.Spec.Paused:
		return &v1.AutoscaledStatus{Replicas: asked, Overridden: was.Overridden}
	case app.Spec.Autoscaling != nil && asked > 0:
		return &v1.AutoscaledStatus{Replicas: asked, Overridden: specReplicas(app)}
	case Keeping(in):
		return &v1.AutoscaledStatus{Replicas: asked, Overridden: was.Overridden, Kept: true}
	default:
		return nil
	}
}

// Autoscaled reports whether an autoscaler decides how many pods run now.
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
