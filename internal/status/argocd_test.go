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

package status

import (
	"os"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// argoCD is the script by which Argo CD judges Applications, as it runs it: with the object in obj and none of Lua's libraries but
// the basic ones (argo-cd util/lua, runLua).
type argoCD struct {
	state  *lua.LState
	script *lua.LFunction
}

// newArgoCD reads the script, which the patch of Argo CD's ConfigMap has as well.
func newArgoCD(t testing.TB) argoCD {
	t.Helper()
	content, err := os.ReadFile("../../config/argocd/argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var patch struct{ Data map[string]string }
	if err := yaml.UnmarshalStrict(content, &patch); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../config/argocd/health.lua")
	if err != nil {
		t.Fatal(err)
	}
	patched := patch.Data["resource.customizations.health."+v1.GroupVersion.Group+"_Application"]
	comment, found := strings.CutSuffix(string(script), patched)
	if !found || patched == "" || len(patch.Data) != 1 {
		t.Fatalf("the patch has another script than health.lua: %v", patch.Data)
	}
	for line := range strings.Lines(comment) {
		if !strings.HasPrefix(line, "--") {
			t.Fatalf("health.lua has more than the patch: %s", line)
		}
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	t.Cleanup(state.Close)
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := state.LoadString(string(script))
	if err != nil {
		t.Fatal(err)
	}
	return argoCD{state, loaded}
}

// says returns the health of the Application with this status, and the message.
func (a argoCD) says(t testing.TB, app *v1.Application, status v1.ApplicationStatus) (health, message string) {
	t.Helper()
	app = app.DeepCopy()
	app.Status = status
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(app)
	if err != nil {
		t.Fatal(err)
	}
	a.state.SetGlobal("obj", luaValue(a.state, content))
	if err := a.state.CallByParam(lua.P{Fn: a.script, NRet: 1, Protect: true}); err != nil {
		t.Fatal(err)
	}
	defer a.state.SetTop(0)
	said, ok := a.state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returns %v", a.state.Get(-1))
	}
	return said.RawGetString("status").String(), said.RawGetString("message").String()
}

// luaValue returns a value of JSON as Lua has it.
func luaValue(state *lua.LState, of any) lua.LValue {
	switch of := of.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, value := range of {
			table.RawSetString(key, luaValue(state, value))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, value := range of {
			table.Append(luaValue(state, value))
		}
		return table
	case string:
		return lua.LString(of)
	case int64:
		return lua.LNumber(of)
	case bool:
		return lua.LBool(of)
	default:
		return lua.LNil
	}
}

// TestArgoCDWaitsForTheOperator is about statuses that say nothing of the present generation. What Argo CD says of the others is
// in the guide's table, which TestTheGuideTellsWhatFollowsFromAReason compares.
func TestArgoCDWaitsForTheOperator(t *testing.T) {
	argoCD := newArgoCD(t)
	app := newApplication()
	complete := Of(app, observed(t, "complete", "no faults"), nil)
	if health, _ := argoCD.says(t, app, complete); health != "Healthy" {
		t.Errorf("of a complete Application it says %s", health)
	}
	older := *complete.DeepCopy()
	older.ObservedGeneration--
	bare := v1.ApplicationStatus{ObservedGeneration: app.Generation}
	for name, status := range map[string]v1.ApplicationStatus{
		"nobody's yet": {ObservedGeneration: -1}, "none": {}, "an older generation's": older, "without conditions": bare,
	} {
		health, message := argoCD.says(t, app, status)
		if health != "Progressing" || !strings.HasPrefix(message, "Waiting for the operator") {
			t.Errorf("of a status that is %s it says %s: %s", name, health, message)
		}
	}
}

// TestArgoCDTellsTheFault holds that a message says what is wrong, also of an Application that serves.
func TestArgoCDTellsTheFault(t *testing.T) {
	argoCD := newArgoCD(t)
	asked := map[[2]string]bool{} // many situations have the same faults
	for _, each := range append(everySituation(t), faultyPods(t)...) {
		status := Of(each.app, each.seen, each.err)
		degraded := condition(t, status, v1.ConditionDegraded)
		faults := [2]string{condition(t, status, v1.ConditionReady).Reason, degraded.Reason}
		if asked[faults] {
			continue
		}
		asked[faults] = true
		health, message := argoCD.says(t, each.app, status)
		if health == "Healthy" && degraded.Status == "True" && message != degraded.Reason+": "+degraded.Message {
			t.Errorf("of an Application that serves with %s it says %q", degraded.Reason, message)
		}
		ready := condition(t, status, v1.ConditionReady)
		if health != "Healthy" && message != ready.Reason+": "+ready.Message {
			t.Errorf("of an Application that is %s for %s it says %q", health, ready.Reason, message)
		}
	}
}
