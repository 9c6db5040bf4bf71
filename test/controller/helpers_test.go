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

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	"github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/test/controlplane"
)

// sample returns an Application of config/samples, put into the namespace.
func sample(file, namespace string) *v1.Application {
	GinkgoHelper()
	app := readApplication(filepath.Join("..", "..", "config", "samples", file))
	app.Namespace = namespace
	return app
}

// readApplication reads an Application from a file.
func readApplication(file string) *v1.Application {
	GinkgoHelper()
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	app := &v1.Application{}
	Expect(yaml.UnmarshalStrict(content, app)).To(Succeed())
	return app
}

// web returns an Application with two pods and a Service.
func web(namespace string) *v1.Application {
	return &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
		Spec:       v1.ApplicationSpec{Image: "nginx:1.29", Replicas: new(int32(2)), Port: new(int32(8080))},
	}
}

// create makes the Application and waits until it is Ready.
// createReferences makes what the Application refers to, unless it is there.
func createReferences(ctx context.Context, app *v1.Application) {
	GinkgoHelper()
	for _, need := range resources.References(app) {
		named := metav1.ObjectMeta{Name: need.Name, Namespace: app.Namespace}
		object := map[string]client.Object{
			resources.KindConfigMap:      &corev1.ConfigMap{ObjectMeta: named},
			resources.KindSecret:         &corev1.Secret{ObjectMeta: named},
			resources.KindServiceAccount: &corev1.ServiceAccount{ObjectMeta: named},
			resources.KindPersistentVolumeClaim: &corev1.PersistentVolumeClaim{ObjectMeta: named, Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")},
				},
			}},
		}[need.Kind]
		Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, object))).To(Succeed(), need.String())
	}
}

func createReady(ctx context.Context, app *v1.Application) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, app)).To(Succeed())
	Eventually(fresh(ctx, app)).Should(beReady())
}

// get reads the object again and returns it.
func get[O client.Object](ctx context.Context, object O) (O, error) {
	return object, k8s.Get(ctx, client.ObjectKeyFromObject(object), object)
}

// fresh returns a function, to be polled, that reads the object again.
func fresh[O client.Object](ctx context.Context, object O) func() (O, error) {
	return func() (O, error) { return get(ctx, object) }
}

// edit changes the object as a user would: what it reads now, changed.
func edit[O client.Object](ctx context.Context, object O, change func(O)) {
	GinkgoHelper()
	Eventually(func() error {
		fresh, err := get(ctx, object)
		if err != nil {
			return err
		}
		change(fresh)
		return k8s.Update(ctx, fresh, client.FieldOwner("a-person"))
	}).Should(Succeed())
}

// named returns a child of the Application, to be read.
func deploymentOf(app *v1.Application) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}

func serviceOf(app *v1.Application) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}

func accountOf(app *v1.Application) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}

// podsOf lists the Application's pods.
func podsOf(ctx context.Context, app *v1.Application) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := k8s.List(ctx, list, client.InNamespace(app.Namespace), client.MatchingLabels{"app.kubernetes.io/instance": app.Name})
	return list.Items, err
}

// haveCondition matches an Application whose condition of the type has the status and reason, speaks of the present
// generation, and has a message that contains the words.
func haveCondition(kind string, status metav1.ConditionStatus, reason string, words ...string) types.GomegaMatcher {
	return gcustom.MakeMatcher(func(app *v1.Application) (bool, error) {
		condition := meta.FindStatusCondition(app.Status.Conditions, kind)
		if condition == nil || condition.ObservedGeneration != app.Generation {
			return false, nil
		}
		for _, part := range words {
			if ok, err := ContainSubstring(part).Match(condition.Message); !ok || err != nil {
				return false, err
			}
		}
		return condition.Status == status && condition.Reason == reason, nil
	}).WithTemplate("Expected the status of generation {{.Actual.Generation}}\n{{format .Actual.Status 1}}\n{{.To}} " +
		fmt.Sprintf("have %s=%s, reason %s, message with %q", kind, status, reason, words))
}

func beReady() types.GomegaMatcher {
	return haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonRolloutComplete)
}

// worker returns an Application without ports.
func worker(namespace string) *v1.Application {
	return &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "worker", Namespace: namespace},
		Spec:       v1.ApplicationSpec{Image: "busybox:1.37", Command: []string{"sleep", "inf"}},
	}
}

// conditionOf returns the condition of the type, or an empty one.
func conditionOf(app *v1.Application, kind string) metav1.Condition {
	return ptr.Deref(meta.FindStatusCondition(app.Status.Conditions, kind), metav1.Condition{})
}

// newWatcher watches the Applications of the namespace.
func newWatcher(ctx context.Context, namespace string) (watch.Interface, error) {
	watching, err := client.NewWithWatch(cluster.Config(), client.Options{Scheme: k8s.Scheme()})
	if err != nil {
		return nil, err
	}
	return watching.Watch(ctx, &v1.ApplicationList{}, client.InNamespace(namespace))
}

// consistently returns an error as soon as the condition does not hold, or nil when it has held for so long. It looks again after
// each pause.
func consistently(period, pause time.Duration, holds func() bool) error {
	for began := time.Now(); ; time.Sleep(pause) {
		over := time.Since(began) >= period
		if !holds() {
			return errors.New("did not hold")
		}
		if over {
			return nil
		}
	}
}

// adminKubeconfig returns the file of an administrator's kubeconfig.
func adminKubeconfig() string {
	GinkgoHelper()
	content, err := controlplane.Kubeconfig(cluster.Config())
	Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(GinkgoT().TempDir(), "admin")
	Expect(os.WriteFile(file, content, 0o600)).To(Succeed())
	return file
}
