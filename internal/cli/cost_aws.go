package cli

import (
	"context"
	"math"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cost"
	"github.com/aloft-run/aloft/internal/cost/meter"
	"github.com/aloft-run/aloft/internal/metrics"
)

// cloudUsage says what a stage on AWS uses, by CloudWatch's figures.
type cloudUsage struct {
	releases releaseReader
	metrics  func(ctx context.Context, ref aloft.StageRef, g metrics.Grid) (metrics.Report, error)
	release  aloft.Release
	until    time.Time
}

// releaseReader has the releases of a stage.
type releaseReader interface {
	// Release returns NotFound if there is none of that number.
	Release(ctx context.Context, stage aloft.StageRef, version int) (aloft.Release, error)
}

var _ usageSource = cloudUsage{}

// Usage implements usageSource. Requests that came through the gateway are those of the web function, and of handlers with routes as
// far as there are more.
func (u cloudUsage) Usage(ctx context.Context, ref aloft.StageRef, since time.Time) (meter.Measured, error) {
	m := meter.Measured{Until: u.until}
	begun, err := u.begun(ctx, ref)
	if err != nil {
		return m, err
	}
	g := metrics.GridOf(u.until.Sub(since), time.Hour, u.until)
	m.Since = g.Since
	if begun.After(since) {
		g, m.Since = metrics.GridOf(u.until.Sub(begun), youngStep, u.until), begun
	}
	report, err := u.metrics(ctx, ref, g)
	if err != nil {
		return m, err
	}
	days := m.Days()
	through := map[string]int64{}
	for _, front := range report.Gateways {
		through[front.Region] = front.Total.Count
	}
	used := map[string]*cloudCount{}
	for _, kind := range []aloft.FunctionKind{aloft.Web, aloft.Static, aloft.Handler} {
		for _, f := range u.release.Tuned() {
			if f.Kind == kind {
				used[f.Name] = countOf(f, report, through)
			}
		}
	}
	for _, f := range u.release.Tuned() {
		c := used[f.Name]
		if c == nil || c.invoked == 0 {
			continue
		}
		logged := c.logged / c.invoked
		if c.logged == 0 {
			logged, m.LogsAssumed = meter.OwnLines, append(m.LogsAssumed, f.Name)
		}
		m.Functions = append(m.Functions, cost.Usage{
			Function: f.Name, Memory: meter.Memory(f), Arch: cost.Arch(u.release.AWS.Architecture), Endpoint: endpointOf(u.release),
			Requests: cost.Int(c.requests).Over(days), Events: cost.Int(c.invoked - c.requests).Over(days),
			Duration: min(aloft.Duration(math.Ceil(c.took/float64(c.invoked)))*aloft.Duration(time.Millisecond), cost.MaxDuration), LogBytes: logged,
		})
	}
	if endpointOf(u.release) == cost.HTTPAPI {
		m.Left = append(m.Left, "the access log of the HTTP API, about 250 bytes a request")
	}
	if len(m.Functions) == 0 {
		return m, aloft.Errorf(aloft.NotFound, "CloudWatch has no invocation of %s since %s", ref, since.Local().Format(time.DateTime)).
			WithHint("say what you expect: aloft cost --requests 16000/day --duration 200ms --memory 1024")
	}
	return m, nil
}

// youngStep is how exactly it is looked at what a stage did that is younger than the time asked about.
const youngStep = 5 * time.Minute

// begun is when the first release of the stage was made, zero if that is forgotten: before it there was nothing.
func (u cloudUsage) begun(ctx context.Context, ref aloft.StageRef) (time.Time, error) {
	first, err := u.releases.Release(ctx, ref, 1)
	if aloft.ErrorCode(err) == aloft.NotFound {
		return time.Time{}, nil
	}
	return first.CreatedAt, err
}

// cloudCount is what a function did in all regions.
type cloudCount struct {
	invoked, requests int64
	logged            int64   // bytes in all
	took              float64 // milliseconds in all
}

// countOf counts what a function did, and takes what came to it off what came through the gateways.
func countOf(f aloft.Function, report metrics.Report, through map[string]int64) *cloudCount {
	c := &cloudCount{}
	for _, one := range report.Functions {
		if one.Function != f.Name {
			continue
		}
		c.invoked += one.Total.Invocations
		c.logged += one.LogBytes
		c.took += one.Total.Duration.Average * float64(one.Total.Invocations)
		if f.Kind == aloft.Handler && len(f.Patterns()) == 0 {
			continue
		}
		asked := min(one.Total.Invocations, through[one.Region])
		c.requests += asked
		through[one.Region] -= asked
	}
	return c
}

func endpointOf(r aloft.Release) cost.Endpoint {
	if r.AWS.Endpoint == "" {
		return cost.HTTPAPI
	}
	return cost.Endpoint(r.AWS.Endpoint)
}

// usageOf is who says what a stage uses.
func usageOf(c backend, release aloft.Release, now time.Time) usageSource {
	if b, onAWS := c.(*awsBackend); onAWS && release.AWS != nil {
		return cloudUsage{b, b.platform.Metrics, release, now}
	}
	return meter.Logs{Service: c, Functions: release.Tuned(), Endpoint: cost.HTTPAPI, Until: now}
}
