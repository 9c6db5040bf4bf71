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

package importing

import (
	"bytes"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// TestMergedFieldsCanBeGivenAgain holds that a field may be merged from an anchor and given again, as compose files do, and that a field
// that is given twice is still an error.
func TestMergedFieldsCanBeGivenAgain(t *testing.T) {
	sources, err := Parse("x.yaml", []byte(`
x-app: &app
  image: registry.example.com/app:1
  environment: &env {A: a, B: b}
services:
  web:
    <<: *app
    image: registry.example.com/web:2
    environment: {<<: *env, A: other}
`))
	if err != nil {
		t.Fatal(err)
	}
	result, err := Import(sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if spec := result.Application.Spec; spec.Image != "registry.example.com/web:2" || len(spec.Env) != 2 || spec.Env[0].Value != "other" {
		t.Errorf("image %q, env %v", spec.Image, spec.Env)
	}
	_, err = Parse("x.yaml", []byte("a: b\n---\nmetadata:\n  name: a\n  name: b\n"))
	for _, want := range []string{"x.yaml: document 2 is no YAML that can be read: ", `line 3: key "name" already set in map`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// TestTextsAreWrittenAsTheyAre holds that what is written is read as the same text, by the YAML that kubectl reads.
func TestTextsAreWrittenAsTheyAre(t *testing.T) {
	for _, text := range []string{
		"a\nb\n", "a\n\n", "\n", "\n  x", "\ta\nb", " a\nb", "a\n\tb", "a\n b \n", "a\r\nb", "a\nb\u0007", "on", "1_000", "12:30", "0o14", " x ", "\u0085", "a\u0085b\nc",
	} {
		app := &v1.Application{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Application"}, Spec: v1.ApplicationSpec{Image: text}}
		result := &Result{Application: app, Remarks: []Remark{{Source: "x", Field: "y", Value: jsonOf(text), Instead: "z"}}}
		var written bytes.Buffer
		if err := result.Write(&written); err != nil {
			t.Fatal(err)
		}
		read := &v1.Application{}
		if err := yaml.UnmarshalStrict(written.Bytes(), read); err != nil || read.Spec.Image != text {
			t.Errorf("%q is read as %q (%v) from:\n%s", text, read.Spec.Image, err, written.String())
		}
	}
}
