package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/metrics"
	"github.com/aloft-run/aloft/internal/stack"
)

// Metrics is what a stage did, as CloudWatch has it, which is a minute or two behind: the functions of the current release (of
// the newest try if none serves), whichever release they were of then, and the gateway, in all regions. It returns NotFound if there is no such stage. Percentiles of the
// whole are those of at most a day, the highest if there are several.
func (p *Platform) Metrics(ctx context.Context, ref aloft.StageRef, g metrics.Grid) (metrics.Report, error) {
	report := metrics.Report{Stage: ref, Since: g.Since, Until: g.Until, Step: aloft.Duration(g.Step), Functions: []metrics.Function{}, Gateways: []metrics.Gateway{}}
	at, err := p.shown(ctx, ref)
	release := at.release
	if err != nil || release.Version == 0 {
		return report, err
	}
	for _, name := range release.AWS.Regions {
		r := p.in(name)
		q := &questions{region: r, grid: g}
		functions := lambdaFunctions(release)
		report.Functions = append(report.Functions, make([]metrics.Function, len(functions))...)
		made := report.Functions[len(report.Functions)-len(functions):]
		for i, f := range functions {
			made[i] = metrics.Function{Function: f.Name, Region: name, Buckets: make([]metrics.Calls, g.Len())}
			q.function(release.NameOf(f), &made[i])
		}
		front := metrics.Gateway{Region: name, Buckets: make([]metrics.Requests, g.Len())}
		door, err := r.gatewayOf(ctx, release)
		if err != nil {
			return report, err
		}
		q.gateway(door, &front)
		if err := q.ask(ctx); err != nil {
			return report, err
		}
		if door.namespace != "" {
			report.Gateways = append(report.Gateways, front)
		}
	}
	return report, nil
}

// metered is what CloudWatch knows a gateway by, and calls its figures; zero if a stage has none.
type metered struct {
	namespace, count, client, server, latency string
	dimensions                                map[string]string
}

// gatewayOf is where the requests of a stage come through.
func (r *region) gatewayOf(ctx context.Context, release aloft.Release) (metered, error) {
	switch release.AWS.Endpoint {
	case aloft.RESTAPI:
		return metered{
			"AWS/ApiGateway", "Count", "4XXError", "5XXError", "Latency", map[string]string{"ApiName": release.Label(), "Stage": stack.RESTStage},
		}, nil
	case aloft.URLEndpoint:
		for _, f := range lambdaFunctions(release) {
			if f.Kind != aloft.Handler {
				return metered{
					"AWS/Lambda", "UrlRequestCount", "Url4xxCount", "Url5xxCount", "UrlRequestLatency", map[string]string{"FunctionName": release.NameOf(f)},
				}, nil
			}
		}
		return metered{}, nil
	}
	id, err := r.physical(ctx, release, stack.API(release.AWS.Endpoint))
	if err != nil || id == "" { // no requests lead to such a stage
		return metered{}, err
	}
	return metered{"AWS/ApiGateway", "Count", "4xx", "5xx", "Latency", map[string]string{"ApiId": id}}, nil
}

// questions are what CloudWatch is asked in one go, with where the answers belong.
type questions struct {
	*region

	grid    metrics.Grid
	queries []types.MetricDataQuery
	takers  []taker
}

// taker takes a value of a bucket.
type taker func(bucket int, value float64)

// metric is what is asked for: a series of values, or one for all the time.
type metric struct {
	namespace, name, statistic string
	dimensions                 map[string]string
	whole                      bool
}

func (q *questions) add(m metric, take taker) {
	period := q.grid.Step
	if m.whole {
		period = min(time.Duration(q.grid.Len())*q.grid.Step, maxPeriod).Truncate(time.Minute)
	}
	var dimensions []types.Dimension
	for name, value := range m.dimensions {
		dimensions = append(dimensions, types.Dimension{Name: sdk.String(name), Value: sdk.String(value)})
	}
	q.takers = append(q.takers, take)
	q.queries = append(q.queries, types.MetricDataQuery{
		Id: sdk.String(fmt.Sprintf("m%d", len(q.queries))),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: sdk.String(m.namespace), MetricName: sdk.String(m.name), Dimensions: dimensions},
			Period: sdk.Int32(int32(period / time.Second)), Stat: sdk.String(m.statistic),
		},
	})
}

const (
	maxPeriod  = 24 * time.Hour // of CloudWatch's
	maxQueries = 500            // of a request
)

func (q *questions) function(name string, f *metrics.Function) {
	m := metric{namespace: "AWS/Lambda", dimensions: map[string]string{"FunctionName": name}}
	for i := range f.Buckets {
		f.Buckets[i].Time = q.grid.Begin(i)
	}
	count := func(name string, total *int64, of func(*metrics.Calls) *int64) {
		m.name, m.statistic = name, "Sum"
		q.add(m, func(i int, v float64) { *of(&f.Buckets[i]) += int64(v); *total += int64(v) })
	}
	count("Invocations", &f.Total.Invocations, func(c *metrics.Calls) *int64 { return &c.Invocations })
	count("Errors", &f.Total.Errors, func(c *metrics.Calls) *int64 { return &c.Errors })
	count("Throttles", &f.Total.Throttles, func(c *metrics.Calls) *int64 { return &c.Throttles })
	m.name, m.statistic = "ConcurrentExecutions", "Maximum"
	q.add(m, func(i int, v float64) {
		f.Buckets[i].Concurrency = int64(v)
		f.Total.Concurrency = max(f.Total.Concurrency, int64(v))
	})
	q.add(metric{
		namespace: "AWS/Logs", name: "IncomingBytes", statistic: "Sum", dimensions: map[string]string{"LogGroupName": "/aws/lambda/" + name},
	}, func(_ int, v float64) { f.LogBytes += int64(v) })
	m.name = "Duration"
	q.latency(m, &f.Total.Duration, func(i int) *metrics.Latency { return &f.Buckets[i].Duration })
}

func (q *questions) gateway(at metered, g *metrics.Gateway) {
	if at.namespace == "" {
		return
	}
	for i := range g.Buckets {
		g.Buckets[i].Time = q.grid.Begin(i)
	}
	m := metric{namespace: at.namespace, dimensions: at.dimensions}
	count := func(name string, total *int64, of func(*metrics.Requests) *int64) {
		m.name, m.statistic = name, "Sum"
		q.add(m, func(i int, v float64) { *of(&g.Buckets[i]) += int64(v); *total += int64(v) })
	}
	count(at.count, &g.Total.Count, func(r *metrics.Requests) *int64 { return &r.Count })
	count(at.client, &g.Total.ClientErrors, func(r *metrics.Requests) *int64 { return &r.ClientErrors })
	count(at.server, &g.Total.ServerErrors, func(r *metrics.Requests) *int64 { return &r.ServerErrors })
	m.name = at.latency
	q.latency(m, &g.Total.Latency, func(i int) *metrics.Latency { return &g.Buckets[i].Latency })
}

// latency asks how long something took: in each bucket, and in all the time.
func (q *questions) latency(m metric, total *metrics.Latency, bucket func(int) *metrics.Latency) {
	sum, samples := 0.0, 0.0
	m.statistic = "Sum"
	q.add(m, func(_ int, v float64) { sum += v; total.Average = sum / max(samples, 1) })
	m.statistic = "SampleCount"
	q.add(m, func(_ int, v float64) { samples += v; total.Average = sum / max(samples, 1) })
	for statistic, of := range map[string]func(*metrics.Latency) *float64{
		"Average": func(l *metrics.Latency) *float64 { return &l.Average }, "p50": func(l *metrics.Latency) *float64 { return &l.P50 },
		"p95": func(l *metrics.Latency) *float64 { return &l.P95 }, "p99": func(l *metrics.Latency) *float64 { return &l.P99 },
	} {
		m.statistic, m.whole = statistic, false
		q.add(m, func(i int, v float64) { *of(bucket(i)) = v })
		if m.whole = statistic != "Average"; m.whole {
			q.add(m, func(_ int, v float64) { *of(total) = max(*of(total), v) })
		}
	}
}

// ask asks all questions and hands the answers out.
func (q *questions) ask(ctx context.Context) error {
	for first := 0; first < len(q.queries); first += maxQueries {
		pages := cloudwatch.NewGetMetricDataPaginator(q.region.metrics, &cloudwatch.GetMetricDataInput{
			StartTime: sdk.Time(q.grid.Since), EndTime: sdk.Time(q.grid.Until), MetricDataQueries: q.queries[first:min(first+maxQueries, len(q.queries))],
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return q.Session.explain(err, "read the metrics of "+q.name)
			}
			for _, result := range page.MetricDataResults {
				if err := q.take(result); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (q *questions) take(result types.MetricDataResult) error {
	var n int
	if _, err := fmt.Sscanf(strings.TrimPrefix(sdk.ToString(result.Id), "m"), "%d", &n); err != nil || n < 0 || n >= len(q.takers) || len(result.Timestamps) != len(result.Values) {
		return fmt.Errorf("CloudWatch answered what nobody asked: %w", errors.Join(err, errors.New(sdk.ToString(result.Id))))
	}
	whole := sdk.ToInt32(q.queries[n].MetricStat.Period) != int32(q.grid.Step/time.Second)
	for i, at := range result.Timestamps {
		bucket, in := q.grid.At(at)
		if in || whole {
			q.takers[n](bucket, result.Values[i])
		}
	}
	return nil
}
