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
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/resources"
)

// reading is an API server that has two objects, in a version, and counts what is read.
type reading struct {
	client.Reader
	version string
	data    map[string]string
	reads   int
	err     error
}

func (r *reading) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	r.reads++
	object.SetName(key.Name)
	object.SetNamespace(key.Namespace)
	object.SetUID("uid")
	object.SetResourceVersion(r.version)
	switch object := object.(type) {
	case *corev1.Secret:
		object.Data = map[string][]byte{}
		for name, value := range r.data {
			object.Data[name] = []byte(value)
		}
	case *corev1.ConfigMap:
		object.Data = r.data
	}
	return r.err
}

func cached(version string) metav1.Object {
	return &metav1.ObjectMeta{Namespace: "shop", Name: "settings", UID: "uid", ResourceVersion: version}
}

func TestContentHash(t *testing.T) {
	for _, kind := range []string{resources.KindConfigMap, resources.KindSecret} {
		t.Run(kind, func(t *testing.T) {
			api := &reading{version: "1", data: map[string]string{"a": "1", "b": "2"}}
			hashes := newConfigHashes()
			hash := func(version string) []byte {
				t.Helper()
				sum, err := hashes.contentHash(t.Context(), api, kind, cached(version))
				if err != nil {
					t.Fatal(err)
				}
				return sum
			}
			first := hash("1")
			if !bytes.Equal(first, hash("1")) || api.reads != 1 {
				t.Errorf("the same version was read %d times", api.reads)
			}
			api.version = "2"
			if !bytes.Equal(first, hash("2")) || api.reads != 2 {
				t.Errorf("a version with the same content has another hash, or was read %d times", api.reads-1)
			}
			api.version, api.data = "3", map[string]string{"a": "1", "b": "3"}
			if bytes.Equal(first, hash("3")) {
				t.Error("another content has the same hash")
			}
			api.err = errors.New("no answer")
			if _, err := hashes.contentHash(t.Context(), api, kind, cached("4")); err == nil {
				t.Error("a content that cannot be read has a hash")
			}
		})
	}
}

// slow is an API server whose answer comes when it is released, or not before the request is given up.
type slow struct {
	client.Reader
	release chan struct{}
}

func (s slow) Get(ctx context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.release:
		object.SetUID("uid")
		object.SetResourceVersion("1")
		return nil
	}
}

// TestASharedReadOutlivesItsFirstReader holds that a reconcile which ends takes none of the others' reads along, and does not
// wait for a read any longer itself.
func TestASharedReadOutlivesItsFirstReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := slow{release: make(chan struct{})}
		hashes := newConfigHashes()
		read := func(ctx context.Context) <-chan error {
			failed := make(chan error, 1)
			go func() {
				_, err := hashes.contentHash(ctx, api, resources.KindSecret, cached("1"))
				failed <- err
			}()
			synctest.Wait()
			return failed
		}
		ctx, cancel := context.WithCancel(t.Context())
		first, second := read(ctx), read(t.Context())
		cancel()
		synctest.Wait()
		select {
		case err := <-first:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the first reader, whose pass has ended: %v", err)
			}
		default:
			t.Error("the first reader waits, although its pass has ended")
		}
		close(api.release)
		if err := <-second; err != nil {
			t.Errorf("the second reader: %v", err)
		}
	})
}

// TestASharedReadEnds holds that an API server that never answers does not hold a read for ever.
func TestASharedReadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hashes := newConfigHashes()
		if _, err := hashes.contentHash(t.Context(), slow{}, resources.KindSecret, cached("1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that it took too long", err)
		}
	})
}

// TestNoContentIsRememberedOfWhatIsGone holds that the memory does not grow with ConfigMaps that come and go.
func TestNoContentIsRememberedOfWhatIsGone(t *testing.T) {
	hashes := newConfigHashes()
	if _, err := hashes.contentHash(t.Context(), &reading{version: "1"}, resources.KindConfigMap, cached("1")); err != nil {
		t.Fatal(err)
	}
	object := cluster.ReferencedKind(resources.KindConfigMap)
	object.SetNamespace(cached("1").GetNamespace())
	object.SetName(cached("1").GetName())
	gone := hashes.forgetDeleted(resources.KindConfigMap)
	if !gone.Update(event.UpdateEvent{ObjectOld: object, ObjectNew: object}) || hashes.contents.Len() != 1 {
		t.Error("what is there is not remembered")
	}
	if !gone.Delete(event.DeleteEvent{Object: object}) || hashes.contents.Len() != 0 {
		t.Errorf("%d contents are remembered of what is gone", hashes.contents.Len())
	}
}

// TestFramesAreUnambiguous holds that no two contents give the same bytes.
func TestFramesAreUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for _, entries := range []map[string]string{
		{}, {"": ""}, {"a": ""}, {"": "a"}, {"a": "b"}, {"ab": ""}, {"a": "b", "c": ""}, {"a": "bc"}, {"a": "b1:c"}, {"a": "b", "": "c"},
	} {
		sum := sha256.New()
		frameAll(sum, entries)
		key := string(sum.Sum(nil))
		if other, ok := seen[key]; ok {
			t.Errorf("%v and %s are the same", entries, other)
		}
		seen[key] = fmt.Sprint(entries)
	}
}

func TestConfigHash(t *testing.T) {
	hashes, api := newConfigHashes(), &reading{version: "1", data: map[string]string{"a": "1"}}
	secret := resources.Reference{Kind: resources.KindSecret, Name: "settings"}
	config := resources.Reference{Kind: resources.KindConfigMap, Name: "settings"}
	pull := resources.Reference{Kind: resources.KindSecret, Name: "pull"}
	hash := func(present []resources.Reference, needs ...resources.Need) string {
		t.Helper()
		objects := map[resources.Reference]metav1.Object{}
		for _, reference := range present {
			objects[reference] = cached("1")
		}
		sum, err := hashes.hash(t.Context(), api, needs, objects)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	needed := func(reference resources.Reference) resources.Need {
		return resources.Need{Reference: reference, Content: true}
	}
	alone := hash([]resources.Reference{secret}, needed(secret))
	if len(alone) != 32 {
		t.Errorf("a hash has %d characters", len(alone))
	}
	for name, other := range map[string]string{
		"absent":         hash(nil, needed(secret)),
		"another kind":   hash([]resources.Reference{config}, needed(config)),
		"one more":       hash([]resources.Reference{secret, config}, needed(secret), needed(config)),
		"nothing at all": hash(nil),
	} {
		if other == alone {
			t.Errorf("%s: the same hash", name)
		}
	}
	if hash([]resources.Reference{secret, pull}, resources.Need{Reference: pull}, needed(secret)) != alone {
		t.Error("what the pods take no configuration from counts")
	}
}

// TestFilesOfTheSpecAreInTheHash holds that without such files the hash is what it was before there could be any.
func TestFilesOfTheSpecAreInTheHash(t *testing.T) {
	app := &v1.Application{}
	if got := withInline("contents", resources.InlineHash(app)); got != "contents" {
		t.Errorf("without files the hash is %s", got)
	}
	seen := map[string]bool{"contents": true}
	for _, files := range []map[string]string{{"a": "1"}, {"a": "2"}, {"b": "1"}, {"a": "1", "b": ""}, {"a": "1b"}, {"a1": "b"}} {
		app.Spec.Files = []v1.File{{MountPath: "/etc", VolumeSource: v1.VolumeSource{Inline: files}}}
		hash := withInline("contents", resources.InlineHash(app))
		if seen[hash] {
			t.Errorf("%v has the hash of others", files)
		}
		seen[hash] = true
	}
}

func TestAConfigurationSettles(t *testing.T) {
	start := time.Now()
	for what, test := range map[string]struct {
		// changes are how many seconds after the start a new configuration comes.
		changes []float64
		// rolls are when the pods get another one, in tenths of a second.
		rolls []int
	}{
		"nothing changes":               {nil, nil},
		"one change":                    {[]float64{0}, []int{30}},
		"a burst":                       {[]float64{0, 0.5, 1, 3.5}, []int{65}},
		"two changes apart":             {[]float64{0, 10}, []int{30, 130}},
		"a burst that does not end":     {[]float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28}, []int{300}},
		"a change while others settle ": {[]float64{0, 2.9}, []int{59}},
	} {
		var config debouncedConfig
		has, newest := "0", 0
		var rolls []int
		for tick := range 400 {
			now := start.Add(time.Duration(tick) * 100 * time.Millisecond)
			for newest < len(test.changes) && float64(tick) >= test.changes[newest]*10 {
				newest++
			}
			hash := string(rune('0' + newest))
			got := config.settle(has, hash, now)
			if settles := got != hash; settles != (config.wait(now) > 0) {
				t.Fatalf("%s: settles: %v; is looked at again after %s", what, settles, config.wait(now))
			}
			if got != has {
				rolls = append(rolls, tick)
			}
			has = got
		}
		if len(rolls) != len(test.rolls) {
			t.Errorf("%s: the pods are restarted at %v, want %v", what, rolls, test.rolls)
			continue
		}
		for i := range rolls {
			if rolls[i] != test.rolls[i] {
				t.Errorf("%s: the pods are restarted at %v, want %v", what, rolls, test.rolls)
			}
		}
	}
}

func TestWhatNeedNotSettle(t *testing.T) {
	now := time.Now()
	var config debouncedConfig
	if got := config.settle("", "a", now); got != "a" {
		t.Error("the first pods wait for a configuration to settle")
	}
	if got := config.roll("b"); got != "b" || config.wait(now) != 0 {
		t.Error("pods that are replaced anyway have to be replaced twice")
	}
	if got := config.settle("a", "b", now); got != "b" {
		t.Error("what was decided is taken back while the cache lags")
	}
	if got := config.settle("b", "c", now); got != "b" {
		t.Error("a change does not settle")
	}
	if got := config.settle("b", "b", now); got != "b" || config.wait(now) != 0 {
		t.Error("a change that was taken back is waited for")
	}
}
