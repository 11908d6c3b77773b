package aws

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// trial is what is looked at while a release gets a share of requests in a region.
type trial struct {
	began  time.Time
	alarms []string        // names of those of the stack
	before map[string]bool // alarms that had gone off before, and have not calmed down since
	blind  map[string]bool // what cannot be looked at, which was said
}

// window is over how long failures of the new versions are counted, as the stack's alarms count.
const window = 5 * time.Minute

// beginTrial finds the alarms. What went off before the trial says nothing about it.
func (r *regional) beginTrial(ctx context.Context) error {
	r.trial = trial{began: time.Now(), before: map[string]bool{}, blind: map[string]bool{}}
	name := StackName(r.release)
	pages := cloudformation.NewListStackResourcesPaginator(r.stacks, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return r.Session.explain(err, "list what the stack "+name+" has")
		}
		for _, one := range page.StackResourceSummaries {
			if kind := sdk.ToString(one.ResourceType); kind == "AWS::CloudWatch::Alarm" || kind == "AWS::CloudWatch::CompositeAlarm" {
				r.trial.alarms = append(r.trial.alarms, sdk.ToString(one.PhysicalResourceId))
			}
		}
	}
	loud, err := r.loud(ctx)
	for _, alarm := range loud {
		r.trial.before[alarm.name] = true
		r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: the alarm %s is on already: it says nothing about v%d until it was off", r.name, alarm.name, r.release.Version)})
	}
	return err
}

// judge returns why the release must be taken back; nil if nothing speaks against it yet.
func (r *regional) judge(ctx context.Context) error {
	loud, err := r.loud(ctx)
	if err != nil {
		return err
	}
	for name := range r.trial.before {
		if !slices.ContainsFunc(loud, func(a gone) bool { return a.name == name }) {
			delete(r.trial.before, name)
		}
	}
	for _, alarm := range loud {
		if !r.trial.before[alarm.name] {
			return r.guilty(ctx, fmt.Sprintf("the alarm %s went off: %s", alarm.name, alarm.reason))
		}
	}
	for _, name := range r.tried() {
		for what, count := range map[string]func(context.Context, string) (int, error){
			"invocations failed": r.failures, "requests were answered with 500 or more": r.serverErrors,
		} {
			n, err := count(ctx, name)
			r.tellBlind(ctx, what, err)
			if err == nil && n >= r.bound() {
				return r.guilty(ctx, fmt.Sprintf("%d %s in %s, version %s", n, what, r.out.Functions[name].Lambda, r.moves[name]))
			}
		}
	}
	return nil
}

// bound is how many failures are too many: as many as the stack's alarm of errors takes.
func (r *regional) bound() int {
	if a := r.release.AWS.Alarms; a != nil && a.Errors > 0 {
		return a.Errors
	}
	return 1
}

// tellBlind says once what cannot be looked at. The alarms still are.
func (r *regional) tellBlind(ctx context.Context, what string, err error) {
	if err == nil || ctx.Err() != nil || r.trial.blind[what] {
		return
	}
	r.trial.blind[what] = true
	r.report.Report(aloft.Warning{Text: fmt.Sprintf("%s: whether %s of v%d alone is not known: %v", r.name, what, r.release.Version, err)})
}

// guilty is the error of a release that is taken back.
func (r *regional) guilty(ctx context.Context, why string) error {
	e := aloft.Errorf(aloft.Failed, "%s: v%d is taken back: %s", r.name, r.release.Version, why)
	return e.WithDetail(r.errorLines(ctx)).WithHint("v%d serves all requests again; mend what failed, then type the same command again", r.current.Version)
}

// gone is an alarm that went off.
type gone struct{ name, reason string }

// loud are the stack's alarms that are on.
func (r *regional) loud(ctx context.Context) ([]gone, error) {
	const most = 100 // names in a request
	var all []gone
	for names := range slices.Chunk(r.trial.alarms, most) {
		out, err := r.metrics.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: names, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm},
		})
		if err != nil {
			return nil, r.Session.explain(err, "look at the alarms of the stack in "+r.name)
		}
		for _, a := range out.MetricAlarms {
			if a.StateValue == cwtypes.StateValueAlarm {
				all = append(all, gone{sdk.ToString(a.AlarmName), sdk.ToString(a.StateReason)})
			}
		}
		for _, a := range out.CompositeAlarms {
			if a.StateValue == cwtypes.StateValueAlarm {
				all = append(all, gone{sdk.ToString(a.AlarmName), sdk.ToString(a.StateReason)})
			}
		}
	}
	return all, nil
}

// since is from when failures count.
func (t trial) since() time.Time {
	if from := time.Now().Add(-window); from.After(t.began) {
		return from
	}
	return t.began
}

// failures counts failed invocations of a function's new version, by the dimension that Lambda adds for weighted aliases.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (r *regional) failures(ctx context.Context, name string) (int, error) {
	function := r.out.Functions[name].Lambda
	dimension := func(name, value string) cwtypes.Dimension { return cwtypes.Dimension{Name: &name, Value: &value} }
	out, err := r.metrics.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		StartTime: sdk.Time(r.trial.since().Truncate(time.Minute)), EndTime: sdk.Time(time.Now().Add(time.Minute)),
		MetricDataQueries: []cwtypes.MetricDataQuery{{Id: sdk.String("errors"), MetricStat: &cwtypes.MetricStat{
			Period: sdk.Int32(60), Stat: sdk.String("Sum"),
			Metric: &cwtypes.Metric{Namespace: sdk.String("AWS/Lambda"), MetricName: sdk.String("Errors"), Dimensions: []cwtypes.Dimension{
				dimension("FunctionName", function), dimension("Resource", function+":"+stack.Live), dimension("ExecutedVersion", r.moves[name]),
			}},
		}}},
	})
	if err != nil {
		return 0, r.Session.explain(err, "read the metrics of "+function)
	}
	sum := 0.0
	for _, result := range out.MetricDataResults {
		for _, value := range result.Values {
			sum += value
		}
	}
	return int(sum), nil
}

// serverErrors counts requests that a function's new version answered with 500 or more, which Lambda takes for success: they are
// in the shim's log of requests.
func (r *regional) serverErrors(ctx context.Context, name string) (int, error) {
	events, err := r.printed(ctx, name, `{ $.type = "request" && $.status >= 500 }`)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range events {
		if line, is := requestLine(sdk.ToString(e.Message)); is && line.Status >= serverErrors {
			n++
		}
	}
	return n, nil
}

// printed is what a function's new version printed since failures count. A pattern is CloudWatch's; "" takes all.
func (r *regional) printed(ctx context.Context, name, pattern string) ([]logtypes.FilteredLogEvent, error) {
	input := &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: sdk.String(logGroup(r.out.Functions[name].Lambda)), StartTime: sdk.Int64(r.trial.since().UnixMilli()),
	}
	if pattern != "" {
		input.FilterPattern = &pattern
	}
	var all []logtypes.FilteredLogEvent
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(r.logs, input)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if is(err, noResource) { // nothing was printed yet
			return nil, nil
		}
		if err != nil {
			return nil, r.Session.explain(err, "read the log of "+name+" in "+r.name)
		}
		for _, e := range page.Events {
			if strings.Contains(sdk.ToString(e.LogStreamName), "["+r.moves[name]+"]") {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// alarming is what lines of failures say.
var alarming = regexp.MustCompile(`(?i)error|exception|panic|fatal|traceback|timed out|"status":5`)

// errorLines are the last lines of failures that the new versions printed, or the last of all; "" if that cannot be read.
func (r *regional) errorLines(ctx context.Context) string {
	const most = 10
	var all, failures []string
	for _, name := range r.tried() {
		events, err := r.printed(ctx, name, "")
		if err != nil {
			continue
		}
		for _, e := range events {
			line := name + ": " + firstLine(sdk.ToString(e.Message))
			all = append(all, line)
			if alarming.MatchString(line) {
				failures = append(failures, line)
			}
		}
	}
	if len(failures) > 0 {
		all = failures
	}
	return strings.Join(all[max(0, len(all)-most):], "\n")
}
