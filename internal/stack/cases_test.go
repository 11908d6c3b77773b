package stack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/eventsource"
	"github.com/aloft-run/aloft/internal/stack"
	"github.com/aloft-run/aloft/internal/standard"
)

// cases are the goldens: the example apps with the functions that a build of each has, and what stages may have besides.
func cases() map[string]stack.Input {
	all := map[string]stack.Input{}
	for name, functions := range examples() {
		fitted, err := stack.Fit(functions, os.DirFS(filepath.Join("..", "..", "examples", name)))
		if err != nil {
			panic(err)
		}
		all["example-"+name] = input(release(name, fitted...))
	}
	all["rest"] = restCase()
	all["url"] = urlCase()
	all["domains"] = domainsCase("")
	all["domains-zone"] = domainsCase("Z0123456789ABCDEFGHIJ")
	all["handlers"] = handlersCase()
	all["everything"] = everythingCase()
	all["secret"] = secretCase()
	all["stores"] = storesCase()
	return all
}

// examples are the functions of examples/*, as "aloft build --json" has them.
func examples() map[string][]aloft.Function {
	web := func(env map[string]string, command ...string) []aloft.Function {
		return []aloft.Function{{Name: "web", Kind: aloft.Web, Command: command, Env: env}}
	}
	shell := func(line string) []string { return []string{"/bin/sh", "-c", "exec " + line} }
	python := map[string]string{"PATH": "$APP/.python_packages/bin:$PATH", "PYTHONPATH": "$APP/.python_packages", "PYTHONUNBUFFERED": "1"}
	node := map[string]string{
		"NODE_ENV": "production", "PATH": "$APP/node_modules/.bin:$PATH", "npm_package_name": "express-example", "npm_package_version": "1.0.0",
	}
	ruby := map[string]string{
		"BUNDLE_PATH": "$APP/vendor/bundle", "BUNDLE_WITHOUT": "development:test", "RACK_ENV": "production", "RAILS_ENV": "production",
		"RAILS_LOG_TO_STDOUT": "1", "RAILS_SERVE_STATIC_FILES": "1",
	}
	handler := func(name, of string) aloft.Function {
		return aloft.Function{
			Name: name, Kind: aloft.Handler, Handler: of, Runtime: "python", Env: python, Memory: 1024, Timeout: aloft.Duration(10 * time.Second),
			Max: 10, Idle: aloft.Duration(5 * time.Minute),
		}
	}
	return map[string][]aloft.Function{
		"hello-server": web(nil, "./server"),
		"go-chi":       web(nil, "bin/go-chi"),
		"axum":         web(nil, "bin/axum-example"),
		"express":      web(node, "node", "server.js"),
		"flask":        web(python, shell("python3 -m gunicorn --bind $HOST:$PORT app:app")...),
		"fastapi":      web(python, shell("python3 -m uvicorn --host $HOST --port $PORT main:app")...),
		"django":       web(python, shell("python3 -m gunicorn --bind $HOST:$PORT mysite.wsgi:application")...),
		"sinatra":      web(ruby, shell("bundle exec puma --bind tcp://$HOST:$PORT config.ru")...),
		"spring-boot":  web(nil, shell("java -Dserver.port=$PORT -Dserver.address=$HOST -jar target/spring-boot-example.jar")...),
		"procfile":     web(python, "python3", "hello.py"), // its clock is a worker, off on this stage
		"haproxy":      web(nil, shell("haproxy-bundled/haproxy -f haproxy.cfg")...),
		"static":       {{Name: "web", Kind: aloft.Static}},
		"thumbnail":    {handler("create-thumbnail", "CreateThumbnail.handler"), handler("pictures", "Pictures.handler"), handler("resize-thumbnail", "ResizeThumbnail.handler")},
	}
}

func server() aloft.Function {
	return aloft.Function{Name: "web", Kind: aloft.Web, Command: []string{"./server"}, HealthPath: "/health"}
}

func handlers() []aloft.Function {
	return []aloft.Function{
		{Name: "items", Kind: aloft.Handler, Handler: "items.handler", Runtime: "python3.13", Format: "apigw-v1", Routes: []string{"GET /items/{id}", "POST /items", "/files/{path...}", "/about/"}},
		{Name: "item-s", Kind: aloft.Handler, Handler: "index.handler", Runtime: "nodejs22.x", Format: "apigw-v1", Routes: []string{"/{$}"}},
	}
}

func restCase() stack.Input {
	in := input(release("shop", append(handlers(), server())...))
	in.Release.AWS.Endpoint, in.Release.AWS.WAF = aloft.RESTAPI, &aloft.WAF{}
	in.Release.AWS.Throttle = &aloft.Throttle{Rate: 100, Burst: 50}
	return in
}

func urlCase() stack.Input {
	in := input(release("shop", server(), aloft.Function{
		Name: "hook", Kind: aloft.Handler, Handler: "index.handler", Runtime: "nodejs22.x", URL: &aloft.FunctionURL{Stream: true},
	}, aloft.Function{
		Name: "inner", Kind: aloft.Handler, Handler: "index.handler", Runtime: "nodejs22.x", URL: &aloft.FunctionURL{IAM: true},
	}))
	in.Release.AWS.Endpoint = aloft.URLEndpoint
	return in
}

func domainsCase(zone string) stack.Input {
	in := input(release("shop", server()))
	in.Release.AWS.Domains, in.Release.AWS.Zone = []string{"shop.example.com", "www.example.com"}, "none"
	in.Release.AWS.Regions = []string{"us-east-1", "eu-west-1"}
	if zone != "" {
		in.Release.AWS.Zone = zone
		in.Zones = map[string]string{"shop.example.com": zone, "www.example.com": zone}
	}
	return in
}

func handlersCase() stack.Input {
	in := input(release("shop", handlers()...))
	in.Release.AWS.Throttle = &aloft.Throttle{Rate: 10, Burst: 5}
	return in
}

// everythingCase has every setting that goes with others.
func everythingCase() stack.Input {
	reserved, retries := 5, 1
	files := aloft.Function{Name: "static", Kind: aloft.Static, Root: "public", Prefix: "/assets"}
	work := aloft.Function{
		Name: "work", Kind: aloft.Handler, Handler: "work.handler", Runtime: "python3.13", Opt: "feed",
		Async: &aloft.Async{Retries: &retries, MaxAge: aloft.Duration(time.Hour), OnSuccess: "function:web", Loops: aloft.LoopsAllowed},
		Lambda: &aloft.Lambda{
			EphemeralStorage: 1024, Layers: []string{"arn:aws:lambda:us-east-1:123456789012:layer:mine:3"}, Reserved: &reserved, Provisioned: 2,
			Policy: []json.RawMessage{json.RawMessage(`{"Action":"ses:SendEmail","Resource":"arn:aws:ses:us-east-1:123456789012:identity/example.com"}`)},
		},
	}
	snap := aloft.Function{
		Name: "snap", Kind: aloft.Handler, Handler: "com.example.Handler::handleRequest", Runtime: "java21",
		Lambda: &aloft.Lambda{SnapStart: true, Role: "arn:aws:iam::123456789012:role/mine"},
	}
	in := input(release("shop", server(), files, work, snap))
	in.Layers = map[string]stack.Object{"feed": {Bucket: bucket, Key: "artifacts/feed.zip"}}
	in.Config.Variables = map[string]aloft.Config{
		"web": {"API_KEY": "hunter2-secret", "GREETING": "hello-everybody"}, "work": {"API_KEY": "hunter3-secret", "GREETING": "hello-everybody"},
	}
	a := in.Release.AWS
	a.Tracing, a.LogDays, a.Architecture = true, 30, aloft.X8664
	a.VPC = &aloft.VPC{Subnets: []string{"subnet-0123456789abcdef0"}, SecurityGroups: []string{"sg-0123456789abcdef0"}}
	a.KMSKey = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
	a.Tags = map[string]string{"team": "shop"}
	a.Alarms = &aloft.Alarms{
		Notify: []string{"ops@example.com", "https://example.com/alarm", "arn:aws:sns:us-east-1:123456789012:pager"}, Errors: 3,
		Latency: aloft.Duration(2 * time.Second),
	}
	a.CloudFormation = json.RawMessage(`{"Resources":{
		"WebFunction":{"Properties":{"MemorySize":2048}},
		"WebThrottlesAlarm":null,
		"Extra":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":{"Ref":"ExtraName"}}}
	},"Parameters":{"ExtraName":{"Type":"String","Default":"extra"}}}`)
	return in
}

func secretCase() stack.Input {
	in := input(release("shop", server(), aloft.Function{Name: "work", Kind: aloft.Handler, Handler: "work.handler", Runtime: "python3.13"}))
	in.Config = stack.Config{
		Variables: map[string]aloft.Config{"web": {"API_KEY": "hunter2-secret"}, "work": {"API_KEY": "hunter2-secret"}},
		Secret:    "aloft/shop/production", Label: "c7",
	}
	return in
}

// storesCase has a resource of each type, and functions that use them.
func storesCase() stack.Input {
	work := aloft.Function{
		Name: "work", Kind: aloft.Handler, Handler: "work.handler", Runtime: "python3.13",
		Uses: []string{"uploads", "items:read", "key:read", "events:write"}, Async: &aloft.Async{OnSuccess: "topic:news", OnFailure: "queue:jobs"},
	}
	web := server()
	for _, kind := range aloft.ResourceTypes() {
		web.Uses = append(web.Uses, named(kind))
	}
	web.EventSources = []string{"queue:jobs?batch=5", "schedule:rate(5 minutes)", "schedule:cron(0 9 ? * MON-FRI *)", "bucket:uploads?prefix=in/"}
	work.EventSources = []string{"queue:jobs", "topic:news", "stream:events", "table:items", "bucket:uploads?prefix=out/"}
	in := input(release("shop", web, work))
	in.Sources = func(uri string) (eventsource.Source, error) {
		return standard.EventSources(standard.Sourced{}).Parse(in.Release.StageRef, uri)
	}
	for _, kind := range aloft.ResourceTypes() {
		one := aloft.Resource{Name: named(kind), Type: kind}
		switch kind {
		case aloft.Table:
			one.Options = map[string]string{"key": "id"}
		case aloft.Mail:
			one.Options = map[string]string{"identity": "example.com"}
		}
		in.Release.Resources = append(in.Release.Resources, one)
	}
	in.Release.AWS.VPC = &aloft.VPC{Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}, SecurityGroups: []string{"sg-0123456789abcdef0"}}
	in.Kinds = standard.CloudKinds()
	return in
}

// named is the name of the resource of a type.
func named(kind string) string {
	return map[string]string{
		aloft.Bucket: "uploads", aloft.Queue: "jobs", aloft.Topic: "news", aloft.Stream: "events", aloft.Table: "items", aloft.Postgres: "db",
		aloft.Cache: "sessions", aloft.Search: "index", aloft.Mail: "mail", aloft.Secret: "key",
	}[kind]
}
