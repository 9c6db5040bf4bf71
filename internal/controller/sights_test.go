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

package controller

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

func TestSights(t *testing.T) {
	var seen sights
	is := func(want string) {
		t.Helper()
		if got := seen.version("Service", nil); got != want {
			t.Errorf("the cache has come to %q, want %q", got, want)
		}
	}
	is("")
	services, others := seen.of("Service"), seen.of("Ingress")
	if !services.Create(event.CreateEvent{Object: serviceIn("99")}) {
		t.Error("an event is kept from who waits for it")
	}
	is("99")
	services.Update(event.UpdateEvent{ObjectOld: serviceIn("99"), ObjectNew: serviceIn("101")})
	is("101")
	services.Create(event.CreateEvent{Object: serviceIn("100")})
	is("101")
	services.Delete(event.DeleteEvent{Object: serviceIn("102")})
	is("102")
	others.Create(event.CreateEvent{Object: serviceIn("200")})
	is("102")
	if got := seen.version("Service", serviceIn("7")); got != "7" {
		t.Errorf("a Service of version 7 is shown in version %q", got)
	}
}

// TestNothingIsSettledWhileTheCacheIsBehind holds that pods keep what they use while the Deployment that gives it up is on
// its way.
func TestNothingIsSettledWhileTheCacheIsBehind(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	web := theApplication(t, c)
	for _, behind := range []bool{false, true} {
		r.memory.of(web.UID).behind = behind
		settled, err := r.settled(t.Context(), web, nil)
		if err != nil || settled == behind {
			t.Errorf("the cache is behind: %v, settled: %v, error %v", behind, settled, err)
		}
	}
}
