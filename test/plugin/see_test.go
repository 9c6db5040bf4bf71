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

package plugin_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

func TestWhatIsWell(t *testing.T) {
	s := newSession(t, "well")
	app := s.create(served, "cart", v1.ApplicationSpec{Image: "registry.example.com/shop/cart:1.0.0", Replicas: ptr.To[int32](2), Port: ptr.To[int32](8080)})
	s.waits(app, v1.ReasonRolloutComplete)
	s.types("status", "cart", "-n", served)
	s.types("status", "cart", "-n", served, "-o", "wide")
	s.types("status", "cart", "-n", served, "--watch")
	s.types("tree", "cart", "-n", served)
	s.types("why", "cart", "-n", served)
	s.kubectl("", "set", "image", "deployment/cart", "cart=registry.example.com/shop/cart:2.0.0", "-n", served)
	s.eventually(func() error {
		if said, _ := s.runs("why", "cart", "-n", served); !strings.Contains(said, "Put back") || !strings.Contains(said, "Nothing is wrong") {
			return errors.New(said)
		}
		return nil
	})
	s.types("why", "cart", "-n", served)
	if said, _ := s.runs("events", "cart", "-n", served); !strings.Contains(said, "RolloutComplete") {
		t.Errorf("the events are\n%s", said)
	}
	if said, _ := s.runs("status", "cart", "-n", served, "-o", "json"); !strings.Contains(said, `"verdict": "ready"`) {
		t.Errorf("the status is\n%s", said)
	}
}

func TestWhatIsNotWell(t *testing.T) {
	s := newSession(t, "not-well")
	app := s.create(served, "checkout", v1.ApplicationSpec{
		Image:   "registry.example.com/shop/checkout:1.0.0",
		EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "database"}}}},
	})
	s.waits(app, v1.ReasonReferenceMissing)
	s.types("why", "checkout", "-n", served)
	s.types("status", "checkout", "-n", served)
}

func TestWhatNobodyServes(t *testing.T) {
	s := newSession(t, "unserved")
	s.create("unserved", "lonely", v1.ApplicationSpec{Image: "registry.example.com/shop/cart:1.0.0"})
	s.types("why", "lonely", "-n", "unserved")
	s.types("list", "-n", "unserved")
	s.types("status", "lonely", "-n", "unserved")
	s.types("why", "nobody", "-n", "unserved")
}

func TestAMissingRightIsNamed(t *testing.T) {
	s := newSession(t, "rights")
	nobody, err := plane.User("jane")
	if err != nil {
		t.Fatal(err)
	}
	s.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeKubeconfig(s.kubeconfig, nobody); err != nil {
		t.Fatal(err)
	}
	s.types("status", "cart", "-n", served)
	s.types("why", "cart", "-n", served)
	s.types("list", "-n", served)
}

func TestHelpGroupsTheCommands(t *testing.T) {
	said, _ := newSession(t, "").runs("--help")
	at := 0
	for _, words := range []string{"To look:", "list", "status", "why", "To change:", "rollback", "To move in and out:", "import", "Without a cluster, and to install:", "validate"} {
		found := strings.Index(said[at:], "\n"+words)
		if found < 0 {
			found = strings.Index(said[at:], "\n  "+words+" ")
		}
		if found < 0 {
			t.Fatalf("there is no %q where it should be:\n%s", words, said)
		}
		at += found
	}
}
