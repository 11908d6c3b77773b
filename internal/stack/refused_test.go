package stack_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// TestRefused holds what AWS cannot have: each is said with the place and the next step.
func TestRefused(t *testing.T) {
	t.Parallel()
	handler := aloft.Function{Name: "work", Kind: aloft.Handler, Handler: "work.handler", Runtime: "python3.13"}
	with := func(change func(*aloft.Function)) []aloft.Function {
		f := handler.Clone()
		f.Lambda = &aloft.Lambda{}
		change(&f)
		return []aloft.Function{f}
	}
	web := func(change func(*aloft.Function)) []aloft.Function {
		f := server()
		change(&f)
		return []aloft.Function{f}
	}
	for name, c := range map[string]struct {
		functions  []aloft.Function
		change     func(*stack.Input)
		says, hint string
	}{
		"worker":      {functions: []aloft.Function{{Name: "clock", Kind: aloft.Worker}}, says: "clock is a worker", hint: "functions.clock.instances: 0"},
		"nothing":     {says: "no function that runs"},
		"handler web": {functions: web(func(f *aloft.Function) { f.Command = []string{"/bin/sh", "-c", "exec app.handler"} }), says: "app.handler", hint: "another name in the Procfile"},
		"php":         {functions: web(func(f *aloft.Function) { f.Command = []string{"php", "-S", "x"} }), says: "web: no runtime of AWS Lambda has php", hint: "./bin/lua"},
		"lua":         {functions: web(func(f *aloft.Function) { f.Command = []string{"lua", "server.lua"} }), says: "web: no runtime of AWS Lambda has lua", hint: "./bin/lua"},
		"php file":    {functions: web(func(f *aloft.Function) { f.Command = []string{"/bin/sh", "-c", "exec php index.php"} }), says: "has php", hint: "functions.web.lambda.layers"},
		"old ruby":    {functions: web(func(f *aloft.Function) { f.Runtime = "ruby3.1" }), says: "web is built for ruby3.1", hint: "ruby3.4"},
		"slow":        {functions: web(func(f *aloft.Function) { f.Timeout = aloft.Duration(time.Minute) }), says: "web may take 1m0s, and an HTTP API waits 30s", hint: "rest-api or function-url"},
		"memory":      {functions: web(func(f *aloft.Function) { f.Memory = 20480 }), says: "web has 20480 MB of memory, and AWS Lambda gives 128 to 10240 MB", hint: "functions.web.memory"},
		"too slow":    {functions: with(func(f *aloft.Function) { f.Timeout = aloft.Duration(time.Hour) }), says: "work may take 1h0m0s"},
		"reserved":    {functions: with(func(f *aloft.Function) { f.Env = map[string]string{"AWS_REGION": "x"} }), says: "the env of work sets AWS_REGION"},
		"host":        {functions: with(func(f *aloft.Function) { f.Routes = []string{"example.com/x"} }), says: `"example.com/x" of work names a host`},
		"alb":         {functions: with(func(f *aloft.Function) { f.Format = "alb" }), says: "format alb"},
		"layers":      {functions: with(func(f *aloft.Function) { f.Lambda.Layers = make([]string, 6) }), says: "work has 6 layers"},
		"policy":      {functions: with(func(f *aloft.Function) { f.Lambda.Policy = []json.RawMessage{[]byte(`{"Action":"x"}`)} }), says: "functions.work.lambda.policy[0]: it has to have either Resource"},
		"snapshot":    {functions: with(func(f *aloft.Function) { f.Lambda.SnapStart, f.Runtime = true, "nodejs22.x" }), says: "nodejs22.x, which has no SnapStart"},
		"snapshots":   {functions: with(func(f *aloft.Function) { f.Lambda.SnapStart, f.Lambda.Provisioned = true, 1 }), says: "goes with neither"},
		"snapped web": {functions: web(func(f *aloft.Function) { f.Lambda = &aloft.Lambda{SnapStart: true} }), says: "SnapStart does not bring back", hint: "leave lambda.snapstart out"},
		"uses":        {functions: with(func(f *aloft.Function) { f.Uses = []string{"uploads"} }), says: "work uses uploads, which is no resource"},
		"destination": {functions: with(func(f *aloft.Function) { f.Async = &aloft.Async{OnFailure: "queue:jobs"} }), says: "declares no queue jobs"},
		"source":      {functions: with(func(f *aloft.Function) { f.EventSources = []string{"queue:jobs"} }), says: "the app declares no queue jobs", hint: "resources section"},
		"raw section": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.AWS.CloudFormation = json.RawMessage(`{"Transform":{}}`)
		}, says: "Transform cannot be merged"},
		"many statements": {functions: with(func(f *aloft.Function) {
			f.Lambda.Policy = slices.Repeat([]json.RawMessage{[]byte(`{"Action":"ses:SendEmail","Resource":"arn:aws:ses:us-east-1:123456789012:identity/example.com"}`)}, 100)
		}), says: "a role of IAM has room for 10240"},
		"name": {functions: with(func(f *aloft.Function) { f.Env = map[string]string{"A": "x"} }), says: "the env of work sets A, which is no name"},
		"bootstrap": {functions: append(web(func(*aloft.Function) {}), aloft.Function{
			Name: "work", Kind: aloft.Handler, Handler: "work", Runtime: "provided.al2023", Command: []string{"./bootstrap"},
		}), says: "which AWS Lambda would start for web too"},
		"wrapper": {functions: web(func(f *aloft.Function) {
			f.Command, f.Env = []string{"node", "x.js"}, map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/x"}
		}), says: "AWS_LAMBDA_EXEC_WRAPPER, which AWS Lambda keeps"},
		"waf":      {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) { in.Release.AWS.WAF = &aloft.WAF{} }, says: "needs a REST API"},
		"endpoint": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) { in.Release.AWS.Endpoint = "elb" }, says: `no endpoint "elb"`},
		"domain": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.AWS.Endpoint, in.Release.AWS.Domains = aloft.URLEndpoint, []string{"example.com"}
		}, says: "would need CloudFront", hint: "http-api"},
		"rest v2": {functions: append(web(func(*aloft.Function) {}), handler), change: func(in *stack.Input) { in.Release.AWS.Endpoint = aloft.RESTAPI }, says: "a REST API sends apigw-v1"},
		"alarm": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.AWS.Alarms = &aloft.Alarms{Notify: []string{"nobody"}}
		}, says: `alarms cannot tell "nobody"`},
		"resource type": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.Resources = []aloft.Resource{{Name: "disk", Type: "disk"}}
		}, says: "disk is of the type disk", hint: "bucket"},
		"large config": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Config.Variables = map[string]aloft.Config{"web": {"CERTIFICATE": strings.Repeat("x", 4000)}}
		}, says: "CERTIFICATE 4017"},
		"secret of a bootstrap": {functions: with(func(f *aloft.Function) { f.Runtime = "provided.al2023" }), change: func(in *stack.Input) {
			in.Config = stack.Config{Variables: map[string]aloft.Config{"work": {"A": "b"}}, Secret: "x"}
		}, says: "does not fit into the 4 KB"},
		"raw parameter": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.AWS.CloudFormation = json.RawMessage(`{"Parameters":{"X":{"Type":"String"}}}`)
		}, says: "the parameter X has no Default"},
		"raw resource": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.AWS.CloudFormation = json.RawMessage(`{"Resources":{"X":{"Typo":"String"}}}`)
		}, says: `unknown field "Typo"`},
		"raw change of nothing": {functions: web(func(*aloft.Function) {}), change: func(in *stack.Input) {
			in.Release.AWS.CloudFormation = json.RawMessage(`{"Resources":{"RestApi":{"Properties":{"Name":"x"}}}}`)
		}, says: "RestApi has no Type", hint: "remove it"},
		"two variables": {functions: with(restRoutes("/a/{id}", "/a/{name}/b")), change: onREST, says: "/a/{id} of work and /a/{name}/b of work", hint: "one name"},
		"variable beside all": {
			functions: append(web(func(*aloft.Function) {}), with(restRoutes("GET /{slug}"))...), change: onREST,
			says: "/{proxy+} of web", hint: "put a part with a name of its own before",
		},
		"all beside all": {
			functions: append(web(func(*aloft.Function) {}), with(restRoutes("/{path...}"))...), change: onREST,
			says: "/{path+} of work and /{proxy+} of web have two variables", hint: "endpoint: http-api",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(release("shop", c.functions...))
			in.Kinds = standard.CloudKinds()
			in.Sources = func(uri string) (eventsource.Source, error) {
				return standard.EventSources(standard.Sourced{}).Parse(in.Release.StageRef, uri)
			}
			if c.change != nil {
				c.change(&in)
			}
			_, err := stack.Render(in)
			e, ok := errors.AsType[*aloft.Error](err)
			switch {
			case !ok || e.Code != aloft.Invalid || !strings.Contains(e.Message, c.says):
				t.Errorf("said %v, want %q", err, c.says)
			case e.Hint == "" || !strings.Contains(e.Hint, c.hint):
				t.Errorf("hint %q, want %q", e.Hint, c.hint)
			}
		})
	}
}

func restRoutes(routes ...string) func(*aloft.Function) {
	return func(f *aloft.Function) { f.Format, f.Routes = "apigw-v1", routes }
}

func onREST(in *stack.Input) { in.Release.AWS.Endpoint = aloft.RESTAPI }

// TestRoutes holds what patterns of net/http become.
func TestRoutes(t *testing.T) {
	t.Parallel()
	in := input(release("shop", aloft.Function{
		Name: "work", Kind: aloft.Handler, Handler: "work.handler", Runtime: "python3.13",
		Routes: []string{"GET /items/{id}", "/files/{path...}", "/about/", "POST /{$}", "PUT /all/{rest...}"},
	}))
	out, _ := render(t, in)
	var keys []string
	for _, r := range out.Template.Resources {
		if r.Type == "AWS::ApiGatewayV2::Route" {
			key, _ := r.Properties["RouteKey"].(string)
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	want := []string{
		"ANY /about", "ANY /about/{proxy+}", "ANY /files/{path+}", "GET /items/{id}", "HEAD /items/{id}", "POST /", "PUT /all/{rest+}",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("routes %q, want %q", keys, want)
	}
}

// TestRESTLeavesNothingOut checks that the web function gets what no route of a handler is for, wherever one is near.
func TestRESTLeavesNothingOut(t *testing.T) {
	t.Parallel()
	out, _ := render(t, restCase())
	methods := map[string]bool{}
	for _, r := range out.Template.Resources {
		if r.Type == "AWS::ApiGateway::Method" && r.Properties["HttpMethod"] == "ANY" {
			at, err := json.Marshal(r.Properties["ResourceId"])
			if err != nil {
				t.Fatal(err)
			}
			methods[string(at)] = true
		}
	}
	for id, r := range out.Template.Resources {
		if r.Type == "AWS::ApiGateway::Resource" && !methods[`{"Ref":"`+id+`"}`] {
			t.Errorf("nothing answers all methods of %v", r.Properties["PathPart"])
		}
	}
}

// TestOff checks that functions without instances are left out, as workers on AWS have to be.
func TestOff(t *testing.T) {
	t.Parallel()
	in := input(release("shop", server(), aloft.Function{Name: "clock", Kind: aloft.Worker, Command: []string{"./clock"}}))
	in.Release.Tuning = map[string]aloft.Tuning{"clock": {Scale: &aloft.Scale{}}}
	out, _ := render(t, in)
	if names := slices.Collect(maps.Keys(out.Functions)); !slices.Equal(names, []string{"web"}) {
		t.Errorf("functions %q", names)
	}
}

// TestSimilarNames checks that functions whose names differ in dashes only do not take each other's places.
func TestSimilarNames(t *testing.T) {
	t.Parallel()
	of := func(name string) aloft.Function {
		return aloft.Function{Name: name, Kind: aloft.Handler, Handler: "a.b", Runtime: "python3.13"}
	}
	out, _ := render(t, input(release("shop", of("a-1"), of("a1"))))
	if a, b := out.Functions["a-1"].Function, out.Functions["a1"].Function; a == b || a == "" {
		t.Errorf("both are %s", a)
	}
}

// TestFunctionsOfCommonNames deploys functions that are called as parts of every stack are.
func TestFunctionsOfCommonNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"api", "api-stage", "url", "release", "domain", "config", "live", "web", "web-role", "web-logs", "web-alias"} {
		for _, endpoint := range []string{aloft.HTTPAPI, aloft.URLEndpoint} {
			r := release("shop", aloft.Function{Name: "web", Kind: aloft.Web, Command: []string{"./server"}})
			if name != "web" {
				r.Functions = append(r.Functions, aloft.Function{Name: name, Kind: aloft.Handler, Handler: "a.b", Runtime: "python3.13"})
			}
			r.AWS.Endpoint = endpoint
			out, _ := render(t, input(r))
			if len(out.Functions) != len(r.Functions) {
				t.Errorf("%s with %s: %v", name, endpoint, out.Functions)
			}
		}
	}
}

// TestWarnings holds what people are told of stages that work, but not as they may think.
func TestWarnings(t *testing.T) {
	t.Parallel()
	in := storesCase()
	in.Release.Functions[0].Uses = slices.DeleteFunc(in.Release.Functions[0].Uses, func(use string) bool { return use == "db" })
	in.Release.Functions[1].Runtime = "python3.10"
	in.Release.Functions[0].Max, in.Release.Functions[0].CPU = 3, 0.5
	in.Release.AWS.Regions = []string{"us-east-1", "eu-west-1"}
	out, _ := render(t, in)
	for _, want := range []string{"no function uses db", "AWS deprecated the runtime python3.10 on 2026-10-31", "uploads is in one region only", "does not have max, cpu;"} {
		if !strings.Contains(strings.Join(out.Warnings, "\n"), want) {
			t.Errorf("no warning %q in %q", want, out.Warnings)
		}
	}
	if strings.Contains(strings.Join(out.Warnings, "\n"), "no function uses jobs") {
		t.Errorf("jobs are used: %q", out.Warnings)
	}
	for most, warned := range map[int]bool{aloft.HandlerMax: false, 3: true} {
		r := release("shop", aloft.Function{Name: "work", Kind: aloft.Handler, Handler: "a.b", Runtime: "python3.13", Max: most})
		out, _ := render(t, input(r))
		if strings.Contains(strings.Join(out.Warnings, "\n"), "does not have max") != warned {
			t.Errorf("at most %d: %q", most, out.Warnings)
		}
	}
	in = secretCase()
	for _, vpc := range []*aloft.VPC{nil, {Subnets: []string{"subnet-0123456789abcdef0"}, SecurityGroups: []string{"sg-0123456789abcdef0"}}} {
		in.Release.AWS.VPC = vpc
		out, _ := render(t, in)
		if all := strings.Join(out.Warnings, "\n"); strings.Contains(all, "web: the config is past the 4 KB") != (vpc != nil) || strings.Contains(all, "hunter2") {
			t.Errorf("config in a secret, VPC %v: %q", vpc, out.Warnings)
		}
	}
	in.Config.Secret = ""
	if out, _ := render(t, in); strings.Contains(strings.Join(out.Warnings, "\n"), "4 KB") {
		t.Errorf("config in variables: %q", out.Warnings)
	}
}
