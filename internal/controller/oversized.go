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

package controller

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// maxBytes is how large an Application may be as JSON, its annotations and managed fields aside. The cache keeps a spec in
// memory for as long as the object lives, and whoever may create Applications may create many.
const maxBytes = 256 << 10

// stripApplication keeps of an Application what the operator reads: no annotations, labels or managed fields, and of one
// that is too large no more than it takes to say so and to let it go. What is cached must therefore never be written back
// as a whole. A status is: the API server takes nothing but the status from that.
func stripApplication(in any) (any, error) {
	app, ok := in.(*v1.Application)
	if !ok || app.Oversized { // a transform may come twice
		return in, nil
	}
	app.Annotations, app.Labels, app.ManagedFields = nil, nil, nil
	content, err := json.Marshal(app)
	if err != nil {
		return nil, fmt.Errorf("encode the Application %s/%s: %w", app.Namespace, app.Name, err)
	}
	if len(content) <= maxBytes {
		return app, nil
	}
	small := &v1.Application{
		TypeMeta: app.TypeMeta, Status: app.Status, Oversized: true,
		Spec: v1.ApplicationSpec{
			Replicas: app.Spec.Replicas, Suspend: app.Spec.Suspend, Paused: app.Spec.Paused, DeletionPolicy: app.Spec.DeletionPolicy,
		},
	}
	copyIdentity(small, app)
	small.Generation, small.Finalizers = app.Generation, app.Finalizers
	return small, nil
}

// oversized is what keeps the operator from working on an Application that is too large.
func oversized() error {
	return &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: fmt.Sprintf("the Application is larger than %d KiB, annotations "+
		"and managed fields aside, and what is made for it stays as it is; make it smaller, for example by moving long values "+
		"into ConfigMaps", maxBytes>>10)}
}

// identityOf returns what of an Application is written beside its status, and who it is.
func identityOf(app *v1.Application) *metav1.PartialObjectMetadata {
	identity := metadataOf(v1.GroupVersion.WithKind("Application"))
	copyIdentity(identity, app)
	identity.Finalizers = app.Finalizers
	return identity
}

// updateStatus writes the Application's status, unless the Application has changed, and takes over its new version. The
// answer to an update is the whole object; to that of one that is too large, the metadata is asked for instead.
func (r *ApplicationReconciler) updateStatus(ctx context.Context, app *v1.Application) error {
	if !app.Oversized {
		return r.Client.Status().Update(ctx, app)
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": app.ResourceVersion},
		{"op": "add", "path": "/status", "value": app.Status},
	})
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	written := identityOf(app)
	if err := r.Client.Status().Patch(ctx, written, client.RawPatch(types.JSONPatchType, patch)); err != nil {
		return err
	}
	app.ResourceVersion = written.ResourceVersion
	return nil
}
