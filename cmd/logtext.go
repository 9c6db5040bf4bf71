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
	"slices"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/example/app-operator/internal/outcome"
)

// maxText bounds each text of a line of the log, in bytes.
const maxText = 8192

// stackTrace is the name of the field in which the API machinery logs a stack trace, which is Go's own text on many lines.
const stackTrace = "stacktrace"

// plainText is a core that logs texts on one line and without what a terminal would act on. What is logged may quote an API
// server, an admission webhook or a tenant.
//
// What a logger carries is encoded when it writes: each reconcile has a logger of its own, and most write nothing.
type plainText struct {
	zapcore.Core
	carried []zapcore.Field
}

// With implements zapcore.Core.
func (c plainText) With(fields []zapcore.Field) zapcore.Core {
	return plainText{Core: c.Core, carried: slices.Concat(c.carried, fields)}
}

// Check implements zapcore.Core.
func (c plainText) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c plainText) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	entry.Message = plainly(entry.Message)
	return c.Core.Write(entry, plain(slices.Concat(c.carried, fields)))
}

// plain makes the texts of the fields plain. Objects are left to the encoder, which logs their names.
func plain(fields []zapcore.Field) []zapcore.Field {
	for i, field := range fields {
		switch field.Type {
		case zapcore.StringType:
			if field.Key != stackTrace {
				fields[i].String = plainly(field.String)
			}
		case zapcore.ErrorType:
			fields[i].Interface = plainError{field.Interface.(error)}
		case zapcore.StringerType:
			if !isObject(field.Interface) {
				fields[i].Interface = plainStringer{field.Interface.(fmt.Stringer)}
			}
		default: // numbers, times and the like
		}
	}
	return fields
}

type plainError struct{ error }

func (e plainError) Error() string { return plainly(e.error.Error()) }

type plainStringer struct{ fmt.Stringer }

func (s plainStringer) String() string { return plainly(s.Stringer.String()) }

// isObject reports whether the encoder logs the value by its name.
func isObject(value any) bool {
	switch value.(type) {
	case types.NamespacedName, runtime.Object:
		return true
	}
	return false
}

func plainly(text string) string { return outcome.Shorten(outcome.OneLine(text), maxText) }
