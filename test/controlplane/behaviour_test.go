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
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// scene is where one behaviour is looked at.
type scene struct {
	*testing.T

	c         *ControlPlane
	client    kubernetes.Interface // an administrator's
	namespace string               // of its own
}

// behaviours are what a test may expect of a control plane with nodes.
var behaviours = map[string]func(s scene){
	"a Deployment becomes available, and goes with its pods": deploymentLives,
	"a namespace can be deleted":                             namespaceGoes,
	"a quota is enforced":                                    quotaDenies,
	"Pod Security is enforced":                               podSecurityDenies,
	"RBAC decides":                                           rbacDecides,
	"an unmanaged pod is left alone":                         unmanagedStaysPending,
	"a pod that asks for too much is unschedulable":          tooBigIsUnschedulable,
	"an autoscaler raises to its minimum":                    autoscalerActs,
	"a ServiceAccount gets a token":                          tokenWorks,
}

func deploymentLives(s scene) {
	createDeployment(s.T, s.client, s.namespace, 3)
	waitForAvailable(s.T, s.client, s.namespace, 3)
	err := s.client.AppsV1().Deployments(s.namespace).Delete(s.Context(), "web", metav1.DeleteOptions{})
	if err != nil {
		s.Fatal(err)
	}
	eventually(s.T, "garbage is collected", func() error {
		pods, err := s.client.CoreV1().Pods(s.namespace).List(s.Context(), metav1.ListOptions{})
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d pods are left", len(pods.Items))
		}
		return err
	})
}

func namespaceGoes(s scene) {
	createDeployment(s.T, s.client, s.namespace, 1)
	waitForAvailable(s.T, s.client, s.namespace, 1)
	if err := s.client.CoreV1().Namespaces().Delete(s.Context(), s.namespace, metav1.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	eventually(s.T, "namespace is gone", func() error {
		_, err := s.client.CoreV1().Namespaces().Get(s.Context(), s.namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is still there"))
	})
}

func quotaDenies(s scene) {
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "two-pods"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("2")}},
	}
	if _, err := s.client.CoreV1().ResourceQuotas(s.namespace).Create(s.Context(), quota, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
	eventually(s.T, "the quota is in force", func() error {
		now, err := s.client.CoreV1().ResourceQuotas(s.namespace).Get(s.Context(), quota.Name, metav1.GetOptions{})
		if err == nil && len(now.Status.Hard) == 0 {
			err = errors.New("it has no status")
		}
		return err
	})
	createDeployment(s.T, s.client, s.namespace, 3)
	eventually(s.T, "the third pod is refused", func() error {
		deployment, err := s.client.AppsV1().Deployments(s.namespace).Get(s.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range deployment.Status.Conditions {
			if condition.Type == appsv1.DeploymentReplicaFailure && strings.Contains(condition.Message, "exceeded quota") {
				return nil
			}
		}
		return fmt.Errorf("conditions are %v", deployment.Status.Conditions)
	})
}

func podSecurityDenies(s scene) {
	patch := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	if _, err := s.client.CoreV1().Namespaces().Patch(s.Context(), s.namespace, types.MergePatchType, patch,
		metav1.PatchOptions{}); err != nil {
		s.Fatal(err)
	}
	// The admission plugin reads namespaces from a cache, so it may need a moment to see the label.
	eventually(s.T, "pod is refused", func() error {
		pod, err := s.client.CoreV1().Pods(s.namespace).Create(s.Context(), newPod("root"),
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if apierrors.IsForbidden(err) && strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("pod %q was not refused", pod.Name))
	})
}

func rbacDecides(s scene) {
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "reader"}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"},
	}}}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
		Subjects: []rbacv1.Subject{
			{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "alice"},
			{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: "robot"},
		},
	}
	if _, err := s.client.RbacV1().Roles(s.namespace).Create(s.Context(), role, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
	if _, err := s.client.RbacV1().RoleBindings(s.namespace).Create(s.Context(), binding, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
	alice, errAlice := s.c.User("alice")
	bob, errBob := s.c.User("bob", "some-group")
	robot, errRobot := s.c.ServiceAccount(s.namespace, "robot")
	if err := errors.Join(errAlice, errBob, errRobot); err != nil {
		s.Fatal(err)
	}
	list := func(client kubernetes.Interface, namespace string) error {
		_, err := client.CoreV1().ConfigMaps(namespace).List(s.Context(), metav1.ListOptions{})
		return err
	}
	eventually(s.T, "alice may list", func() error { return list(clientFor(s.T, alice), s.namespace) })
	eventually(s.T, "the ServiceAccount may list", func() error { return list(clientFor(s.T, robot), s.namespace) })
	if err := list(clientFor(s.T, bob), s.namespace); !apierrors.IsForbidden(err) {
		s.Errorf("bob lists: got %v, want forbidden", err)
	}
	if err := list(clientFor(s.T, robot), "kube-system"); !apierrors.IsForbidden(err) {
		s.Errorf("the ServiceAccount lists another namespace: got %v, want forbidden", err)
	}
}

// unmanagedStaysPending also proves the negative without waiting: a pod created later, on the same nodes, is ready
// while the marked ones are not.
func unmanagedStaysPending(s scene) {
	pods := s.client.CoreV1().Pods(s.namespace)
	labelled, annotated := newPod("labelled"), newPod("annotated")
	labelled.Labels = map[string]string{Unmanaged: "true"}
	annotated.Annotations = map[string]string{Unmanaged: "true"}
	for _, pod := range []*corev1.Pod{labelled, annotated, newPod("plain")} {
		if _, err := pods.Create(s.Context(), pod, metav1.CreateOptions{}); err != nil {
			s.Fatal(err)
		}
	}
	phase := func(name string, want corev1.PodPhase) {
		eventually(s.T, name, func() error {
			pod, err := pods.Get(s.Context(), name, metav1.GetOptions{})
			if err == nil && (pod.Status.Phase != want || pod.Spec.NodeName == "") {
				err = fmt.Errorf("phase is %s on node %q, want %s", pod.Status.Phase, pod.Spec.NodeName, want)
			}
			return err
		})
	}
	phase("plain", corev1.PodRunning)
	phase("labelled", corev1.PodPending)
	phase("annotated", corev1.PodPending)

	status := []byte(`{"status":{"containerStatuses":[{"name":"main","image":"nginx","imageID":"","restartCount":0,` +
		`"ready":false,"state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]}}`)
	pod, err := pods.Patch(s.Context(), "labelled", types.StrategicMergePatchType, status, metav1.PatchOptions{}, "status")
	if err != nil || pod.Status.ContainerStatuses[0].State.Waiting.Reason != "ImagePullBackOff" {
		s.Errorf("setting the status by hand: %v, %v", pod, err)
	}
	unmark := []byte(`{"metadata":{"labels":{"` + Unmanaged + `":null}}}`)
	if _, err := pods.Patch(s.Context(), "labelled", types.MergePatchType, unmark, metav1.PatchOptions{}); err != nil {
		s.Fatal(err)
	}
	phase("labelled", corev1.PodRunning)
	if err := pods.Delete(s.Context(), "annotated", metav1.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	eventually(s.T, "a marked pod can be deleted", func() error {
		_, err := pods.Get(s.Context(), "annotated", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is still there"))
	})
}

func tooBigIsUnschedulable(s scene) {
	pod := newPod("big")
	pod.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("65")}
	if _, err := s.client.CoreV1().Pods(s.namespace).Create(s.Context(), pod, metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
	eventually(s.T, "pod is unschedulable", func() error {
		pod, err := s.client.CoreV1().Pods(s.namespace).Get(s.Context(), "big", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodScheduled && condition.Reason == corev1.PodReasonUnschedulable {
				return nil
			}
		}
		return fmt.Errorf("conditions are %v", pod.Status.Conditions)
	})
}

func autoscalerActs(s scene) {
	createDeployment(s.T, s.client, s.namespace, 1)
	_, err := s.client.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Create(s.Context(),
		&autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "web"},
			Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
					APIVersion: "apps/v1", Kind: "Deployment", Name: "web",
				},
				MinReplicas: new(int32(2)),
				MaxReplicas: 5,
			},
		}, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
	waitForAvailable(s.T, s.client, s.namespace, 2)
}
