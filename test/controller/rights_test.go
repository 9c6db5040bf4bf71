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
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/test/operator"
)

// The files with the operator's rights: those to Applications, and those to its Lease.
const (
	managerRole = "role.yaml"
	leaderRole  = "leader_election_role.yaml"
)

var _ = Describe("The operator's rights", func() {
	It("are enough for leader election, and its events", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		grantLease(ctx, namespace)
		running := startOperator(ctx, namespace, electing(namespace)...)
		Eventually(running.Leads).WithContext(ctx).Should(BeTrue())
		Eventually(func(g Gomega) {
			leases, told := &coordinationv1.LeaseList{}, &corev1.EventList{}
			g.Expect(k8s.List(ctx, leases, client.InNamespace(namespace))).To(Succeed())
			g.Expect(leases.Items).To(HaveLen(1))
			g.Expect(k8s.List(ctx, told, client.InNamespace(namespace))).To(Succeed())
			g.Expect(told.Items).To(ContainElement(HaveField("Reason", "LeaderElection")))
		}).Should(Succeed())
		createReady(ctx, web(namespace))
	})
})

// electing returns the flags of an operator with leader election, whose Lease outlives the spec: with the default durations, the only
// replica loses it, and ends, when the machine stands still for ten seconds.
func electing(namespace string) []string {
	return []string{
		"--leader-elect", "--leader-election-namespace=" + namespace,
		"--leader-election-lease-duration=1h", "--leader-election-renew-deadline=30m",
	}
}

// grantLease gives the operator of the namespace its rights for leader election.
func grantLease(ctx context.Context, namespace string) {
	GinkgoHelper()
	rights, err := operator.Bound(leaderRole, namespace,
		rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: operator.ServiceAccount, Namespace: namespace})
	Expect(err).NotTo(HaveOccurred())
	for _, right := range rights {
		Expect(k8s.Create(ctx, right)).To(Succeed())
	}
}

func readRole(file string) *rbacv1.Role {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join("..", "..", "config", "rbac", file))
	Expect(err).NotTo(HaveOccurred())
	role := &rbacv1.Role{}
	Expect(yaml.UnmarshalStrict(content, role)).To(Succeed())
	return role
}

// grantedRights returns what the Roles allow, as "verb resource.group".
func grantedRights() sets.Set[string] {
	GinkgoHelper()
	all := sets.New[string]()
	for _, file := range []string{managerRole, leaderRole} {
		for _, rule := range readRole(file).Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						all.Insert(verb + " " + schema.GroupResource{Group: group, Resource: resource}.String())
					}
				}
			}
		}
	}
	return all
}

// usedRights returns what the operators of this suite have asked for and got, in the same words.
func usedRights() sets.Set[string] {
	GinkgoHelper()
	all := sets.New[string]()
	for _, request := range requests() {
		if !request.byOperator() || request.ResponseStatus.Code == 403 || request.ObjectRef.Namespace == "" {
			continue
		}
		resource := request.ObjectRef.Resource
		if request.ObjectRef.Subresource != "" {
			resource += "/" + request.ObjectRef.Subresource
		}
		name := schema.GroupResource{Group: request.ObjectRef.APIGroup, Resource: resource}.String()
		all.Insert(request.Verb + " " + name)
		if request.Verb == "watch" { // which lists as well, on an API server that can stream lists, and on no older one
			all.Insert("list " + name)
		}
		if request.Verb == "patch" && request.ResponseStatus.Code == 201 { // an apply that makes something needs both
			all.Insert("create " + name)
		}
	}
	// The API server asks for this right itself, where OwnerReferencesPermissionEnforcement is on, when a child that blocks
	// its Application's deletion is made.
	return all.Insert("update applications/finalizers.apps.example.com")
}

// Only a suite that has run in full has used all rights.
var _ = ReportAfterSuite("the operator's rights", func(report Report) {
	if !report.SuiteSucceeded || report.PreRunStats.SpecsThatWillRun < report.PreRunStats.TotalSpecs {
		return
	}
	Expect(sets.List(used)).To(Equal(sets.List(grantedRights())), "rights that were used, and rights that the Roles grant")
})
