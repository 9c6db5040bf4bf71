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

package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/importing"
)

const deploymentAndService = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
`

func TestImportOfStandardInput(t *testing.T) {
	streams, in, out, errOut := genericiooptions.NewTestIOStreams()
	in.WriteString(deploymentAndService)
	if code := run(t.Context(), []string{"import", "-f", "-", "--name", "shop"}, streams); code != cli.ExitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"name: shop\n", "port: 8080\n", "stdin: Deployment web, spec.template.spec.containers[0].name"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestImportSaysWhatTheAPIServerWouldRefuse is about what Kubernetes takes and an Application does not.
func TestImportSaysWhatTheAPIServerWouldRefuse(t *testing.T) {
	labels := "app: web"
	for i := range 70 {
		labels += fmt.Sprintf(", l%d: x", i)
	}
	for name, one := range map[string]struct{ from, to, want string }{
		"more labels than an Application takes": {"metadata: {labels: {app: web}}", "metadata: {labels: {" + labels + "}}", "spec.podMetadata.labels"},
		"a folder without its beginning":        {`image: "web:1"`, `image: "web:1", volumeMounts: [{name: d, mountPath: data}]`, "spec.files[0]"},
		"a probe of no port": {
			`image: "web:1"`, `image: "web:1", readinessProbe: {httpGet: {port: none}}`, "spec",
		},
	} {
		t.Run(name, func(t *testing.T) {
			streams, in, out, errOut := genericiooptions.NewTestIOStreams()
			manifest := strings.Replace(deploymentAndService, one.from, one.to, 1)
			in.WriteString(strings.Replace(manifest, "spec: {containers:", "spec: {volumes: [{name: d, emptyDir: {}}], containers:", 1))
			if code := run(t.Context(), []string{"import", "-f", "-"}, streams); code != cli.ExitOK {
				t.Fatalf("exit code %d: %s", code, errOut)
			}
			found := strings.Contains(out.String(), "\n# The API server would refuse this Application. Correct this before you apply it:\n#  "+one.want)
			if !found || !strings.Contains(errOut.String(), "would refuse Application web") {
				t.Fatalf("it is not said on %s, or in\n%s", errOut, out)
			}
		})
	}
}

func TestImportRefusesWithARemedy(t *testing.T) {
	for _, one := range []struct {
		args []string
		want string
	}{
		{nil, "deployment/NAME"},
		{[]string{"statefulset/db"}, "an Application runs a Deployment"},
		{[]string{"deployment/web", "-f", "x.yaml"}, "not both"},
		{[]string{"-f", "no-such-file.yaml"}, "correct the path"},
		{[]string{"deployment/web", "--workload", "x"}, "chooses among files"},
	} {
		streams, _, _, errOut := genericiooptions.NewTestIOStreams()
		code := run(t.Context(), append([]string{"import"}, one.args...), streams)
		if code != cli.ExitError || !strings.Contains(errOut.String(), one.want) {
			t.Errorf("%v: exit code %d, %q, want %q", one.args, code, errOut, one.want)
		}
	}
}

// clusterWith returns a connection to a cluster that has no Gateway API, and in which nobody may list Ingresses.
func clusterWith(objects ...client.Object) *cli.Connection {
	connected := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, next client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			switch kind := list.GetObjectKind().GroupVersionKind(); kind.Kind {
			case "Ingress":
				return apierrors.NewForbidden(schema.GroupResource{Group: kind.Group, Resource: "ingresses"}, "", forbiddenError{})
			case "HTTPRoute", "ServiceMonitor":
				return &meta.NoKindMatchError{GroupKind: kind.GroupKind()}
			}
			return next.List(ctx, list, options...)
		},
	}).Build()
	return &cli.Connection{WithWatch: connected, Namespace: "shop"}
}

type forbiddenError struct{}

// Error returns what RBAC says.
func (forbiddenError) Error() string {
	return `User "u" cannot list resource "ingresses" in API group "networking.k8s.io" in the namespace "shop"`
}

func TestImportFromTheCluster(t *testing.T) {
	labels := map[string]string{"app": "web"}
	objectMeta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: "shop"} }
	deployment := &appsv1.Deployment{ObjectMeta: objectMeta("web")}
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}}
	service := &corev1.Service{ObjectMeta: objectMeta("web")}
	service.Spec.Selector, service.Spec.Ports = labels, []corev1.ServicePort{{Port: 80}}
	service.Spec.Ports[0].TargetPort.IntVal = 8080
	other := &corev1.Service{ObjectMeta: objectMeta("other")}
	other.Spec.Selector = map[string]string{"app": "other"}
	policy := &networkingv1.NetworkPolicy{ObjectMeta: objectMeta("web")}
	policy.Spec.PodSelector.MatchLabels = labels
	sources, unread, err := fromCluster(t.Context(), clusterWith(deployment, service, other, policy), "web")
	if err != nil {
		t.Fatal(err)
	}
	result, err := importing.Import(sources, importing.Options{Workload: "web"})
	if err != nil {
		t.Fatal(err)
	}
	result.Remarks = append(unread, result.Remarks...)
	var text bytes.Buffer
	if err := result.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"    port: 80\n", "  networkPolicy:\n", "each Ingress of namespace shop", "kubectl auth can-i list ingresses.networking.k8s.io --namespace=shop",
	} {
		if !strings.Contains(strings.ReplaceAll(text.String(), "\n#  ", ""), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "Service other") {
		t.Errorf("it tells of what has nothing to do with the pods:\n%s", &text)
	}
}

func TestImportOfAnApplicationsDeployment(t *testing.T) {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "apps.example.com/v1", Kind: "Application", Name: "web", UID: "u", Controller: new(true),
	}}}}
	for name, want := range map[string]string{"web": "belongs to the Application", "none": "kubectl get deployments"} {
		if _, _, err := fromCluster(t.Context(), clusterWith(deployment), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
