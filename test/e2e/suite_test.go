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

// Package e2e_test proves the operator on a real cluster: real kubelets, real pods, images from a registry, OLM.
// `make test-e2e` runs it.
//
// It installs and removes the operator again and again, in the end with its CRD, and so refuses a cluster that already has
// it. What it builds and what it finds when a spec fails is in bin/e2e.
//
// Specs run side by side where each has namespaces of its own. Those that remove the CRD, drain nodes or measure are
// Serial, and come after the others.
package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	operatorsv1 "github.com/operator-framework/api/pkg/operators/v1"
	operatorsv1alpha1 "github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
)

// Conditions are waited for with generous limits: only a cluster in trouble reaches them.
const (
	limit     = 5 * time.Minute
	poll      = 250 * time.Millisecond
	specLimit = 15 * time.Minute
)

// localRegistry is that of `make cluster-up`. Its nodes ask it for every image first, whatever registry the name says.
const localRegistry = "localhost:5001"

// Where the kustomizations of config put the operator.
const (
	operatorNamespace = "app-operator-system"
	operatorName      = "app-operator-controller-manager"
	crdName           = "applications.apps.example.com"
)

// The groups of specs, as the report counts them. Each outermost container has one of them as its label, so that
// `make test-e2e E2E_FLAGS=--label-filter=GROUP` runs one. Without a filter, it runs all but olm-v1, which needs OLM v1 on the
// cluster: `make test-olm-v1`.
const (
	groupKustomize    = "kustomize"
	groupRunBundle    = "run-bundle"
	groupSubscription = "subscription"
	groupNamespaces   = "namespaces"
	groupElection     = "leader-election"
	groupIsolation    = "isolation"
	groupFaults       = "pod-faults"
	groupRemoval      = "removal"
	groupShop         = "shop"
	groupRollouts     = "rollouts"
	groupMoving       = "moving"
	groupOLMv1        = "olm-v1"
)

var (
	root, bin  string // the checkout, and its bin/
	kubeconfig string
	registry   string
	config     *rest.Config
	k8s        client.Client
	// images are what the specs install and run.
	images imageSet
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "End-to-end Suite")
}

// The first process builds the images for all of them.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	connect()
	err := k8s.Get(ctx, client.ObjectKeyFromObject(crd()), crd())
	Expect(err).To(MatchError(apierrors.IsNotFound, "IsNotFound"),
		"the cluster of %s must not have the CRD %s, which these tests remove. Remedy: make undeploy", kubeconfig, crdName)
	content, err := json.Marshal(buildImages(ctx))
	Expect(err).NotTo(HaveOccurred())
	return content
}, func(content []byte) {
	connect()
	Expect(json.Unmarshal(content, &images)).To(Succeed())
}, NodeTimeout(specLimit))

var _ = SynchronizedAfterSuite(func() {}, func(ctx SpecContext) {
	if k8s != nil { // else there is no cluster
		removeOperator(ctx)
	}
}, NodeTimeout(2*limit))

// connect finds the cluster and the registry.
func connect() {
	GinkgoHelper()
	logf.SetLogger(GinkgoLogr)
	SetDefaultEventuallyTimeout(limit)
	EnforceDefaultTimeoutsWhenUsingContexts() // else it is the spec's
	SetDefaultEventuallyPollingInterval(poll)

	var err error
	root, err = filepath.Abs(filepath.Join("..", ".."))
	Expect(err).NotTo(HaveOccurred())
	bin = filepath.Join(root, "bin")
	Expect(os.MkdirAll(filepath.Join(bin, "e2e"), 0o750)).To(Succeed())

	kubeconfig = setting("E2E_KUBECONFIG", filepath.Join(bin, "cluster", "kubeconfig"))
	registry = setting("E2E_REGISTRY", localRegistry)
	config, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	Expect(err).NotTo(HaveOccurred(), "no cluster. Remedy: make cluster-up, or set E2E_KUBECONFIG")
	config.QPS, config.Burst = 100, 200

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1.AddToScheme, apiextensionsv1.AddToScheme,
		operatorsv1.AddToScheme, operatorsv1alpha1.AddToScheme,
	} {
		Expect(add(scheme)).To(Succeed())
	}
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
}

// What there was to see when a spec failed, before anything is cleaned up.
var _ = JustAfterEach(func(ctx SpecContext) {
	if !CurrentSpecReport().Failed() {
		return
	}
	dir := filepath.Join(bin, "e2e", "artifacts", fileName(CurrentSpecReport().FullText()))
	Expect(os.MkdirAll(dir, 0o750)).To(Succeed())
	keep := func(name string, args ...string) {
		output, err := command(ctx, "kubectl", args...).CombinedOutput()
		if err != nil {
			output = append(output, err.Error()...)
		}
		Expect(os.WriteFile(filepath.Join(dir, name), output, 0o600)).To(Succeed())
	}
	keep("dump.txt", "cluster-info", "dump", "--all-namespaces", "--output-directory", dir)
	keep("pods.txt", "describe", "pods", "--all-namespaces")
	keep("applications.txt", "describe", "applications.apps.example.com", "--all-namespaces")
	keep("olm.txt", "get", "catalogsources,subscriptions,installplans,clusterserviceversions,operatorgroups", "--all-namespaces", "--output=yaml")
	keep("olm-v1.txt", "get", "clusterextensions,clustercatalogs", "--output=yaml")
	keep("nodes.txt", "describe", "nodes")
	keep("events.txt", "get", "events", "--all-namespaces", "--sort-by=.lastTimestamp")
	pods := &corev1.PodList{}
	Expect(k8s.List(ctx, pods, client.MatchingLabels(operatorLabels))).To(Succeed())
	for _, pod := range pods.Items {
		keep(pod.Name+".log", "logs", "--namespace", pod.Namespace, pod.Name, "--all-containers")
		keep(pod.Name+".previous.log", "logs", "--namespace", pod.Namespace, pod.Name, "--all-containers", "--previous")
	}
	AddReportEntry("artifacts", dir)
	AddReportEntry("pods that are not ready", notReady(ctx))
}, NodeTimeout(limit))

// notReady describes the pods that are not ready, in a line each.
func notReady(ctx context.Context) string {
	pods := &corev1.PodList{}
	if err := k8s.List(ctx, pods); err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, pod := range pods.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionTrue {
				_, _ = fmt.Fprintf(&text, "\n%s/%s: %s, %s", pod.Namespace, pod.Name, pod.Status.Phase, condition.Message)
			}
		}
	}
	return text.String()
}

// setting returns the environment variable's value, or what it is by default.
func setting(name, byDefault string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return byDefault
}
