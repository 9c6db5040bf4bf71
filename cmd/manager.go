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
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/client/config"
	ctrlcfg "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/controller"
	"github.com/example/app-operator/internal/election"
	"github.com/example/app-operator/internal/namespacecache"
)

const (
	// gracePeriod is what a reconcile in progress gets to finish on SIGTERM. The pod's terminationGracePeriodSeconds must
	// be above it, or the kubelet kills the process before the lease is released.
	gracePeriod = 20 * time.Second

	// reconcileTimeout bounds one reconcile of one Application, so that a request that hangs does not hold a worker for ever.
	reconcileTimeout = 2 * time.Minute
)

// loadConfig finds the cluster, without talking to it.
func loadConfig(kubeconfig string) (*rest.Config, error) {
	config, err := ctrlconfig.GetConfig()
	if err == nil {
		config.UserAgent = program + "/" + version
		return config, nil
	}
	if kubeconfig != "" {
		return nil, fmt.Errorf("--%s=%q: %w", ctrlconfig.KubeconfigFlagName, kubeconfig, err)
	}
	if clientcmd.IsEmptyConfig(err) {
		// The original advises a variable that is not read here.
		err = errors.New("there is none, or it is empty")
	}
	if path := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); path != "" {
		return nil, fmt.Errorf("%s=%q: %w", clientcmd.RecommendedConfigPathEnvVar, path, err)
	}
	_, inCluster := rest.InClusterConfig()
	return nil, fmt.Errorf("no cluster to talk to: run in a pod (%w), or name a kubeconfig with --%s or %s (%s: %w)",
		inCluster, ctrlconfig.KubeconfigFlagName, clientcmd.RecommendedConfigPathEnvVar, clientcmd.RecommendedHomeFile, err)
}

// newManager returns a manager that watches the scope and nothing else, the absent namespaces from when rights are there.
// It serves no probes, see type probes, and no webhooks.
func newManager(
	config *rest.Config, opts *options, reconciler *controller.ApplicationReconciler, absent []string,
) (manager.Manager, error) {
	scheme, err := cluster.NewScheme()
	if err != nil {
		return nil, err
	}
	caches := &namespacecache.Factory{
		Cluster: config, Absent: absent, OnServed: reconciler.EnqueueAll, OnWatchError: reconciler.OnWatchError,
	}
	reconciler.OnError = caches.RecheckIfForbidden
	options := manager.Options{
		Scheme: scheme,
		Logger: logr.New(errorDowngradingSink{ctrl.Log.GetSink()}),
		Cache:  cluster.CacheOptions(opts.namespaces, reconciler.OnWatchError),
		// controller-runtime's own waits for every namespace, and for ever.
		NewCache: caches.NewCache,
		// The default searches all groups for each read from the cache.
		MapperProvider: cluster.NewRESTMapper,
		// Kinds without a Go type are cached like the others, and not read from the API server each time.
		Client:                  client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Metrics:                 metricsserver.Options{BindAddress: disabled}, // see serveMetrics
		HealthProbeBindAddress:  disabled,
		GracefulShutdownTimeout: new(gracePeriod),
		Controller: ctrlcfg.Controller{
			EnableWarmup:          new(true), // a standby keeps its caches and its queue ready
			ReconciliationTimeout: reconcileTimeout,
		},
	}
	if !opts.election.Enabled {
		return createManager(config, options)
	}
	lock, err := election.NewLock(config, &opts.election, opts.identity, ctrl.Log.WithName("election"))
	if err != nil {
		return nil, err
	}
	opts.election.Apply(&options, lock)
	reconciler.Leads = lock.Leads
	for _, collector := range election.Collectors() {
		if err := metrics.Registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register the metrics of leader election: %w", err)
		}
	}
	mgr, err := createManager(lock.Fence(config), options)
	if err != nil {
		return nil, err
	}
	return mgr, mgr.Add(lock)
}

func createManager(config *rest.Config, options manager.Options) (manager.Manager, error) {
	mgr, err := manager.New(config, options)
	if err != nil {
		return nil, fmt.Errorf("create the manager: %w", err)
	}
	return mgr, nil
}

// start runs the manager until ctx ends or the lease is lost. The process must end when it returns: the lease may
// be another's by then.
func start(ctx context.Context, mgr manager.Manager) error {
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	log := ctrl.Log.WithName("main")
	if !elected(mgr) && !synced(context.WithoutCancel(ctx), mgr.GetCache()) {
		// Start does not return while it waits for the caches (kubernetes-sigs/controller-runtime#3440). Neither the
		// lease nor a worker is held at this point.
		log.Info("Received the signal to stop before the caches had synced")
		return nil
	}
	log.Info("Received the signal to stop; ending what is in progress", "atMost", gracePeriod.String())
	return <-stopped
}

// elected reports whether this process works, or has worked.
func elected(mgr manager.Manager) bool {
	select {
	case <-mgr.Elected():
		return true
	default:
		return false
	}
}
