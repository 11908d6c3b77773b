package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/stack"
)

// onCanary is a Reporter that does something when a trial begins.
type onCanary struct {
	*reports

	do func()
}

func (o onCanary) Report(event aloft.Event) {
	o.reports.Report(event)
	if e, is := event.(aloft.StepStarted); is && e.Step == aloft.StepCanary {
		o.do()
	}
}

// try applies a release gradually, and does something once it has its share.
func (w *world) try(ctx context.Context, release aloft.Release, length time.Duration, do func()) error {
	w.report = &reports{}
	err := w.platform.ApplyGradually(ctx, release, aloft.Canary{Share: 0.1, For: aloft.Duration(length)}, onCanary{w.report, do}, func(ctx context.Context) error {
		return w.apps.FinishRelease(ctx, w.ref, release.Version, "")
	})
	if err != nil {
		w.must(w.apps.FinishRelease(w.Context(), w.ref, release.Version, err.Error()))
	}
	return err
}

// alias is where the alias of the web function leads, such as "1 2=0.1".
func (w *world) alias(region string) string {
	w.Helper()
	out, err := lambda.NewFromConfig(w.in(region)).GetAlias(w.Context(), &lambda.GetAliasInput{FunctionName: new("hello-web"), Name: new(stack.Live)})
	w.must(err)
	text := *out.FunctionVersion
	if out.RoutingConfig != nil {
		for version, weight := range out.RoutingConfig.AdditionalVersionWeights {
			text += fmt.Sprintf(" %s=%v", version, weight)
		}
	}
	return text
}

func (w *world) aliasIs(want string) {
	w.Helper()
	for _, region := range w.regions {
		if got := w.alias(region); got != want {
			w.Errorf("in %s the alias leads to %q, want %q\n%s", region, got, want, w.report)
		}
	}
}

func (w *world) setAlarm(name, state string) {
	w.Helper()
	_, err := cloudwatch.NewFromConfig(w.in(w.regions[len(w.regions)-1])).SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: &name, StateValue: types.StateValue(state), StateReason: new("a test says so"),
	})
	w.must(err)
}

const (
	long  = time.Hour // never the end of a test
	brief = 50 * time.Millisecond
)

// TestCanary: code alone, and a change of the stack, get a share in all regions, then all.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t, "eu-west-1", "us-east-1")
	w.must(w.try(t.Context(), w.release("one"), brief, func() { t.Error("the first release was tried beside nothing") }))
	w.expect("one red")

	seen := 0
	w.must(w.try(t.Context(), w.release("two"), brief, func() { seen++; w.aliasIs("1 2=0.1") }))
	w.aliasIs("2")
	w.expect("two red")
	if text := w.report.String(); strings.Contains(text, "AWS::") {
		t.Errorf("a release of other code changed the stack:\n%s", text)
	}

	w.set("COLOR", "blue")
	w.must(w.try(t.Context(), w.release("three"), brief, func() { seen++; w.aliasIs("2 3=0.1"); w.expect("two red") }))
	w.aliasIs("3")
	w.expect("three blue")
	if seen != 2 {
		t.Errorf("%d trials", seen)
	}
	w.up("four") // by Lambda's API: the stack is what it must be
	w.expect("four blue")
	if text := w.report.String(); strings.Contains(text, "AWS::") {
		t.Errorf("after a trial the stack was another one:\n%s", text)
	}
}

// TestBackOut: an alarm in one region takes the release back in both, whatever it changed.
func TestBackOut(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t, "eu-west-1", "us-east-1")
	w.up("one")
	for i, change := range []func(){func() {}, func() { w.set("COLOR", "blue") }} {
		change()
		err := w.try(t.Context(), w.release(fmt.Sprint("bad", i)), long, func() { w.setAlarm("hello-web-errors", "ALARM") })
		wantError(t, err, aloft.Failed, fmt.Sprintf("us-east-1: v%d is taken back: the alarm hello-web-errors went off: a test says so", 2+i), "v1 serves all requests again")
		w.expect("one red")
		for _, region := range w.regions {
			if got := w.alias(region); strings.Contains(got, "=") {
				t.Errorf("in %s the alias leads to %s", region, got)
			}
		}
		w.setAlarm("hello-web-errors", "OK")
	}
	w.up("three")
	w.expect("three blue")
}

// TestAlarmBefore: what was on before says nothing, until it was off.
func TestAlarmBefore(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.setAlarm("hello-web-throttles", "ALARM")
	w.must(w.try(t.Context(), w.release("two"), brief, func() {}))
	w.expect("two red")
	if !strings.Contains(w.report.String(), "hello-web-throttles is on already") {
		t.Errorf("nothing was said of the alarm:\n%s", w.report)
	}
}

// TestExamined: a release that cannot answer gets no share.
func TestExamined(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	err := w.try(t.Context(), w.release("broken"), long, func() { t.Error("it got a share") })
	wantError(t, err, aloft.Failed, "v2 is not ready: hello-web, version 2, answers GET / with 500", "v1 serves all requests")
	w.aliasIs("1")
	w.expect("one red")
}

// TestFailuresOfVersion: the new version's own metric counts, though no alarm went off.
func TestFailuresOfVersion(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.setAlarm("hello-web-errors", "ALARM") // MiniStack's alarm looks at metrics of more dimensions, too
	put := func() {
		dimension := func(name, value string) types.Dimension { return types.Dimension{Name: &name, Value: &value} }
		_, err := cloudwatch.NewFromConfig(w.in(home)).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
			Namespace: new("AWS/Lambda"), MetricData: []types.MetricDatum{{MetricName: new("Errors"), Value: new(2.0), Timestamp: new(time.Now()), Dimensions: []types.Dimension{
				dimension("FunctionName", "hello-web"), dimension("Resource", "hello-web:live"), dimension("ExecutedVersion", "2"),
			}}},
		})
		w.must(err)
	}
	err := w.try(t.Context(), w.release("two"), long, put)
	wantError(t, err, aloft.Failed, "2 invocations failed in hello-web, version 2", "v1 serves")
	w.aliasIs("1")
}

// TestServerErrorsOfVersion: so do answers with 500, which Lambda takes for success.
func TestServerErrorsOfVersion(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	err := w.try(t.Context(), w.release("two"), long, func() {
		w.log("2026/11/29/[1]aaaa", `{"type":"request","method":"GET","path":"/","status":500}`, "KeyError: of the old release")
		w.log("2026/11/29/[2]bbbb", `{"type":"request","method":"GET","path":"/","status":502}`, "KeyError: 'price'")
	})
	wantError(t, err, aloft.Failed, "1 requests were answered with 500 or more in hello-web, version 2", "v1 serves")
	if e, _ := errors.AsType[*aloft.Error](err); !strings.Contains(e.Detail, "KeyError: 'price'") || strings.Contains(e.Detail, "of the old release") {
		t.Errorf("the detail is %q", e.Detail)
	}
	w.aliasIs("1")
}

// log prints lines as an instance of the web function.
func (w *world) log(stream string, lines ...string) {
	w.Helper()
	client := cloudwatchlogs.NewFromConfig(w.in(home))
	group := new("/aws/lambda/hello-web")
	_, err := client.CreateLogStream(w.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: &stream})
	w.must(err)
	var events []logtypes.InputLogEvent
	for _, line := range lines {
		events = append(events, logtypes.InputLogEvent{Message: new(line), Timestamp: new(time.Now().UnixMilli())})
	}
	_, err = client.PutLogEvents(w.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: &stream, LogEvents: events})
	w.must(err)
}

// TestInterruptedTrial: Ctrl-C takes the release back.
func TestInterruptedTrial(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.set("COLOR", "blue")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := w.try(ctx, w.release("two"), long, cancel); aloft.ErrorCode(err) != aloft.Canceled {
		t.Errorf("the error is %v", err)
	}
	w.expect("one red")
}

// TestKilledTrial: who is killed in the middle leaves a release in part; what comes next puts the old one back whole.
func TestKilledTrial(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world){"code": func(*world) {}, "stack": func(w *world) { w.set("COLOR", "blue") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMiniStack(t)
			w.up("one")
			change(w)
			release := w.release("two")
			f := &faulty{}
			config := w.cloud.Config.Copy()
			f.base = config.HTTPClient
			config.HTTPClient = &http.Client{Transport: f}
			w.connect(config)
			w.report = &reports{}
			err := w.platform.ApplyGradually(t.Context(), release, aloft.Canary{Share: 0.1, For: aloft.Duration(long)}, onCanary{w.report, f.kill}, func(context.Context) error {
				return errors.New("a dead process wrote something down")
			})
			if err == nil {
				t.Fatal("a dead process succeeded")
			}
			w.reconnect()
			w.aliasIs("1 2=0.1")
			if serves, err := w.platform.Settled(t.Context(), release, aloft.Discard{}); err != nil || serves {
				t.Fatalf("settled: %v, %v", serves, err)
			}
			w.must(w.platform.PutBack(t.Context(), release, w.report))
			if got := w.alias(home); strings.Contains(got, "=") {
				t.Errorf("the alias leads to %s", got)
			}
			w.expect("one red")
			if !strings.Contains(w.report.String(), "v1 serves alone again") {
				t.Errorf("nothing was said:\n%s", w.report)
			}
			w.must(w.platform.PutBack(t.Context(), release, w.report))
		})
	}
}

func (f *faulty) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
}

// TestFunctionsThatGo: requests that stay with the old release need all of its functions.
func TestFunctionsThatGo(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	release := w.release("two")
	release.Functions[0].Name = "site"
	err := w.try(t.Context(), release, brief, func() {})
	wantError(t, err, aloft.Invalid, "v2 has no function web", "without --canary")
}
