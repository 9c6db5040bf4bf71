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

// Package resources says what an Application's objects should look like: one pure function per child kind, from
// Inputs to a server-side apply configuration, or nil where the child must not exist.
//
// It reads no cluster, clock or environment, never changes its input, and returns the same bytes for the same
// input; a linter rule holds that. What must be read first is read by package controller and arrives in Inputs.
package resources

import (
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/revisions"
)

// Inputs is all that the children of one Application are made from: the Application as stored, and the facts
// that were resolved for it.
type Inputs struct {
	// Application as read, with the schema's defaults applied. It is not changed.
	Application *v1.Application
	// Live is what the Application's Deployment says of its size and its ports; nil when there is none.
	Live *LiveDeployment
	// ServicePorts are the ports of the Application's Service as it is; none when there is none.
	ServicePorts []corev1.ServicePort
	// PortNames are the names of the Service's ports that it had when it was taken over, where the spec has others, by number and
	// protocol, as "80/TCP".
	PortNames map[string]string
	// PodPorts are the ports that the Deployment's pods have: each list once, those of the oldest pods first. There are
	// none when all pods are of the Deployment's template, and nothing about the ports is to change (PortsSettled).
	PodPorts [][]corev1.ContainerPort
	// JobsRemain says that there are CronJobs of the Application, if only of schedules that were removed and have a run that has
	// not ended.
	JobsRemain bool
	// Claims are the claims that were made for the Application, by name.
	Claims map[string]*LiveClaim
	// ConfigHash stands for the contents of the ConfigMaps and Secrets that the pods refer to, and of those in the spec; "" when a change of them
	// is not to restart the pods.
	ConfigHash string
	// Pods is the Application with the pods that are wanted: those of an earlier revision while the spec's are not released, or have
	// failed. Nil where they are the spec's.
	Pods *v1.Application
	// Revision is the name of the revision whose pods are wanted, or "" if those that run are kept, whatever they are.
	Revision string
	// Update is the revision that the spec asks for.
	Update Update
	// ReleaseJob is the Job of the release command, or "" without a command. RunRelease says that it is to be there.
	ReleaseJob string
	RunRelease bool
	// History are the revisions that are kept although the spec does not ask for them.
	History map[string]bool
}

// Update is the revision that an Application's spec asks for.
type Update struct {
	// Name of its ControllerRevision, its Hash, and the pods in its Data.
	Name, Hash string
	Data       []byte
	// Record is what its ControllerRevision remembers when it is made.
	Record revisions.Record
}

// ofPods returns the inputs of what runs the pods.
func (in Inputs) ofPods() Inputs {
	if in.Pods != nil {
		in.Application = in.Pods
	}
	return in
}

// Running returns the Application with the pods that are wanted and, while the release command of other pods runs, with these.
func (in Inputs) Running() []*v1.Application {
	pods := in.ofPods().Application
	if in.RunRelease && pods != in.Application {
		return []*v1.Application{pods, in.Application}
	}
	return []*v1.Application{pods}
}
