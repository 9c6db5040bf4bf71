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
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
)

// exceptions are golden cases and samples whose objects do not say what makes them, with the reason.
var exceptions = map[string]string{
	"revision-release-beside-earlier": "the release command is of other pods than those that run, and only the latter are in the Deployment",
	"revision-rolled-back":            "the Service is that of the new spec, and the Deployment has the pods of the earlier one",
}

// TestRoundTrip holds that what the operator makes of each golden case and sample is imported as an Application of which it makes the
// same objects, and that nothing of them is left unsaid.
func TestRoundTrip(t *testing.T) {
	used := map[string]bool{}
	for _, path := range applicationFiles(t) {
		name := caseName(path)
		t.Run(name, func(t *testing.T) {
			in, ok := readInputs(t, path)
			if !ok {
				t.Skip("no Application")
			}
			want := build(t, in)
			result, err := Import(asSources(want), Options{Workload: in.Application.Name})
			if err != nil {
				t.Fatal(err)
			}
			again := in
			again.Application, again.Pods = result.Application.DeepCopy(), nil
			again.Application.UID = in.Application.UID
			again.Application.Status.Autoscaled = in.Application.Status.Autoscaled
			diff := cmp.Diff(undefaulted(want), undefaulted(build(t, again)))
			for _, remark := range result.Remarks {
				diff += "remark: " + remark.String() + "\n"
			}
			if reason, excepted := exceptions[name]; excepted {
				used[name] = true
				if diff == "" {
					t.Errorf("it is no exception (%s)", reason)
				}
				return
			}
			if diff != "" {
				text, _ := result.yaml()
				t.Errorf("(-made +made of what was imported):\n%s\nimported:\n%s", diff, text)
			}
		})
	}
	for name := range exceptions {
		if !used[name] {
			t.Errorf("no case is named %s", name)
		}
	}
}

func applicationFiles(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../resources/testdata/*/application.yaml", "../../config/samples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) < 30 {
			t.Fatalf("found %d files %s (%v)", len(files), pattern, err)
		}
		all = append(all, files...)
	}
	return all
}

func caseName(path string) string {
	if base := filepath.Base(path); base != "application.yaml" {
		return "sample-" + strings.TrimSuffix(base, ".yaml")
	}
	return filepath.Base(filepath.Dir(path))
}

// readInputs reads an Application and what some golden cases have beside it; false if the file has none.
func readInputs(t *testing.T, path string) (resources.Inputs, bool) {
	t.Helper()
	in := resources.Inputs{Application: &v1.Application{}}
	for document := range strings.SplitSeq(string(read(t, path)), "\n---\n") {
		object := &v1.Application{}
		if err := yaml.Unmarshal([]byte(document), object); err == nil && object.Kind == "Application" {
			in.Application = object
		}
	}
	if in.Application.Kind == "" {
		return in, false
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(path), "inputs.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return in, true
	}
	resolved := struct {
		LiveReplicas *int32               `json:"liveReplicas"`
		Autoscaled   *v1.AutoscaledStatus `json:"autoscaled"`
		ConfigHash   string               `json:"configHash"`
		JobsRemain   bool                 `json:"jobsRemain"`
		Release      bool                 `json:"release"`
		Earlier      *v1.ApplicationSpec  `json:"earlier"`
	}{}
	if err := yaml.Unmarshal(data, &resolved); err != nil {
		t.Fatal(err)
	}
	if resolved.LiveReplicas != nil {
		in.Live = &resources.LiveDeployment{Replicas: *resolved.LiveReplicas}
	}
	in.Application.Status.Autoscaled = resolved.Autoscaled
	in.ConfigHash, in.JobsRemain = resolved.ConfigHash, resolved.JobsRemain
	if resolved.Release {
		in.ReleaseJob, in.RunRelease, in.Update.Hash = in.Application.Name+"-release-0123456789", true, "0123456789"
	}
	if resolved.Earlier != nil {
		before, err := revisions.Of(&v1.Application{Spec: *resolved.Earlier})
		if err != nil {
			t.Fatal(err)
		}
		if in.Pods, err = revisions.WithPods(in.Application, before.Data); err != nil {
			t.Fatal(err)
		}
	}
	return in, true
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// build returns what the operator makes, by kind and name.
func build(t *testing.T, in resources.Inputs) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	add := func(config any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		list := []map[string]any{}
		if json.Unmarshal(data, &list) != nil {
			one := map[string]any{}
			if err := json.Unmarshal(data, &one); err != nil {
				t.Fatal(err)
			}
			list = append(list, one)
		}
		for _, object := range list {
			metadata, ok := object["metadata"].(map[string]any)
			if !ok {
				continue // nil
			}
			delete(metadata, "ownerReferences") // and what says the same
			annotations, _ := metadata["annotations"].(map[string]any)
			if delete(annotations, v1.AnnotationOwner); len(annotations) == 0 {
				delete(metadata, "annotations")
			}
			all[object["kind"].(string)+" "+metadata["name"].(string)] = object
		}
	}
	add(resources.ServiceAccount(in))
	add(resources.ConfigMap(in))
	add(resources.PersistentVolumeClaim(in))
	add(resources.NetworkPolicy(in))
	add(resources.Deployment(in))
	add(resources.CronJob(in))
	add(resources.Job(in))
	add(resources.Service(in))
	add(resources.HorizontalPodAutoscaler(in))
	add(resources.PodDisruptionBudget(in))
	add(resources.Ingress(in))
	add(resources.HTTPRoute(in))
	add(resources.ServiceMonitor(in))
	return all
}

// asSources returns objects as sources, in the order of kinds and names.
func asSources(objects map[string]map[string]any) []Source {
	var sources []Source
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		sources = append(sources, Source{From: "made", Object: objects[name]})
	}
	return sources
}

// undefaulted returns objects without Kubernetes' own defaults.
func undefaulted(objects map[string]map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	for name, object := range objects {
		object = normalized(object)
		table := defaultsOf(object["apiVersion"].(string), object["kind"].(string))
		dropDefaults(object, table)
		all[name] = object
	}
	return all
}
