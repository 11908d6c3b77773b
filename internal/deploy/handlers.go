package deploy

import (
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
	"github.com/aloft-run/aloft/internal/manifest"
	"github.com/aloft-run/aloft/internal/route"
)

// What a handler function gets that says nothing else.
const (
	handlerMemory  = 1024 // MB
	handlerTimeout = aloft.Duration(10 * time.Second)
)

// handler makes a function of what is a Lambda handler: named in the manifest, or a line of the Procfile that names a function
// in a file of the tree. It reports false for what is a command.
func handler(f manifest.FunctionSettings, name, line string, tree fs.FS) (aloft.Function, bool, error) {
	named := cmp.Or(f.Handler, line)
	family, guessed := lambdaruntime.Guess(named, tree)
	runtime := string(family)
	switch {
	case f.Runtime != "":
		said, _, err := lambdaruntime.Parse(f.Runtime)
		if err != nil {
			return aloft.Function{}, false, err
		}
		family, runtime = said, f.Runtime
	case f.Handler != "" && !guessed:
		return aloft.Function{}, false, aloft.Errorf(aloft.Invalid, "function %q: no file is found for the handler %q", name, f.Handler).
			WithHint("app.handler is the function handler in app.py, app.mjs, app.js, app.cjs or app.rb; runtime says which language it is")
	case !guessed:
		return aloft.Function{}, false, nil
	}
	idle := f.Idle
	if idle == 0 && !f.NeverIdle {
		idle = idleTime // in production too, as on Lambda
	}
	h := aloft.Function{
		Name: name, Kind: aloft.Handler, Handler: named, Runtime: runtime, Format: f.Format,
		Memory: cmp.Or(f.Memory, handlerMemory), Timeout: cmp.Or(f.Timeout, handlerTimeout), CPU: f.CPU, Network: f.Network,
		Instances: f.Instances, Max: cmp.Or(f.Max, f.Concurrency, max(aloft.HandlerMax, f.Instances)), Queue: f.Queue, Idle: idle, DrainTimeout: f.Drain, Async: asyncOf(f),
	}
	if family == lambdaruntime.Provided {
		h.Command = shell(cmp.Or(line, "./bootstrap"))
		h.Handler = cmp.Or(f.Handler, name)
	}
	return h, true, nil
}

// withHandlers completes the plan of a project whose handlers need more of the build than a web server does.
func withHandlers(s manifest.Settings, plan buildpack.Plan, tree fs.FS) (manifest.Settings, buildpack.Plan) {
	if javaHandlers(s, plan, tree) {
		plan = withJava(plan, tree)
	}
	return withNative(s, plan, tree)
}

// withNative has the program that a build makes (bin/NAME) speak the Runtime API, for handlers of provided runtimes that name
// it or no other command. It is no web server then.
func withNative(s manifest.Settings, plan buildpack.Plan, tree fs.FS) (manifest.Settings, buildpack.Plan) {
	if !strings.HasPrefix(plan.Start, "bin/") || s.Function(manifest.WebFunction).Command != "" {
		return s, plan
	}
	s.Functions = maps.Clone(s.Functions)
	start, taken := plan.Start, false
	for name, f := range s.Functions {
		family, _, err := lambdaruntime.Parse(f.Runtime)
		if err != nil || family != lambdaruntime.Provided || f.Off {
			continue
		}
		command := cmp.Or(f.Command, plan.Workers[name])
		if command == "" && !buildpack.Exists(tree, "bootstrap") {
			command, f.Command = start, start
			s.Functions[name] = f
		}
		program, _, _ := strings.Cut(command, " ")
		taken = taken || strings.TrimPrefix(program, "./") == start
	}
	if taken {
		plan.Start = ""
	}
	return s, plan
}

// warnOfRuntimes says which runtimes AWS gives up, and when.
func warnOfRuntimes(all []aloft.Function, report aloft.Reporter) {
	for _, f := range all {
		if f.Kind != aloft.Handler {
			continue
		}
		if _, warning, err := lambdaruntime.Parse(f.Runtime); err == nil && warning != "" {
			report.Report(aloft.Warning{Text: f.Name + ": " + warning + "; here it runs with what this machine has"})
		}
	}
}

// handles reports whether a project has handler functions, which need no web server.
func handles(s manifest.Settings, plan buildpack.Plan, tree fs.FS) bool {
	named := func(name string) bool {
		f := s.Function(name)
		if f.Off || name == manifest.WebFunction || name == releaseProcess {
			return false
		}
		_, ok := lambdaruntime.Guess(cmp.Or(f.Handler, f.Command, plan.Workers[name]), tree)
		return ok || f.Handler != "" || f.Runtime != ""
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(s.Functions)), named) || slices.ContainsFunc(slices.Collect(maps.Keys(plan.Workers)), named)
}

// routesOf are the routes that lead to a function, sorted.
func routesOf(s manifest.Settings, name string) []string {
	var routes []string
	for _, pattern := range slices.Sorted(maps.Keys(s.Routes)) {
		if s.Routes[pattern] == name {
			routes = append(routes, pattern)
		}
	}
	return routes
}

// checkRoutes refuses routes to what is no handler, and those that contradict each other.
func checkRoutes(s manifest.Settings, all []aloft.Function) error {
	handlers := map[string]bool{}
	var names, patterns []string
	for _, f := range all {
		if f.Kind == aloft.Handler {
			handlers[f.Name] = true
			names, patterns = append(names, f.Name), append(patterns, f.Patterns()...)
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(s.Routes)) {
		if name := s.Routes[pattern]; !handlers[name] {
			e := aloft.Errorf(aloft.Invalid, "the route %q leads to %q, which is no handler function", pattern, name)
			if len(names) == 0 {
				return e.WithHint("there is none; a Procfile line such as \"%s: app.handler\" makes one", name)
			}
			return e.WithHint("the handler functions are %s", strings.Join(names, ", "))
		}
	}
	if err := route.CheckPatterns(patterns); err != nil {
		return aloft.Errorf(aloft.Invalid, "the routes contradict each other: %w", err).WithHint("change one of the two in the routes section of aloft.yml")
	}
	return nil
}
