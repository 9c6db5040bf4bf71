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
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("Many Applications at once", takesLong, func() {
	It("get their Deployments before all have their Services", func(ctx SpecContext) {
		const (
			crowd   = 100
			workers = 32 // of the operator, by default
			turns   = 4
		)
		namespace := newNamespace(ctx)
		var apps []*v1.Application
		for i := range crowd {
			app := web(namespace)
			app.Name = fmt.Sprintf("app-%d", i)
			apps = append(apps, app)
			Expect(k8s.Create(ctx, app)).To(Succeed())
		}
		running := startOperator(ctx, namespace)
		for _, app := range apps { // beside other specs, a crowd takes its time
			Eventually(fresh(ctx, app)).WithTimeout(5 * limit).Should(beReady())
		}

		var deployments, services []request
		for _, request := range running.writes() {
			if request.ResponseStatus.Code >= 300 { // a server that is too busy has the client come again
				continue
			}
			switch request.ObjectRef.Resource {
			case "deployments":
				deployments = append(deployments, request)
			case "services":
				services = append(services, request)
			}
		}
		Expect(deployments).To(HaveLen(crowd), "one apply for each")
		Expect(services).To(HaveLen(crowd), "one apply for each")

		By("making few Services at a time, whatever the number of workers")
		together := make([]int, 0, len(services))
		for _, one := range services {
			inProgress := 0
			for _, other := range services {
				if !other.RequestReceivedTimestamp.After(one.RequestReceivedTimestamp) &&
					other.StageTimestamp.After(one.RequestReceivedTimestamp) {
					inProgress++
				}
			}
			together = append(together, inProgress)
		}
		// The API server logs the end of a request a little after it has answered, and on a slow machine later than that, now and then.
		slices.Sort(together)
		Expect(together[len(together)/2]).To(BeNumerically("<=", 2*turns), "in progress when one began: %v", together)

		By("asking for the last Deployment long before the last Service")
		last := slices.MaxFunc(deployments, byArrival).RequestReceivedTimestamp
		later := slices.DeleteFunc(services, func(r request) bool { return r.RequestReceivedTimestamp.Before(last) })
		Expect(len(later)).To(BeNumerically(">", workers),
			"if workers waited for Services, no more would be left than there are workers")
	})
})

// byArrival orders requests by when the API server has received them.
func byArrival(a, b request) int {
	return a.RequestReceivedTimestamp.Compare(b.RequestReceivedTimestamp)
}
