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

import "github.com/prometheus/client_golang/prometheus"

var storeDesc = prometheus.NewDesc("app_operator_store_entries",
	"How much this replica remembers beside its cache, by what. Nothing of it is of an Application that is gone.", []string{"store"}, nil)

// Stores returns how many entries each store of what the operator remembers has, by the name of the store, at the moment somebody
// asks for it. The names are the same each time.
type Stores func() map[string]int

// Describe implements prometheus.Collector.
func (Stores) Describe(descs chan<- *prometheus.Desc) { descs <- storeDesc }

// Collect implements prometheus.Collector.
func (s Stores) Collect(metrics chan<- prometheus.Metric) {
	for store, entries := range s() {
		metrics <- prometheus.MustNewConstMetric(storeDesc, prometheus.GaugeValue, float64(entries), store)
	}
}
