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
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/example/app-operator/internal/resources"
)

// configHashes are the hashes of the contents of ConfigMaps and Secrets. The contents themselves are never kept.
type configHashes struct {
	// contents holds, by kind and name, what the contents of referenced objects hash to.
	contents *lru.Cache
	// reads keeps several workers from reading the same content at once.
	reads singleflight.Group
}

func newConfigHashes() configHashes { return configHashes{contents: lru.New(maxContents)} }

// maxContents is how many contents of ConfigMaps and Secrets are remembered, as hashes: a few hundred bytes each.
const maxContents = 16384

// hash returns what stands for the contents of the referenced ConfigMaps and Secrets together.
func (h *configHashes) hash(
	ctx context.Context, reader client.Reader, references []resources.Need, present map[resources.Reference]metav1.Object,
) (string, error) {
	sum := sha256.New()
	for _, need := range references {
		if !need.Content {
			continue
		}
		content := []byte(nil)
		if object, ok := present[need.Reference]; ok {
			var err error
			if content, err = h.contentHash(ctx, reader, need.Kind, object); err != nil {
				return "", err
			}
		}
		frame(sum, []byte(need.Kind), []byte(need.Name), content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// withInline returns what stands for the contents of ConfigMaps and Secrets together with the files that are in the spec. Without
// such files it is what it was before there could be any.
func withInline(contents, inline string) string {
	if inline == "" {
		return contents
	}
	sum := sha256.New()
	frame(sum, []byte(contents), []byte(inline))
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// content is which version of an object a hash was made of.
type content struct {
	uid     types.UID
	version string
	hash    []byte
}

// contentHash returns the hash of what is in a ConfigMap or Secret. The content is read from the API server, once for
// each version of the object, however many Applications refer to it, and never kept.
func (h *configHashes) contentHash(
	ctx context.Context, reader client.Reader, kind string, object metav1.Object,
) ([]byte, error) {
	key := contentKey(kind, object)
	if known, ok := h.contents.Get(key); ok {
		known := known.(content)
		if known.uid == object.GetUID() && known.version == object.GetResourceVersion() {
			return known.hash, nil
		}
	}
	read := h.reads.DoChan(strings.Join([]string{key, string(object.GetUID()), object.GetResourceVersion()}, " "), func() (any, error) {
		// Others share the read, so it does not end with this reconcile.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), contentTimeout)
		defer cancel()
		read, err := readContent(ctx, reader, kind, client.ObjectKey{Namespace: object.GetNamespace(), Name: object.GetName()})
		if err == nil {
			h.contents.Add(key, read)
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

// forgetDeleted returns a predicate that passes every event of the kind, and drops what is remembered of what is gone.
func (h *configHashes) forgetDeleted(kind string) predicate.Predicate {
	return predicate.Funcs{DeleteFunc: func(e event.DeleteEvent) bool {
		h.contents.Remove(contentKey(kind, e.Object))
		return true
	}}
}

// readContent reads a ConfigMap or Secret from the API server and returns the hash of what is in it.
func readContent(ctx context.Context, reader client.Reader, kind string, name client.ObjectKey) (content, error) {
	sum := sha256.New()
	if kind == resources.KindSecret {
		secret := &corev1.Secret{}
		if err := reader.Get(ctx, name, secret); err != nil {
			return content{}, err
		}
		frame(sum, []byte(secret.UID)) // known to who may read the Secret: without it, others could try guesses out
		frameAll(sum, secret.Data)
		return content{uid: secret.UID, version: secret.ResourceVersion, hash: sum.Sum(nil)}, nil
	}
	config := &corev1.ConfigMap{}
	if err := reader.Get(ctx, name, config); err != nil {
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

// debouncedConfig is a change of the configuration that the pods do not have yet. Its clock is what its methods are given. The zero
// value is ready.
type debouncedConfig struct {
	// hash is the configuration's newest, since says when it was first seen, and first when the first of the changes was.
	hash         string
	since, first time.Time
	// rolled is the last that the pods were to have.
	rolled string
	// due is when the pods are to have the newest; zero if they are to have it now.
	due time.Time
}

// roll returns the newest configuration, which the pods are to have at once.
func (s *debouncedConfig) roll(newest string) string {
	*s = debouncedConfig{rolled: newest}
	return newest
}

// settle returns which configuration the pods are to have: the one that they have, until a new one has settled. Without
// pods there is nothing to wait for.
func (s *debouncedConfig) settle(has, newest string, now time.Time) string {
	if has == "" || has == newest || newest == s.rolled {
		return s.roll(newest)
	}
	if s.hash != newest {
		s.hash, s.since = newest, now
	}
	if s.first.IsZero() {
		s.first = now
	}
	s.due = s.since.Add(configDebounce)
	if latest := s.first.Add(configMaxWait); latest.Before(s.due) {
		s.due = latest
	}
	if s.due.After(now) {
		return has
	}
	return s.roll(newest)
}

// wait returns for how long the newest configuration has to settle yet.
func (s *debouncedConfig) wait(now time.Time) time.Duration {
	if s.due.IsZero() {
		return 0
	}
	return max(s.due.Sub(now), time.Millisecond)
}
