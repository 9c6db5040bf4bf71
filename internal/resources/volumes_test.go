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

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
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
		if names := volumeNames([]v1.File{{MountPath: one}, {MountPath: other}}, nil); one != other && names[0] == names[1] {
			t.Errorf("%q and %q are both %q", one, other, names[0])
		}
		if clean := path.Clean(one); plainPath.MatchString(clean) && one == clean && len(one) <= maxVolumeName {
			if want := strings.ReplaceAll(one[1:], "/", "-"); name != want {
				t.Errorf("VolumeName(%q) = %q, want %q", one, name, want)
			}
		}
	})
}

// TestVolumeNamesAreNeverTheSame is about paths whose names somebody has looked for until two were the same.
func TestVolumeNamesAreNeverTheSame(t *testing.T) {
	long := longVolumeName("/A")
	tests := []struct {
		name  string
		paths []string
	}{
		{"a plain path ends with the hash of another", []string{"/A", "/" + strings.ReplaceAll(VolumeName("/A"), "-", "/")}},
		{"in the other order", []string{"/" + strings.ReplaceAll(VolumeName("/A"), "-", "/"), "/A"}},
		{"a third path ends with the longer hash", []string{
			"/A", "/" + strings.ReplaceAll(VolumeName("/A"), "-", "/"), "/" + strings.ReplaceAll(long, "--", "/"), "/" + long,
		}},
		{"two paths have the same short hash", collidingPaths(t)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := make([]v1.File, 0, len(test.paths))
			for _, mountPath := range test.paths {
				files = append(files, v1.File{MountPath: mountPath, VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
			}
			byName := map[string]string{}
			for i, name := range volumeNames(files, nil) {
				if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
					t.Errorf("%q: %v", name, problems)
				}
				if before, taken := byName[name]; taken {
					t.Errorf("%q and %q are both %q", before, test.paths[i], name)
				}
				byName[name] = test.paths[i]
				if isPlain(test.paths[i]) && name != VolumeName(test.paths[i]) {
					t.Errorf("the volume at %q is %q, which nobody can know", test.paths[i], name)
				}
			}
		})
	}
}

// collidingPaths returns two paths that differ in what stands between their words alone, and have the same VolumeName. Among
// a hundred thousand or so there are two.
func collidingPaths(t *testing.T) []string {
	t.Helper()
	byName := map[string]string{}
	for i := range 1 << 20 {
		var between strings.Builder
		for bit := range 20 {
			between.WriteByte("._"[i>>bit&1])
		}
		mountPath := "/a" + between.String() + "b"
		name := VolumeName(mountPath)
		if other, taken := byName[name]; taken {
			return []string{other, mountPath}
		}
		byName[name] = mountPath
	}
	t.Fatal("no two paths have the same name")
	return nil
}

func TestOneSourceIsOneVolume(t *testing.T) {
	config := func(mountPath string, edits ...func(*corev1.ConfigMapVolumeSource)) v1.File {
		source := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}}
		for _, edit := range edits {
			edit(source)
		}
		return v1.File{MountPath: mountPath, VolumeSource: v1.VolumeSource{ConfigMap: source}}
	}
	secret := func(mountPath string, optional *bool) v1.File {
		return v1.File{MountPath: mountPath, VolumeSource: v1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "config", Optional: optional}}}
	}
	claim := func(mountPath, name string, readOnly bool) v1.File {
		return v1.File{MountPath: mountPath, VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{ClaimName: name, ReadOnly: readOnly}}}
	}
	empty := func(mountPath string) v1.File {
		return v1.File{MountPath: mountPath, VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
	}
	readOnly := func(file v1.File) v1.File {
		file.ReadOnly = true
		return file
	}
	items := func(source *corev1.ConfigMapVolumeSource) { source.Items = []corev1.KeyToPath{{Key: "a", Path: "a"}} }
	mode := func(mode int32) func(*corev1.ConfigMapVolumeSource) {
		return func(source *corev1.ConfigMapVolumeSource) { source.DefaultMode = &mode }
	}
	tests := []struct {
		name  string
		files []v1.File
		// volumes and mounts say what there is: "name" or "name ro".
		volumes, mounts []string
	}{
		{"a claim at two paths", []v1.File{claim("/a", "c", false), claim("/b", "c", false)}, []string{"a"}, []string{"a", "a"}},
		{"two claims", []v1.File{claim("/a", "c", false), claim("/b", "d", false)}, []string{"a", "b"}, []string{"a", "b"}},
		{
			"a claim that is read at one path and written at another",
			[]v1.File{claim("/a", "c", true), claim("/b", "c", false)},
			[]string{"a"},
			[]string{"a ro", "a"},
		},
		{
			"in the other order", []v1.File{claim("/a", "c", false), claim("/b", "c", true)}, []string{"a"}, []string{"a", "a ro"},
		},
		{
			"a claim that is only read",
			[]v1.File{claim("/a", "c", true), claim("/b", "c", true)},
			[]string{"a ro"},
			[]string{"a ro", "a ro"},
		},
		{
			"a claim whose mount alone is read only",
			[]v1.File{readOnly(claim("/a", "c", false)), claim("/b", "c", false)},
			[]string{"a"},
			[]string{"a ro", "a"},
		},
		{"a ConfigMap at three paths", []v1.File{config("/a"), readOnly(config("/b")), config("/c")}, []string{"a"}, []string{"a", "a ro", "a"}},
		{"other items", []v1.File{config("/a"), config("/b", items), config("/c", items)}, []string{"a", "b"}, []string{"a", "b", "b"}},
		{"another mode", []v1.File{config("/a"), config("/b", mode(0o400))}, []string{"a", "b"}, []string{"a", "b"}},
		{"the default mode, given", []v1.File{config("/a"), config("/b", mode(0o644))}, []string{"a"}, []string{"a", "a"}},
		{"a Secret at two paths", []v1.File{secret("/a", nil), secret("/b", new(false))}, []string{"a"}, []string{"a", "a"}},
		{"one that may be missing at one of them", []v1.File{secret("/a", nil), secret("/b", new(true))}, []string{"a", "b"}, []string{"a", "b"}},
		{"a ConfigMap and a Secret of the same name", []v1.File{config("/a"), secret("/b", nil)}, []string{"a", "b"}, []string{"a", "b"}},
		{"two empty folders", []v1.File{empty("/a"), empty("/b")}, []string{"a", "b"}, []string{"a", "b"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all, err := volumesOf(&v1.Application{Spec: v1.ApplicationSpec{Files: test.files}})
			if err != nil {
				t.Fatal(err)
			}
			var volumes, mounts []string
			for _, volume := range all.volumes {
				claim := ptr.Deref(volume.PersistentVolumeClaim, corev1ac.PersistentVolumeClaimVolumeSourceApplyConfiguration{})
				volumes = append(volumes, marked(*volume.Name, claim.ReadOnly))
			}
			for _, mount := range all.mounts(test.files) {
				mounts = append(mounts, marked(*mount.Name, mount.ReadOnly))
			}
			if diff := cmp.Diff(test.volumes, volumes); diff != "" {
				t.Errorf("volumes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.mounts, mounts); diff != "" {
				t.Errorf("mounts (-want +got):\n%s", diff)
			}
		})
	}
}

func marked(name string, readOnly *bool) string {
	if ptr.Deref(readOnly, false) {
		return name + " ro"
	}
	return name
}

// TestSidecarsMountByEachPath is about a volume that is mounted at several paths, each of which makes a name that users know.
func TestSidecarsMountByEachPath(t *testing.T) {
	claim := func(mountPath string) v1.File {
		return v1.File{MountPath: mountPath, VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{ClaimName: "c"}}}
	}
	container := corev1.Container{
		Name:          "extra",
		VolumeMounts:  []corev1.VolumeMount{{Name: "a", MountPath: "/1"}, {Name: "b", MountPath: "/2"}, {Name: "else", MountPath: "/3"}},
		VolumeDevices: []corev1.VolumeDevice{{Name: "b", DevicePath: "/dev/b"}},
	}
	app := &v1.Application{Spec: v1.ApplicationSpec{
		Files:          []v1.File{claim("/a"), claim("/b")},
		Sidecars:       []corev1.Container{container},
		InitContainers: []corev1.Container{container},
	}}
	template, err := podTemplate(Inputs{Application: app})
	if err != nil {
		t.Fatal(err)
	}
	for _, container := range template.Spec.InitContainers {
		var names []string
		for _, mount := range container.VolumeMounts {
			names = append(names, *mount.Name)
		}
		if diff := cmp.Diff([]string{"a", "a", "else"}, names); diff != "" || *container.VolumeDevices[0].Name != "a" {
			t.Errorf("mounts (-want +got):\n%s\ndevices: %s", diff, text(t, container.VolumeDevices))
		}
	}
	if app.Spec.Sidecars[0].VolumeMounts[1].Name != "b" {
		t.Error("the Application was changed")
	}
}
