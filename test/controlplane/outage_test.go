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

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// TestOutage takes the servers away, one after the other and both, and lets the other components work afterwards.
func TestOutage(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context(), Options{Nodes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	client := clientFor(t, c.Config())
	for _, servers := range [][]Server{{APIServer}, {Etcd}, {Etcd, APIServer}} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			namespace := newNamespace(t, client)
			createDeployment(t, client, namespace, 1)
			waitForAvailable(t, client, namespace, 1)
			before := componentPIDs(t, c)

			for _, server := range slices.Backward(servers) {
				pid, _ := c.guard.pid(string(server))
				if err := c.Kill(server); err != nil {
					t.Fatal(err)
				}
				if !gone(pid) {
					t.Errorf("%s still runs", server)
				}
			}
			requireDown(t, client)
			if _, err := c.User("made-meanwhile"); err != nil {
				t.Error(err)
			}
			for _, server := range servers {
				if err := c.Resume(t.Context(), server); err != nil {
					t.Fatal(err)
				}
			}
			scale(t, client, namespace, 3)
			waitForAvailable(t, client, namespace, 3)
			if after := componentPIDs(t, c); !slices.Equal(before, after) {
				t.Errorf("components were started anew: %v, then %v", before, after)
			}
		})
	}
	pids := runningPIDs(t, c)
	stop(t, c)
	requireGone(t, pids, c.work)
}

// TestOutageEnds stops a control plane whose servers are away.
func TestOutageEnds(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Resume(t.Context(), Etcd); err == nil || !strings.Contains(err.Error(), "was not killed") {
		t.Errorf("resume what runs: got %v", err)
	}
	if err := errors.Join(c.Kill(APIServer), c.Kill(Etcd)); err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(Etcd); err == nil {
		t.Error("what was killed was killed again without an error")
	}
	stop(t, c)
	requireGone(t, nil, c.work)
}

// requireDown makes sure that nothing can be written. Without etcd the API server answers only after half a minute.
func requireDown(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	name := metav1.ObjectMeta{Name: "during-an-outage"}
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: name}, metav1.CreateOptions{}); err == nil {
		t.Error("a namespace could be made")
	}
}

func scale(t *testing.T, client kubernetes.Interface, namespace string, replicas int32) {
	t.Helper()
	eventually(t, "scale", func() error {
		deployment, err := client.AppsV1().Deployments(namespace).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		deployment.Spec.Replicas = &replicas
		_, err = client.AppsV1().Deployments(namespace).Update(t.Context(), deployment, metav1.UpdateOptions{})
		return err
	})
}

// componentPIDs returns the process ids of the components that are not taken away.
func componentPIDs(t *testing.T, c *ControlPlane) []int {
	t.Helper()
	var pids []int
	for _, name := range nodeBinaries {
		pid, ok := c.guard.pid(name)
		if !ok || gone(pid) {
			t.Fatalf("%s does not run", name)
		}
		pids = append(pids, pid)
	}
	return pids
}
