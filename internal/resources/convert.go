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

package resources

import (
	"encoding/json"
	"fmt"
)

// toApplyConfig returns a user's value of a Kubernetes API type as its apply configuration. Both have the same JSON form,
// in which what is unset is absent: a field that the user left out stays unowned.
func toApplyConfig[T any](value any) (*T, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	config := new(T)
	if err := json.Unmarshal(data, config); err != nil {
		return nil, fmt.Errorf("decode %T as %T: %w", value, config, err)
	}
	return config, nil
}

// toApplyConfigs is as for each of the values.
func toApplyConfigs[T, V any](values []V) ([]*T, error) {
	configs := make([]*T, 0, len(values))
	for _, value := range values {
		config, err := toApplyConfig[T](value)
		if err != nil {
			return nil, err
		}
		configs = append(configs, config)
	}
	return configs, nil
}

// ptrCopy returns a copy of an optional value. The client decodes the API server's answer into a configuration, and
// through a shared pointer that would reach the Application.
func ptrCopy[T any](value *T) *T {
	if value == nil {
		return nil
	}
	return new(*value)
}
