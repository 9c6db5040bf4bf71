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
// It installs and removes the operator again and again, with its CRD, and so refuses a cluster that already has it. What
// it builds and what it finds when a spec fails is in bin/e2e.
package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
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
	limit     = 3 * time.Minute
	poll      = 250 * time.Millisecond
	specLimit = 10 * time.Minute
)

// localRegistry is that of `make cluster-up`. Its nodes ask it for every image first, whatever registry the name says.
const localRegistry = "localhost:5001"

// Where the kustomizations of config put the operator.
const (
	operatorNamespace = "app-operator-system"
	operatorName      = "app-operator-controller-manager"
	crdName           = "applications.apps.example.com"
)

var (
	root, bin  string // the checkout, and its bin/
	kubeconfig string
	registry   string
	config     *rest.Config
	k8s        client.Client

	// operatorImage and webImage name their images by digest.
	operatorImage, webImage string
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "End-to-end Suite")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	logf.SetLogger(GinkgoLogr)
	SetDefaultEventuallyTimeout(limit)
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
		clientgoscheme.AddToScheme, v1.AddToScheme, apiextensionsv1.AddToScheme, operatorsv1alpha1.AddToScheme,
	} {
		Expect(add(scheme)).To(Succeed())
	}
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	err = k8s.Get(ctx, client.ObjectKey{Name: crdName}, crd())
	Expect(apierrors.IsNotFound(err)).To(BeTrue(),
		"the cluster of %s must not have the CRD %s, which these tests remove, but: %v. Remedy: make undeploy", kubeconfig, crdName, err)

	operatorImage = buildImage(ctx, "app-operator", "./cmd", "manager", "Dockerfile")
	webImage = buildImage(ctx, "app-operator-e2e-web", "./test/e2e/web", "web", "test/e2e/web/Dockerfile")
	if registry == localRegistry { // elsewhere it is the real one
		runCommand(withRegistry(command(ctx, "crane", "copy", webImage, registry+"/library/nginx:latest")))
	}
}, NodeTimeout(specLimit))

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
	keep("nodes.txt", "describe", "nodes")
	keep("events.txt", "get", "events", "--all-namespaces", "--sort-by=.lastTimestamp")
	pods := &corev1.PodList{}
	Expect(k8s.List(ctx, pods, client.MatchingLabels(operatorLabels))).To(Succeed())
	for _, pod := range pods.Items {
		keep(pod.Name+".log", "logs", "--namespace", pod.Namespace, pod.Name, "--all-containers")
		keep(pod.Name+".previous.log", "logs", "--namespace", pod.Namespace, pod.Name, "--all-containers", "--previous")
	}
	AddReportEntry("artifacts", dir)
}, NodeTimeout(limit))

// setting returns the environment variable's value, or what it is by default.
func setting(name, byDefault string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return byDefault
}

// buildImage compiles the package, builds the last stage of the Dockerfile around it, pushes that, and returns its name
// with digest.
func buildImage(ctx context.Context, name, pkg, program, dockerfile string) string {
	GinkgoHelper()
	stage := filepath.Join(bin, "e2e", "images", name, "root")
	build := command(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version(),
		"-o", filepath.Join(stage, "workspace", program), pkg)
	build.Env = append(build.Env, "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+nodeArchitecture(ctx))
	runCommand(build)
	return packImage(ctx, name+":e2e", dockerfile, filepath.Join(stage, "workspace"), "-stage", "builder="+stage)
}

// packImage builds the last stage of the Dockerfile, pushes it under the name to our registry, and returns the name with
// digest.
func packImage(ctx context.Context, name, dockerfile, folder string, args ...string) string {
	GinkgoHelper()
	layout := filepath.Join(bin, "e2e", "images", fileName(name), "layout")
	run(ctx, "image", append([]string{
		"-dockerfile", dockerfile, "-context", folder, "-output", layout,
		"-platforms", "linux/" + nodeArchitecture(ctx), "-arg", "VERSION=" + version(),
	}, args...)...)
	output := splitLines(runCommand(withRegistry(command(ctx, "crane", "push", layout, registry+"/"+name))))
	return output[len(output)-1]
}
