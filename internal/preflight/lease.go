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

package preflight

import (
	"context"
	"errors"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
)

// rightsTo lists what leader election needs to hold the Lease.
func rightsTo(lease types.NamespacedName) []right {
	return []right{
		{GroupResource: leases, namespace: lease.Namespace, name: lease.Name, verbs: []string{"get", "update"}},
		{GroupResource: leases, namespace: lease.Namespace, verbs: []string{"create"}},
	}
}

// moveLease reports whether the Lease is the other one from now on, of which nothing was asked yet. Missing is what was found
// missing with the first one, and waited how long its rights had to come. The error is what has to be waited for.
//
// Replicas that disagree would lead at the same time. Hence the other Lease, once it exists, is taken by all that may hold
// it, also when the rights to the first one have come meanwhile.
func (p *Check) moveLease(ctx context.Context, missing error, waited time.Duration) (bool, error) {
	if p.elsewhere.Name == "" || p.lease == p.elsewhere {
		return false, nil
	}
	lacks, _ := errors.AsType[*MissingRightsError](missing)
	denied := lacks != nil && !lacks.inNamespacesOnly()
	if missing != nil && (!denied || waited < p.grace) {
		return false, nil
	}
	for _, want := range rightsTo(p.elsewhere) {
		for _, verb := range want.verbs {
			if allowed, err := p.mayI(ctx, want, verb); err != nil || !allowed {
				return false, p.unansweredIf(err)
			}
		}
	}
	why := "the rights to it are missing in namespace " + p.lease.Namespace
	if !denied {
		_, err := p.api.CoordinationV1().Leases(p.elsewhere.Namespace).Get(ctx, p.elsewhere.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
			return false, nil
		}
		if err != nil {
			return false, p.unanswered(err)
		}
		why = "it exists; delete it while no replica runs to have it in namespace " + p.lease.Namespace
	}
	ctrl.Log.WithName("startup").Info("The Lease is in the namespace that is served: whoever may edit Leases there can keep this "+
		"operator from its work, and a takeover waits until the Lease has expired where the operator may not watch its own Pods",
		"lease", p.elsewhere.String(), "why", why)
	p.desired = slices.DeleteFunc(p.desired, func(r right) bool { return r.GroupResource == leases })
	p.desired = append(p.desired, rightsTo(p.elsewhere)...)
	p.lease = p.elsewhere
	return true, nil
}

// unansweredIf is unanswered for an error that may be none.
func (p *Check) unansweredIf(err error) error {
	if err == nil {
		return nil
	}
	return p.unanswered(err)
}
