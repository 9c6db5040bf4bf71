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

// Package config is this folder, for programs that carry it with them: the plugin of kubectl validates by the CRD, and writes the
// manifests of an installation. There is nothing else in it.
package config

import "embed"

// CRD is the file of the CustomResourceDefinition.
const CRD = "crd/bases/apps.example.com_applications.yaml"

// Files are the kustomizations of the operator.
//
//go:embed crd default manager rbac overlays components network-policy prometheus prometheus-secure
var Files embed.FS
