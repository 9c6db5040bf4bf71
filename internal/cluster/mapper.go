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
	"net/http"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// NewRESTMapper returns a mapper of kinds to resources that asks the API server for what it has not been asked before. The
// cache maps a kind for every single read, and searching all groups each time took more than the rest of a reconcile.
//
// Who asks holds a lock of the library's, so an answer that does not come is given up. It keeps nobody from a kind that is
// known.
func NewRESTMapper(config *rest.Config, client *http.Client) (meta.RESTMapper, error) {
	bounded := *client
	bounded.Timeout = DiscoveryTimeout
	mapper, err := apiutil.NewDynamicRESTMapper(config, &bounded)
	if err != nil {
		return nil, err
	}
	return &knownMappings{RESTMapper: mapper}, nil
}

// knownMappings remembers the mapping of each kind that was mapped. The kinds that the operator uses keep their
// resource and their scope, and where one is not served any more, requests say so.
type knownMappings struct {
	meta.RESTMapper
	known sync.Map
}

// kindInVersions is what a mapping is asked for by.
type kindInVersions struct {
	kind     schema.GroupKind
	versions string
}

// RESTMapping returns the mapping of a kind in the first of the versions that is served, or in any if there are none.
func (m *knownMappings) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	asked := kindInVersions{kind: kind, versions: strings.Join(versions, ",")}
	if mapping, ok := m.known.Load(asked); ok {
		return mapping.(*meta.RESTMapping), nil
	}
	mapping, err := m.RESTMapper.RESTMapping(kind, versions...)
	if err != nil {
		return nil, err
	}
	m.known.Store(asked, mapping)
	return mapping, nil
}
