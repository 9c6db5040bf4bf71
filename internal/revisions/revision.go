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

// Package revisions says which pods an Application is to have: those that its spec asks for, or, where these have failed or are not
// released yet, earlier ones. A revision is the part of a spec that shapes pods.
//
// It is pure: it makes no requests, and knows neither a client nor a clock.
package revisions

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	v1 "github.com/example/app-operator/api/v1"
)

// Revision is the part of a spec that shapes pods.
type Revision struct {
	// Hash is the same for two specs exactly if they ask for the same pods.
	Hash string
	// Data is that part of the spec, as JSON.
	Data []byte
}

// Of returns the revision that the Application's spec asks for.
//
// The hash is of canonical JSON without what is empty: no release of the operator may change it, although one may know more fields, or
// encode a type of Kubernetes' otherwise.
func Of(app *v1.Application) (Revision, error) {
	pods := &v1.ApplicationSpec{}
	copyPods(pods, &app.Spec)
	data, err := canonical(pods)
	if err != nil {
		return Revision{}, err
	}
	hash, err := hashOf(withoutSizes(pods))
	return Revision{Hash: hash, Data: data}, err
}

// Name returns the name of the ControllerRevision of an Application's revision.
func Name(app, hash string) string { return app + "-" + hash }

// CommandHash returns what stands for the Application's release command, or "" if it has none.
func CommandHash(app *v1.Application) (string, error) {
	if app.Spec.Release == nil {
		return "", nil
	}
	return hashOf(app.Spec.Release)
}

// maxJobName is the longest that a Job's name may be: the Job's pods have it in a label.
const maxJobName = 63

// releaseJob returns the name of the Job that runs a release command. It is another one for another command, and when a revision is
// asked for anew: one that has failed is then run again.
func releaseJob(app, revision, command string, number int64) string {
	suffix := "-release-" + shortHash(fmt.Appendf(nil, "%s %s %s %d", app, revision, command, number))
	if longest := maxJobName - len(suffix); len(app) > longest {
		app = strings.TrimRight(app[:longest], "-")
	}
	return app + suffix
}

// WithPods returns the Application with the pods of a revision's data. Everything else is as its spec says. It shares memory with the
// Application.
func WithPods(app *v1.Application, data []byte) (*v1.Application, error) {
	pods := &v1.ApplicationSpec{}
	if err := json.Unmarshal(data, pods); err != nil {
		return nil, fmt.Errorf("decode a revision: %w", err)
	}
	with := *app
	copyPods(&with.Spec, pods)
	keepServing(with.Spec.AdditionalPorts, app.Spec.AdditionalPorts)
	keepSizes(&with.Spec, &app.Spec)
	return &with, nil
}

// keepServing gives ports what others of their names say of where the Service serves them: that is not of the pods.
func keepServing(ports, now []v1.AdditionalPort) {
	for i := range ports {
		at := slices.IndexFunc(now, func(port v1.AdditionalPort) bool { return port.Name == ports[i].Name })
		if at >= 0 {
			ports[i].ServicePort, ports[i].NodePort, ports[i].AppProtocol = now[at].ServicePort, now[at].NodePort, now[at].AppProtocol
		}
	}
}

// keepSizes gives the claims that are made the sizes that they have in another spec: a claim cannot shrink.
func keepSizes(pods, now *v1.ApplicationSpec) {
	sizes := map[string]string{}
	for volume, claim := range madeClaims(now) {
		sizes[volume] = claim.Size
	}
	for volume, claim := range madeClaims(pods) {
		claim.Size = cmp.Or(sizes[volume], claim.Size)
	}
}

// madeClaims returns the claims that are made, each by its volume: by the name of that, or by the path that makes the name, which begins
// with a slash.
func madeClaims(spec *v1.ApplicationSpec) iter.Seq2[string, *v1.ClaimSource] {
	return func(yield func(string, *v1.ClaimSource) bool) {
		for i := range spec.Files {
			file := &spec.Files[i]
			if isMade(file.PersistentVolumeClaim) && !yield(cmp.Or(file.Name, file.MountPath), file.PersistentVolumeClaim) {
				return
			}
		}
		for i := range spec.Volumes {
			volume := &spec.Volumes[i]
			if isMade(volume.PersistentVolumeClaim) && !yield(volume.Name, volume.PersistentVolumeClaim) {
				return
			}
		}
	}
}

func isMade(claim *v1.ClaimSource) bool { return claim != nil && claim.Size != "" }

// copyPods copies what shapes pods. What exposes them, says how many there are, or how they are replaced, stays.
func copyPods(to, from *v1.ApplicationSpec) {
	to.Image, to.ImagePullPolicy, to.ImagePullSecrets = from.Image, from.ImagePullPolicy, from.ImagePullSecrets
	to.Command, to.Args = from.Command, from.Args
	to.Port, to.PortName, to.AdditionalPorts = from.Port, from.PortName, containerPorts(from.AdditionalPorts)
	to.Env, to.EnvFrom = from.Env, from.EnvFrom
	to.Files, to.Volumes = from.Files, from.Volumes
	to.Resources, to.Probes = from.Resources, from.Probes
	to.InitContainers, to.Sidecars = from.InitContainers, from.Sidecars
	to.Shutdown, to.PodMetadata, to.Security = from.Shutdown, from.PodMetadata, from.Security
	to.EnableServiceLinks, to.Scheduling = from.EnableServiceLinks, from.Scheduling
	to.ServiceAccount = podsAccount(to.ServiceAccount, from.ServiceAccount)
}

// containerPorts returns the ports without where the Service serves them.
func containerPorts(of []v1.AdditionalPort) []v1.AdditionalPort {
	if len(of) == 0 {
		return nil
	}
	ports := make([]v1.AdditionalPort, 0, len(of))
	for _, port := range of {
		ports = append(ports, v1.AdditionalPort{Name: port.Name, Port: port.Port, Protocol: port.Protocol})
	}
	return ports
}

// podsAccount returns the account with what of another shapes pods: its annotations do not. An existing account has none.
func podsAccount(to, from *v1.ServiceAccountSpec) *v1.ServiceAccountSpec {
	var account v1.ServiceAccountSpec
	if to != nil {
		account.Annotations = to.Annotations
	}
	if from != nil {
		account.Name, account.AutomountToken = from.Name, from.AutomountToken
	}
	if to == nil && account.Name == "" && !account.AutomountToken {
		return nil
	}
	if account.Name != "" {
		account.Annotations = nil
	}
	return &account
}

// withoutSizes returns the pods without how large the claims are that are made for them: a claim grows under the pods.
func withoutSizes(of *v1.ApplicationSpec) *v1.ApplicationSpec {
	pods := of.DeepCopy()
	for _, claim := range madeClaims(pods) {
		claim.Size = "any"
	}
	return pods
}

// canonical returns the value as JSON with its keys in order.
func canonical(value any) ([]byte, error) {
	tree, err := treeOf(value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// hashOf returns the hash of the value as canonical JSON without nulls and what is empty.
func hashOf(value any) (string, error) {
	tree, err := treeOf(value)
	if err != nil {
		return "", err
	}
	content, err := json.Marshal(dropEmpty(tree))
	return shortHash(content), err
}

// treeOf returns the value as JSON has it.
func treeOf(value any) (any, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a revision: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("decode a revision: %w", err)
	}
	return tree, nil
}

// saysMoreThanNothing are the fields whose empty map is not as if they were not there: a question to the main port with all defaults,
// and a selector of everything. No type of Kubernetes' has them unless somebody has set them.
var saysMoreThanNothing = map[string]bool{
	"httpGet": true, "tcpSocket": true, "grpc": true, "labelSelector": true, "namespaceSelector": true, "selector": true,
}

// dropEmpty takes nulls, empty maps and empty lists that say nothing out of maps. An item of a list stays, or the others would move up.
func dropEmpty(tree any) any {
	switch tree := tree.(type) {
	case map[string]any:
		for key, value := range tree {
			_, set := value.(map[string]any)
			if value = dropEmpty(value); isEmpty(value) && (!set || !saysMoreThanNothing[key]) {
				delete(tree, key)
			} else {
				tree[key] = value
			}
		}
	case []any:
		for i := range tree {
			tree[i] = dropEmpty(tree[i])
		}
	}
	return tree
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	default:
		return false
	}
}

// shortHash returns ten hexadecimal digits. Nobody can be harmed by a collision but whoever makes one: it concerns one Application.
func shortHash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:5])
}
