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

package operator

import (
	"context"
	"fmt"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Until asks now and then, and returns when the answer is yes. The error is that of the question, or says what was waited for.
func Until(ctx context.Context, every time.Duration, what string, ask func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w", what, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// Sums returns the operator's metrics by name, each the sum over its labels; what is not there yet is 0.
func (o *Operator) Sums(ctx context.Context) (func(name string) float64, error) {
	families, err := o.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return func(name string) float64 { return Total(families[name]) }, nil
}

// Total returns the sum of counters or gauges over their labels; what is not there is 0.
func Total(family *dto.MetricFamily) float64 {
	var sum float64
	for _, metric := range family.GetMetric() {
		sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
	}
	return sum
}

// UntilElected returns when the operator leads.
func (o *Operator) UntilElected(ctx context.Context) error {
	return Until(ctx, 5*poll, o.Name+" to be elected", func() (bool, error) { return o.Leads(ctx) })
}
