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
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"

	v1 "github.com/example/app-operator/api/v1"
)

// seeds returns what the fuzz tests start from: a filler that runs out of bytes goes on with random numbers that follow
// from the first eight.
func seeds() [][]byte {
	all := make([][]byte, 0, 100)
	for seed := range uint64(100) {
		all = append(all, binary.BigEndian.AppendUint64(nil, seed))
	}
	return all
}

// randomInputs returns inputs that follow from the bytes.
func randomInputs(data []byte) Inputs {
	in := Inputs{Application: &v1.Application{}}
	filler := randfill.NewFromGoFuzz(data).NilChance(0.3).NumElements(0, 3).Funcs(
		randomSpec, randomFile, randomClaim, randomPodMetadata, randomLive, randomAutoscaled, randomQuantity, randomIntOrString, randomContainerPort,
	)
	filler.Fill(&in.Live)
	filler.Fill(&in.ConfigHash)
	filler.Fill(&in.JobsRemain)
	filler.Fill(in.Application)
	filler.Fill(&in.ServicePorts)
	filler.Fill(&in.PodPorts)
	return in
}

// randomSpec keeps to what the schema says of keys: no two files are mounted at one path, no two files or volumes have a source for
// one name, and no two schedules have one name. Some numbers and names fit
// together more often than chance would have it.
func randomSpec(spec *v1.ApplicationSpec, c randfill.Continue) {
	c.FillNoCustom(spec)
	taken := map[string]bool{}
	spec.Files = slices.DeleteFunc(spec.Files, func(file v1.File) bool {
		again := taken[file.MountPath]
		taken[file.MountPath] = true
		return again
	})
	named := map[string]bool{}
	spec.Schedules = slices.DeleteFunc(spec.Schedules, func(schedule v1.Schedule) bool {
		again := named[schedule.Name]
		named[schedule.Name] = true
		return again
	})
	for i := range spec.Files {
		spec.Files[i].Name = ""
		if hasSource(spec.Files[i].VolumeSource) && c.Bool() {
			spec.Files[i].Name = fmt.Sprintf("file-%d", i)
		}
	}
	for i := range spec.Volumes {
		spec.Volumes[i].Name = fmt.Sprintf("volume-%d", i)
	}
	if c.Bool() {
		spec.Replicas = new(c.Int31n(4))
	}
	if spec.Port != nil && c.Bool() {
		spec.Port = new(c.Int31n(3))
	}
	if c.Bool() {
		spec.PortName = []string{"", DefaultPortName, "web"}[c.Intn(3)]
	}
	if len(spec.AdditionalPorts) > 0 && spec.Monitoring != nil && c.Bool() {
		spec.Monitoring.Port = spec.AdditionalPorts[0].Name
	}
}

// randomQuantity is needed because a quantity's own fields are not exported: it would always be zero.
func randomQuantity(quantity *resource.Quantity, c randfill.Continue) {
	quantity.SetScaled(c.Int63n(1<<40), resource.Scale(c.Intn(19)-9))
}

// randomIntOrString is needed because one that is neither cannot be encoded.
func randomIntOrString(value *intstr.IntOrString, c randfill.Continue) {
	switch c.Intn(3) {
	case 0:
		*value = intstr.FromInt32(c.Int31())
	case 1:
		*value = intstr.FromString("25%")
	default:
		*value = intstr.FromString(c.String(0))
	}
}

func randomPodMetadata(metadata *v1.PodMetadata, c randfill.Continue) {
	c.FillNoCustom(metadata)
	if metadata.Labels != nil && c.Bool() {
		metadata.Labels[LabelInstance] = c.String(8)
	}
}

// randomFile is mounted at a path such as people choose, most of the time.
func randomFile(file *v1.File, c randfill.Continue) {
	c.FillNoCustom(file)
	parts := []string{"", "var", "lib", "etc", "app", "app.d", "my-app", "My App", "..", "_", strings.Repeat("long", 10), c.String(5)}
	if c.Intn(4) == 0 {
		return
	}
	var path strings.Builder
	for range 1 + c.Intn(4) {
		path.WriteString("/" + parts[c.Intn(len(parts))])
	}
	file.MountPath = path.String()
}

// randomClaim is made of a size that there can be, or not at all.
func randomClaim(claim *v1.ClaimSource, c randfill.Continue) {
	c.FillNoCustom(claim)
	if claim.Size != "" {
		claim.Size = fmt.Sprintf("%dMi", 1+c.Int31n(4096))
	}
}

// randomContainerPort has one of a few names and numbers, which the spec's ports may have too.
func randomContainerPort(port *corev1.ContainerPort, c randfill.Continue) {
	port.Name = []string{DefaultPortName, "web", "metrics"}[c.Intn(3)]
	port.ContainerPort = c.Int31n(3)
	port.Protocol = corev1.ProtocolTCP
}

// randomLive is what LiveFrom can return: numbers that replicas can be.
func randomLive(live *LiveDeployment, c randfill.Continue) {
	live.Replicas = c.Int31n(4)
	c.Fill(&live.Ports)
}

// randomAutoscaled has numbers that replicas can be.
func randomAutoscaled(autoscaled *v1.AutoscaledStatus, c randfill.Continue) {
	*autoscaled = v1.AutoscaledStatus{Replicas: c.Int31n(4), Overridden: c.Int31n(4), Kept: c.Bool()}
}
