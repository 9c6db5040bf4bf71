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
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// maxContents is how many contents of ConfigMaps and Secrets are remembered, as hashes: a few hundred bytes each.
const maxContents = 16384

// inputs is all that a pass reads before it thinks.
type inputs struct {
	resources.Inputs
	// missing names what the spec refers to and is not there, as "Secret credentials".
	missing []string
}

// inputs reads what the builders need.
func (r *ApplicationReconciler) inputs(ctx context.Context, app *v1.Application) (inputs, error) {
	in := inputs{Inputs: resources.Inputs{Application: app}}
	settling := &r.memory.of(app).config
	settling.due = time.Time{} // until it is found out again
	deployment := &appsv1.Deployment{}
	found, err := r.getControlled(ctx, app, deployment)
	if err != nil {
		return in, err
	}
	if found {
		in.Live = resources.LiveFrom(deployment)
	}
	if err := r.readPorts(ctx, &in, deployment); err != nil {
		return in, err
	}
	references := resources.References(app)
	present := make(map[resources.Reference]metav1.Object, len(references))
	for _, need := range references {
		object, err := r.referenced(ctx, app.Namespace, need.Reference)
		if err != nil {
			return in, err
		}
		if object != nil {
			present[need.Reference] = object
		} else if !need.Optional {
			in.missing = append(in.missing, need.String())
		}
	}
	if app.Spec.Rollout == nil || !app.Spec.Rollout.RestartOnConfigChange || len(in.missing) > 0 {
		return in, nil
	}
	newest, err := r.configHash(ctx, references, present)
	if err != nil {
		return in, err
	}
	if app.Status.ObservedGeneration != app.Generation { // of another spec the pods are likely to be replaced anyway
		in.ConfigHash = settling.roll(newest)
		return in, nil
	}
	in.ConfigHash = settling.settle(resources.LiveConfigHash(deployment), newest, time.Now())
	return in, nil
}

// readPorts reads the ports of the Service, and those of the pods where they may not be what the Deployment says.
func (r *ApplicationReconciler) readPorts(ctx context.Context, in *inputs, deployment *appsv1.Deployment) error {
	service := &corev1.Service{}
	found, err := r.getControlled(ctx, in.Application, service)
	if err != nil {
		return err
	}
	if found {
		in.ServicePorts = service.Spec.Ports
	}
	if in.Live == nil || status.RolledOut(deployment) && resources.PortsSettled(in.Inputs) {
		return nil
	}
	in.PodPorts, err = r.podPorts(ctx, deployment)
	return err
}

// podPorts returns the ports that the Deployment's pods have: each list once, those of the oldest pods first. Pods that end
// come last; they may serve until they are gone.
func (r *ApplicationReconciler) podPorts(ctx context.Context, deployment *appsv1.Deployment) ([][]corev1.ContainerPort, error) {
	pods, err := r.pods(ctx, client.ObjectKeyFromObject(deployment))
	if err != nil {
		return nil, err
	}
	_, all, err := r.replicaSets(ctx, deployment)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		if ends := a.DeletionTimestamp != nil; ends != (b.DeletionTimestamp != nil) {
			return map[bool]int{true: 1, false: -1}[ends]
		}
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	var lists [][]corev1.ContainerPort
	for i := range pods {
		ended := pods[i].Status.Phase == corev1.PodSucceeded || pods[i].Status.Phase == corev1.PodFailed
		if ended || !all[metav1.GetControllerOf(&pods[i]).UID] {
			continue
		}
		ports := cachedPorts(&pods[i])
		if !slices.ContainsFunc(lists, func(known []corev1.ContainerPort) bool { return slices.Equal(known, ports) }) {
			lists = append(lists, ports)
		}
	}
	return lists, nil
}

// referenced returns the metadata of a referenced object as cached, or nil if there is none.
func (r *ApplicationReconciler) referenced(
	ctx context.Context, namespace string, reference resources.Reference,
) (metav1.Object, error) {
	object := referencedKind(reference.Kind)
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: reference.Name}, object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", reference, err)
	}
	return object, nil
}

// referencedKind returns an empty object of a kind that Applications refer to. Of all but ServiceAccounts, which are
// children too, only metadata is read.
func referencedKind(kind string) client.Object {
	if kind == resources.KindServiceAccount {
		return &corev1.ServiceAccount{}
	}
	return metadataOf(corev1.SchemeGroupVersion.WithKind(kind))
}

// configHash returns what stands for the contents of the referenced ConfigMaps and Secrets together.
func (r *ApplicationReconciler) configHash(
	ctx context.Context, references []resources.Need, present map[resources.Reference]metav1.Object,
) (string, error) {
	sum := sha256.New()
	for _, need := range references {
		if !need.Content {
			continue
		}
		content := []byte(nil)
		if object, ok := present[need.Reference]; ok {
			var err error
			if content, err = r.contentHash(ctx, need.Kind, object); err != nil {
				return "", err
			}
		}
		frame(sum, []byte(need.Kind), []byte(need.Name), content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// readTimeout is what the read of a content gets, however many passes wait for it.
const readTimeout = 30 * time.Second

// content is which version of an object a hash was made of.
type content struct {
	uid     types.UID
	version string
	hash    []byte
}

// contentHash returns the hash of what is in a ConfigMap or Secret. The content is read from the API server, once for
// each version of the object, however many Applications refer to it, and never kept.
func (r *ApplicationReconciler) contentHash(ctx context.Context, kind string, object metav1.Object) ([]byte, error) {
	key := contentKey(kind, object)
	if known, ok := r.contents.Get(key); ok {
		known := known.(content)
		if known.uid == object.GetUID() && known.version == object.GetResourceVersion() {
			return known.hash, nil
		}
	}
	read := r.reads.DoChan(strings.Join([]string{key, string(object.GetUID()), object.GetResourceVersion()}, " "), func() (any, error) {
		// Others share the read, so it does not end with this pass.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		read, err := r.readContent(ctx, kind, client.ObjectKey{Namespace: object.GetNamespace(), Name: object.GetName()})
		if err == nil {
			r.contents.Add(key, read)
		}
		return read.hash, err
	})
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case answer := <-read:
		if answer.Err == nil {
			return answer.Val.([]byte), nil
		}
		err = answer.Err
	}
	return nil, fmt.Errorf("read %s %s: %w", kind, object.GetName(), err)
}

// contentKey names what the content of an object is remembered by.
func contentKey(kind string, object metav1.Object) string {
	return kind + " " + object.GetNamespace() + "/" + object.GetName()
}

// forgetContents returns a predicate that passes every event of the kind, and drops what is remembered of what is gone.
func (r *ApplicationReconciler) forgetContents(kind string) predicate.Predicate {
	return predicate.Funcs{DeleteFunc: func(e event.DeleteEvent) bool {
		r.contents.Remove(contentKey(kind, e.Object))
		return true
	}}
}

// readContent reads a ConfigMap or Secret from the API server and returns the hash of what is in it.
func (r *ApplicationReconciler) readContent(ctx context.Context, kind string, name client.ObjectKey) (content, error) {
	sum := sha256.New()
	if kind == resources.KindSecret {
		secret := &corev1.Secret{}
		if err := r.Reader.Get(ctx, name, secret); err != nil {
			return content{}, err
		}
		frame(sum, []byte(secret.UID)) // known to who may read the Secret: without it, others could try guesses out
		frameAll(sum, secret.Data)
		return content{uid: secret.UID, version: secret.ResourceVersion, hash: sum.Sum(nil)}, nil
	}
	config := &corev1.ConfigMap{}
	if err := r.Reader.Get(ctx, name, config); err != nil {
		return content{}, err
	}
	frameAll(sum, config.Data)
	frameAll(sum, config.BinaryData)
	return content{uid: config.UID, version: config.ResourceVersion, hash: sum.Sum(nil)}, nil
}

// frameAll adds the entries of a map to a hash, in the order of their keys.
func frameAll[V string | []byte](sum hash.Hash, entries map[string]V) {
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		frame(sum, []byte(key), []byte(entries[key]))
	}
	frame(sum) // the next map's entries are not this one's
}

// frame adds parts to a hash so that no two lists of parts give the same bytes.
func frame(sum hash.Hash, parts ...[]byte) {
	_, _ = fmt.Fprintf(sum, "%d;", len(parts))
	for _, part := range parts {
		_, _ = fmt.Fprintf(sum, "%d:", len(part))
		_, _ = sum.Write(part)
	}
}
