package deploy

import (
	"errors"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/manifest"
)

// releaseProcess is the line of a Procfile that Heroku runs once before each release, not as a process.
const releaseProcess = "release"

// functions are what an app runs: what the buildpack found, changed by what the manifest says. A web function whose
// command is known only after the build has none yet.
func functions(s manifest.Settings, plan buildpack.Plan, tree fs.FS) ([]aloft.Function, error) {
	commands := maps.Clone(plan.Workers)
	for name, f := range s.Functions {
		if name == manifest.WebFunction || f.Off {
			continue
		}
		if f.Command == "" && f.Handler == "" && f.Runtime == "" && commands[name] == "" {
			return nil, aloft.Errorf(aloft.Invalid, "function %q has no command", name).
				WithHint("give it one in the functions section of aloft.yml, or a line in the Procfile")
		}
		if commands == nil {
			commands = map[string]string{}
		}
		if f.Command != "" || commands[name] == "" {
			commands[name] = f.Command
		}
	}
	all := front(s, plan)
	delete(commands, releaseProcess)
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		if err := aloft.CheckName("function", name); err != nil {
			return nil, err
		}
		f := s.Function(name)
		if f.Off {
			continue
		}
		if h, ok, err := handler(f, name, commands[name], tree); err != nil {
			return nil, err
		} else if ok {
			h.Env, h.Isolation, h.Routes = environment(planned(plan), s.Env, f.Env), s.Isolation.Minimum, routesOf(s, name)
			h.EventSources, h.URL = f.Events, urlOf(f)
			all = append(all, h)
			continue
		}
		all = append(all, aloft.Function{
			Name: name, Kind: aloft.Worker, Command: shell(commands[name]), Env: environment(planned(plan), s.Env, f.Env),
			Memory: f.Memory, CPU: f.CPU, Network: f.Network, Isolation: s.Isolation.Minimum, Instances: f.Instances, DrainTimeout: f.Drain,
			EventSources: f.Events,
		})
	}
	return all, errors.Join(checkRoutes(s, all), checkAsync(s, all), checkURLs(s, all), addUses(s, all))
}

// addUses gives functions their edges to resources, and what only Lambda knows of them.
func addUses(s manifest.Settings, all []aloft.Function) error {
	for i, f := range all {
		if f.Kind == aloft.Static {
			continue
		}
		uses, err := s.UsesOf(f.Name)
		if err != nil {
			return err
		}
		all[i].Lambda = s.Functions[f.Name].Lambda.Value()
		if len(uses) > 0 {
			all[i].Uses = uses
		}
	}
	return nil
}

// front is what answers requests: the web function, static files, or both.
func front(s manifest.Settings, plan buildpack.Plan) []aloft.Function {
	var files *aloft.Function
	if s.Static != nil {
		files = &aloft.Function{Name: "static", Kind: aloft.Static, Root: root(s.Static.Dir), Prefix: s.Static.Prefix}
	}
	switch {
	case s.Static != nil && s.Static.Only:
		files.Name = manifest.WebFunction
		return []aloft.Function{*files}
	case plan.Static != nil && s.Start == "":
		return []aloft.Function{{Name: manifest.WebFunction, Kind: aloft.Static, Root: root(plan.Static.Root)}}
	}
	web := s.Function(manifest.WebFunction)
	if web.Command == "" {
		web.Command = plan.Start
	}
	if web.Off || web.Command == "" && plan.Resolve == nil { // there are handlers only
		if files == nil {
			return nil
		}
		return []aloft.Function{*files}
	}
	all := []aloft.Function{{
		Name: manifest.WebFunction, Kind: aloft.Web, Command: shell(web.Command), Runtime: web.Runtime, Env: environment(planned(plan), s.Env, web.Env),
		HealthPath: web.Health.Path, BootTimeout: web.Health.Timeout, DrainTimeout: web.Drain, Timeout: web.Timeout,
		Memory: web.Memory, CPU: web.CPU, Network: web.Network, Isolation: s.Isolation.Minimum, Instances: web.Instances, Max: web.Max,
		Target: web.Target, Concurrency: web.Concurrency, Queue: web.Queue, Idle: web.Idle, Async: asyncOf(web),
		EventSources: web.Events, EventPath: web.EventPath,
	}}
	if files != nil {
		all = append(all, *files)
	}
	return all
}

// root is a directory of the tree, "" for the tree itself.
func root(dir string) string {
	if dir == "." {
		return ""
	}
	return dir
}

// planned are the variables that a plan gives the app.
func planned(plan buildpack.Plan) map[string]string {
	if len(plan.Path) == 0 {
		return plan.Env
	}
	var path strings.Builder
	for _, dir := range plan.Path {
		path.WriteString("$APP/" + dir + ":")
	}
	return environment(map[string]string{"PATH": path.String() + "$PATH"}, plan.Env)
}

// environment merges variables, later ones win; nil if there are none.
func environment(sets ...map[string]string) map[string]string {
	var all map[string]string
	for _, set := range sets {
		for k, v := range set {
			if all == nil {
				all = map[string]string{}
			}
			all[k] = v
		}
	}
	return all
}

var plainLine = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,= -]*$`)

// shell returns the argument vector that runs a shell line. Plain words need no shell, so that what cannot be started is
// named by itself. Any other single command replaces its shell, so that signals reach the program.
func shell(line string) []string {
	first, _, _ := strings.Cut(line, " ")
	switch {
	case line == "":
		return nil
	case strings.ContainsAny(line, ";&|<>()`\n#") || strings.Contains(first, "=") || keyword(first):
		return []string{"/bin/sh", "-c", line}
	case plainLine.MatchString(line):
		return strings.Fields(line)
	default:
		return []string{"/bin/sh", "-c", "exec " + line}
	}
}

// keyword reports whether a line that begins with this word is the shell's own business.
func keyword(word string) bool {
	return slices.Contains([]string{
		"exec", "cd", "export", "if", "while", "for", "until", "case", "set", "unset", "trap", "eval", "source", "ulimit",
		"umask", "command", "wait", "read", "exit", ".", ":", "{", "!",
	}, word)
}
