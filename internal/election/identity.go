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

package election

import (
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"
)

// The environment by which the pod's manifest tells a replica who it is (the downward API).
const (
	EnvPodName      = "POD_NAME"
	EnvPodNamespace = "POD_NAMESPACE"
	EnvPodUID       = "POD_UID"
)

// Container is the name of the container in which the operator runs, in every manifest.
const Container = "manager"

// separator stands between the parts of an identity. No name of a pod contains it.
const separator = "_"

// Identity says who holds the Lease: one process, in one container of one pod. Two processes never share one, not even
// before and after a container's restart.
type Identity struct {
	// Pod, Namespace and UID are the pod's. They are empty outside a pod, or where its manifest does not tell.
	Pod, Namespace, UID string
	// text is what stands in the Lease.
	text string
}

// NewIdentity returns a new identity for this process, from the environment: POD_UID_RANDOM in a pod whose manifest
// names name, namespace and UID, otherwise HOST_RANDOM.
func NewIdentity(lookupEnv func(string) (string, bool)) (Identity, error) {
	random := uuid.NewString()
	id := Identity{}
	id.Pod, _ = lookupEnv(EnvPodName)
	id.Namespace, _ = lookupEnv(EnvPodNamespace)
	id.UID, _ = lookupEnv(EnvPodUID)
	if id.Pod != "" && id.Namespace != "" && id.UID != "" {
		id.text = strings.Join([]string{id.Pod, id.UID, random}, separator)
		return id, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return Identity{}, fmt.Errorf("find a name for this replica: %w; set %s, %s and %s", err, EnvPodName, EnvPodNamespace, EnvPodUID)
	}
	return Identity{text: host + separator + random}, nil
}

// String returns what stands in the Lease.
func (id Identity) String() string { return id.text }

// InPod reports whether the identity names a pod.
func (id Identity) InPod() bool { return id.UID != "" }

// parseIdentity reads the holder of a Lease. It returns false if the holder is no process in a pod: nobody, a process
// elsewhere, or one of another program.
func parseIdentity(holder string) (Identity, bool) {
	parts := strings.Split(holder, separator)
	if len(parts) != 3 || parts[0] == "" || uuid.Validate(parts[1]) != nil || uuid.Validate(parts[2]) != nil {
		return Identity{}, false
	}
	return Identity{Pod: parts[0], UID: parts[1], text: holder}, true
}
