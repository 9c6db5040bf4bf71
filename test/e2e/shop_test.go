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
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

const (
	shopExample = "docs/examples/shop"
	shopImage   = "busybox:1.37" // what the example says

	shopNamespace       = "e2e-shop"
	shopClientNamespace = "e2e-shop-client"
	shopClaim           = "worker-data"
)

// The namespace enforces the restricted profile, which the example keeps to.
var _ = Describe("The shop of the documentation", Label(groupShop), Ordered, func() {
	web, worker := shopApplication("web"), shopApplication("worker")
	var first string // when the worker visited for the first time

	BeforeAll(func(ctx SpecContext) {
		pushShopImage(ctx)
		createNamespace(ctx, shopClientNamespace, nil)
		makeShopVolume(ctx)
		deployFor(ctx, shopNamespace, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	}, NodeTimeout(specLimit))

	It("is applied from its folder, and its pods answer", func(ctx SpecContext) {
		run(ctx, "kubectl", "apply", "--namespace", shopNamespace, "-k", shopExample)
		for _, app := range []*v1.Application{web, worker} {
			Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		}
		guest := startClient(ctx, shopClientNamespace, "client", web.Status.URL)
		Eventually(guest.names).WithContext(ctx).Should(ConsistOf("Welcome to the shop"))

		again := run(ctx, "kubectl", "apply", "--namespace", shopNamespace, "-k", shopExample)
		Expect(splitLines(again)).To(HaveEach(HaveSuffix(" unchanged")))
	}, SpecTimeout(specLimit))

	It("runs its command every minute, and when somebody asks for it", func(ctx SpecContext) {
		Eventually(shopRuns).WithContext(ctx).Should(ContainElement(HaveField("Status.Succeeded", BeEquivalentTo(1))))
		Eventually(func(ctx context.Context) (string, error) {
			output, err := command(ctx, "kubectl", "get", "appl/web", "--namespace", shopNamespace,
				"--output", "jsonpath={.status.schedules[?(@.name==\"check\")].lastSuccessfulTime}").Output()
			return string(output), err
		}).WithContext(ctx).ShouldNot(BeEmpty(), "the status does not say when it last succeeded")

		run(ctx, "kubectl", "create", "job", "by-hand", "--from=cronjob/web-check", "--namespace", shopNamespace)
		run(ctx, "kubectl", "wait", "--for=condition=Complete", "job/by-hand", "--namespace", shopNamespace, "--timeout="+limit.String())
		Expect(run(ctx, "kubectl", "logs", "job/by-hand", "--namespace", shopNamespace)).To(Equal("Welcome to the shop"))
		Expect(fresh(web)(ctx)).To(And(beReady(), HaveField("Status.Replicas", BeEquivalentTo(2))), "runs do not count as replicas")
	}, SpecTimeout(specLimit))

	It("keeps what the worker has written over a rollout", func(ctx SpecContext) {
		old := shopWorkerPod(ctx, worker, "")
		Eventually(func(ctx context.Context) (string, error) {
			log, err := shopLog(ctx, old)
			first = firstVisit(log)
			return first, err
		}).WithContext(ctx).ShouldNot(BeEmpty())

		run(ctx, "kubectl", "patch", "appl/worker", "--namespace", shopNamespace, "--type=json",
			"--patch", `[{"op":"add","path":"/spec/env/-","value":{"name":"ROUND","value":"2"}}]`)
		renewed := shopWorkerPod(ctx, worker, old)
		Eventually(shopLog).WithContext(ctx).WithArguments(renewed).Should(ContainSubstring("the first at: " + first))
		Eventually(fresh(worker)).WithContext(ctx).Should(beReady())
	}, SpecTimeout(specLimit))

	It("leaves the claim when it goes, and takes it up again when it comes back", func(ctx SpecContext) {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: shopClaim, Namespace: shopNamespace}}
		Expect(fresh(claim)(ctx)).To(HaveField("Status.Phase", corev1.ClaimBound))
		uid := claim.UID
		run(ctx, "kubectl", "delete", "--namespace", shopNamespace, "-k", shopExample, "--timeout="+limit.String())
		for _, app := range []*v1.Application{web, worker} {
			waitUntilGone(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}})
			Eventually(podsOf).WithContext(ctx).WithArguments(app).Should(BeEmpty())
		}
		waitUntilGone(ctx, &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "web-check", Namespace: shopNamespace}})
		Expect(fresh(claim)(ctx)).To(And(HaveField("UID", uid), HaveField("DeletionTimestamp", BeNil())))

		run(ctx, "kubectl", "apply", "--namespace", shopNamespace, "-k", shopExample)
		*worker = *shopApplication("worker")
		pod := shopWorkerPod(ctx, worker, "")
		Eventually(shopLog).WithContext(ctx).WithArguments(pod).Should(ContainSubstring("the first at: " + first))
		Eventually(fresh(worker)).WithContext(ctx).Should(beReady())
		Expect(fresh(claim)(ctx)).To(HaveField("UID", uid))
	}, SpecTimeout(specLimit))
})

func shopApplication(name string) *v1.Application {
	return &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: shopNamespace}}
}

// pushShopImage has the nodes of our own cluster pull a busybox of this machine. Elsewhere it is the real one.
func pushShopImage(ctx context.Context) {
	GinkgoHelper()
	if registry != localRegistry {
		return
	}
	busybox, err := exec.LookPath("busybox")
	Expect(err).NotTo(HaveOccurred(), "Remedy: apt-get install busybox-static")
	packImage(ctx, "library/"+shopImage, "test/e2e/shop.Dockerfile", filepath.Dir(busybox))
}

// makeShopVolume makes a volume for the claim of the example: a folder of one node, in which everybody may write. It is
// bound to the claim by name, so that no provisioner is needed.
func makeShopVolume(ctx context.Context) {
	GinkgoHelper()
	folder := corev1.HostPathVolumeSource{
		Path: "/var/lib/app-operator-e2e-shop", Type: new(corev1.HostPathDirectoryOrCreate),
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "folder", Namespace: shopClientNamespace},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers: []corev1.Container{{
				Name: "folder", Image: shopImage, Command: []string{"sh", "-c", "rm -rf /data/* && chmod 777 /data"},
				VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
			}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{HostPath: &folder}}},
		},
	}
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	Eventually(fresh(pod)).WithContext(ctx).Should(HaveField("Status.Phase", corev1.PodSucceeded))

	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: pod.Spec.NodeName}}
	Expect(fresh(node)(ctx)).To(HaveField("Labels", HaveKey(corev1.LabelHostname)))
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "app-operator-e2e-shop"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &folder},
			StorageClassName:              defaultStorageClass(ctx),
			ClaimRef:                      &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: shopNamespace, Name: shopClaim},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node.Labels[corev1.LabelHostname]},
				}},
			}}}},
		},
	}
	DeferCleanup(func(ctx SpecContext) {
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, volume))).To(Succeed())
		waitUntilGone(ctx, volume)
	}, NodeTimeout(2*limit))
	Expect(k8s.Create(ctx, volume)).To(Succeed())
}

// defaultStorageClass returns what a claim without a class gets; "" if that is none.
func defaultStorageClass(ctx context.Context) string {
	GinkgoHelper()
	classes := &storagev1.StorageClassList{}
	Expect(k8s.List(ctx, classes)).To(Succeed())
	for _, class := range classes.Items {
		if class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" {
			return class.Name
		}
	}
	return ""
}

// shopRuns returns the Jobs that the schedule of the example has started by itself.
func shopRuns(ctx context.Context) ([]batchv1.Job, error) {
	jobs := &batchv1.JobList{}
	err := k8s.List(ctx, jobs, client.InNamespace(shopNamespace))
	var runs []batchv1.Job
	for _, job := range jobs.Items {
		if strings.HasPrefix(job.Name, "web-check-") {
			runs = append(runs, job)
		}
	}
	return runs, err
}

// shopWorkerPod waits until the worker has one pod, of another name, that has started, and returns its name.
func shopWorkerPod(ctx context.Context, worker *v1.Application, other string) string {
	GinkgoHelper()
	var name string
	Eventually(func(ctx context.Context) error {
		pods, err := podsOf(ctx, worker)
		if err != nil {
			return err
		}
		if len(pods) != 1 || pods[0].Name == other || pods[0].Status.Phase != corev1.PodRunning {
			return fmt.Errorf("%d pods, not yet one that runs and is not %q", len(pods), other)
		}
		name = pods[0].Name
		return nil
	}).WithContext(ctx).Should(Succeed())
	return name
}

// shopLog returns what the pod of the worker has printed so far.
func shopLog(ctx context.Context, pod string) (string, error) {
	output, err := command(ctx, "kubectl", "logs", "--namespace", shopNamespace, pod).Output()
	return string(output), err
}

// firstVisit returns the first line of the worker's log that is a visit; "" if it has made none.
func firstVisit(log string) string {
	for _, line := range splitLines(log) {
		if _, err := time.Parse(time.UnixDate, line); err == nil { // and not what went wrong before the first
			return line
		}
	}
	return ""
}
