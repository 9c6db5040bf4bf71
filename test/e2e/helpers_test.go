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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// operatorLabels are those of the operator's pods.
var operatorLabels = map[string]string{"control-plane": "controller-manager", "app.kubernetes.io/name": "app-operator"}

// command returns a command that finds our tools and our cluster, and runs in the checkout.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if tool := filepath.Join(bin, name); fileExists(tool) {
		name = tool
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return cmd
}

// run runs the command and returns what it prints to standard output, without the space around it.
func run(ctx context.Context, name string, args ...string) string {
	GinkgoHelper()
	return runCommand(command(ctx, name, args...))
}

func runCommand(cmd *exec.Cmd) string {
	GinkgoHelper()
	GinkgoWriter.Println("$", strings.Join(cmd.Args, " "))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	GinkgoWriter.Print(stdout.String(), stderr.String())
	if err != nil {
		Fail(fmt.Sprintf("%s: %v\n%s%s", cmd, err, &stdout, &stderr))
	}
	return strings.TrimSpace(stdout.String())
}

// withRegistry has the command trust our registry, and no other.
func withRegistry(cmd *exec.Cmd) *exec.Cmd {
	if certificate := filepath.Join(bin, "cluster", "registry", "tls.crt"); registry == localRegistry {
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+certificate)
	}
	return cmd
}

// nodeArchitecture returns what the cluster's nodes run.
func nodeArchitecture(ctx context.Context) string {
	GinkgoHelper()
	nodes := &corev1.NodeList{}
	Expect(k8s.List(ctx, nodes)).To(Succeed())
	Expect(nodes.Items).NotTo(BeEmpty())
	return nodes.Items[0].Status.NodeInfo.Architecture
}

// deploy applies the kustomization of config with our image, waits until all replicas are available, and removes all of it
// when the spec or the container it is called for is over. Only Serial specs may call it.
func deploy(ctx context.Context, kustomization string) {
	GinkgoHelper()
	dir := kustomize(fileName(kustomization), kustomization, "")
	DeferCleanup(func(ctx SpecContext) {
		removeApplications(ctx)
		run(ctx, "kubectl", "delete", "-k", dir, "--ignore-not-found", "--timeout="+limit.String())
	}, NodeTimeout(2*limit))
	apply(ctx, dir, operatorNamespace)
}

// deployFor installs an operator of its own in the tenant's namespace, which serves that namespace and goes with it. What
// all such operators share, the CRD for one, stays. Each patch is a JSON patch of the operator's Deployment.
func deployFor(ctx context.Context, tenant string, labels map[string]string, patches ...string) {
	GinkgoHelper()
	createNamespace(ctx, tenant, labels)
	apply(ctx, kustomize("tenant-"+tenant, filepath.Join("config", "default"), tenant, patches...), tenant)
}

// kustomize returns a folder with a kustomization on top of one in config: with our image, and in another namespace if one
// is given, and the operator's Deployment patched.
func kustomize(name, base, namespace string, patches ...string) string {
	GinkgoHelper()
	image, digest, ok := strings.Cut(images.Present.Operator, "@")
	Expect(ok).To(BeTrue(), images.Present.Operator)
	dir := filepath.Join(bin, "e2e", "kustomize", name)
	Expect(os.MkdirAll(dir, 0o750)).To(Succeed())
	base, err := filepath.Rel(dir, filepath.Join(root, base))
	Expect(err).NotTo(HaveOccurred())
	content := fmt.Sprintf("resources: [%s]\nimages: [{name: example.com/app-operator, newName: %q, digest: %q}]\n", base, image, digest)
	if namespace != "" {
		content += fmt.Sprintf("namespace: %s\n", namespace)
	}
	for i, patch := range patches {
		if i == 0 {
			content += "patches:\n"
		}
		content += fmt.Sprintf("- {target: {kind: Deployment}, patch: %q}\n", patch)
	}
	Expect(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600)).To(Succeed())
	return dir
}

// apply applies the kustomization and waits until the operator's replicas are available.
func apply(ctx context.Context, dir, namespace string) {
	GinkgoHelper()
	run(ctx, "kubectl", "apply", "--server-side", "-k", dir)
	run(ctx, "kubectl", "rollout", "status", "--namespace", namespace, "deployment/"+operatorName, "--timeout="+limit.String())
}

// removeOperator removes whatever config/default installs, the CRD included, and waits until it is gone.
func removeOperator(ctx context.Context) {
	GinkgoHelper()
	run(ctx, "kubectl", "delete", "-k", "config/default", "--ignore-not-found", "--timeout="+limit.String())
}

// removeApplications deletes all Applications and waits until they are gone, which the operator may have to help with. Only
// Serial specs may call it.
func removeApplications(ctx context.Context) {
	GinkgoHelper()
	list := &v1.ApplicationList{}
	err := k8s.List(ctx, list)
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
		return
	}
	Expect(err).NotTo(HaveOccurred())
	for i := range list.Items {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, &list.Items[i]))).To(Succeed())
	}
	Eventually(func() ([]v1.Application, error) {
		err := k8s.List(ctx, list)
		return list.Items, err
	}).WithContext(ctx).Should(BeEmpty())
}

// beReady matches an Application that is Ready in its present generation.
func beReady() types.GomegaMatcher {
	return haveReady(metav1.ConditionTrue, v1.ReasonRolloutComplete)
}

// haveReady matches an Application whose condition Ready speaks of the present generation, has the status and the reason,
// and has a message that contains the words.
func haveReady(status metav1.ConditionStatus, reason string, words ...string) types.GomegaMatcher {
	return haveCondition(v1.ConditionReady, status, reason, words...)
}

// haveFault matches an Application that is Degraded with the reason, in these words among others.
func haveFault(reason string, words ...string) types.GomegaMatcher {
	return haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, reason, words...)
}

func haveCondition(kind string, status metav1.ConditionStatus, reason string, words ...string) types.GomegaMatcher {
	message := make([]types.GomegaMatcher, len(words))
	for i, part := range words {
		message[i] = ContainSubstring(part)
	}
	return WithTransform(func(app *v1.Application) metav1.Condition {
		condition := ptr.Deref(meta.FindStatusCondition(app.Status.Conditions, kind), metav1.Condition{})
		if condition.ObservedGeneration != app.Generation {
			return metav1.Condition{}
		}
		return condition
	}, And(HaveField("Status", status), HaveField("Reason", reason), HaveField("Message", And(message...))))
}

// fresh returns a function, to be polled, that reads the object again.
func fresh[O client.Object](object O) func(context.Context) (O, error) {
	return func(ctx context.Context) (O, error) {
		return object, k8s.Get(ctx, client.ObjectKeyFromObject(object), object)
	}
}

// waitUntilGone waits until none of the objects exists.
func waitUntilGone(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(object), object) }).WithContext(ctx).
			Should(MatchError(apierrors.IsNotFound, "IsNotFound"), "%T %s", object, object.GetName())
	}
}

// createNamespace makes a namespace, and removes it when the spec or the container it is called for is over.
func createNamespace(ctx context.Context, name string, labels map[string]string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	DeferCleanup(func(ctx SpecContext) { deleteNamespace(ctx, name) }, NodeTimeout(2*limit))
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
}

// deleteNamespace deletes the namespace, and waits until it is gone with all that is in it.
func deleteNamespace(ctx context.Context, name string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	Expect(client.IgnoreNotFound(k8s.Delete(ctx, namespace))).To(Succeed())
	waitUntilGone(ctx, namespace)
}

// podsOf returns the Application's pods, those on their way included.
func podsOf(ctx context.Context, app *v1.Application) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := k8s.List(ctx, list, client.InNamespace(app.Namespace), client.MatchingLabels{"app.kubernetes.io/instance": app.Name})
	return list.Items, err
}

// operatorPodsIn returns the operator's pods in its namespace.
func operatorPodsIn(ctx context.Context, namespace string) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := k8s.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels(operatorLabels))
	return list.Items, err
}

// startsOf returns each container of the Application's pods that has started, and how often. It changes when a pod is
// replaced or restarted.
func startsOf(ctx context.Context, app *v1.Application) map[string]int32 {
	GinkgoHelper()
	pods, err := podsOf(ctx, app)
	Expect(err).NotTo(HaveOccurred())
	starts := map[string]int32{}
	for _, pod := range pods {
		for _, container := range pod.Status.ContainerStatuses {
			starts[fmt.Sprintf("%s %s %s", pod.Name, pod.UID, container.Name)] = container.RestartCount + 1
		}
	}
	return starts
}

// fileName makes the text fit for the name of a file.
func fileName(text string) string {
	return strings.Trim(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(text, "-"), "-")
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func splitLines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }
