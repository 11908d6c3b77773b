package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// These hold what real AWS wants and emulators do not ask for.

const kmsKey = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"

func stage(resources []aloft.Resource, functions ...aloft.Function) stack.Input {
	in := input(release("shop", functions...))
	in.Release.Resources, in.Kinds = resources, standard.CloudKinds()
	in.Sources = func(uri string) (eventsource.Source, error) {
		return standard.EventSources(standard.Sourced{}).Parse(in.Release.StageRef, uri)
	}
	return in
}

func worker(name string, sources ...string) aloft.Function {
	return aloft.Function{Name: name, Kind: aloft.Handler, Handler: "work.handler", Runtime: "python3.13", EventSources: sources}
}

// TestWebBootstrap: Lambda starts /var/task/bootstrap before /opt/bootstrap, so that a web server of that name is no front for the shim.
func TestWebBootstrap(t *testing.T) {
	t.Parallel()
	f := server()
	f.Command = []string{"./bootstrap"}
	if _, err := stack.Render(input(release("shop", f))); err == nil {
		t.Error("a web server called bootstrap is rendered, and Lambda would start it in place of the shim")
	}
}

// TestVisibilityWindow: a message's visibility runs from when Lambda receives it: before the batching window, and while it is throttled.
func TestVisibilityWindow(t *testing.T) {
	t.Parallel()
	out, _ := render(t, stage([]aloft.Resource{{Name: "jobs", Type: aloft.Queue}}, worker("work", "queue:jobs?batch=100&window=2m")))
	const timeout, window = 10, 120
	if has, _ := out.Template.Resources["JobsQueue"].Properties["VisibilityTimeout"].(int); has < timeout+window {
		t.Errorf("messages are visible again after %d s, before the batch of %d s is handed to the function of %d s", has, window, timeout)
	}
}

// TestDestinationKey: who sends to a queue that is encrypted with a customer's key needs kms:GenerateDataKey, else Lambda drops the record.
func TestDestinationKey(t *testing.T) {
	t.Parallel()
	f := worker("work")
	f.Async = &aloft.Async{OnFailure: "queue:failed"}
	in := stage([]aloft.Resource{{Name: "failed", Type: aloft.Queue}}, f)
	in.Release.AWS.KMSKey = kmsKey
	out, _ := render(t, in)
	if !slices.ContainsFunc(out.Statements, func(s stack.Granted) bool { return slices.Contains(s.Action, "kms:GenerateDataKey") }) {
		t.Error("the role may send to the queue of failures, and not encrypt what it sends")
	}
}

// TestBucketOverlap: S3 refuses two notifications of one event whose prefixes and suffixes overlap.
func TestBucketOverlap(t *testing.T) {
	t.Parallel()
	for _, functions := range [][]aloft.Function{
		{worker("one", "bucket:uploads"), worker("two", "bucket:uploads?prefix=in/")},
		{worker("one", "bucket:uploads?events=ObjectCreated:*,ObjectCreated:Put")},
	} {
		if _, err := stack.Render(stage([]aloft.Resource{{Name: "uploads", Type: aloft.Bucket}}, functions...)); err == nil {
			t.Errorf("overlapping notifications of %d functions are rendered", len(functions))
		}
	}
}

// TestRESTVariables: a resource of a REST API has one child at most that is a variable.
func TestRESTVariables(t *testing.T) {
	t.Parallel()
	one, two := worker("one"), worker("two")
	one.Format, one.Routes = "apigw-v1", []string{"GET /items/{id}"}
	two.Format, two.Routes = "apigw-v1", []string{"/items/"}
	in := input(release("shop", one, two, server()))
	in.Release.AWS.Endpoint = aloft.RESTAPI
	out, err := stack.Render(in)
	if err != nil {
		return // refused, which is fine
	}
	variables := map[string][]string{}
	for _, r := range out.Template.Resources {
		if part, _ := r.Properties["PathPart"].(string); r.Type == "AWS::ApiGateway::Resource" && strings.HasPrefix(part, "{") {
			parent, err := json.Marshal(r.Properties["ParentId"])
			if err != nil {
				t.Fatal(err)
			}
			variables[string(parent)] = append(variables[string(parent)], part)
		}
	}
	for parent, parts := range variables {
		if len(parts) > 1 {
			t.Errorf("%s has the variables %q", parent, parts)
		}
	}
}

// TestEnvironmentSize: what CloudFormation fills in counts as 128 bytes, also where it is a whole specification.
func TestEnvironmentSize(t *testing.T) {
	t.Parallel()
	f := server()
	f.EventSources = []string{"bucket:uploads"}
	f.Command = []string{"./server", strings.Repeat("x", 6000)}
	if _, err := stack.Render(stage([]aloft.Resource{{Name: "uploads", Type: aloft.Bucket}}, f)); err == nil {
		t.Error("more than 6000 bytes of variables are rendered; Lambda takes 4096")
	}
}

// TestEnvironmentAsLambdaCounts: Lambda measures the JSON of all variables, quotes and escapes included, and its refusal has that
// JSON, values and all, in the reason of CloudFormation's event.
func TestEnvironmentAsLambdaCounts(t *testing.T) {
	t.Parallel()
	in := input(release("shop", server()))
	in.Config.Variables = map[string]aloft.Config{"web": {"KEY": strings.Repeat("line\n", 600)}} // 3,000 bytes, 3,600 in JSON
	for n := range 60 {
		in.Config.Variables["web"]["VX"+string(rune('A'+n%26))+string(rune('A'+n/26))] = "1" // 60 of 5 bytes, 11 in JSON
	}
	if _, err := stack.Render(in); err == nil {
		t.Error("more than 4,096 bytes of JSON were let through")
	}
}

// TestRecordKeepsItsKind: Route 53 has no simple record beside latency records of the same name, so that a stage can neither get a
// second region nor give one up while its record changes its kind.
func TestRecordKeepsItsKind(t *testing.T) {
	t.Parallel()
	kinds := map[bool]bool{}
	for _, regions := range [][]string{{"us-east-1"}, {"us-east-1", "eu-west-1"}} {
		in := domainsCase("Z0123456789ABCDEFGHIJ")
		in.Release.AWS.Regions = regions
		out, _ := render(t, in)
		for _, r := range out.Template.Resources {
			if r.Type == "AWS::Route53::RecordSet" {
				kinds[r.Properties["SetIdentifier"] != nil] = true
			}
		}
	}
	if len(kinds) != 1 {
		t.Error("the record is a simple one in one region, and a latency record in two")
	}
}

// TestMailRecipients: in SES's sandbox, where each account begins, IAM asks for the verified recipient's identity as well.
func TestMailRecipients(t *testing.T) {
	t.Parallel()
	f := worker("work")
	f.Uses = []string{"mail"}
	out, _ := render(t, stage([]aloft.Resource{{Name: "mail", Type: aloft.Mail, Options: map[string]string{"identity": "example.com"}}}, f))
	for _, s := range out.Statements {
		if text, err := json.Marshal(s.Resource); err == nil && slices.Contains(s.Action, "ses:SendEmail") && !strings.Contains(string(text), "identity/*") {
			t.Errorf("mail may be sent with %s only: a verified recipient is refused (AccessDenied)", text)
		}
	}
}

// TestFIFODestination: Lambda does not send records of events to FIFO queues and topics.
func TestFIFODestination(t *testing.T) {
	t.Parallel()
	f := worker("work")
	f.Async = &aloft.Async{OnFailure: "queue:failed"}
	in := stage([]aloft.Resource{{Name: "failed", Type: aloft.Queue, Options: map[string]string{"fifo": "true"}}}, f)
	if _, err := stack.Render(in); err == nil {
		t.Error("a FIFO queue is rendered as a destination")
	}
}

// TestHealthOfRegions: Route 53 is told of a path that answers, or it is said that none is known.
func TestHealthOfRegions(t *testing.T) {
	t.Parallel()
	web, root, other := server(), worker("work"), worker("work")
	web.HealthPath = ""
	root.Routes, other.Routes = []string{"GET /{$}"}, []string{"/items", "POST /{$}"}
	static := aloft.Function{Name: "web", Kind: aloft.Static}
	for name, c := range map[string]struct {
		function    aloft.Function
		path, warns string
	}{
		"health": {server(), "/health", ""}, "web": {web, "/", "no health path is set"}, "static": {static, "/", ""},
		"root": {root, "/", "Route 53 asks GET /"}, "no root": {other, "", "nothing answers GET /"},
	} {
		in := domainsCase("Z0123456789ABCDEFGHIJ")
		in.Release.Functions = []aloft.Function{c.function}
		out, _ := render(t, in)
		config, _ := out.Template.Resources["ApiHealth"].Properties["HealthCheckConfig"].(map[string]any)
		if path, _ := config["ResourcePath"].(string); path != c.path || out.Checked() != (c.path != "") {
			t.Errorf("%s: Route 53 asks %q, want %q", name, path, c.path)
		}
		if text := strings.Join(out.Warnings, "\n"); (c.warns == "") != !strings.Contains(text, "Route 53") || !strings.Contains(text, c.warns) {
			t.Errorf("%s warns %q, want %q", name, text, c.warns)
		}
		in.Release.AWS.Regions = in.Release.AWS.Regions[:1]
		if out, _ := render(t, in); out.Checked() || strings.Contains(strings.Join(out.Warnings, "\n"), "Route 53") {
			t.Errorf("%s: one region is checked, and there is no other", name)
		}
	}
}

// TestDeadLettersKey: dead letters hold whole events. Lambda sends them with the function's role, which needs the key.
func TestDeadLettersKey(t *testing.T) {
	t.Parallel()
	in := stage(nil, worker("work", "schedule:rate(5 minutes)"))
	in.Release.AWS.KMSKey = kmsKey
	out, _ := render(t, in)
	if queue := out.Template.Resources["WorkDeadLetters"].Properties; queue["KmsMasterKeyId"] != kmsKey || queue["SqsManagedSseEnabled"] != nil {
		t.Errorf("the queue of dead letters is encrypted by %v", queue)
	}
	if !slices.ContainsFunc(out.Statements, func(s stack.Granted) bool {
		return s.Function == "work" && slices.Contains(s.Action, "kms:GenerateDataKey") && slices.Contains(s.Action, "kms:Decrypt") && s.Resource == kmsKey
	}) {
		t.Error("the role may send dead letters, and not encrypt what it sends")
	}
}

// TestAnswersAreWatched: what a web function answers with 500 or more is a success to Lambda, so the endpoint has an alarm.
func TestAnswersAreWatched(t *testing.T) {
	t.Parallel()
	api := server()
	api.Name = "api" // whose own alarms are called so, nearly
	for endpoint, want := range map[string]string{aloft.HTTPAPI: "5xx", aloft.RESTAPI: "5XXError", aloft.URLEndpoint: "Url5xxCount"} {
		in := input(release("shop", api))
		in.Release.AWS.Endpoint = endpoint
		out, _ := render(t, in)
		names := map[any]bool{}
		found := 0
		for id, r := range out.Template.Resources {
			if r.Type != "AWS::CloudWatch::Alarm" {
				continue
			}
			if names[r.Properties["AlarmName"]] {
				t.Errorf("%s: two alarms are called %v", endpoint, r.Properties["AlarmName"])
			}
			names[r.Properties["AlarmName"]] = true
			if r.Properties["MetricName"] == want && strings.HasSuffix(id, "5xxAlarm") {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: %d alarms look at %s", endpoint, found, want)
		}
		in.Release.AWS.CloudFormation = json.RawMessage(`{"Resources":{"` + stack.API(endpoint) + `":null}}`) // as where a stack of others keeps its API
		if out, _ = render(t, in); out.Template.Resources["Api5xxAlarm"].Type != "" {
			t.Errorf("%s: an alarm looks at an API that is not there", endpoint)
		}
	}
}
