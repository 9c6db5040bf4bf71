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
	"fmt"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

// recovery is how long it may take until everything works again. After a minute of failures, client-go pauses for up to a
// minute between two attempts to watch, in the operator as in Kubernetes' own controllers.
const recovery = 5 * time.Minute

// These specs change or take away what all namespaces share, and would disturb the others.
var _ = Describe("On a control plane of their own", Ordered, ContinueOnFailure, takesLongest, func() {
	BeforeAll(useOwnCluster)

	Describe("An optional API", optionalAPI)
	Describe("An Ingress whose class the spec gives up", givenUpClass)
	Describe("An outage", outage)
})

// outage are the specs that stop the API server, and etcd.
func outage() {
	var t *replicas
	var apps []*v1.Application

	BeforeAll(func(ctx SpecContext) {
		t = startReplicas(ctx, 3)
		t.keepRunning(ctx)
		for i := range 6 {
			app := web(t.namespace)
			app.Name = fmt.Sprintf("web-%d", i)
			createReady(ctx, app)
			apps = append(apps, app)
		}
	})

	DescribeTable("is survived by three replicas, and nothing is lost",
		func(ctx SpecContext, server controlplane.Server, period time.Duration) {
			leader := t.leader(ctx)
			Expect(cluster.Kill(server)).To(Succeed())
			over := time.After(period)
			Eventually(leader.Done()).Should(BeClosed(), "a leader that cannot renew its lease gives up")
			Eventually(over, limit).Should(Receive())
			Expect(cluster.Resume(ctx, server)).To(Succeed())

			By("changing things before the replicas have found their way back")
			image := "nginx:without-" + string(server)
			edit(ctx, apps[0], func(app *v1.Application) { app.Spec.Image = image })
			Expect(k8s.Delete(ctx, deploymentOf(apps[1]))).To(Succeed())
			Expect(k8s.Delete(ctx, serviceOf(apps[2]))).To(Succeed())
			edit(ctx, serviceOf(apps[3]), func(service *corev1.Service) { service.Spec.Ports[0].Port = 1 })
			Expect(k8s.Delete(ctx, apps[4])).To(Succeed())
			added := web(t.namespace)
			added.Name = "made-without-" + string(server)
			Expect(k8s.Create(ctx, added)).To(Succeed())

			By("looking at what becomes of it")
			for object, becomes := range map[client.Object]types.GomegaMatcher{
				deploymentOf(apps[0]): HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Image", image))),
				deploymentOf(apps[1]): HaveField("Status.AvailableReplicas", BeEquivalentTo(2)),
				serviceOf(apps[2]):    HaveField("DeletionTimestamp", BeNil()),
				serviceOf(apps[3]):    HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(8080)))),
			} {
				Eventually(fresh(ctx, object), recovery).Should(becomes)
			}
			Eventually(func() error { _, err := get(ctx, deploymentOf(apps[4])); return err }, recovery).Should(Satisfy(apierrors.IsNotFound))
			apps[4] = added
			for _, app := range apps {
				Eventually(fresh(ctx, app), recovery).Should(beReady(), app.Name)
			}
			t.expectOneLeader(ctx)
		},
		Entry("of the API server, for a minute", controlplane.APIServer, time.Minute),
		Entry("of etcd, for longer than a leader tries to renew its lease", controlplane.Etcd, 20*time.Second),
	)
}

// useOwnCluster starts another control plane, which the specs of the container use in place of the suite's.
func useOwnCluster(ctx SpecContext) {
	GinkgoHelper()
	suiteCluster, suiteClient, suiteLog := cluster, k8s, auditLog
	own, err := controlplane.Start(context.WithoutCancel(ctx), controlplane.Options{
		CRDPaths:  []string{"config/crd/bases", gatewayCRD(ctx)},
		Nodes:     2,
		GCPercent: controlplane.FewCollections,
		AuditLog:  filepath.Join(GinkgoT().TempDir(), "audit.log"),
		Output:    GinkgoWriter,
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		cluster, k8s, auditLog = suiteCluster, suiteClient, suiteLog
		Expect(own.Stop()).To(Succeed())
	})
	cluster = own
	k8s, err = client.New(own.Config(), client.Options{Scheme: suiteClient.Scheme()})
	Expect(err).NotTo(HaveOccurred())
}

// keepRunning runs each replica again when it has ended, as the kubelet does, until the specs are over.
func (t *replicas) keepRunning(ctx context.Context) {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var kubelets sync.WaitGroup
	for _, replica := range t.all() {
		kubelets.Go(func() { t.keepOneRunning(ctx, replica) })
	}
	DeferCleanup(func() {
		cancel()
		kubelets.Wait()
	})
}

func (t *replicas) keepOneRunning(ctx context.Context, replica *operator.Replica) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-replica.Done():
		}
		next, _ := replica.Restart(ctx) // it may have ended again before it was ready
		if next == nil {
			return // the specs are over
		}
		t.replace(replica, next)
		replica = next
	}
}

// expectOneLeader waits until all replicas run, and one of them leads.
func (t *replicas) expectOneLeader(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		leaders := 0
		for _, replica := range t.all() {
			leads, err := replica.Leads(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			if leads {
				leaders++
			}
		}
		g.Expect(leaders).To(Equal(1))
	}, recovery).Should(Succeed())
}
