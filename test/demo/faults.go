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
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// firstReplicas is how many pods the smallest Application has.
const firstReplicas = 3

// killHolder kills the leader. It returns who held the lease, which replica that was, and when it was killed.
func (d *demo) killHolder(ctx context.Context) (before string, leader *demoOperator, killed time.Time, err error) {
	if before, err = d.holder(ctx); err != nil {
		return "", nil, time.Time{}, err
	}
	if leader, err = d.leader(ctx); err != nil {
		return "", nil, time.Time{}, err
	}
	d.out.say("$ kill -9 %d", leader.PID())
	leader.stopped = true
	killed = time.Now()
	return before, leader, killed, leader.Kill()
}

func (d *demo) killLeader(ctx context.Context) error {
	before, leader, killed, err := d.killHolder(ctx)
	if err != nil {
		return err
	}
	d.out.say("%s, the leader, is dead and could not give its lease back: that has to run out, %s after its last renewal.",
		leader.Name, leaseDuration)
	if err := d.kubectl(ctx, "apply", "-f", second); err != nil {
		return err
	}
	if err := d.awaitTakeover(ctx, before, killed); err != nil {
		return err
	}
	leaderless := time.Since(killed)
	made, err := d.awaitSecond(ctx, killed)
	if err != nil {
		return err
	}
	if err := d.showLeader(ctx); err != nil {
		return err
	}
	d.out.say("Nobody led for %s; %s had all its pods ready all the time.", seconds(leaderless), firstApp)
	d.out.say("%s was not forgotten: its Deployment came %s after the kill.", secondApp, seconds(made))
	d.finding("nobody led for %s after kill -9 of the leader, and %s kept all its pods", seconds(leaderless), firstApp)
	d.finding("the Deployment of the Application created meanwhile came %s after the kill", seconds(made))
	return d.kubectl(ctx, "get", "applications,deployments", "--namespace", appNamespace)
}

// awaitTakeover waits until somebody else than before holds the lease, and makes sure that the first Application does
// not notice.
func (d *demo) awaitTakeover(ctx context.Context, before string, killed time.Time) error {
	fewest := int32(firstReplicas)
	err := d.until(ctx, 2*patience, "another operator takes the lease", func(ctx context.Context) error {
		deployment := &appsv1.Deployment{}
		if err := d.client.Get(ctx, client.ObjectKey{Namespace: appNamespace, Name: firstApp}, deployment); err != nil {
			return err
		}
		ready := deployment.Status.ReadyReplicas
		fewest = min(fewest, ready)
		d.out.progress("%2.0f s without a leader; %s has %d of %d pods ready", time.Since(killed).Seconds(), firstApp,
			ready, firstReplicas)
		holder, err := d.holder(ctx)
		if err == nil && holder == before {
			err = errors.New("the dead operator still holds it")
		}
		return err
	})
	if err == nil && fewest < firstReplicas {
		return unmet(fmt.Sprintf("%s keeps its %d pods while nobody leads", firstApp, firstReplicas),
			"%d pods were ready at one time", fewest)
	}
	return err
}

// awaitSecond waits for the Application that was created while nobody led, and returns how long after the kill its
// Deployment was there.
func (d *demo) awaitSecond(ctx context.Context, killed time.Time) (time.Duration, error) {
	err := d.until(ctx, patience, secondApp+" has a Deployment", func(ctx context.Context) error {
		return d.client.Get(ctx, client.ObjectKey{Namespace: appNamespace, Name: secondApp}, &appsv1.Deployment{})
	})
	made := time.Since(killed)
	if err != nil {
		return made, err
	}
	return made, d.waitForApplication(ctx, secondApp)
}

// deleteDeployment measures with a watch, because what it measures is over before anybody could ask twice.
func (d *demo) deleteDeployment(ctx context.Context) error {
	key := client.ObjectKey{Namespace: appNamespace, Name: firstApp}
	deployment := &appsv1.Deployment{}
	if err := d.client.Get(ctx, key, deployment); err != nil {
		return fmt.Errorf("get Deployment: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	events, err := d.client.Watch(limited, &appsv1.DeploymentList{}, client.InNamespace(appNamespace),
		client.MatchingFields{"metadata.name": firstApp})
	if err != nil {
		return fmt.Errorf("watch Deployment: %w", err)
	}
	defer events.Stop()
	measured := make(chan repair, 1)
	go func() { measured <- measureRepair(events.ResultChan(), deployment.UID) }()

	if err := d.kubectl(ctx, "delete", "deployment", firstApp, "--namespace", appNamespace); err != nil {
		return err
	}
	found := <-measured
	if found.back.IsZero() {
		return unmet(fmt.Sprintf("the Deployment %s comes back within %s", firstApp, patience), "it did not")
	}
	missing := found.back.Sub(found.gone)
	d.out.say("The operator made it again within %s.", seconds(missing))
	d.finding("a Deployment deleted by hand was back after %s", seconds(missing))
	if err := d.waitForAvailable(ctx, deployment.UID, found.gone); err != nil {
		return err
	}
	return d.kubectl(ctx, "get", "applications,deployments", "--namespace", appNamespace)
}

// repair is when an object went, and when another one of its name came.
type repair struct{ gone, back time.Time }

func measureRepair(events <-chan watch.Event, old types.UID) repair {
	var found repair
	for event := range events {
		deployment, ok := event.Object.(*appsv1.Deployment)
		switch {
		case ok && event.Type == watch.Deleted && deployment.UID == old:
			found.gone = time.Now()
		case ok && event.Type == watch.Added && deployment.UID != old:
			found.back = time.Now()
			return found
		}
	}
	return found
}

// waitForAvailable waits until the new Deployment serves and the Application says so.
func (d *demo) waitForAvailable(ctx context.Context, old types.UID, gone time.Time) error {
	err := d.until(ctx, patience, "the new Deployment is available", func(ctx context.Context) error {
		deployment := &appsv1.Deployment{}
		key := client.ObjectKey{Namespace: appNamespace, Name: firstApp}
		if err := d.client.Get(ctx, key, deployment); err != nil {
			return err
		}
		if available := deployment.Status.AvailableReplicas; deployment.UID == old || available != firstReplicas {
			return fmt.Errorf("%d of %d pods are available", available, firstReplicas)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.waitForApplication(ctx, firstApp); err != nil {
		return err
	}
	d.out.say("All %d pods are available again after %s.", firstReplicas, seconds(time.Since(gone)))
	return nil
}
