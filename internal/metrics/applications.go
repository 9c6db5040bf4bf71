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

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// reasonUnknown is the reason of an Application that the operator has not looked at yet.
const reasonUnknown = "Unknown"

var (
	application       = []string{"namespace", "name"}
	applicationReason = []string{"namespace", "name", "reason"}

	readyDesc = prometheus.NewDesc("app_operator_application_ready",
		"Whether the Application is Ready, and the reason: 1 if it is, 0 if not or not known.", applicationReason, nil)
	degradedDesc = prometheus.NewDesc("app_operator_application_degraded",
		"Whether the Application has a fault that a person should look at, and the reason: 1 if so, 0 if none is seen.",
		applicationReason, nil)
	desiredDesc = prometheus.NewDesc("app_operator_application_wanted_replicas",
		"How many pods the Application wants now.", application, nil)
	availableDesc = prometheus.NewDesc("app_operator_application_available_replicas",
		"How many pods of the Application have been ready for long enough to count.", application, nil)
	scheduleDesc = prometheus.NewDesc("app_operator_schedule_last_success_timestamp_seconds",
		"When a run of the Application's schedule last ended that has succeeded.", []string{"namespace", "name", "schedule"}, nil)
)

// Applications shows the state of each Application at the moment somebody asks for it. Nothing is kept in between, so
// that the series of an Application go with it.
type Applications struct {
	// List returns all Applications, which are not changed; none where this process has no say on them.
	List func() []v1.Application
	// DesiredReplicas returns how many pods an Application wants now.
	DesiredReplicas func(*v1.Application) int32
}

// Describe implements prometheus.Collector.
func (Applications) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{readyDesc, degradedDesc, desiredDesc, availableDesc, scheduleDesc} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (a Applications) Collect(metrics chan<- prometheus.Metric) {
	all := a.List()
	for i := range all {
		app := &all[i]
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			labels = append([]string{app.Namespace, app.Name}, labels...)
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
		}
		ready, why := condition(app, v1.ConditionReady)
		gauge(readyDesc, ready, why)
		degraded, why := condition(app, v1.ConditionDegraded)
		gauge(degradedDesc, degraded, why)
		gauge(desiredDesc, float64(a.DesiredReplicas(app)))
		gauge(availableDesc, float64(app.Status.AvailableReplicas))
		for _, schedule := range app.Status.Schedules {
			if schedule.LastSuccessfulTime != nil {
				gauge(scheduleDesc, float64(schedule.LastSuccessfulTime.Unix()), schedule.Name)
			}
		}
	}
}

// condition returns 1 if the condition is True, otherwise 0, and its reason.
func condition(app *v1.Application, kind string) (float64, string) {
	found := meta.FindStatusCondition(app.Status.Conditions, kind)
	switch {
	case found == nil:
		return 0, reasonUnknown
	case found.Status == metav1.ConditionTrue:
		return 1, found.Reason
	default:
		return 0, found.Reason
	}
}
