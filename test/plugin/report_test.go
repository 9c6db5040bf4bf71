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
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestReportHasWhatHelpsAndNoSecret reads the archive back.
func TestReportHasWhatHelpsAndNoSecret(t *testing.T) {
	s := newSession(t, "")
	const secret = "correct-horse-battery-staple"
	vault := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "vault", Namespace: served}, StringData: map[string]string{"password": secret}}
	if err := k8s.Create(t.Context(), vault); err != nil {
		t.Fatal(err)
	}
	app := s.create(served, "bank", v1.ApplicationSpec{
		Image:   "registry.example.com/shop/bank:1.0.0",
		EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "vault"}}}},
	})
	s.waits(app, v1.ReasonRolloutComplete)
	// Of a name that the Application may need, and of kubectl's client-side apply.
	stranger := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bank-ledger", Namespace: served, Annotations: map[string]string{
		corev1.LastAppliedConfigAnnotation: `{"data":{"password":"` + secret + `"}}`,
	}}, Data: map[string]string{"password": secret}}
	if err := k8s.Create(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.tar.gz")
	if said, code := s.runs("report", "bank", "-n", served, "--output", file); code != 0 || !strings.Contains(said, "objects/Deployment-bank.yaml\n") {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	found := unpack(t, file)
	for _, name := range []string{"CONTENTS.txt", "application.yaml", "status.txt", "why.txt", "events.yaml", "objects/Deployment-bank.yaml"} {
		if found[name] == "" {
			t.Errorf("there is no %s", name)
		}
		if name != "CONTENTS.txt" && !strings.Contains(found["CONTENTS.txt"], name+"\n") {
			t.Errorf("%s is not in the list", name)
		}
	}
	if of := found["objects/ConfigMap-bank-ledger.yaml"]; !strings.Contains(of, "name: bank-ledger") {
		t.Errorf("it does not have whose ConfigMap bank-ledger is: %s", of)
	}
	for name, content := range found {
		if strings.Contains(content, secret) || strings.Contains(name, "Secret") {
			t.Errorf("%s has a Secret", name)
		}
	}
	if said, code := s.runs("report", "bank", "-n", served, "--output", file); code != 1 || !strings.Contains(said, "file exists") {
		t.Errorf("a file that is there is written over: %s", said)
	}
}

// unpack returns the files of an archive.
func unpack(t *testing.T, file string) map[string]string {
	t.Helper()
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	content, err := gzip.NewReader(opened)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = string(text)
	}
}
