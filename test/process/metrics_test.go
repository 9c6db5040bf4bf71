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
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/process"
)

// TestSecureMetrics asks a leader and a standby for their metrics.
func TestSecureMetrics(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	bind(t, admin, namespace, "role.yaml")
	bind(t, admin, namespace, "leader_election_role.yaml")
	grantCluster(t, admin, namespace+"-asks", account, namespace,
		rbacv1.PolicyRule{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"}},
		rbacv1.PolicyRule{APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"subjectaccessreviews"}, Verbs: []string{"create"}})
	grantCluster(t, admin, namespace+"-reads", "prometheus", namespace,
		rbacv1.PolicyRule{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}})
	tokens := map[string]string{}
	for _, name := range []string{"prometheus", "curious"} {
		tokens[name] = newToken(t, admin, namespace, name)
	}

	config := kubeconfig(t, c, namespace)
	start := func() string {
		p := launch(t, config, namespace, append([]string{"--metrics-secure", "--metrics-bind-address=" + anyPort}, patient...)...)
		p.WaitUntilReady(t)
		return p.MetricsAddress(t)
	}
	leader := start()
	waitForHolder(t, admin, namespace, "")
	standby := start()

	for _, replica := range []struct{ role, address, status string }{
		{"leader", leader, `leader_election_master_status{name="app-operator-leader"} 1`},
		{"standby", standby, `leader_election_master_status{name="app-operator-leader"} 0`},
	} {
		t.Run(replica.role, func(t *testing.T) {
			for name, reader := range map[string]struct {
				token string
				code  int
			}{
				"without a token":           {code: http.StatusUnauthorized},
				"with a forged token":       {token: tokens["prometheus"] + "x", code: http.StatusUnauthorized},
				"with a token and no right": {token: tokens["curious"], code: http.StatusForbidden},
				"with a token and a right":  {token: tokens["prometheus"], code: http.StatusOK},
			} {
				code, body := scrape(t, "https://"+replica.address+"/metrics", reader.token)
				if code != reader.code {
					t.Errorf("%s: answered %d, want %d", name, code, reader.code)
				}
				if shown := strings.Contains(body, replica.status); shown != (code == http.StatusOK) {
					t.Errorf("%s: the metrics say %q: %t", name, replica.status, shown)
				}
			}
			if plain, err := http.Get("http://" + replica.address + "/metrics"); err == nil { // or the connection is cut
				_ = plain.Body.Close()
				if plain.StatusCode != http.StatusBadRequest {
					t.Errorf("without TLS: answered %d, want %d", plain.StatusCode, http.StatusBadRequest)
				}
			}
		})
	}
}

// TestSecureMetricsWithoutTheRightToAsk shows what an operator says that was not granted the cluster-wide rights.
func TestSecureMetricsWithoutTheRightToAsk(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	bind(t, admin, namespace, "role.yaml")
	p := launch(t, kubeconfig(t, c, namespace), namespace, "--metrics-secure", "--metrics-bind-address="+anyPort)
	p.WaitUntilReady(t)
	address := p.MetricsAddress(t)
	token := newToken(t, admin, namespace, "prometheus")
	if code, _ := scrape(t, "https://"+address+"/metrics", token); code != http.StatusServiceUnavailable {
		t.Errorf("answered %d, want %d", code, http.StatusServiceUnavailable)
	}
	p.WaitForLog(t, `cannot create resource \"tokenreviews\"`)
	if strings.Contains(p.Stderr(), token) {
		t.Error("the reader's token is in the log")
	}
}

// TestWhoeverReachesThePortsTakesLittle holds that headers and connections have bounds on both ports, and that somebody who
// uses them up is in nobody else's way.
func TestWhoeverReachesThePortsTakesLittle(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	bind(t, admin, namespace, "role.yaml")
	p := launch(t, kubeconfig(t, c, namespace), namespace, "--metrics-bind-address="+anyPort)
	p.WaitUntilReady(t)
	metrics, probes := p.MetricsAddress(t), p.ProbeAddress(t)
	for name, url := range map[string]string{"metrics": "http://" + metrics + "/metrics", "probes": "http://" + probes + "/healthz"} {
		t.Run(name, func(t *testing.T) {
			code, _ := scrape(t, url, strings.Repeat("x", 128<<10))
			if code != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("to a header of 128 KiB it answers %d, want %d", code, http.StatusRequestHeaderFieldsTooLarge)
			}
			const many = 300
			var closed atomic.Int32
			for range many {
				connection, err := net.Dial("tcp", strings.Split(url, "/")[2])
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = connection.Close() })
				go func() {
					_, _ = connection.Read(make([]byte, 1))
					closed.Add(1)
				}()
			}
			if code, _ := scrape(t, url, ""); code != http.StatusOK {
				t.Errorf("beside %d connections without a request, it answers %d", many, code)
			}
			process.Eventually(t, "close most of the connections", func() bool { return closed.Load() > many/2 })
		})
	}
}

// TestAHundredReadersAtOnce holds that each of a hundred readers at once gets the metrics or is told to come again.
func TestAHundredReadersAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	bind(t, admin, namespace, "role.yaml")
	p := launch(t, kubeconfig(t, c, namespace), namespace, "--metrics-bind-address="+anyPort)
	p.WaitUntilReady(t)
	metrics := p.MetricsAddress(t)
	var all sync.WaitGroup
	var shown atomic.Int32
	for range 100 {
		all.Go(func() {
			response, err := http.Get("http://" + metrics + "/metrics")
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			switch {
			case err != nil:
				t.Error(err)
			case response.StatusCode == http.StatusOK && strings.Contains(string(body), "app_operator_build_info"):
				shown.Add(1)
			case response.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), "try again"):
			default:
				t.Errorf("answered %d: %s", response.StatusCode, body)
			}
		})
	}
	all.Wait()
	if shown.Load() == 0 {
		t.Error("nobody has got the metrics")
	}
}

// grantCluster gives an account of the namespace rights in the whole cluster.
func grantCluster(t *testing.T, admin client.Client, name, account, namespace string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	create(t, admin, role, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
	})
}

// newToken makes a ServiceAccount and returns a token of it.
func newToken(t *testing.T, admin client.Client, namespace, name string) string {
	t.Helper()
	reader := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	create(t, admin, reader)
	request := &authenticationv1.TokenRequest{}
	if err := admin.SubResource("token").Create(t.Context(), reader, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// scrape asks for the metrics as the bearer of the token, and returns code and body. It waits until somebody listens.
func scrape(t *testing.T, address, token string) (int, string) {
	t.Helper()
	// As a scraper has to that gets a certificate nobody else has signed.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	var response *http.Response
	process.Eventually(t, "reach "+address, func() bool {
		response, err = transport.RoundTrip(request) //nolint:bodyclose // it is closed below
		return err == nil
	})
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
