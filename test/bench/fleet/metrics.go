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

package main

import (
	"bytes"
	"context"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// sums are what all operators have used since their start; resident is in MiB and cpu in seconds.
type sums struct{ resident, cpu, requests, passes, waiting float64 }

// sum asks every operator.
func (f *fleet) sum(ctx context.Context) (sums, error) {
	var all sums
	for _, each := range f.running {
		families, err := each.Metrics(ctx)
		if err != nil {
			return sums{}, err
		}
		all.resident += total(families["process_resident_memory_bytes"]) / mebibyte
		all.cpu += total(families["process_cpu_seconds_total"])
		all.requests += total(families["rest_client_requests_total"])
		all.passes += total(families["controller_runtime_reconcile_total"])
		all.waiting += total(families["workqueue_depth"]) + total(families["controller_runtime_active_workers"])
	}
	return all, nil
}

// total returns the sum of a metric over its labels; what is not there is 0.
func total(family *dto.MetricFamily) float64 {
	var sum float64
	for _, metric := range family.GetMetric() {
		sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
	}
	return sum
}

// server is what the API server says of itself; resident is in MiB.
type server struct{ resident, watches float64 }

// askServer returns the function that asks the API server.
func askServer(config *rest.Config) (func(context.Context) (server, error), error) {
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (server, error) {
		text, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
		if err != nil {
			return server{}, fmt.Errorf("read the API server's metrics: %w", err)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
		if err != nil {
			return server{}, fmt.Errorf("parse the API server's metrics: %w", err)
		}
		return server{
			resident: total(families["process_resident_memory_bytes"]) / mebibyte,
			watches:  total(families["apiserver_longrunning_requests"]),
		}, nil
	}, nil
}
