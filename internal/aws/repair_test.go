package aws_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/awstest"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
)

func newMiniStack(t *testing.T, regions ...string) *world {
	t.Helper()
	cloud := awstest.Emulator(t)
	cloud.NeedMiniStack(t)
	return newWorld(t, cloud, regions...)
}

// with adds to all templates of a region ("": of all) from now on.
func (w *world) with(region string, more map[string]cfn.Resource) {
	w.render = func(in stack.Input) (stack.Output, error) {
		out, err := stack.Render(in)
		if err == nil && (region == "" || in.Region == region) {
			maps.Copy(out.Template.Resources, more)
		}
		return out, err
	}
}

// impossible is what no account can make: it comes after the alias.
func impossible() map[string]cfn.Resource {
	return map[string]cfn.Resource{"Impossible": {
		Type: "AWS::SSM::Parameter", DependsOn: []string{"WebAlias"}, Properties: map[string]any{"Type": "Nonsense", "Value": "x"},
	}}
}

func (w *world) failing(message, reason string) error {
	w.Helper()
	err := w.apply(w.Context(), w.release(message))
	e, ours := err.(*aloft.Error) //nolint:errorlint // it is to be one itself
	if !ours || !strings.Contains(e.Message, reason) || e.Hint == "" {
		w.Fatalf("the deploy of what is impossible said: %v\n%s", err, w.report)
	}
	return err
}

// TestNeverWasWhole is the old trap: a first deploy fails, and CloudFormation refuses to change what is left of it.
func TestNeverWasWhole(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.with("", impossible())
	w.failing("one", "Impossible (AWS::SSM::Parameter)")
	if got := w.stacks(home)["hello-production"]; got != "ROLLBACK_COMPLETE" {
		t.Fatalf("the stack is %s; the test wants one that was taken back", got)
	}
	w.render = stack.Render
	w.up("two")
	w.expect("two red")
	if !strings.Contains(w.report.String(), "it is deleted and made again") { // AWS changes no such stack; MiniStack would
		t.Errorf("the stack was changed:\n%s", w.report)
	}
}

// TestFailedUpdate lets a stack's change fail after code-only releases: CloudFormation leads the alias back to the release that
// its own last template was of, which is not the current one.
func TestFailedUpdate(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.up("two")
	w.set("COLOR", "blue")
	w.with("", impossible())
	w.failing("three", "Impossible")
	w.expect("two red")
	w.render = stack.Render
	w.up("four")
	w.expect("four blue")
}

func TestRegions(t *testing.T) {
	t.Parallel()
	const other = "us-east-1"
	w := newMiniStack(t, home, other)
	w.up("one")
	for _, region := range w.regions {
		if got := w.stacks(region); got["hello-production"] == "" || got["aloft"] == "" {
			t.Errorf("stacks of %s: %v", region, got)
		}
	}
	w.set("COLOR", "blue")
	w.with(other, impossible())
	w.failing("two", "us-east-1: Impossible")
	w.expect("one red") // home was ahead
	w.render = stack.Render

	// From a machine that has not built the code, to a region that has not got it.
	release := w.release("one")
	release.AWS.Regions = []string{home, "eu-north-1"}
	clear(w.zips)
	w.must(w.apply(t.Context(), release))

	w.regions = []string{home}
	w.up("three")
	w.expect("three blue")
	if got := w.stacks(other); got["hello-production"] != "" {
		t.Errorf("stacks of a region that was left: %v", got)
	}
}

// TestLargeTemplate takes the way through the bucket.
func TestLargeTemplate(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.with("", map[string]cfn.Resource{"Topic": {Type: "AWS::SNS::Topic", Metadata: map[string]any{"Why": strings.Repeat("because ", 8000)}}})
	w.up("one")
	w.expect("one red")
}

func TestAccountAtOnce(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		w.reconnect()
		platform := w.platform
		both.Go(func() { errs[i] = platform.EnsureAccount(t.Context(), home, aloft.Discard{}) })
	}
	both.Wait()
	for _, err := range errs {
		w.must(err)
	}
	if got := w.stacks(home); len(got) != 1 || got["aloft"] != "CREATE_COMPLETE" {
		t.Errorf("stacks: %v", got)
	}
}

// TestAccountTaken has somebody else make the account's stack between the look for it and its creation.
func TestAccountTaken(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	other := w.platform
	config, taken := w.cloud.Config.Copy(), false
	config.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if nameOf(r) == "CreateStack" && !taken {
			taken = true
			w.must(other.EnsureAccount(t.Context(), home, aloft.Discard{}))
		}
		return w.cloud.Config.HTTPClient.Do(r)
	})}
	w.connect(config)
	w.must(w.platform.EnsureAccount(t.Context(), home, aloft.Discard{}))
	if got := w.stacks(home); !taken || len(got) != 1 || got["aloft"] != "CREATE_COMPLETE" {
		t.Errorf("taken %v; stacks: %v", taken, got)
	}
}

// TestAccountAgain deletes the account's stack, which leaves bucket and key.
func TestAccountAgain(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	client := cloudformation.NewFromConfig(w.in(home))
	_, err := client.UpdateTerminationProtection(t.Context(), &cloudformation.UpdateTerminationProtectionInput{StackName: new("aloft"), EnableTerminationProtection: new(false)})
	w.must(err)
	_, err = client.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: new("aloft")})
	w.must(err)
	for w.stacks(home)["aloft"] != "" {
		time.Sleep(w.options.Poll)
	}
	w.reconnect()
	w.up("two")
	w.expect("two red")
	if got := w.stacks(home)["aloft"]; !strings.HasSuffix(got, "_COMPLETE") {
		t.Errorf("the account's stack is %q", got)
	}
}

func TestSettled(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	release := w.release("two")
	settled, err := w.platform.Settled(t.Context(), release, aloft.Discard{})
	w.must(err)
	if settled {
		t.Error("a release that was not deployed is said to serve")
	}
	w.report = &reports{}
	err = w.platform.Apply(t.Context(), release, w.report, dies)
	if err == nil {
		t.Fatal("a release that was not recorded is said to serve")
	}
	w.expect("one red")
}

func dies(context.Context) error { return errors.New("the record cannot be written") }

// cloudForbids lets requests of visitors fail as long as nobody may pass them on: MiniStack lets everything pass.
func (w *world) cloudForbids() {
	w.Helper()
	first := true
	base := w.options.Client.Transport
	w.options.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if first {
			first = false
			return &http.Response{StatusCode: http.StatusInternalServerError, Body: io.NopCloser(strings.NewReader(`{"message":"Internal Server Error"}`)), Request: r}, nil
		}
		return base.RoundTrip(r)
	})}
	w.platform = aws.New(w.options)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestInterrupted presses Ctrl-C while CloudFormation changes the stack. Nobody waits; the next deploy goes on from there.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.set("COLOR", "blue")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release := w.release("two")
	config := w.cloud.Config.Copy()
	config.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		executes := nameOf(r) == "ExecuteChangeSet"
		answer, err := w.cloud.Config.HTTPClient.Do(r)
		if err == nil && executes {
			body, _ := io.ReadAll(answer.Body)
			answer.Body = io.NopCloser(bytes.NewReader(body))
			cancel()
		}
		return answer, err
	})}
	w.connect(config)
	err := w.apply(ctx, release)
	wantError(t, err, aloft.Canceled, "CloudFormation goes on with the stack hello-production", "the next aloft up")
	w.reconnect()
	w.up("three")
	w.expect("three blue")
}

// TestNotOurs meets a stack of somebody else that has the name: it is left alone, and does not keep the stage from going.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	client := cloudformation.NewFromConfig(w.in(home))
	_, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: new("hello-production"), TemplateBody: new(`{"Description": "the shop", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}`),
	})
	w.must(err)
	release := w.release("one")
	wantError(t, w.apply(t.Context(), release), aloft.Conflict, "hello-production in eu-west-1 that is not this one of aloft: the shop", "another name")
	w.must(w.platform.Remove(t.Context(), w.ref))
	if got := w.stacks(home)["hello-production"]; got != "CREATE_COMPLETE" {
		t.Errorf("somebody else's stack is %q", got)
	}
}

// TestFailedGiveUp has the first half of destroy --delete-data fail. What served goes on serving.
func TestFailedGiveUp(t *testing.T) {
	t.Parallel()
	w := newMiniStack(t)
	w.up("one")
	w.up("two") // code alone: the stack still says one
	w.with("", impossible())
	if _, err := w.platform.Destroy(t.Context(), w.ref, true, &reports{}); err == nil {
		t.Fatal("the impossible was done")
	}
	w.expect("two red")
}
