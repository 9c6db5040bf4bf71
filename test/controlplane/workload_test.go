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
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func tokenWorks(s scene) {
	token, err := s.client.CoreV1().ServiceAccounts(s.namespace).CreateToken(s.Context(), "default",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
	config := rest.AnonymousClientConfig(s.c.Config())
	config.BearerToken = token.Status.Token
	review, err := clientFor(s.T, config).AuthenticationV1().SelfSubjectReviews().Create(s.Context(),
		&authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
	want := "system:serviceaccount:" + s.namespace + ":default"
	if got := review.Status.UserInfo.Username; got != want {
		s.Errorf("the token is that of %q, want %q", got, want)
	}
}

func newPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx:latest"}}},
	}
}

// createDeployment creates a Deployment named web, with an init container and a sidecar to have one of each.
func createDeployment(t *testing.T, client kubernetes.Interface, namespace string, replicas int32) {
	t.Helper()
	labels := map[string]string{"app": "web"}
	pod := newPod("")
	always := corev1.ContainerRestartPolicyAlways
	pod.Spec.InitContainers = []corev1.Container{
		{Name: "init", Image: "busybox"},
		{Name: "sidecar", Image: "busybox", RestartPolicy: &always},
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod.Spec},
		},
	}
	if _, err := client.AppsV1().Deployments(namespace).Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func waitForAvailable(t *testing.T, client kubernetes.Interface, namespace string, replicas int32) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d replicas are available", replicas), func() error {
		deployment, err := client.AppsV1().Deployments(namespace).Get(t.Context(), "web", metav1.GetOptions{})
		if err == nil && deployment.Status.AvailableReplicas != replicas {
			err = fmt.Errorf("%d are", deployment.Status.AvailableReplicas)
		}
		return err
	})
}
