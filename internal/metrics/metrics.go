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

// Package metrics is what the operator tells Prometheus about its Applications and about its own work on them.
//
// It counts what it is told and shows what it is given: it may not read a cluster, log, or serve anything. How many
// series there are follows from fixed tables and from the number of Applications, and from nothing else. The names are
// explained in docs/operations/metrics.md; they are API.
package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	rolloutDuration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "app_operator_rollout_duration_seconds",
		Help: "How long rollouts of new pods took, from the operator's write until all desired pods were available.",
		// From an image that is on the node to a database that migrates.
		Buckets: []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800},
	})
	rollbacks = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "app_operator_rollbacks_total",
		Help: "Rollouts that have failed and were rolled back.",
	})
	driftRepairs = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "app_operator_drift_repairs_total",
		Help: "Objects of Applications that another client had changed or deleted, and that were repaired.",
	}, []string{"kind"})
	repairsPutOff = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "app_operator_repairs_put_off_total",
		Help: "Repairs that were put off, because another client undoes them again and again.",
	}, []string{"kind"})
	foreignApplies = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "app_operator_foreign_applies_total",
		Help: "Repairs of objects that another client had applied under the operator's own field manager, as a second installation does.",
	}, []string{"kind"})
	conflicts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "app_operator_conflicts_total",
		Help: "Objects with the name that an Application needs, and that were not its own.",
	}, []string{"kind"})
	adoptions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "app_operator_adoptions_total",
		Help: "Objects that an Application took over, because of their annotation.",
	}, []string{"kind"})
	namespaceServed = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "app_operator_namespace_served",
		Help: "Whether this replica serves the namespace: 1 if it does, 0 while rights are missing there.",
	}, []string{"namespace"})
)

// Collectors returns the metrics of the operator's work on Applications whose children are of these kinds.
func Collectors(kinds []string) []prometheus.Collector {
	for _, kind := range kinds { // a counter starts at 0, or its first increase goes unseen
		driftRepairs.WithLabelValues(kind)
		conflicts.WithLabelValues(kind)
		adoptions.WithLabelValues(kind)
		repairsPutOff.WithLabelValues(kind)
		foreignApplies.WithLabelValues(kind)
	}
	repairsPutOff.WithLabelValues(KindApplication)
	return []prometheus.Collector{rolloutDuration, rollbacks, driftRepairs, repairsPutOff, foreignApplies, conflicts, adoptions, namespaceServed}
}

// KindApplication is the kind of repairs of an Application's own status and finalizer.
const KindApplication = "Application"

// rolloutTook notes how long a rollout took that is complete now.
func rolloutTook(duration time.Duration) { rolloutDuration.Observe(duration.Seconds()) }

// RolledBack notes that a rollout has failed and is undone.
func RolledBack() { rollbacks.Inc() }

// DriftRepaired notes that an object of this kind was put right, although nobody desired it to be another one.
func DriftRepaired(kind string) { driftRepairs.WithLabelValues(kind).Inc() }

// RepairPutOff notes that the repair of an object of this kind waits, because somebody else undoes it again and again.
func RepairPutOff(kind string) { repairsPutOff.WithLabelValues(kind).Inc() }

// ForeignApply notes the repair of an object of this kind that somebody else had applied as the operator does.
func ForeignApply(kind string) { foreignApplies.WithLabelValues(kind).Inc() }

// ConflictFound notes that an object of this kind is in an Application's way.
func ConflictFound(kind string) { conflicts.WithLabelValues(kind).Inc() }

// Adopted notes that an object of this kind was taken over by an Application.
func Adopted(kind string) { adoptions.WithLabelValues(kind).Inc() }

// ServesNamespace notes that a namespace that is to be served is.
func ServesNamespace(namespace string) { namespaceServed.WithLabelValues(namespace).Set(1) }

// LacksNamespace notes that a namespace that is to be served is not.
func LacksNamespace(namespace string) { namespaceServed.WithLabelValues(namespace).Set(0) }

// BuildInfo returns the metric that says which version of the operator this is.
func BuildInfo(version string) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "app_operator_build_info",
		Help: "The version of the operator, and of Go that built it. Always 1.",
	}, []string{"version", "goversion"})
	info.WithLabelValues(version, runtime.Version()).Set(1)
	return info
}
