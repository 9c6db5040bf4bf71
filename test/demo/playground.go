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
	"context"
	"path/filepath"
)

// play says what can be tried, and waits for Ctrl-C. An operator that ends meanwhile may have been killed on purpose.
func (d *demo) play(ctx context.Context) error {
	leader, err := d.leader(ctx)
	if err != nil {
		return err
	}
	d.out.line(`
  export KUBECONFIG=%s
  alias kubectl=%s

Three things to try:

  kubectl apply -f %s; kubectl get appl -n %s --watch
  kubectl delete deployment %s -n %s; kubectl get deployment -n %s
  kill -9 %d    # the leader; who leads next is in: kubectl get lease -n %s

The nodes are played: pods become ready, those of Jobs complete at once, and nothing runs. There is no StorageClass, Gateway
API or Prometheus Operator. Ctrl-C ends all of it.`,
		filepath.Join(d.dir, adminKubeconfig), d.cluster.KubectlPath(),
		filepath.Join(d.root, smallest), appNamespace, firstApp, appNamespace, appNamespace, leader.PID(), operatorNamespace)
	<-ctx.Done()
	d.played = true
	return context.Cause(ctx)
}
