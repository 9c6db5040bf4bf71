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

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sizes that many fields share.
const (
	maxInt32 = 1<<31 - 1
	// maxWord suits what Kubernetes knows by name, such as Always, and DNS labels and values of labels.
	maxWord = 63
	// maxName suits names of objects and keys of ConfigMaps and Secrets.
	maxName = 253
	// maxKey suits keys of labels: a name of 253 characters, a slash, and one of 63.
	maxKey = 317
	// maxLine suits paths, and what has no limit of its own and is short.
	maxLine = 1024
	// maxText suits arguments and environment variables: Linux hands no longer one to a program.
	maxText = 128 << 10
	// maxAnnotation suits values of annotations, which together may have 256 KiB.
	maxAnnotation = 64 << 10
	// maxPort is the highest port, and maxPortName the longest name of one.
	maxPort     = 1<<16 - 1
	maxPortName = 15
)

// Kinds of bounds, by the keywords of the schema.
const (
	maxLength     = "maxLength"
	maxItems      = "maxItems"
	maxProperties = "maxProperties"
	minimum       = "minimum"
	maximum       = "maximum"
)

// texts are the lengths of what no marker can reach: texts of Kubernetes' own types, values of maps, and IntOrStrings.
// They, and the tables below, are by the end of the field's path; of several that fit, the longest is meant.
var texts = map[string]int{
	// Words.
	"accessModes[]":            maxWord,
	"action":                   maxWord,
	"add[]":                    maxWord,
	"bindMountOptions[]":       maxWord,
	"csi.fsType":               maxWord,
	"drop[]":                   maxWord,
	"effect":                   maxWord,
	"grpc.mode":                maxWord,
	"imagePullPolicy":          maxWord,
	"keyType":                  maxWord,
	"kind":                     maxWord,
	"medium":                   maxWord,
	"mountPropagation":         maxWord,
	"nodeAffinityPolicy":       maxWord,
	"nodeTaintsPolicy":         maxWord,
	"operator":                 maxWord,
	"procMount":                maxWord,
	"protocol":                 maxWord,
	"recursiveReadOnly":        maxWord,
	"resourceName":             maxWord,
	"restartPolicy":            maxWord,
	"scheme":                   maxWord,
	"selectPolicy":             maxWord,
	"status.replicaSummary":    maxWord,
	"stopSignal":               maxWord,
	"terminationMessagePolicy": maxWord,
	"type":                     maxWord,
	"volumeMode":               maxWord,
	"whenUnsatisfiable":        maxWord,

	// DNS labels, and what is no longer.
	"claims[].name":         maxWord,
	"claims[].request":      maxWord,
	"container":             maxWord,
	"containerName":         maxWord,
	"fieldRef.apiVersion":   maxWord,
	"hostIP":                maxWord,
	"initContainers[].name": maxWord,
	"namespaces[]":          maxWord,
	"sidecars[].name":       maxWord,
	"volumeDevices[].name":  maxWord,
	"volumeMounts[].name":   maxWord,
	"volumeName":            maxWord,
	"ports[].name":          maxPortName,

	// Labels.
	"labels.*":                    maxWord,
	"matchExpressions[].values[]": maxWord,
	"matchLabels.*":               maxWord,
	"namespaceLabels.*":           maxWord,
	"nodeSelector.*":              maxWord,
	"podLabels.*":                 maxWord,
	"tolerations[].value":         maxWord,
	"key":                         maxKey,
	"matchLabelKeys[]":            maxKey,
	"mismatchLabelKeys[]":         maxKey,
	"topologyKey":                 maxKey,
	"describedObject.apiVersion":  maxKey,
	"resourceFieldRef.resource":   maxKey,
	"containerResource.name":      maxKey,
	"metrics[].resource.name":     maxKey,
	"matchFields[].values[]":      maxName,
	"annotations.*":               maxAnnotation,
	"dataSource.apiGroup":         maxName,
	"dataSourceRef.apiGroup":      maxName,

	// Names of objects and hosts, and keys of ConfigMaps and Secrets.
	"clusterTrustBundle.name":   maxName,
	"configMap.name":            maxName,
	"configMapKeyRef.key":       maxName,
	"configMapKeyRef.name":      maxName,
	"configMapRef.name":         maxName,
	"dataSource.name":           maxName,
	"dataSourceRef.name":        maxName,
	"dataSourceRef.namespace":   maxWord,
	"describedObject.name":      maxName,
	"driver":                    maxWord,
	"fileKeyRef.key":            maxName,
	"gmsaCredentialSpecName":    maxName,
	"host":                      maxName,
	"items[].key":               maxName,
	"nodePublishSecretRef.name": maxName,
	"secretKeyRef.key":          maxName,
	"secretKeyRef.name":         maxName,
	"secretName":                maxName,
	"secretRef.name":            maxName,
	"seLinuxOptions.level":      maxName,
	"seLinuxOptions.role":       maxName,
	"seLinuxOptions.type":       maxName,
	"seLinuxOptions.user":       maxName,
	"signerName":                4 * maxLine,
	"sources[].secret.name":     maxName,
	"storageClassName":          maxName,
	"volumeAttributesClassName": maxName,

	// Lines.
	"audience":               maxLine,
	"certificateChainPath":   maxLine,
	"credentialBundlePath":   maxLine,
	"devicePath":             maxLine,
	"env[].name":             maxLine,
	"fieldPath":              maxLine,
	"grpc.service":           maxLine,
	"httpHeaders[].name":     maxLine,
	"image":                  maxLine,
	"keyPath":                maxLine,
	"localhostProfile":       maxLine,
	"metric.name":            maxLine,
	"mountPath":              maxLine,
	"path":                   maxLine,
	"prefix":                 maxLine,
	"runAsUserName":          maxLine,
	"status.selector":        maxLine,
	"subPath":                maxLine,
	"subPathExpr":            maxLine,
	"terminationMessagePath": maxLine,
	"userAnnotations.*":      4 * maxLine,
	"volumeAttributes.*":     4 * maxLine,
	"workingDir":             maxLine,

	// Long texts.
	"args[]":              maxText,
	"command[]":           maxText,
	"env[].value":         maxText,
	"gmsaCredentialSpec":  maxAnnotation,
	"inline.*":            maxText,
	"httpHeaders[].value": 4 * maxLine,
	"status.url":          4 * maxLine,

	// IntOrStrings.
	"httpGet.port":   maxPortName,
	"ports[].port":   maxPortName,
	"tcpSocket.port": maxPortName,
}

// lists are how many items those lists may have that no marker can reach.
var lists = map[string]int{
	"accessModes":       4,
	"add":               64,
	"args":              1024,
	"bindMountOptions":  8,
	"claims":            16,
	"command":           1024,
	"drop":              64,
	"env":               1000,
	"envFrom":           64,
	"exitCodes.values":  255,
	"httpHeaders":       16,
	"items":             256,
	"matchExpressions":  32,
	"matchFields":       32,
	"matchLabelKeys":    32,
	"mismatchLabelKeys": 32,
	"namespaces":        64,
	"nodeSelectorTerms": 32,
	"policies":          16,
	"ports":             32,
	"preferredDuringSchedulingIgnoredDuringExecution": 32,
	"requiredDuringSchedulingIgnoredDuringExecution":  32,
	"resizePolicy":       8,
	"restartPolicyRules": 20,
	"sources":            32,
	"status.conditions":  32,
	"values":             256,
	"volumeDevices":      16,
	"volumeMounts":       64,
}

// entries are how many entries those maps may have that no marker can reach.
var entries = map[string]int{
	"limits":               12,
	"matchLabels":          32,
	"metadata.annotations": 64,
	"metadata.labels":      64,
	"requests":             12,
	"userAnnotations":      32,
	"volumeAttributes":     64,
}

// span is from where to where a number may go.
type span struct{ least, most int }

// numbers are the spans of the numbers of Kubernetes' own types and of the status.
var numbers = map[string]span{
	"status.availableReplicas":      {0, maxInt32},
	"status.readyReplicas":          {0, maxInt32},
	"status.replicas":               {0, maxInt32},
	"status.updatedReplicas":        {0, maxInt32},
	"averageUtilization":            {1, maxInt32},
	"containerPort":                 {1, maxPort},
	"defaultMode":                   {0, 0o777},
	"defaultUser":                   {0, maxInt32},
	"exitCodes.values[]":            {0, 255},
	"expirationSeconds":             {600, 1 << 32},
	"failureThreshold":              {0, maxInt32},
	"grpc.port":                     {1, maxPort},
	"hostPort":                      {0, maxPort},
	"httpGet.port":                  {1, maxPort},
	"initialDelaySeconds":           {0, maxInt32},
	"maxExpirationSeconds":          {3600, 91 * 24 * 3600},
	"maxSkew":                       {1, maxInt32},
	"minDomains":                    {1, maxInt32},
	"mode":                          {0, 0o777},
	"periodSeconds":                 {0, maxInt32},
	"policies[].periodSeconds":      {1, maxInt32},
	"policies[].value":              {1, maxInt32},
	"ports[].port":                  {1, maxPort},
	"runAsGroup":                    {0, maxInt32},
	"runAsUser":                     {0, maxInt32},
	"sleep.seconds":                 {0, maxInt32},
	"stabilizationWindowSeconds":    {0, maxInt32},
	"successThreshold":              {0, maxInt32},
	"tcpSocket.port":                {1, maxPort},
	"terminationGracePeriodSeconds": {1, maxInt32},
	"timeoutSeconds":                {0, maxInt32},
	"tolerationSeconds":             {-maxInt32, maxInt32},
	"user":                          {0, maxInt32},
	"weight":                        {1, 100},
}

// generations are counted by the API server itself, in 64 bits, of which a schema's maximum has 53.
var generations = map[string]bool{"status.observedGeneration": true, "status.conditions[].observedGeneration": true}

// bounder bounds fields and remembers which entries of the tables it used.
type bounder struct {
	used map[string]bool
	// bare are the fields that have no bound and no entry.
	bare []string
}

// bound gives the property the bounds that it lacks.
func (b *bounder) bound(path string, property map[string]any) {
	switch {
	case property["x-kubernetes-int-or-string"] == true:
		b.boundIntOrString(path, property)
	case property["type"] == "string" && property["enum"] == nil && property["format"] == nil:
		b.limit(maxLength, texts, path, property)
	case property["type"] == "array":
		b.limit(maxItems, lists, path, property)
	case property["type"] == "integer":
		b.span(path, property)
	case property["additionalProperties"] != nil:
		b.limit(maxProperties, entries, path, property)
	}
}

// boundIntOrString keeps values out that Go clients cannot decode. Ours have rules that say the rest, and a remedy.
func (b *bounder) boundIntOrString(path string, property map[string]any) {
	switch {
	case property["pattern"] == looseQuantity:
		property["pattern"] = quantity
	case property["x-kubernetes-validations"] != nil:
		property[minimum], property[maximum] = -maxInt32, maxInt32
	default:
		b.limit(maxLength, texts, path, property)
		b.span(path, property)
	}
}

func (b *bounder) limit(keyword string, table map[string]int, path string, property map[string]any) {
	if property[keyword] != nil {
		return
	}
	if most, ok := find(b, keyword, table, path); ok {
		property[keyword] = most
		return
	}
	b.bare = append(b.bare, path)
}

// span bounds a number. One of 32 bits is bounded by them where nothing else is said: API servers before 1.36 do not.
func (b *bounder) span(path string, property map[string]any) {
	if property[minimum] != nil && property[maximum] != nil || generations[path] {
		return
	}
	if of, ok := find(b, "number", numbers, path); ok {
		if property[minimum] == nil {
			property[minimum] = of.least
		}
		if property[maximum] == nil {
			property[maximum] = of.most
		}
		return
	}
	if property["format"] == "int64" || property["format"] == "int32" && property[minimum] == nil {
		b.bare = append(b.bare, path)
		return
	}
	property[maximum] = maxInt32
}

// find returns the entry of the longest end of the path.
func find[V any](b *bounder, table string, of map[string]V, path string) (V, bool) {
	for end := path; ; {
		if value, ok := of[end]; ok {
			b.used[table+" "+end] = true
			return value, true
		}
		_, after, found := strings.Cut(end, ".")
		if !found {
			var none V
			return none, false
		}
		end = after
	}
}

// check returns an error if a field has no bound, or an entry of the tables no field.
func (b *bounder) check() error {
	if len(b.bare) > 0 {
		slices.Sort(b.bare)
		return fmt.Errorf("these fields have no bound; give each a marker, or an entry in hack/crd/bounds.go:\n%s",
			strings.Join(b.bare, "\n"))
	}
	var idle []string
	for table, names := range map[string][]string{
		maxLength: keys(texts), maxItems: keys(lists), maxProperties: keys(entries), "number": keys(numbers),
	} {
		for _, name := range names {
			if !b.used[table+" "+name] {
				idle = append(idle, name)
			}
		}
	}
	if len(idle) > 0 {
		slices.Sort(idle)
		return fmt.Errorf("these entries of hack/crd/bounds.go fit no field; remove them: %s", strings.Join(idle, ", "))
	}
	return nil
}

func keys[V any](of map[string]V) []string { return slices.Collect(maps.Keys(of)) }
