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

// Package api tests the Application API as its users meet it: the generated CRD on a real API server, without
// any controller, asked by raw requests, by client-go and by kubectl.
//
// testdata/valid holds manifests that have to be accepted, with what has to be stored; testdata/invalid holds
// manifests that have to be refused, with the messages that have to be shown. TestEveryLimitIsRefused and its
// neighbours hold the schema against these files: a new field, default or rule without a case fails.
//
// API_SERVER is the name of another API server's binary: make test-api runs all of it on the oldest one, too.
package api

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

const crdFile = "../../config/crd/bases/apps.example.com_applications.yaml"

// cluster is the API server that all tests of this package share. Each test works in a namespace of its own.
var cluster apiServer

type apiServer struct {
	// client reads and writes typed objects, and unstructured ones.
	client client.Client
	// raw sends manifests as they are written, byte by byte.
	raw rest.Interface

	// kubectl is the path of the binary, kubeconfig that of its configuration, and home its scratch folder.
	kubectl, kubeconfig, home string
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/api:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	plane, err := controlplane.Start(context.Background(), controlplane.Options{
		APIServer: os.Getenv("API_SERVER"),
		CRDPaths:  []string{"config/crd/bases"},
		GCPercent: controlplane.FewCollections,
	})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	home, err := os.MkdirTemp("", "test-api-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	if cluster, err = connect(plane, home); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// onOldestServer reports whether the API server is that of the oldest Kubernetes that is served.
func onOldestServer() bool { return os.Getenv("API_SERVER") != "" }

func connect(plane *controlplane.ControlPlane, home string) (apiServer, error) {
	config := plane.Config()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1.AddToScheme, corev1.AddToScheme, autoscalingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return apiServer{}, err
		}
	}
	typed, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return apiServer{}, fmt.Errorf("make client: %w", err)
	}
	rawConfig := rest.CopyConfig(config)
	rawConfig.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	raw, err := rest.UnversionedRESTClientFor(rawConfig)
	if err != nil {
		return apiServer{}, fmt.Errorf("make raw client: %w", err)
	}
	kubeconfig, err := controlplane.Kubeconfig(config)
	if err != nil {
		return apiServer{}, err
	}
	path := filepath.Join(home, "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return apiServer{}, fmt.Errorf("write kubeconfig: %w", err)
	}
	return apiServer{client: typed, raw: raw, kubectl: plane.KubectlPath(), kubeconfig: path, home: home}, nil
}
