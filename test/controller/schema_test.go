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
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// The API server's own words are what these are told by, so it is asked.
var _ = DescribeTable("A refusal by a kind's schema is the spec's fault, and no trouble that passes",
	func(ctx SpecContext, template, words string) {
		app := web(newNamespace(ctx))
		patch, err := yaml.YAMLToJSON([]byte(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: ` + template + `}}`))
		Expect(err).NotTo(HaveOccurred())
		err = k8s.Patch(ctx, deploymentOf(app), client.RawPatch(types.ApplyPatchType, patch), client.FieldOwner("a-test"))
		Expect(err).To(HaveOccurred())
		Expect(outcome.FromAPI(err, "Deployment")).To(SatisfyAll(
			BeAssignableToTypeOf(&outcome.Invalid{}), MatchError(ContainSubstring(v1.ReasonInvalidSpec)),
			MatchError(ContainSubstring(words)), Not(MatchError(ContainSubstring("failed to create typed patch object")))), err.Error())
	},
	Entry("two volumes of one name", `{spec: {volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]}}`,
		`.spec.template.spec.volumes: duplicate entries for key [name="a"]; remove all but one of them`),
	Entry("a variable twice", `{spec: {containers: [{name: web, env: [{name: A}, {name: A}]}]}}`,
		`.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]`),
	Entry("text where there is to be a number", `{spec: {terminationGracePeriodSeconds: soon}}`, "expected numeric"),
	Entry("a list where there is to be a map", `{spec: {nodeSelector: [a]}}`, "expected map"),
	Entry("a field that there is not", `{spec: {fromTheFuture: true}}`, "field not declared in schema; remove it, or update Kubernetes"),
)
