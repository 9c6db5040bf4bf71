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
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/example/app-operator/internal/election"
	"github.com/example/app-operator/internal/scope"
)

const (
	flagMetricsAddress = "metrics-bind-address"
	flagMetricsSecure  = "metrics-secure"
	flagProbeAddress   = "health-probe-bind-address"
	flagConcurrency    = "max-concurrent-reconciles"
	flagZapLevel       = "zap-log-level"

	// maxZapLevel is the most detail there is. From 8 on, client-go logs the bodies of requests and answers (k8s.io/client-go
	// rest, logBody).
	maxZapLevel = 7

	// disabled is the address that switches a server off, as everywhere in controller-runtime.
	disabled = "0"
)

// options is everything the command line and the environment decide.
type options struct {
	namespaces              []string
	election                election.Options
	leaseElsewhere          types.NamespacedName
	identity                election.Identity
	metricsAddress          string
	metricsSecure           bool
	probeAddress            string
	maxConcurrentReconciles int
	kubeconfig              string
	zap                     zap.Options
	version                 bool
}

// parse reads the flags and, where they leave it open, the environment. The error holds everything that is wrong,
// a line each; it is flag.ErrHelp if help was asked for.
func parse(args []string, source scope.Source) (*options, error) {
	opts := &options{}
	flags := opts.flags(&source)
	problems, helpWanted := readAll(flags, args)
	if helpWanted {
		return nil, flag.ErrHelp
	}
	if opts.version && len(problems) == 0 {
		return opts, nil
	}
	opts.kubeconfig = flags.Lookup(ctrlconfig.KubeconfigFlagName).Value.String()

	var err error
	if opts.namespaces, err = source.Namespaces(); err != nil {
		problems = append(problems, err)
	}
	if opts.election.Namespace == "" {
		// Outside a pod there is none, or what the environment says; Validate says so if it matters.
		if opts.election.Namespace, err = source.OwnNamespace(); err != nil {
			opts.election.Namespace, _ = source.LookupEnv(election.EnvPodNamespace)
		}
		opts.leaseElsewhere = opts.election.Elsewhere(opts.namespaces)
	}
	opts.identity, err = election.NewIdentity(source.LookupEnv)
	problems = append(problems, err, opts.election.Validate(), opts.validate(flags))
	return opts, errors.Join(problems...)
}

// flags defines all flags.
func (o *options) flags(source *scope.Source) *flag.FlagSet {
	fs := flag.NewFlagSet(program, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}

	fs.Func(scope.Flag, "", func(value string) error {
		source.Flag = &value
		return nil
	})
	o.election.BindFlags(fs)
	fs.StringVar(&o.metricsAddress, flagMetricsAddress, ":8080", "")
	fs.BoolVar(&o.metricsSecure, flagMetricsSecure, false, "")
	fs.StringVar(&o.probeAddress, flagProbeAddress, ":8081", "")
	fs.IntVar(&o.maxConcurrentReconciles, flagConcurrency, 32, "")
	fs.BoolVar(&o.version, "version", false, "")
	ctrlconfig.RegisterFlags(fs)
	// What is expected to go wrong, such as an API server that restarts, is no reason for a stack trace.
	o.zap.StacktraceLevel = zapcore.PanicLevel
	o.zap.BindFlags(fs)
	return fs
}

// readAll parses the arguments and returns all that is wrong with them, where package flag would stop at the first.
func readAll(fs *flag.FlagSet, args []string) (problems []error, helpWanted bool) {
	fs.VisitAll(func(f *flag.Flag) {
		f.Value = &collecting{Value: f.Value, flag: f, problems: &problems}
	})
	for {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			return nil, true
		}
		if err == nil {
			break
		}
		text := err.Error()
		if unknown, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
			text = fmt.Sprintf("--%s: is not a flag", unknown)
		}
		if bare, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
			text = fmt.Sprintf("--%s: needs a value", bare)
		}
		problems = append(problems, errors.New(text))
		if rest := fs.Args(); len(rest) < len(args) {
			args = rest
		} else {
			args = args[1:] // what is no flag even by its looks, such as ---x, is not consumed
		}
	}
	if fs.NArg() > 0 {
		hint := ""
		if _, err := strconv.ParseBool(fs.Arg(0)); err == nil {
			hint = "; a flag that is on or off takes its value after an equals sign, as in --" + election.FlagEnabled + "=false"
		}
		problems = append(problems, fmt.Errorf("%q: is not a flag, and there are no arguments but flags%s", fs.Arg(0), hint))
	}
	return problems, false
}

// collecting is a flag's value that notes a bad one and lets the parsing go on.
type collecting struct {
	flag.Value
	flag     *flag.Flag
	problems *[]error
}

// Set implements flag.Value.
func (c *collecting) Set(value string) error {
	if err := c.Value.Set(value); err != nil {
		*c.problems = append(*c.problems, fmt.Errorf("--%s=%q: %s", c.flag.Name, value, c.rule(err)))
		_ = c.Value.Set(c.flag.DefValue) // or what is left behind, a zero, would be found fault with as well
	}
	return nil
}

// IsBoolFlag keeps --flag without a value possible; package flag asks for it.
func (c *collecting) IsBoolFlag() bool {
	boolean, ok := c.Value.(interface{ IsBoolFlag() bool })
	return ok && boolean.IsBoolFlag()
}

// rule says what the flag takes; package flag says no more than "parse error".
func (c *collecting) rule(err error) string {
	if values, ok := accepted[c.flag.Name]; ok {
		return "is not one of: " + values
	}
	if getter, ok := c.Value.(flag.Getter); ok {
		switch getter.Get().(type) {
		case time.Duration:
			return "is not a duration; write a number and a unit, such as 15s or 1m30s"
		case int:
			return "is not a whole number"
		case bool:
			return "is neither true nor false"
		}
	}
	return err.Error()
}

func (o *options) validate(fs *flag.FlagSet) error {
	problems := []error{
		validateAddress(flagMetricsAddress, o.metricsAddress),
		validateAddress(flagProbeAddress, o.probeAddress),
	}
	if o.metricsAddress == o.probeAddress && o.metricsAddress != disabled {
		problems = append(problems, fmt.Errorf("--%s=%q: must differ from --%s", flagProbeAddress, o.probeAddress, flagMetricsAddress))
	}
	if o.metricsSecure && o.metricsAddress == disabled {
		problems = append(problems, fmt.Errorf("--%s=true: there is nothing to secure with --%s=%s; leave out one of the two",
			flagMetricsSecure, flagMetricsAddress, disabled))
	}
	if o.maxConcurrentReconciles < 1 {
		problems = append(problems, fmt.Errorf("--%s=%d: must be 1 or more", flagConcurrency, o.maxConcurrentReconciles))
	}
	if level, err := strconv.Atoi(fs.Lookup(flagZapLevel).Value.String()); err == nil && level > maxZapLevel {
		problems = append(problems, fmt.Errorf("--%s=%d: must be %d or less, or the log would show what requests and answers "+
			"carry, Secrets included", flagZapLevel, level, maxZapLevel))
	}
	if o.kubeconfig != "" {
		if _, err := os.ReadFile(o.kubeconfig); err != nil {
			problems = append(problems, fmt.Errorf("--%s=%q: cannot be read: %w",
				ctrlconfig.KubeconfigFlagName, o.kubeconfig, errors.Unwrap(err)))
		}
	}
	return errors.Join(problems...)
}

// validateAddress takes what net.Listen takes, but only ports in digits, and hosts that are an IP or a DNS name.
func validateAddress(flagName, address string) error {
	if address == disabled {
		return nil
	}
	refuse := func(rule string) error {
		return fmt.Errorf("--%s=%q: %s; give host:port or :port, or %s to switch it off", flagName, address, rule, disabled)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		rule := err.Error()
		if cause, ok := errors.AsType[*net.AddrError](err); ok {
			rule = cause.Err // without the address, which is in the message already
		}
		return refuse("is not an address: " + rule)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return refuse(fmt.Sprintf("the port %q is not a number from 0 to 65535", port))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && len(validation.IsDNS1123Subdomain(host)) > 0 {
		return refuse(fmt.Sprintf("the host %q is neither an IP address nor a DNS name", host))
	}
	return nil
}

// scope describes for the log what is watched.
func (o *options) scope() string {
	if len(o.namespaces) == 0 {
		return "all"
	}
	return strings.Join(o.namespaces, ",")
}
