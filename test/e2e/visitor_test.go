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

package e2e_test

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// webApplication returns an Application of our web server.
func webApplication(namespace string, replicas int32) *v1.Application {
	return &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
		Spec:       v1.ApplicationSpec{Image: images.Web, Replicas: new(replicas), Port: new(int32(80))},
	}
}

// visitor is a pod that asks all the while.
type visitor struct{ pod *corev1.Pod }

// startClient starts a pod that asks the URL. It goes with the namespace.
func startClient(ctx context.Context, namespace, name, url string) *visitor {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "client", Image: images.Web, Args: []string{"poll", url},
		}}},
	}
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	Eventually(fresh(pod)).WithContext(ctx).Should(HaveField("Status.Phase", corev1.PodRunning))
	return &visitor{pod: pod}
}

// serveClient creates an Application of two pods, and a client in another namespace that asks it all the time. It returns
// when both pods have answered.
func serveClient(ctx context.Context, namespace, clients string) (*v1.Application, *visitor) {
	GinkgoHelper()
	app := webApplication(namespace, 2)
	Expect(k8s.Create(ctx, app)).To(Succeed())
	Eventually(fresh(app)).WithContext(ctx).Should(beReady())
	guest := startClient(ctx, clients, "client", app.Status.URL)
	Eventually(guest.names).WithContext(ctx).Should(HaveLen(2), "each of the pods answers")
	Expect(startsOf(ctx, app)).To(HaveLen(2))
	return app, guest
}

// lines returns what the client has printed so far.
func (v *visitor) lines(ctx context.Context) ([]string, error) {
	output, err := command(ctx, "kubectl", "logs", "--namespace", v.pod.Namespace, v.pod.Name).Output()
	return strings.Split(strings.TrimSpace(string(output)), "\n"), err
}

// names returns who has answered so far.
func (v *visitor) names(ctx context.Context) ([]string, error) {
	lines, err := v.lines(ctx)
	var names []string
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "answered "); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// answers returns how many requests were answered so far.
func (v *visitor) answers(ctx context.Context) int {
	GinkgoHelper()
	lines, err := v.lines(ctx)
	Expect(err).NotTo(HaveOccurred())
	answered := 0
	for _, line := range lines {
		if strings.HasPrefix(line, "answered ") {
			answered++
		}
	}
	return answered
}

// failures returns the requests so far that were not answered.
func (v *visitor) failures(ctx context.Context) ([]string, error) {
	lines, err := v.lines(ctx)
	return failed(lines), err
}

func failed(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "answered ") || line == "" })
}
