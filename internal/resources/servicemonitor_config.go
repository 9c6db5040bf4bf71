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
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// ServiceMonitorKind is the kind of the Prometheus Operator.
var ServiceMonitorKind = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"}

// ServiceMonitorApplyConfiguration is a ServiceMonitor as server-side apply takes it, with the fields that we have an
// opinion on. The Prometheus Operator's own module of apply configurations is not to be had apart from its clients.
type ServiceMonitorApplyConfiguration struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec *ServiceMonitorSpecApplyConfiguration `json:"spec,omitempty"`
}

// ServiceMonitorSpecApplyConfiguration is what a ServiceMonitor selects and how that is read.
type ServiceMonitorSpecApplyConfiguration struct {
	Selector  *metav1ac.LabelSelectorApplyConfiguration `json:"selector,omitempty"`
	Endpoints []EndpointApplyConfiguration              `json:"endpoints,omitempty"`
}

// EndpointApplyConfiguration is one port of a Service that is read.
type EndpointApplyConfiguration struct {
	Port     *string `json:"port,omitempty"`
	Path     *string `json:"path,omitempty"`
	Interval *string `json:"interval,omitempty"`
	Scheme   *string `json:"scheme,omitempty"`
}

// newServiceMonitor returns an empty configuration of the ServiceMonitor of this name.
func newServiceMonitor(name, namespace string) *ServiceMonitorApplyConfiguration {
	config := &ServiceMonitorApplyConfiguration{
		ObjectMetaApplyConfiguration: metav1ac.ObjectMeta().WithName(name).WithNamespace(namespace),
	}
	config.TypeMetaApplyConfiguration.
		WithKind(ServiceMonitorKind.Kind).
		WithAPIVersion(ServiceMonitorKind.GroupVersion().String())
	return config
}

// IsApplyConfiguration marks the type as one that server-side apply takes.
func (*ServiceMonitorApplyConfiguration) IsApplyConfiguration() {}

// GetKind returns the kind, for the client.
func (c *ServiceMonitorApplyConfiguration) GetKind() *string { return c.Kind }

// GetName returns the object's name.
func (c *ServiceMonitorApplyConfiguration) GetName() *string { return c.Name }

// GetAPIVersion returns the group and version, for the client.
func (c *ServiceMonitorApplyConfiguration) GetAPIVersion() *string { return c.APIVersion }

// WithUID makes the API server refuse to apply the configuration to any other object.
func (c *ServiceMonitorApplyConfiguration) WithUID(uid types.UID) *ServiceMonitorApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithUID(uid)
	return c
}

// WithResourceVersion makes the API server refuse to apply the configuration to any other version of the object.
func (c *ServiceMonitorApplyConfiguration) WithResourceVersion(version string) *ServiceMonitorApplyConfiguration {
	c.ObjectMetaApplyConfiguration.WithResourceVersion(version)
	return c
}
