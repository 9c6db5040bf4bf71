//go:build profile

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
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
)

// This file is in the build that make bench-profile measures, and in no other. On each SIGUSR1 it writes the CPU profile since the
// one before, and what the heap holds after a collection: PROFILES with POD_NAME-N.cpu and then .heap behind it, N from 1.
func init() {
	runtime.MemProfileRate = 64 << 10
	wanted := make(chan os.Signal, 1)
	signal.Notify(wanted, syscall.SIGUSR1)
	go func() {
		for part := 1; ; part++ {
			name := fmt.Sprintf("%s%s-%d", os.Getenv("PROFILES"), os.Getenv("POD_NAME"), part)
			if err := writeProfiles(name, wanted); err != nil {
				panic(err)
			}
		}
	}()
}

func writeProfiles(name string, wanted <-chan os.Signal) error {
	cpu, err := os.Create(name + ".cpu")
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	<-wanted
	pprof.StopCPUProfile()
	if err := cpu.Close(); err != nil {
		return err
	}
	runtime.GC()
	heap, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	if err := pprof.WriteHeapProfile(heap); err != nil {
		return err
	}
	if err := heap.Close(); err != nil {
		return err
	}
	return os.Rename(name+".part", name+".heap")
}
