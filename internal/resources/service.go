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

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// Service returns the Service in front of the pods, or nil for a worker, which has no ports.
func Service(in Inputs) (*corev1ac.ServiceApplyConfiguration, error) {
	app := in.Application
	ports := servicePorts(in)
	if len(ports) == 0 {
		return nil, nil
	}
	spec := corev1ac.ServiceSpec().
		WithType(cmp.Or(ptr.Deref(app.Spec.Service, v1.ServiceSpec{}).Type, corev1.ServiceTypeClusterIP)).
		WithSelector(Labels(app.Name)).
		WithPorts(ports...)
	config := corev1ac.Service(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec)
	if app.Spec.Service != nil {
		config.WithAnnotations(app.Spec.Service.Annotations)
		shapeService(spec, app.Spec.Service)
	}
	if _, kept := servedNames(in); kept != "" {
		config.WithAnnotations(map[string]string{AnnotationPortNames: kept})
	}
	config.WithAnnotations(ownerMark(app))
	return config, nil
}

// shapeService sets what the Application says of its Service. What it does not say has Kubernetes' default, or what others have
// set.
func shapeService(spec *corev1ac.ServiceSpecApplyConfiguration, service *v1.ServiceSpec) {
	if service.ExternalTrafficPolicy != "" {
		spec.WithExternalTrafficPolicy(service.ExternalTrafficPolicy)
	}
	if service.InternalTrafficPolicy != "" {
		spec.WithInternalTrafficPolicy(service.InternalTrafficPolicy)
	}
	if service.SessionAffinity != "" {
		spec.WithSessionAffinity(service.SessionAffinity)
	}
	spec.LoadBalancerClass = ptrCopy(service.LoadBalancerClass)
	spec.WithLoadBalancerSourceRanges(service.LoadBalancerSourceRanges...)
}

// servicePorts returns the Service's ports: the main one first.
func servicePorts(in Inputs) []*corev1ac.ServicePortApplyConfiguration {
	ports := portsOf(in)
	names, _ := servedNames(in)
	configs := make([]*corev1ac.ServicePortApplyConfiguration, 0, len(ports))
	for _, port := range ports {
		config := corev1ac.ServicePort().
			WithName(names[port.name]).
			WithPort(port.served).
			WithProtocol(port.protocol).
			WithTargetPort(port.target)
		config.AppProtocol = ptrCopy(port.appProtocol)
		config.NodePort = ptrCopy(port.nodePort)
		configs = append(configs, config)
	}
	return configs
}
