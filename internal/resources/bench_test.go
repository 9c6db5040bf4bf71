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

import "testing"

// BenchmarkChildren measures the building of all children of one Application.
func BenchmarkChildren(b *testing.B) {
	for _, name := range []string{"smallest", "every-field"} {
		in := readInputs(b, name)
		b.Run("app="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, builder := range builders {
					if _, err := builder.build(in); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
