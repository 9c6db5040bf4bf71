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
	"path"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

// TestVolumeName holds the names that users know: they stand in the manifests of their sidecars, and another name
// restarts the pods.
func TestVolumeName(t *testing.T) {
	long := "/" + strings.Repeat("a", 62)
	for mountPath, want := range map[string]string{
		"/tmp":                        "tmp",
		"/var/cache":                  "var-cache",
		"/var/lib/postgresql/18/main": "var-lib-postgresql-18-main",
		"/0":                          "0",
		long:                          strings.Repeat("a", 62),
		long + "/":                    strings.Repeat("a", 54) + "-6934a8d3",
		long + "a":                    strings.Repeat("a", 63),
		long + "aa":                   strings.Repeat("a", 54) + "-a0305bf5",
		"/etc/nginx/nginx.conf":       "etc-nginx-nginx-conf-08cdfcae",
		"/var-cache":                  "var-cache-7ec7cbb8",
		"/var/cache/":                 "var-cache-1a321e83",
		"//var/cache":                 "var-cache-7cd902c2",
		"/Var/Cache":                  "var-cache-618c5ca4",
		"/var/./cache":                "var-cache-f0e8c186",
		"/srv/My Data":                "srv-my-data-56e279ed",
		"/straße/ß":                   "stra-e-12d2eded",
		"/":                           "files-8a5edab2",
		"/_":                          "files-5d9402db",
		"/...":                        "files-9db5fbff",
		"":                            "files-e3b0c442",
	} {
		if got := VolumeName(mountPath); got != want {
			t.Errorf("VolumeName(%q) = %q, want %q", mountPath, got, want)
		}
	}
}

// TestVolumeNamesTellPathsApart is about paths that differ in what a name cannot hold, or far behind.
func TestVolumeNamesTellPathsApart(t *testing.T) {
	byName := map[string]string{}
	deep := "/" + strings.Repeat("deep/", 20)
	for _, mountPath := range []string{
		"/a/b", "/a-b", "/a/b/", "/a//b", "/A/B", "/a.b", "/a_b", "/a b", "/a/-b", "/ab", "/a/b/c", "/a/bc",
		"/", "//", "/.", "/-", "/é", "/è",
		deep, deep + "a", deep + "b", deep + "A", strings.TrimSuffix(deep, "/"),
	} {
		name := VolumeName(mountPath)
		if before, taken := byName[name]; taken {
			t.Errorf("%q and %q are both %q", before, mountPath, name)
		}
		byName[name] = mountPath
	}
}

// FuzzVolumeName holds that each path makes a name, and that two paths make two.
func FuzzVolumeName(f *testing.F) {
	f.Add("/var/cache", "/var-cache")
	f.Add("/", "")
	f.Add("/"+strings.Repeat("a", 63), "/"+strings.Repeat("a", 64))
	f.Add("/"+strings.Repeat("a-", 40), "/"+strings.Repeat("a/", 40))
	f.Add("/straße", "/STRASSE")
	f.Add("/\xff", "/\xfe")
	f.Fuzz(func(t *testing.T, one, other string) {
		name := VolumeName(one)
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			t.Errorf("VolumeName(%q) = %q: %v", one, name, problems)
		}
		if name != VolumeName(one) {
			t.Errorf("VolumeName(%q) is another one each time", one)
		}
		if one != other && name == VolumeName(other) {
			t.Errorf("%q and %q are both %q", one, other, name)
		}
		if clean := path.Clean(one); plainPath.MatchString(clean) && one == clean && len(one) <= maxVolumeName {
			if want := strings.ReplaceAll(one[1:], "/", "-"); name != want {
				t.Errorf("VolumeName(%q) = %q, want %q", one, name, want)
			}
		}
	})
}
