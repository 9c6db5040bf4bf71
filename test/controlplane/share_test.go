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
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestShare uses a control plane as another process would: nothing but bytes is passed on.
func TestShare(t *testing.T) {
	t.Parallel()
	owner, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, owner) })
	content, err := owner.Share()
	if err != nil {
		t.Fatal(err)
	}
	joined, err := Join(t.Context(), content)
	if err != nil {
		t.Fatal(err)
	}
	if joined.LogDir() == owner.LogDir() {
		t.Error("the two write into the same logs")
	}
	if joined.KubectlPath() != owner.KubectlPath() {
		t.Errorf("another kubectl: %s", joined.KubectlPath())
	}

	if _, err := clientFor(t, joined.Config()).CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("the administrator: %v", err)
	}
	account, err := joined.ServiceAccount("default", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	_, err = clientFor(t, account).CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:default:nobody") {
		t.Errorf("the account: %v, want that it is forbidden", err)
	}

	if err := joined.Kill(Etcd); err == nil {
		t.Error("etcd was killed by who has not started it")
	}
	if err := joined.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := clientFor(t, owner.Config()).CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("after the other has stopped: %v", err)
	}
}

func TestJoinErrors(t *testing.T) {
	t.Parallel()
	if _, err := Join(t.Context(), []byte("no JSON")); err == nil {
		t.Error("joined something that is none")
	}
	if _, err := askForUser(t.TempDir()+"/nobody.sock", "somebody", nil); err == nil ||
		!strings.Contains(err.Error(), "make user somebody") {
		t.Errorf("a control plane that is gone: %v", err)
	}
}
