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
	"io"
	"log"
	"strings"

	"github.com/go-logr/logr"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// newLogger returns the logger that everything writes to, client-go included: its leader election and its
// informers log through klog. What Go's HTTP servers say of connections that are no good is for debugging: whoever
// reaches a port can make them say it.
func newLogger(opts zap.Options, w io.Writer) logr.Logger {
	logger := zap.New(zap.UseFlagOptions(&opts), zap.WriteTo(w), zap.RawZapOpts(uberzap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return plainText{Core: core}
	})))
	klog.SetLoggerWithOptions(logr.New(errorDowngradingSink{logger.GetSink()}), klog.ContextualLogger(true))
	log.SetFlags(0)
	log.SetOutput(lines{logger.V(1).WithName("go")})
	return logger
}

// lines logs each text that is written to it.
type lines struct{ logr.Logger }

// Write implements io.Writer.
func (l lines) Write(text []byte) (int, error) {
	l.Info(strings.TrimSpace(string(text)))
	return len(text), nil
}

// The manager's words when the leader election ends, whether the lease was lost or given back.
const (
	leaseLost = "leader election lost"
	afterStop = "error received after stop sequence was engaged"
)

// What client-go's elector says when it could not have the Lease.
const (
	notUpdated = "Failed to update lease"
	notCreated = "Error initially creating lease lock"
)

// isLeaseLost goes by the text, because the manager's error has no type.
func isLeaseLost(err error) bool { return strings.Contains(err.Error(), leaseLost) }

// errorDowngradingSink rewords what is reported as an error and is none: that a manager that stops in good order leaves the
// leader election, in the very words of a lost lease; and that of two standbys only one got it.
type errorDowngradingSink struct{ logr.LogSink }

// Error implements logr.LogSink.
func (s errorDowngradingSink) Error(err error, msg string, keysAndValues ...any) {
	if msg == afterStop && err != nil && isLeaseLost(err) {
		s.Info(0, "Left the leader election")
		return
	}
	if msg == notUpdated && apierrors.IsConflict(err) || msg == notCreated && apierrors.IsAlreadyExists(err) {
		s.Info(0, "Another replica has written the lease first")
		return
	}
	s.LogSink.Error(err, msg, keysAndValues...)
}

// WithValues implements logr.LogSink.
func (s errorDowngradingSink) WithValues(keysAndValues ...any) logr.LogSink {
	return errorDowngradingSink{s.LogSink.WithValues(keysAndValues...)}
}

// WithName implements logr.LogSink.
func (s errorDowngradingSink) WithName(name string) logr.LogSink {
	return errorDowngradingSink{s.LogSink.WithName(name)}
}
