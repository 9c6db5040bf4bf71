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
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("Two tenants with an operator each", Label(groupIsolation), Ordered, func() {
	// The namespace of the second one takes nothing that is less than restricted, the operator's own pods included.
	const first, second = "e2e-tenant-a", "e2e-tenant-b"
	// What OpenShift adds to the pods of a namespace: a user of its own, who is in no file of the image.
	const user = 1000650000

	BeforeAll(func(ctx SpecContext) {
		deployFor(ctx, first, nil, fmt.Sprintf(`[{"op": "add", "path": "/spec/template/spec/containers/0/securityContext/runAsUser", "value": %d},`+
			`{"op": "add", "path": "/spec/template/spec/securityContext/fsGroup", "value": %[1]d}]`, user))
		deployFor(ctx, second, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	}, NodeTimeout(specLimit))

	It("have Applications of the same name, and elect leaders of their own", func(ctx SpecContext) {
		for _, namespace := range []string{first, second} {
			app := tenantApplication(namespace, "web")
			Expect(k8s.Create(ctx, app)).To(Succeed())
			Eventually(fresh(app)).WithContext(ctx).Should(beReady())

			lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: namespace}}
			Expect(fresh(lease)(ctx)).To(HaveField("Spec.HolderIdentity", HaveValue(HavePrefix(operatorName+"-"))))
			pods, err := operatorPodsIn(ctx, namespace)
			Expect(err).NotTo(HaveOccurred())
			Expect(pods).To(ContainElement(HaveField("Name", podOf(ptr.Deref(lease.Spec.HolderIdentity, "")))))
		}
	}, SpecTimeout(specLimit))

	It("run as any user that their namespace gives them", func(ctx SpecContext) {
		pods, err := operatorPodsIn(ctx, first)
		Expect(err).NotTo(HaveOccurred())
		Expect(pods).To(HaveEach(SatisfyAll(
			HaveField("Spec.Containers", ConsistOf(HaveField("SecurityContext.RunAsUser", HaveValue(BeEquivalentTo(user))))),
			HaveField("Status.ContainerStatuses", ConsistOf(HaveField("Ready", BeTrue()))))))
	}, SpecTimeout(specLimit))

	It("are closed to each other's operator, by its own token", func(ctx SpecContext) {
		operator := as(ctx, first)
		// Each right of the Role is there at home, so that a refusal elsewhere is one of this right.
		for _, right := range rightsOfRole() {
			Expect(allowed(ctx, operator, first, right)).To(BeTrue(), "%+v at home", right)
			Expect(allowed(ctx, operator, second, right)).To(BeFalse(), "%+v at the other tenant's", right)
			Expect(allowed(ctx, operator, metav1.NamespaceAll, right)).To(BeFalse(), "%+v in all namespaces", right)
		}

		Expect(operator.List(ctx, &corev1.SecretList{}, client.InNamespace(first))).To(Succeed())
		app := tenantApplication(second, "web")
		for what, err := range map[string]error{
			"list Secrets":          operator.List(ctx, &corev1.SecretList{}, client.InNamespace(second)),
			"list Applications":     operator.List(ctx, &v1.ApplicationList{}, client.InNamespace(second)),
			"list all Applications": operator.List(ctx, &v1.ApplicationList{}),
			"list namespaces":       operator.List(ctx, &corev1.NamespaceList{}),
			"patch an Application":  operator.Patch(ctx, app, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"replicas":0}}`))),
			"create a Service":      operator.Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "intruder", Namespace: second}}),
			"delete a Service":      operator.Delete(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: second}}),
			"create a Secret":       operator.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "intruder", Namespace: first}}),
		} {
			Expect(err).To(MatchError(apierrors.IsForbidden, "IsForbidden"), what)
		}
	}, SpecTimeout(specLimit))

	It("do not act for each other", func(ctx SpecContext) {
		run(ctx, "kubectl", "scale", "deployment/"+operatorName, "--replicas=0", "--namespace", first)
		Eventually(operatorPodsIn).WithContext(ctx).WithArguments(first).Should(BeEmpty())
		abandoned := tenantApplication(first, "abandoned")
		Expect(k8s.Create(ctx, abandoned)).To(Succeed())
		// The other operator had its chance when it has done the same for its own tenant, later.
		later := tenantApplication(second, "later")
		Expect(k8s.Create(ctx, later)).To(Succeed())
		Eventually(fresh(later)).WithContext(ctx).Should(beReady())
		Expect(fresh(abandoned)(ctx)).To(HaveField("Status.Conditions", BeEmpty()))

		run(ctx, "kubectl", "scale", "deployment/"+operatorName, "--replicas=3", "--namespace", first)
		Eventually(fresh(abandoned)).WithContext(ctx).Should(beReady())
	}, SpecTimeout(specLimit))

	It("say so in the status where the namespace refuses what an Application asks for", func(ctx SpecContext) {
		app := webApplication(second, 1) // of the profile Baseline
		app.Name = "baseline"
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(haveReady(metav1.ConditionFalse, v1.ReasonAdmissionDenied, "violates PodSecurity"))
	}, SpecTimeout(specLimit))
})

// tenantApplication returns an Application that a namespace takes which enforces the restricted profile. Whoever is not
// root may not listen at port 80 everywhere.
func tenantApplication(namespace, name string) *v1.Application {
	app := webApplication(namespace, 1)
	app.Name = name
	app.Spec.Port, app.Spec.Env = new(int32(8080)), []corev1.EnvVar{{Name: "PORT", Value: "8080"}}
	app.Spec.Security = &v1.SecuritySpec{Profile: v1.SecurityProfileRestricted, RunAsUser: new(int64(65532))}
	return app
}

// as returns a client that is the operator of the namespace, by a token of its ServiceAccount.
func as(ctx context.Context, namespace string) client.Client {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: operatorName, Namespace: namespace}}
	token := &authenticationv1.TokenRequest{}
	Expect(k8s.SubResource("token").Create(ctx, account, token)).To(Succeed())
	anonymous := rest.AnonymousClientConfig(config)
	anonymous.BearerToken = token.Status.Token
	operator, err := client.New(anonymous, client.Options{Scheme: k8s.Scheme(), Mapper: k8s.RESTMapper()})
	Expect(err).NotTo(HaveOccurred())
	return operator
}

// rightsOfRole returns each right in the Role that is shipped.
func rightsOfRole() []authorizationv1.ResourceAttributes {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(root, "config", "rbac", "role.yaml"))
	Expect(err).NotTo(HaveOccurred())
	role := &rbacv1.Role{}
	Expect(yaml.UnmarshalStrict(content, role)).To(Succeed())
	var rights []authorizationv1.ResourceAttributes
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, kind := range rule.Resources {
				for _, verb := range rule.Verbs {
					rights = append(rights, authorizationv1.ResourceAttributes{Group: group, Resource: kind, Verb: verb})
				}
			}
		}
	}
	Expect(rights).NotTo(BeEmpty())
	return rights
}

// allowed asks the API server, as the client, whether the client has the right in the namespace.
func allowed(ctx context.Context, as client.Client, namespace string, right authorizationv1.ResourceAttributes) (bool, error) {
	right.Namespace = namespace
	right.Resource, right.Subresource, _ = strings.Cut(right.Resource, "/")
	review := &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right},
	}
	err := as.Create(ctx, review)
	return review.Status.Allowed, err
}
