package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aws"
	"github.com/aloft-run/aloft/internal/mem"
)

// query answers requests of AWS's Query protocol as a test says: by action, one after the other, the last one for ever. It is
// for states that no emulator gets into.
type query struct {
	t       *testing.T
	mu      sync.Mutex
	answers map[string][]string // XML within ActionResult, or "!CODE message"; by "" the code of errors of all other services
	asked   []string
}

func (q *query) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := r.ParseForm(); err != nil {
		return // who asked left in between, and hears nothing
	}
	action := r.Form.Get("Action")
	q.asked = append(q.asked, action+" "+r.Form.Get("ResourcesToSkip.member.1")+r.Form.Get("EnableTerminationProtection"))
	answers := q.answers[action]
	if code := q.answers[""]; action == "" && code != nil { // services of another protocol
		w.Header().Set("X-Amzn-ErrorType", code[0])
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if len(answers) == 0 {
		q.t.Errorf("nobody expected %s", action)
		http.Error(w, "unexpected", http.StatusNotImplemented)
		return
	}
	if len(answers) > 1 {
		q.answers[action] = answers[1:]
	}
	w.Header().Set("Content-Type", "text/xml")
	if failure, is := strings.CutPrefix(answers[0], "!"); is {
		code, message, _ := strings.Cut(failure, " ")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
		return
	}
	fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, answers[0])
}

const identity = "<Arn>arn:aws:iam::111122223333:user/ada</Arn><Account>111122223333</Account><UserId>AIDA</UserId>"

func fake(t *testing.T, answers map[string][]string) (*query, sdk.Config) {
	t.Helper()
	q := &query{t: t, answers: answers}
	if answers["GetCallerIdentity"] == nil {
		answers["GetCallerIdentity"] = []string{identity}
	}
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	return q, sdk.Config{
		Region: home, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
	}
}

func fakePlatform(t *testing.T, config sdk.Config) (*aws.Platform, error) {
	t.Helper()
	session, err := aws.Identify(t.Context(), config, aws.Want{})
	if err != nil {
		return nil, err
	}
	return aws.New(aws.Options{
		Session: session, Releases: &mem.Store{}, Poll: time.Millisecond, Objects: func(string) aws.Objects { return nil },
	}), nil
}

func wantError(t *testing.T, err error, code aloft.Code, message, hint string) {
	t.Helper()
	e, ours := errors.AsType[*aloft.Error](err)
	if !ours || e.Code != code || !strings.Contains(e.Message, message) || !strings.Contains(e.Hint, hint) {
		t.Errorf("got %#v, want %s with %q and the hint %q", err, code, message, hint)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, answer  string
		want          aws.Want
		code          aloft.Code
		message, hint string
	}{
		{"another account", identity, aws.Want{Account: "444455556666"}, aloft.Invalid, "account 444455556666, but the credentials are of 111122223333", "AWS_PROFILE"},
		{"another account, of a profile", identity, aws.Want{Account: "444455556666", Profile: "work"}, aloft.Invalid, "444455556666", "profile: in aloft.yml"},
		{"ended", "!ExpiredToken The security token included in the request is expired", aws.Want{Profile: "work"}, aloft.Invalid, "not valid any more", "aws sso login --profile work if that"},
		{"unknown key", "!InvalidClientTokenId The security token included in the request is invalid.", aws.Want{}, aloft.Invalid, "credentials are not valid: ", "aws sso login if that"},
		{"throttled", "!Throttling Rate exceeded", aws.Want{}, aloft.Unavailable, "slow down", "again in a minute"},
		{"denied", "!AccessDenied User: arn:aws:iam::1:user/x is not authorized to perform: sts:GetCallerIdentity on resource: * because", aws.Want{}, aloft.Failed, "does not allow", "have who runs the account allow sts:GetCallerIdentity on * to these credentials"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, config := fake(t, map[string][]string{"GetCallerIdentity": {test.answer}})
			_, err := aws.Identify(t.Context(), config, test.want)
			wantError(t, err, test.code, test.message, test.hint)
		})
	}
}

func TestWant(t *testing.T) {
	t.Parallel()
	_, err := aws.Open(t.Context(), aws.Want{Account: "12"})
	wantError(t, err, aloft.Invalid, `account "12"`, "twelve digits")
	_, err = aws.Open(t.Context(), aws.Want{Region: "mars"})
	wantError(t, err, aloft.Invalid, `"mars"`, "eu-west-1")
	for _, region := range []string{"eu-west-1", "us-gov-east-1", "ap-southeast-5", "cn-north-1"} {
		if err := aws.CheckRegion(region); err != nil {
			t.Error(err)
		}
	}
}

// stackIs describes a stack.
func stackIs(status string) string {
	return "<Stacks><member><StackName>aloft</StackName><StackId>arn:aws:cloudformation:eu-west-1:1:stack/aloft/x</StackId><CreationTime>2026-01-01T00:00:00Z</CreationTime>" +
		"<Description>aloft: the code, the releases and the key of all apps of this account in this region</Description><StackStatus>" + status + "</StackStatus><EnableTerminationProtection>true</EnableTerminationProtection><Outputs><member><OutputKey>Format</OutputKey><OutputValue>99</OutputValue></member></Outputs></member></Stacks>"
}

// TestHalfBack goes on with a change that could not be taken back, and leaves out what never can be.
func TestHalfBack(t *testing.T) {
	t.Parallel()
	q, config := fake(t, map[string][]string{
		"DescribeStacks": {
			stackIs("UPDATE_ROLLBACK_FAILED"), stackIs("UPDATE_ROLLBACK_IN_PROGRESS"), stackIs("UPDATE_ROLLBACK_FAILED"), // by name, then following
			stackIs("UPDATE_ROLLBACK_IN_PROGRESS"), stackIs("UPDATE_ROLLBACK_COMPLETE"),
		},
		"ContinueUpdateRollback": {""},
		"ListStackResources": {"<StackResourceSummaries><member><LogicalResourceId>Bucket</LogicalResourceId><ResourceType>AWS::S3::Bucket</ResourceType><ResourceStatus>UPDATE_FAILED</ResourceStatus>" +
			"<ResourceStatusReason>it is gone</ResourceStatusReason><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member></StackResourceSummaries>"},
	})
	platform, err := fakePlatform(t, config)
	if err != nil {
		t.Fatal(err)
	}
	report := &reports{}
	if err := platform.EnsureAccount(t.Context(), home, report); err != nil {
		t.Fatal(err)
	}
	if text := report.String(); !strings.Contains(text, "Bucket (AWS::S3::Bucket) stays as it is") || !strings.Contains(text, "it is gone") {
		t.Errorf("what was left out was not named: %s", text)
	}
	if !strings.Contains(strings.Join(q.asked, "\n"), "ContinueUpdateRollback Bucket") {
		t.Errorf("asked: %q", q.asked)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	_, config := fake(t, map[string][]string{"DescribeStacks": {stackIs("UPDATE_IN_PROGRESS"), stackIs("UPDATE_IN_PROGRESS"), stackIs("UPDATE_COMPLETE")}, "DescribeStackEvents": {""}})
	platform, err := fakePlatform(t, config)
	if err != nil {
		t.Fatal(err)
	}
	report := &reports{}
	if err := platform.EnsureAccount(t.Context(), home, report); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(report.String(), "waiting for it") {
		t.Errorf("nobody said what is waited for: %s", report)
	}

	_, config = fake(t, map[string][]string{"DescribeStacks": {stackIs("UPDATE_IN_PROGRESS")}, "DescribeStackEvents": {""}})
	if platform, err = fakePlatform(t, config); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = platform.EnsureAccount(ctx, home, impatient(func(aloft.Event) { cancel() }))
	wantError(t, err, aloft.Canceled, "not waiting any more", "the next aloft up waits for it")
}

// impatient is who gives up when something is told.
type impatient func(aloft.Event)

func (i impatient) Report(e aloft.Event) { i(e) }

// TestThrottled has the SDK ask again, as in a session that Open made.
func TestThrottled(t *testing.T) {
	t.Parallel()
	q, config := fake(t, map[string][]string{"DescribeStacks": {"!Throttling Rate exceeded", "!Throttling Rate exceeded", stackIs("CREATE_COMPLETE")}})
	config.RetryMode, config.RetryMaxAttempts = sdk.RetryModeAdaptive, 8
	platform, err := fakePlatform(t, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.EnsureAccount(t.Context(), home, aloft.Discard{}); err != nil {
		t.Fatal(err)
	}
	if len(q.asked) != 4 {
		t.Errorf("asked: %q", q.asked)
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	const drift = "<member><LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>p</PhysicalResourceId><ResourceType>AWS::Lambda::%s</ResourceType><StackId>s</StackId><StackResourceDriftStatus>%s</StackResourceDriftStatus>" +
		"<Timestamp>2026-01-01T00:00:00Z</Timestamp><PropertyDifferences><member><PropertyPath>%s</PropertyPath><ActualValue>1024</ActualValue><ExpectedValue>512</ExpectedValue><DifferenceType>NOT_EQUAL</DifferenceType></member></PropertyDifferences></member>"
	_, config := fake(t, map[string][]string{
		"DetectStackDrift": {"<StackDriftDetectionId>d</StackDriftDetectionId>"},
		"DescribeStackDriftDetectionStatus": {
			"<DetectionStatus>DETECTION_IN_PROGRESS</DetectionStatus><StackDriftDetectionId>d</StackDriftDetectionId><StackId>s</StackId><Timestamp>2026-01-01T00:00:00Z</Timestamp>",
			"<DetectionStatus>DETECTION_COMPLETE</DetectionStatus><StackDriftDetectionId>d</StackDriftDetectionId><StackId>s</StackId><Timestamp>2026-01-01T00:00:00Z</Timestamp>",
		},
		"DescribeStackResourceDrifts": {"<StackResourceDrifts>" + fmt.Sprintf(drift, "WebFunction", "Function", "MODIFIED", "/MemorySize") +
			fmt.Sprintf(drift, "WebAlias", "Alias", "MODIFIED", "/FunctionVersion") + "</StackResourceDrifts>"},
	})
	w, session := worldOf(t, config)
	w.must(w.apps.FinishRelease(t.Context(), w.ref, w.release("one").Version, ""))
	platform := aws.New(aws.Options{Session: session, Releases: w.apps, Poll: time.Millisecond, Objects: func(string) aws.Objects { return nil }})
	got, err := platform.Drift(t.Context(), w.ref)
	w.must(err)
	if len(got) != 1 || got[0].ID != "WebFunction" || len(got[0].Differences) != 1 || got[0].Differences[0] != (aws.Difference{Property: "/MemorySize", Expected: "512", Actual: "1024"}) {
		t.Errorf("drift: %+v", got)
	}
}

// TestForeignImport meets somebody else's stack that was made by an import, without a description and without tags, and our own.
func TestForeignImport(t *testing.T) {
	t.Parallel()
	const imported = "<Stacks><member><StackName>hello-production</StackName><StackId>arn:aws:cloudformation:eu-west-1:1:stack/hello-production/x</StackId>" +
		"<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>%s</StackStatus></member></Stacks>"
	for description, ours := range map[string]bool{"": false, "their shop": false, "aloft: hello/production": true} {
		for _, status := range []string{"IMPORT_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"} {
			q, config := fake(t, map[string][]string{
				"DescribeStacks": {fmt.Sprintf(imported, status)}, "DescribeStackEvents": {"<StackEvents></StackEvents>"}, "DeleteStack": {"!AccessDenied a test"}, "": {"ResourceNotFoundException"},
				"GetTemplate": {"<TemplateBody>{\"Description\": \"" + description + "\"}</TemplateBody>"},
			})
			w, session := worldOf(t, config)
			w.must(w.apps.FinishRelease(t.Context(), w.ref, w.release("one").Version, ""))
			platform := aws.New(aws.Options{Session: session, Releases: w.apps, Objects: func(string) aws.Objects { return nil }})
			err := platform.Remove(t.Context(), w.ref)
			if asked := slices.ContainsFunc(q.asked, func(one string) bool { return strings.HasPrefix(one, "DeleteStack") }); asked != ours || ours && aloft.ErrorCode(err) != aloft.Failed {
				t.Errorf("a stack %q in %s: %v; asked %q", description, status, err, q.asked)
			}
		}
	}
}

// worldOf is a stage in a world of which config answers, and whose the credentials are.
func worldOf(t *testing.T, config sdk.Config) (*world, *aws.Session) {
	t.Helper()
	session, err := aws.Identify(t.Context(), config, aws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, apps: &mem.Store{}, ref: aloft.StageRef{App: "hello", Stage: "production"}, regions: []string{home}, zips: map[string][]byte{}, configs: []aloft.Config{{}}}
	w.must(w.apps.CreateApp(t.Context(), aloft.App{Name: w.ref.App}))
	w.must(w.apps.CreateStage(t.Context(), aloft.Stage{StageRef: w.ref}))
	return w, session
}
