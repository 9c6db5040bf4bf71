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
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

// podContainer is what the operator's container is called in its manifests.
const podContainer = "manager"

// playPod makes the Pod that an operator would run in, scheduled to one of the nodes, which leave it to the demo.
func (d *demo) playPod(ctx context.Context, name string) (*corev1.Pod, error) {
	restricted := &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), RunAsNonRoot: new(true),
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: operatorNamespace, Name: name, Annotations: map[string]string{controlplane.Unmanaged: "true"},
		},
		Spec: corev1.PodSpec{
			ServiceAccountName: operator.ServiceAccount,
			Containers:         []corev1.Container{{Name: podContainer, Image: "app-operator", SecurityContext: restricted}},
		},
	}
	if err := d.client.Create(ctx, pod); err != nil {
		return nil, fmt.Errorf("create the Pod of %s: %w", name, err)
	}
	err := d.until(ctx, patience, "the Pod of "+name+" has a node", func(ctx context.Context) error {
		if err := d.client.Get(ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		if pod.Spec.NodeName == "" {
			return errors.New("it has none")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pod, d.reportContainer(ctx, pod, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}})
}

// reportContainer plays the kubelet, which reports how the operator's container is.
func (d *demo) reportContainer(ctx context.Context, pod *corev1.Pod, state corev1.ContainerState) error {
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: podContainer, Image: "app-operator", State: state}}
	if err := d.client.Status().Update(ctx, pod); err != nil {
		return fmt.Errorf("report the container of %s: %w", pod.Name, err)
	}
	return nil
}

// wordsFile is where an operator leaves its last words, which are its identity, for the kubelet.
func (d *demo) wordsFile(name string) string { return filepath.Join(d.dir, name+".termination") }

// killReported kills the leader as killLeader does, but as a kubelet would be there to see it.
func (d *demo) killReported(ctx context.Context) error {
	before, leader, killed, err := d.killHolder(ctx)
	if err != nil {
		return err
	}
	words, err := os.ReadFile(d.wordsFile(leader.Name))
	if err != nil {
		return fmt.Errorf("read the last words of %s: %w", leader.Name, err)
	}
	err = d.reportContainer(ctx, leader.pod, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "Error", Message: string(words),
		StartedAt: metav1.NewTime(d.out.began), FinishedAt: metav1.NewTime(killed),
	}})
	if err != nil {
		return err
	}
	d.out.say("%s, the leader, is dead. No kubelet runs here: the demo plays it, and reports the end of the leader's container.", leader.Name)
	if err := d.awaitTakeover(ctx, before, killed); err != nil {
		return err
	}
	leaderless := time.Since(killed)
	if err := d.showLeader(ctx); err != nil {
		return err
	}
	if leaderless > leaseDuration/2 && !d.gaveBack() { // it took as long on a busy machine, or the report was of no use
		return unmet("the report makes up for the lease, which would run out "+leaseDuration.String()+" after its renewal",
			"nobody led for %s", seconds(leaderless))
	}
	d.out.say("Nobody led for %s: the report proves that the leader has ended.", seconds(leaderless))
	d.finding("nobody led for %s after kill -9 of a leader whose end was reported, as a kubelet does", seconds(leaderless))
	return nil
}

// gaveBack reports whether an operator says that it has given the lease back for a leader whose end was reported.
func (d *demo) gaveBack() bool {
	return slices.ContainsFunc(d.operators, func(one *demoOperator) bool {
		log, err := os.ReadFile(one.LogFile())
		return err == nil && bytes.Contains(log, []byte("The leader's container has ended; gave its lease back"))
	})
}
