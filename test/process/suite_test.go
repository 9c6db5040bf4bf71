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

package process_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
	"github.com/example/app-operator/test/process"
)

const (
	crds = "config/crd/bases"
	// account is the ServiceAccount the operator runs as in these tests.
	account = "app-operator"
	lease   = "app-operator-leader"
	// anyPort is where the metrics are served, in other words than the probes' address, which must be another.
	anyPort = "localhost:0"
)

// binary is the program under test.
var binary string

// cluster is a control plane with the CRD, started by the first test that needs it.
var cluster = sync.OnceValues(func() (*controlplane.ControlPlane, error) {
	return controlplane.Start(context.Background(), controlplane.Options{CRDPaths: []string{crds}, GCPercent: controlplane.FewCollections})
})

func TestMain(m *testing.M) {
	var err error
	if binary, err = process.Build("test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if c, err := cluster(); err == nil {
		if err := c.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(filepath.Dir(binary))
	os.Exit(code)
}

// newCluster returns the control plane that the tests share.
func newCluster(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	c, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func administrator(t *testing.T, c *controlplane.ControlPlane) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := client.New(c.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return admin
}

func create(t *testing.T, admin client.Client, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := admin.Create(t.Context(), object); err != nil {
			t.Fatalf("create %T %s: %v", object, object.GetName(), err)
		}
	}
}

// newNamespace makes a namespace named after the test.
func newNamespace(t *testing.T, admin client.Client) string {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	create(t, admin, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	return name
}

// bind gives the operator's account the rights of a Role that is shipped, in one namespace.
func bind(t *testing.T, admin client.Client, namespace, file string) {
	t.Helper()
	rights, err := operator.Bound(file, namespace, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account})
	if err != nil {
		t.Fatal(err)
	}
	create(t, admin, rights...)
}

// kubeconfig writes one for the operator's account in the namespace.
func kubeconfig(t *testing.T, c *controlplane.ControlPlane, namespace string) string {
	t.Helper()
	config, err := c.ServiceAccount(namespace, account)
	if err != nil {
		t.Fatal(err)
	}
	return writeKubeconfig(t, config)
}

func writeKubeconfig(t *testing.T, config *rest.Config) string {
	t.Helper()
	content, err := controlplane.Kubeconfig(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// launch starts the operator in a namespace, which it watches and has for its own. Later flags win.
func launch(t *testing.T, kubeconfig, namespace string, args ...string) *process.Process {
	t.Helper()
	return process.Launch(t, binary, nil, append([]string{
		"--kubeconfig=" + kubeconfig, "--namespace=" + namespace, "--leader-election-namespace=" + namespace,
		"--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:0",
	}, args...)...)
}

// proxy stands between the operator and the API server, and can be told to misbehave.
type proxy struct {
	kubeconfig string
	trouble    atomic.Pointer[func(http.ResponseWriter, *http.Request) (handled bool)]
}

func newProxy(t *testing.T, config *rest.Config) *proxy {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1, // a watch is a response that never ends
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trouble := p.trouble.Load(); trouble != nil && (*trouble)(w, r) {
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	p.kubeconfig = writeKubeconfig(t, &rest.Config{Host: server.URL})
	return p
}

func (p *proxy) misbehave(how func(http.ResponseWriter, *http.Request) bool) { p.trouble.Store(&how) }

// hang leaves a request without an answer until the client gives it up, which a server notices only when it has read the
// request to its end.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// refuse cuts the connection of a request.
func refuse(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
