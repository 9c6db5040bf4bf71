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

	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// How metrics are read where the Application does not say, by the API contract.
const (
	metricsPath     = "/metrics"
	metricsInterval = "30s"
)

// ServiceMonitor returns what has Prometheus read the pods' metrics through the Service, or nil where none is desired.
func ServiceMonitor(in Inputs) (*ServiceMonitorApplyConfiguration, error) {
	app := in.Application
	monitoring := app.Spec.Monitoring
	if monitoring == nil || len(specPorts(app)) == 0 {
		return nil, nil
	}
	config := newServiceMonitor(app.Name, app.Namespace)
	config.WithLabels(objectLabels(app)).WithAnnotations(objectAnnotations(app)).WithOwnerReferences(owner(app))
	config.Spec = &ServiceMonitorSpecApplyConfiguration{
		Selector: metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name)),
		Endpoints: []EndpointApplyConfiguration{{
			Port:     new(cmp.Or(monitoring.Port, MainPortName)),
			Path:     new(cmp.Or(monitoring.Path, metricsPath)),
			Interval: new(cmp.Or(monitoring.Interval, metricsInterval)),
		}},
	}
	return config, nil
}
