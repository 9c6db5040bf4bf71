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

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/operator"
)

// sums are what all operators have used since their start; resident is in MiB and cpu in seconds.
type sums struct{ resident, cpu, requests, passes, waiting float64 }

// sum asks every operator.
func (f *fleet) sum(ctx context.Context) (sums, error) {
	var all sums
	for _, each := range f.running {
		sum, err := each.Sums(ctx)
		if err != nil {
			return sums{}, err
		}
		all.resident += sum("process_resident_memory_bytes") / rig.Mebibyte
		all.cpu += sum("process_cpu_seconds_total")
		all.requests += sum("rest_client_requests_total")
		all.passes += sum("controller_runtime_reconcile_total")
		all.waiting += sum("workqueue_depth") + sum("controller_runtime_active_workers")
	}
	return all, nil
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
			resident: operator.Total(families["process_resident_memory_bytes"]) / rig.Mebibyte,
			watches:  operator.Total(families["apiserver_longrunning_requests"]),
		}, nil
	}, nil
}
