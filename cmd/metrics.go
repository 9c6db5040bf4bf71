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

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/example/app-operator/internal/access"
	operatormetrics "github.com/example/app-operator/internal/metrics"
)

// metricsOptions says how the metrics are served: plain, or to those whom the cluster allows to read them. Whom to let in
// is asked with the given configuration and no other: a standby has to ask as well, and the manager lets it send nothing
// but reads.
func metricsOptions(cluster *rest.Config, opts *options) (metricsserver.Options, error) {
	if err := metrics.Registry.Register(operatormetrics.BuildInfo(version)); err != nil {
		return metricsserver.Options{}, fmt.Errorf("register the metric of the build: %w", err)
	}
	serve := metricsserver.Options{BindAddress: opts.metricsAddress}
	if !opts.metricsSecure {
		return serve, nil
	}
	door, err := access.New(cluster)
	if err != nil {
		return metricsserver.Options{}, fmt.Errorf("guard the metrics: %w", err)
	}
	serve.SecureServing = true
	serve.TLSOpts = []func(*tls.Config){func(config *tls.Config) {
		config.MinVersion = tls.VersionTLS12
		config.NextProtos = []string{"http/1.1"} // a scrape needs no HTTP/2, whose streams can be opened and reset en masse
	}}
	serve.FilterProvider = func(*rest.Config, *http.Client) (metricsserver.Filter, error) { return door.Guard, nil }
	return serve, nil
}
