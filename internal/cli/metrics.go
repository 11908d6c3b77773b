package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/metrics"
)

type metricsOptions struct {
	stage       string
	since, step time.Duration
}

// How much time is looked at, in how many pieces.
const (
	metricsSince = 24 * time.Hour
	maxMetrics   = 455 * 24 * time.Hour // as long as CloudWatch keeps anything
	maxBuckets   = 1440
	usualBuckets = 24
)

func newMetrics(p *program) *cobra.Command {
	var o metricsOptions
	c := newCommand(cobra.Command{
		Use:   "metrics [stage] [flags]",
		Short: "Show how much a stage had to do, and how well it went",
		Long: `Prints for each function how often it was invoked, how often that failed or was refused for want of concurrency, how
long it took (in milliseconds, MS: on average, and what 50, 95 and 99 of 100 stayed within), and how many went on at
once; and for the gateway its requests, the answers with 4xx and 5xx, and how long they took. For a web function
requests are its invocations. A terminal also gets a bar for each --step.

On AWS it asks CloudWatch, which is a minute or two behind and does not keep short steps for long: a minute for 15 days,
five for 63; where no release ever served, the functions are those of the newest. On a server it reads the stage's log
as far back as that is kept: errors are answers with 5xx, nothing is refused for want of concurrency, and what the
gateway itself refused counts for it alone.

With --json: {"stage", "since", "until", "step", "functions": [{"function", "region", "total", "buckets", "logBytes"}],
"gateways": [{"region", "total", "buckets"}]}; of functions a total and a bucket have {"time", "invocations", "errors",
"throttles", "concurrency", "duration"}, of gateways {"time", "count", "clientErrors", "serverErrors", "latency"};
duration and latency are {"average", "p50", "p95", "p99"}; logBytes are what CloudWatch took in of its log, on AWS.

Exit status: 0 printed, if it is nothing too; 2 the input was wrong, or there is no such app or stage.`,
		Example: `  aloft metrics
  aloft metrics production --since 1h
  aloft metrics production --since 168h --step 6h --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stage = first(args)
			return runMetrics(c.Context(), p, o)
		},
	})
	c.Flags().DurationVar(&o.since, "since", metricsSince, "how far back")
	c.Flags().DurationVar(&o.step, "step", 0, "of a bucket, whole minutes (default: a 24th of --since)")
	return c
}

// grid is the time that the flags say.
func (o metricsOptions) grid(until time.Time) (metrics.Grid, error) {
	step := o.step
	if step == 0 {
		step = max(time.Minute, (o.since/usualBuckets + time.Minute - 1).Truncate(time.Minute))
	}
	switch {
	case o.since < time.Minute || o.since > maxMetrics:
		return metrics.Grid{}, aloft.Errorf(aloft.Invalid, "--since %v is out of range", o.since).WithHint("from 1m to 10920h, which is 455 days")
	case step < time.Minute || step%time.Minute != 0:
		return metrics.Grid{}, aloft.Errorf(aloft.Invalid, "--step %v is no number of minutes", step).WithHint("such as 1m, 5m or 1h")
	case o.since/step > maxBuckets:
		return metrics.Grid{}, aloft.Errorf(aloft.Invalid, "--step %v is too short for --since %v", step, o.since).WithHint("at most %d steps: --step %v", maxBuckets, max(time.Minute, (o.since/maxBuckets+time.Minute).Truncate(time.Minute)))
	}
	return metrics.GridOf(o.since, step, until), nil
}

func runMetrics(ctx context.Context, p *program, o metricsOptions) error {
	ref, err := p.stage(o.stage)
	if err != nil {
		return err
	}
	g, err := o.grid(time.Now())
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	report, err := p.metricsOf(ctx, c, ref, g)
	if err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if p.flags.json {
		return p.printJSON(report)
	}
	if len(report.Functions) == 0 && !p.flags.quiet {
		fmt.Fprintf(p.err, "%s has no functions: nothing serves yet; aloft up %s deploys it\n", ref, ref.Stage)
	}
	return p.printMetrics(report)
}

// metricsOf asks who knows.
func (p *program) metricsOf(ctx context.Context, c backend, ref aloft.StageRef, g metrics.Grid) (metrics.Report, error) {
	if b, onAWS := c.(*awsBackend); onAWS {
		return b.platform.Metrics(ctx, ref, g)
	}
	status, err := p.status(ctx, c, ref)
	if err != nil {
		return metrics.Report{}, err
	}
	release := aloft.Release{}
	if status.Stage.Current > 0 {
		if release, err = c.Release(ctx, ref, status.Stage.Current); err != nil {
			return metrics.Report{}, err
		}
	}
	report, err := metrics.FromLog(c.Logs(ctx, aloft.LogQuery{Stage: ref, Since: g.Since}), release.Tuned(), g)
	report.Stage = ref
	return report, err
}
