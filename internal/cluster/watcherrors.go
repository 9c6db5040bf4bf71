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

package cluster

import (
	"context"
	"errors"
	"io"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
)

// LogWatchError logs one clear line when an informer cannot list or watch; the informer backs off and retries.
// It is for cache.Options.DefaultWatchErrorHandler.
func LogWatchError(ctx context.Context, reflector *toolscache.Reflector, err error) {
	reportWatchError(ctx, ctrl.Log.WithName("cache").WithValues("type", reflector.TypeDescription()), err)
}

func reportWatchError(ctx context.Context, log logr.Logger, err error) {
	switch {
	case ctx.Err() != nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		log.V(1).Info("Watch ended; starting it again", "reason", err.Error())
	case apierrors.IsForbidden(err):
		log.Error(err, "Lost the right to watch; retrying", "remedy", "bind the roles of config/rbac again")
	case apierrors.IsNotFound(err):
		log.Error(err, "Lost the API; retrying", "remedy", "install its CRD again")
	default:
		log.Error(err, "Lost the watch; retrying")
	}
}
