package standard_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/standard"
)

// sources are of every kind, with every option.
func sources() []string {
	return []string{
		"schedule:rate(5 minutes)", "schedule:cron(0 9 ? * MON-FRI *)?timezone=Europe/Berlin&name=morning",
		`queue:jobs?batch=50&window=5s&maximum-concurrency=4&filter=[{"body":{"kind":["new"]}},{"body":{"kind":["old"]}}]`, "queue:orders",
		"arn:aws:sqs:eu-west-1:210987654321:theirs",
		`topic:news?filter={"kind":["new"]}&scope=body`, "arn:aws:sns:eu-west-1:210987654321:theirs",
		"bucket:uploads?prefix=in/&suffix=.png&events=ObjectCreated:*,ObjectRemoved:*",
		`stream:clicks?batch=10&window=5s&retries=3&maximum-age=1h&bisect&parallelization=4&position=trim-horizon&filter={"data":{"kind":["new"]}}`,
		"arn:aws:kinesis:eu-west-1:210987654321:stream/theirs?position=2026-01-31T12:00:00Z",
		`table:carts?batch=10&position=trim-horizon&filter={"eventName":["INSERT"]}`,
		"arn:aws:dynamodb:eu-west-1:210987654321:table/theirs/stream/2026-01-31T12:00:00.000",
	}
}

// sourceIn renders a source for the function of the graph's stack.
func sourceIn(t *testing.T, n int, text string) (eventsource.Rendered, error) {
	t.Helper()
	source, err := standard.EventSources(standard.Sourced{}).Parse(stage(), text)
	if err != nil {
		t.Fatal(err)
	}
	cloud, ok := source.(eventsource.Cloud)
	if !ok {
		t.Fatalf("%s cannot be in a stack", text)
	}
	declared := func(kind, name string) (aloft.Resource, bool) {
		i := slices.IndexFunc(graph(), func(r aloft.Resource) bool { return r.Type == kind && r.Name == name })
		if i < 0 {
			return aloft.Resource{}, false
		}
		return graph()[i], true
	}
	return cloud.Render(eventsource.Rendering{
		ID: fmt.Sprintf("WebSource%d", n), Alias: cfn.Ref("WebAlias"), AliasID: "WebAlias", Function: "shop-web-staging", Web: true, Timeout: 3 * time.Minute,
		ARN: func(kind, name string) any {
			if r, ok := declared(kind, name); ok {
				return rendered(t, r, nil).ARN
			}
			return ""
		},
		Declared: func(kind, name string) string {
			if _, ok := declared(kind, name); ok {
				return logical(name)
			}
			return ""
		},
		Physical: func(kind, name string) string {
			r, _ := declared(kind, name)
			if out := rendered(t, r, nil); out.Name != "" {
				return out.Name
			}
			return stage().ResourceName(r)
		},
	})
}

// TestLint has cfn-lint read templates with every kind and every event source: with stores that stay, that go, and with a key of
// the app's own.
func TestLint(t *testing.T) {
	t.Parallel()
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not here: pip install cfn-lint")
	}
	dir := t.TempDir()
	args := []string{"--non-zero-exit-code", "informational"}
	for name, change := range map[string]func(*resource.Rendering){
		"stay": nil,
		"go":   func(in *resource.Rendering) { in.Delete = true },
		"key":  func(in *resource.Rendering) { in.KMSKey = testKey },
	} {
		file := filepath.Join(dir, name+".json")
		text, err := templateOf(t, change).JSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.CommandContext(t.Context(), lint, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// templateOf is a stack with the whole graph, and a function that uses and gets events from all of it.
func templateOf(t *testing.T, change func(*resource.Rendering)) cfn.Template {
	t.Helper()
	all, env := map[string]cfn.Resource{}, map[string]any{}
	put := func(id string, r cfn.Resource) {
		if _, twice := all[id]; twice {
			t.Errorf("two resources have the id %s", id)
		}
		all[id] = r
	}
	var statements []cfn.Statement
	for _, r := range graph() {
		out := rendered(t, r, change)
		for id, one := range out.Resources {
			put(id, one)
		}
		maps.Copy(env, out.Env)
		statements = append(statements, out.Access[""]...)
	}
	for i, text := range sources() {
		out, err := sourceIn(t, i, text)
		if err != nil {
			t.Fatal(err)
		}
		for id, one := range out.Resources {
			put(id, one)
		}
		for id, patch := range out.Patches {
			eventsource.Patch(all[id].Properties, patch)
		}
		for id, after := range out.After {
			r := all[id]
			r.DependsOn = append(r.DependsOn, after...)
			all[id] = r
		}
		statements = append(statements, out.Statements...)
	}
	put("Role", cfn.Resource{Type: "AWS::IAM::Role", Properties: map[string]any{
		"AssumeRolePolicyDocument": cfn.Trust("lambda.amazonaws.com"),
		"Policies":                 []any{map[string]any{"PolicyName": "edges", "PolicyDocument": cfn.Policy(statements...)}},
	}})
	put("Web", cfn.Resource{Type: "AWS::Lambda::Function", Properties: map[string]any{
		"FunctionName": "shop-web-staging", "Role": cfn.GetAtt("Role", "Arn"), "Runtime": "provided.al2023", "Handler": "web",
		"Code": map[string]any{"S3Bucket": "aloft", "S3Key": "artifacts/x.zip"}, "Environment": map[string]any{"Variables": env},
		"Architectures": []string{"arm64"}, "MemorySize": 512, "Timeout": 180,
		"VpcConfig":     map[string]any{"SubnetIds": []string{"subnet-0a1b2c3d4e5f60718"}, "SecurityGroupIds": []string{"sg-0a1b2c3d4e5f60718"}},
		"LoggingConfig": map[string]any{"LogGroup": "/aws/lambda/shop-web-staging"},
	}})
	put("WebVersion", cfn.Resource{Type: "AWS::Lambda::Version", DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain", Properties: map[string]any{"FunctionName": cfn.Ref("Web")}})
	put("WebAlias", cfn.Resource{Type: "AWS::Lambda::Alias", Properties: map[string]any{
		"FunctionName": cfn.Ref("Web"), "Name": eventsource.Live, "FunctionVersion": cfn.GetAtt("WebVersion", "Version"),
	}})
	return cfn.Template{Description: fmt.Sprintf("the graph of %s", stage()), Resources: all}
}

func TestSourcesTellTheirOrigin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"queue:orders": "shop-orders-staging.fifo", "topic:news": "shop-news-staging", "table:carts": "shop-carts-staging",
		"bucket:uploads": "shop-uploads-staging-${AWS::AccountId}-${AWS::Region}", "arn:aws:sqs:eu-west-1:210987654321:theirs": "theirs",
		"arn:aws:dynamodb:eu-west-1:210987654321:table/theirs/stream/2026-01-31T12:00:00.000": "theirs",
	} {
		out, err := sourceIn(t, 0, text)
		if err != nil || out.Origin != want {
			t.Errorf("%s comes from %q, want %q: %v", text, out.Origin, want, err)
		}
	}
}

// TestSourcesNameWhatTheyRead checks that what a source adds to a role is of one thing.
func TestSourcesNameWhatTheyRead(t *testing.T) {
	t.Parallel()
	for i, text := range sources() {
		out, err := sourceIn(t, i, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.Statements {
			if asJSON(t, s.Resource) == `"*"` || strings.Contains(strings.Join(s.Action, " "), "*") {
				t.Errorf("%s adds %+v", text, s)
			}
		}
		for id, r := range out.Resources {
			if !strings.HasPrefix(id, fmt.Sprintf("WebSource%d", i)) {
				t.Errorf("%s makes %s", text, id)
			}
			if r.Type == "AWS::Lambda::Permission" && asJSON(t, r.Properties["SourceArn"]) == `""` {
				t.Errorf("%s lets anybody invoke the function", text)
			}
		}
	}
}

func TestSourcesThatAWSHasNot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"topic:ledger":                     "FIFO topic",
		"arn:aws:s3:::theirs":              "somebody else's",
		"queue:jobs?maximum-concurrency=1": "2 at least",
		"stream:clicks?maximum-age=5s":     "at least on AWS",
		"table:none":                       "no table",
	} {
		if _, err := sourceIn(t, 0, text); aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestQueuesWaitForTheirFunctions checks that a message is nobody else's for as long as the function may take: AWS refuses less.
func TestQueuesWaitForTheirFunctions(t *testing.T) {
	t.Parallel()
	all := templateOf(t, nil).Resources
	if got := all["Jobs"].Properties["VisibilityTimeout"]; got != 1085 { // six times the timeout, and the window
		t.Errorf("the visibility of jobs is %v s with a function of 180 s", got)
	}
	if got := all["JobsDead"].Properties["VisibilityTimeout"]; got != 30 {
		t.Errorf("the visibility of jobs-dead is %v s, though nothing takes from it", got)
	}
	notify := asJSON(t, all["Uploads"].Properties["NotificationConfiguration"])
	if strings.Count(notify, `"Event"`) != 2 || len(all["Uploads"].DependsOn) != 1 {
		t.Errorf("the bucket tells %s, after %v", notify, all["Uploads"].DependsOn)
	}
}
