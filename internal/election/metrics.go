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

package election

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Why a Lease could be acquired: the values of the label "cause".
const (
	// causeCreated: there was no Lease yet.
	causeCreated = "created"
	// causeReleased: the leader gave it back when it stopped.
	causeReleased = "released"
	// causeExpired: the leader had not renewed it for its whole duration.
	causeExpired = "expired"
	// causeProven: a standby gave it back for the leader, whose death the kubelet had proven.
	causeProven = "proven"
)

var (
	leaderInfo = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "app_operator_leader_info",
		Help: "Who holds the leader lease, as this replica sees it: its identity in the Lease. Always 1; no series while nobody does.",
	}, []string{"holder"})
	leaderSince = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "app_operator_leader_since_timestamp_seconds",
		Help: "When this replica became the leader, in seconds since 1970. No series while it is not.",
	}, nil)
	takeovers = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "app_operator_takeovers_total",
		Help: "How often this replica became the leader, by why the lease was free.",
	}, []string{"cause"})
	fencedWrites = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "app_operator_fenced_writes_total",
		Help: "Writes that were not sent, or not answered any more, because this replica had lost the leader lease.",
	})
)

// Collectors returns the metrics of leader election, of this process.
func Collectors() []prometheus.Collector {
	for _, cause := range []string{causeCreated, causeReleased, causeExpired, causeProven} {
		takeovers.WithLabelValues(cause) // a counter starts at 0, or its first increase goes unseen
	}
	return []prometheus.Collector{leaderInfo, leaderSince, takeovers, fencedWrites}
}

// holderShown keeps two goroutines from showing two holders.
var holderShown sync.Mutex

// showHolder replaces whom leader_info names.
func showHolder(holder string) {
	holderShown.Lock()
	defer holderShown.Unlock()
	leaderInfo.Reset()
	if holder != "" {
		leaderInfo.WithLabelValues(holder).Set(1)
	}
}
