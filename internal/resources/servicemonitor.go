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

	v1 "github.com/example/app-operator/api/v1"
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
	// What Prometheus selects by comes over what all objects have, and never over the operator's own labels.
	config.WithLabels(objectLabels(app)).WithLabels(monitoring.Labels).WithLabels(Labels(app.Name))
	config.WithAnnotations(objectAnnotations(app)).WithAnnotations(ownerMark(app)).WithOwnerReferences(owners(app)...)
	monitored := MonitoredPort(app)
	if names, _ := servedNames(in); names[monitored] != "" {
		monitored = names[monitored]
	}
	endpoint := EndpointApplyConfiguration{
		Port:     new(monitored),
		Path:     new(cmp.Or(monitoring.Path, metricsPath)),
		Interval: new(cmp.Or(monitoring.Interval, metricsInterval)),
	}
	if monitoring.Scheme != "" {
		endpoint.Scheme = new(monitoring.Scheme)
	}
	config.Spec = &ServiceMonitorSpecApplyConfiguration{
		Selector:  metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name)),
		Endpoints: []EndpointApplyConfiguration{endpoint},
	}
	return config, nil
}

// MonitoredPort returns the name of the port that spec.monitoring is about. The schema's default, http, is the main port under any
// name, unless another port is called so.
func MonitoredPort(app *v1.Application) string {
	name := cmp.Or(app.Spec.Monitoring.Port, DefaultPortName)
	if name == DefaultPortName && app.Spec.Port != nil && specPort(app, name) == nil {
		return MainPortName(app)
	}
	return name
}
