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
	"encoding/base64"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/process"
)

// TestNoSecretInTheLog has the operator read a Secret's content, and log as much as it can.
func TestNoSecretInTheLog(t *testing.T) {
	t.Parallel()
	const content = "open sesame"
	c := newCluster(t)
	admin := administrator(t, c)
	namespace := newNamespace(t, admin)
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cave"},
		Spec: v1.ApplicationSpec{
			Image:   "cave:1",
			Rollout: &v1.RolloutSpec{RestartOnConfigChange: true},
			EnvFrom: []corev1.EnvFromSource{
				{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "words"}}},
			},
		},
	}
	create(t, admin, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "words"}, StringData: map[string]string{"password": content},
	}, app)
	p := launch(t, writeKubeconfig(t, c.Config()), namespace, "--zap-log-level=7")
	process.Eventually(t, "read the Secret and make a Deployment", func() bool { return hasDeployment(t, admin, app) })
	deployment := &appsv1.Deployment{}
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(app), deployment); err != nil {
		t.Fatal(err)
	}
	if deployment.Spec.Template.Annotations["apps.example.com/config-hash"] == "" {
		t.Error("the Secret was not read")
	}
	// The last one shows answers whatever their encoding is.
	for _, never := range []string{content, base64.StdEncoding.EncodeToString([]byte(content)), "Response Body"} {
		if strings.Contains(p.Stderr(), never) {
			t.Errorf("the log has %q", never)
		}
	}
}
