package manifest

import (
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

func decodeAloft(d *document) (layer, error) {
	n, err := parseYAML(d)
	if err != nil || n.kind == nothing {
		return layer{}, err
	}
	return aloftShape().read(d, n)
}

// aloftShape is the table of aloft.yml.
func aloftShape() shape[layer] {
	keys := []key[layer]{
		bind(KeyDoc{Key: "name", Default: "the directory's name", Meaning: "The app's name."},
			appName(), func(l *layer) *string { return &l.base.Name }),
	}
	keys = append(keys, lift(settingsKeys(), func(l *layer) *Settings { return &l.base })...)
	keys = append(keys,
		bind(KeyDoc{Key: "ignore", Meaning: "Files not shipped, as patterns of .gitignore form, besides those of the ignore files."},
			listOf(pattern()), func(l *layer) *[]string { return &l.base.Ignore }),
		bind(KeyDoc{Key: "stages", Meaning: "Settings of single stages. They win over the general ones, key by key."},
			mapOf("STAGE", names("stage"), settingsShape()), func(l *layer) *map[string]Settings { return &l.stages }),
	)
	return checked(objectOf(keys...), func(d *document, n node, l *layer) error {
		if err := settle(d, n, &l.base); err != nil {
			return err
		}
		if err := checkResources(d, n, l.base.Resources); err != nil {
			return err
		}
		if err := checkUses(d, n, l); err != nil {
			return err
		}
		return checkPlaces(d, n, l)
	})
}

// settingsShape is what a stage may say.
func settingsShape() shape[Settings] {
	return checked(objectOf(settingsKeys()...), settle)
}

// checked adds a look at the whole value after its parts have been read.
func checked[T any](s shape[T], check func(*document, node, *T) error) shape[T] {
	read := s.read
	s.read = func(d *document, n node) (T, error) {
		v, err := read(d, n)
		if err == nil {
			err = check(d, n, &v)
		}
		return v, err
	}
	return s
}

// settingsKeys are the keys that a stage may override.
func settingsKeys() []key[Settings] {
	return append([]key[Settings]{
		bind(KeyDoc{Key: "build", Default: "detected", Meaning: "Shell lines that build the app, instead of the detected build."},
			line(), func(s *Settings) *string { return &s.Build }),
		bind(KeyDoc{Key: "start", Default: "detected", Meaning: "The shell line that starts the web server."},
			line(), func(s *Settings) *string { return &s.Start }),
		bind(KeyDoc{Key: "static", Meaning: "Files to serve. Without a prefix they are the whole app, with one they are served beside the web server."},
			staticShape(), func(s *Settings) **Static { return &s.Static }),
		bind(KeyDoc{Key: "routes", Default: "/FUNCTION and below", Meaning: "Which handler function answers which requests, such as \"POST /items/{id}\"."},
			mapOf("ROUTE", routes(), functionName()), func(s *Settings) *map[string]string { return &s.Routes }),
		bind(KeyDoc{Key: "resources", Meaning: "Stores and services that the app uses: they are made with the first release that has them, and kept until the stage is destroyed."},
			mapOf("RESOURCE", names("resource"), resourceShape()), func(s *Settings) *map[string]ResourceSettings { return &s.Resources }),
		usesKey(),
		bind(KeyDoc{Key: "env", Meaning: "Variables for build and run. Those of aloft config win over them."},
			mapOf("NAME", envNames(), anyText()), func(s *Settings) *map[string]string { return &s.Env }),
		bind(KeyDoc{Key: "health", Default: "it accepts connections", Meaning: "When an instance is ready for traffic."},
			healthShape(), func(s *Settings) *Health { return &s.Health }),
		bind(KeyDoc{Key: "drain", Default: brief(Default().Drain), Meaning: "How long old instances may finish their requests after a switch."},
			duration(), func(s *Settings) *aloft.Duration { return &s.Drain }),
		bind(KeyDoc{Key: "timeout", Default: "none", Meaning: "How long a request may wait for its response headers."},
			duration(), func(s *Settings) *aloft.Duration { return &s.Timeout }),
		bind(KeyDoc{Key: "isolation", Meaning: "How well the app must be kept apart from others."},
			objectOf(bind(KeyDoc{Key: "minimum", Default: "any", Meaning: "The level below which a server neither builds nor runs it: 4 isolated and bounded, 3 isolated, 2 confined, 1 separate processes."},
				within(1, 4), func(i *Isolation) *int { return &i.Minimum })), func(s *Settings) *Isolation { return &s.Isolation }),
		bind(KeyDoc{Key: "hooks", Meaning: "Shell lines run at points of a deploy."},
			hooksShape(), func(s *Settings) *Hooks { return &s.Hooks }),
		bind(KeyDoc{Key: "functions", Meaning: "Settings of single functions: web, those of the Procfile, and those with a command here."},
			mapOf("FUNCTION", names("function"), functionShape()),
			func(s *Settings) *map[string]FunctionSettings { return &s.Functions }),
	}, awsKeys()...)
}

func functionShape() shape[FunctionSettings] {
	return checked(functionKeys(), func(d *document, n node, f *FunctionSettings) error {
		switch {
		case f.Max > 0 && f.Instances > f.Max:
			return d.fault(n.at, "%s: min is %d, more than max, %d", n.path, f.Instances, f.Max).WithHint("correct one of the two")
		case f.Handler != "" && f.Command != "" && !strings.HasPrefix(f.Runtime, "provided"):
			return d.fault(n.at, "%s: handler and command contradict each other", n.path).WithHint("keep one of the two, or say runtime: provided.al2023 if the command speaks the Runtime API")
		case f.Target > 0 && f.Concurrency > 0 && f.Target > f.Concurrency:
			return d.fault(n.at, "%s: concurrency.soft is %d, more than concurrency.hard, %d", n.path, f.Target, f.Concurrency).WithHint("correct one of the two")
		}
		return nil
	})
}

func functionKeys() shape[FunctionSettings] {
	keys := []key[FunctionSettings]{
		bind(KeyDoc{Key: "command", Default: "the Procfile's line", Meaning: "The shell line that starts it."},
			line(), func(f *FunctionSettings) *string { return &f.Command }),
		bind(KeyDoc{Key: "handler", Default: "the Procfile's line", Meaning: "What a Lambda runtime calls with each event: app.handler is handler in app.py or app.mjs."},
			handlerName(), func(f *FunctionSettings) *string { return &f.Handler }),
		bind(KeyDoc{Key: "runtime", Default: "by the handler's file", Meaning: "The Lambda runtime of a handler, by AWS's name. With provided.al2023 the command speaks the Runtime API itself. For the web function it is where the command runs on AWS, which else is known by the command."},
			runtimeName(), func(f *FunctionSettings) *string { return &f.Runtime }),
		bind(KeyDoc{Key: "format", Default: "apigw-v2", Meaning: "What event a handler gets of a request: API Gateway's payload 2.0 or 1.0, a function URL's, a load balancer's."},
			oneOf("apigw-v2", "apigw-v1", "function-url", "alb", "alb-multi"), func(f *FunctionSettings) *string { return &f.Format }),
		bind(KeyDoc{Key: "env", Meaning: "Variables of this function alone when it runs, over those of the section env. Those of aloft config win over them."},
			mapOf("NAME", envNames(), anyText()), func(f *FunctionSettings) *map[string]string { return &f.Env }),
		bind(KeyDoc{Key: "events", Meaning: "What invokes it besides requests: schedules, queues, topics, buckets, streams."},
			eventSources(), func(f *FunctionSettings) *[]string { return &f.Events }),
		bind(KeyDoc{Key: "event-path", Default: "/events", Meaning: "Where a web function gets events: as POSTs to this path and the source's name below it, which is closed to the outside."},
			eventPath(), func(f *FunctionSettings) *string { return &f.EventPath }),
		bind(KeyDoc{Key: "memory", Default: "no limit", Meaning: "How much memory an instance may use; one that wants more is ended. Isolation levels 1 and 2 do not enforce it."},
			size(), func(f *FunctionSettings) *int { return &f.Memory }),
		bind(KeyDoc{Key: "cpu", Default: "no limit", Meaning: "How many processors an instance may use. Without it, processors are shared out by memory when they are scarce. Isolation level 4 enforces it."},
			processors(), func(f *FunctionSettings) *float64 { return &f.CPU }),
		bind(KeyDoc{Key: "min", Default: "1", Meaning: "How many instances run at least, unless the function is idle."},
			count(1), func(f *FunctionSettings) *int { return &f.Instances }),
		bind(KeyDoc{Key: "max", Default: "as min", Meaning: "How many instances run at most: more are started when requests need them, and end when they do not."},
			count(1), func(f *FunctionSettings) *int { return &f.Max }),
		{
			doc: KeyDoc{
				Key: "concurrency", Type: count(1).noun() + ", or a map of keys", Default: "no limit",
				Meaning: "How many requests an instance takes at once; more wait for up to 10 s. Of a handler: how many events are worked on at once, each by an instance of its own.",
			},
			below: concurrencyShape().keys, schema: either(count(1), shape[int]{schema: concurrencyShape().schema}).schema, read: readConcurrency,
		},
		bind(KeyDoc{Key: "queue", Default: "1000", Meaning: "How many requests may wait at once; more are answered with status 503."},
			count(1), func(f *FunctionSettings) *int { return &f.Queue }),
		{
			doc: KeyDoc{
				Key: "idle", Type: duration().noun() + ", or off", Default: "off for production, 15m for other stages",
				Meaning: "After this long without a request all instances end; the next request starts one.",
			},
			schema: map[string]any{"anyOf": []any{duration().schema, map[string]any{"enum": []any{"off", false}}}}, read: readIdle,
		},
		bind(KeyDoc{Key: "network", Default: "the Internet's public addresses only", Meaning: "Private address ranges that it may connect to as well."},
			listOf(privateRange()), func(f *FunctionSettings) *[]string { return &f.Network }),
		{
			doc:    KeyDoc{Key: "instances", Type: count(0).noun(), Default: "1", Meaning: "How many instances run; 0 turns the function off."},
			schema: count(0).schema, read: readInstances,
		},
		bind(KeyDoc{Key: "timeout", Default: "the general one", Meaning: "How long a request may wait for its response headers."},
			duration(), func(f *FunctionSettings) *aloft.Duration { return &f.Timeout }),
		bind(KeyDoc{Key: "drain", Default: "the general one", Meaning: "How long old instances may finish their work after a switch."},
			duration(), func(f *FunctionSettings) *aloft.Duration { return &f.Drain }),
		bind(KeyDoc{Key: "health", Default: "the general one", Meaning: "When an instance is ready for traffic."},
			healthShape(), func(f *FunctionSettings) *Health { return &f.Health }),
	}
	return objectOf(append(append(keys, urlKey(), functionUsesKey(), lambdaKey()), asyncKeys()...)...)
}

// settle refuses what contradicts itself in one section, and brings what can be said in two ways into one.
func settle(d *document, n node, s *Settings) error {
	at := func(keys ...string) place {
		v := n
		for _, k := range keys {
			v, _ = v.get(k)
		}
		return v.at
	}
	if s.Build != "" && s.Hooks.Build != nil {
		return d.fault(at("hooks", "build"), "build and hooks.build say the same thing twice").WithHint("keep one of the two")
	}
	if s.Start != "" && s.Static != nil && s.Static.Only {
		return d.fault(at("static"), "static without a prefix is the whole app, but start names a server").
			WithHint("remove start, or serve the files beside it: static: {dir: public, prefix: /assets}")
	}
	web, said := s.Functions[WebFunction]
	if web.Handler != "" {
		return d.fault(at("functions", WebFunction, "handler"), "%s is the web server, which has a command and no handler", WebFunction).
			WithHint("give the handler another name, and requests to it: functions: {api: {handler: %s}} and routes: {/: api}", web.Handler)
	}
	if !said || web.Command == "" {
		return nil
	}
	if s.Start != "" {
		return d.fault(at("functions", WebFunction, "command"), "start and functions.web.command say the same thing twice").
			WithHint("keep one of the two")
	}
	s.Start, web.Command = web.Command, ""
	s.Functions[WebFunction] = web
	return nil
}

// brief is a duration without its zero units: "30s", "1m", "12h".
func brief(d aloft.Duration) string {
	text := time.Duration(d).String()
	for _, zero := range []string{"0s", "0m"} {
		if shorter, ok := strings.CutSuffix(text, zero); ok && strings.ContainsAny(shorter[len(shorter)-1:], "mh") {
			text = shorter
		}
	}
	return text
}
