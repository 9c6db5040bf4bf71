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
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// The samples that cannot become Ready here, and why.
var unready = map[string]string{
	"claims.yaml":             v1.ReasonUnschedulable,    // no storage
	"volume-sources.yaml":     v1.ReasonUnschedulable,    // no storage
	"persistent-volume.yaml":  v1.ReasonUnschedulable,    // no storage
	"scheduling-classes.yaml": v1.ReasonReferenceMissing, // no RuntimeClass
}

// notManifests lie beside the samples.
const notManifests = "kustomization.yaml"

var _ = Describe("The samples", func() {
	It("work as they are, by kubectl apply", func(ctx SpecContext) {
		files, err := filepath.Glob(filepath.Join("..", "..", "config", "samples", "*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(len(files)).To(BeNumerically(">", 10))
		namespace := newNamespace(ctx)
		running := startOperator(ctx, namespace)
		outcomes := map[string][]*v1.Application{}
		for _, file := range files {
			if name := filepath.Base(file); name != notManifests {
				outcomes[name] = applySample(ctx, file, namespace)
			}
		}
		for name, apps := range outcomes {
			for _, app := range apps {
				By(name)
				if reason, ok := unready[name]; ok {
					Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, reason))
					continue
				}
				Eventually(fresh(ctx, app)).Should(SatisfyAny(beReady(),
					haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended),
					haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonPaused)))
			}
		}
		running.rest(ctx)
		Expect(running.errors()).To(BeEmpty())
	})
})

// applySample applies a file and returns the Applications in it. The smallest one has a namespace of its own.
func applySample(ctx SpecContext, file, namespace string) []*v1.Application {
	GinkgoHelper()
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	content = bytes.ReplaceAll(content, []byte("namespace: app-namespace"), []byte("namespace: "+namespace))
	copied := filepath.Join(GinkgoT().TempDir(), filepath.Base(file))
	Expect(os.WriteFile(copied, content, 0o600)).To(Succeed())
	kubectl(ctx, "apply", "-n", namespace, "-f", copied)

	var apps []*v1.Application
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content))
	for {
		object := &metav1.PartialObjectMetadata{}
		err := documents.Decode(object)
		if errors.Is(err, io.EOF) {
			break
		}
		Expect(err).NotTo(HaveOccurred())
		if object.Kind == "Application" {
			apps = append(apps, &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: object.Name, Namespace: namespace}})
		}
	}
	Expect(apps).NotTo(BeEmpty(), file)
	return apps
}
