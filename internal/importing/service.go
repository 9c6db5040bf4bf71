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

package importing

import (
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

func (w *workload) serviceType() corev1.ServiceType {
	if given := w.service.root().in("spec").peek("type"); given != "" {
		return corev1.ServiceType(given)
	}
	return corev1.ServiceTypeClusterIP
}

// readService reads what shapes the Service. Its ports were read before.
func (w *workload) readService() {
	if w.service == nil {
		if len(w.ports) > 0 {
			w.doc.root().in("spec", "template", "spec").note("", nil, "there is no Service for these pods; an Application with ports has one")
		}
		return
	}
	annotations := w.companion(w.service)
	spec := w.service.root().in("spec")
	spec.drop("selector")
	w.readAddresses(spec)
	if given := w.serviceType(); given != corev1.ServiceTypeClusterIP {
		if given == corev1.ServiceTypeExternalName {
			spec.remark("type", "an Application's Service leads to its pods; keep this one as an object of its own")
		} else {
			w.specService().Type = given
		}
		spec.drop("type")
	}
	shape := v1.ServiceSpec{Annotations: annotations}
	shape.ExternalTrafficPolicy, _ = take[corev1.ServiceExternalTrafficPolicy](spec, "externalTrafficPolicy")
	shape.InternalTrafficPolicy, _ = take[corev1.ServiceInternalTrafficPolicy](spec, "internalTrafficPolicy")
	shape.SessionAffinity, _ = take[corev1.ServiceAffinity](spec, "sessionAffinity")
	shape.LoadBalancerSourceRanges, _ = take[[]string](spec, "loadBalancerSourceRanges")
	for i := range shape.LoadBalancerSourceRanges {
		shape.LoadBalancerSourceRanges[i] = network(shape.LoadBalancerSourceRanges[i])
	}
	if class := spec.text("loadBalancerClass"); class != "" {
		shape.LoadBalancerClass = &class
	}
	if same(shape, v1.ServiceSpec{}) {
		return
	}
	service := w.specService()
	shape.Type, shape.Port, shape.NodePort = service.Type, service.Port, service.NodePort
	*service = shape
}

// readAddresses takes the addresses that Kubernetes has given the Service.
func (w *workload) readAddresses(spec part) {
	if spec.peek("clusterIP") == corev1.ClusterIPNone {
		spec.remark("clusterIP", "an Application's Service has an address of its own; keep a headless Service beside it if clients ask for the pods' addresses")
		spec.drop("clusterIPs")
	}
	if w.service.live {
		spec.drop("clusterIP", "clusterIPs", "ipFamilies")
	}
	if len(w.ports) == 0 {
		spec.drop("ports")
	}
}
