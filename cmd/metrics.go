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
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	operatormetrics "github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/metricsauth"
	"github.com/example/app-operator/internal/serving"
)

// readersLeft is how long an operator that stops waits for readers of its metrics: a standby waits for the lease.
const readersLeft = time.Second

// serveMetrics has the manager serve the metrics, from when it starts: to everybody, or to those whom the cluster allows to
// read them. Whom to let in is asked with the given configuration and no other: a standby has to ask as well, and the
// manager lets it send nothing but reads. Controller-runtime's own server has no bounds: a hundred readers at once would
// take more memory than there is.
func serveMetrics(mgr manager.Manager, cluster *rest.Config, opts *options) error {
	if err := metrics.Registry.Register(operatormetrics.BuildInfo(version)); err != nil {
		return fmt.Errorf("register the metric of the build: %w", err)
	}
	if opts.metricsAddress == disabled {
		return nil
	}
	handler := serving.OneAtATime(promhttp.HandlerFor(metrics.Registry, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.HTTPErrorOnError,
		OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Gzip},
	}))
	log := ctrl.Log.WithName("metrics")
	if opts.metricsSecure {
		door, err := metricsauth.New(cluster)
		if err != nil {
			return fmt.Errorf("guard the metrics: %w", err)
		}
		if handler, err = door.Filter(log, handler); err != nil {
			return fmt.Errorf("guard the metrics: %w", err)
		}
	}
	listener, err := serving.Listen(opts.metricsAddress)
	if err != nil {
		return bindError(flagMetricsAddress, opts.metricsAddress, err)
	}
	log.Info("Serving metrics", "address", listener.Addr().String(), "secure", opts.metricsSecure)
	if opts.metricsSecure {
		config, err := serving.SelfSigned()
		if err != nil {
			return fmt.Errorf("secure the metrics: %w", err)
		}
		listener = tls.NewListener(listener, config)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", handler)
	return mgr.Add(&manager.Server{
		Name: "metrics", Server: serving.NewServer(mux), Listener: listener, ShutdownTimeout: new(readersLeft),
	})
}
