package deploy

import (
	"maps"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/buildpack"
	"github.com/aloft-run/aloft/internal/manifest"
)

// WebFunction is the name of the function that takes an app's requests.
const WebFunction = "web"

// functions are what an app runs: what the buildpack found, changed by what the manifest says.
func functions(s manifest.Settings, plan buildpack.Plan) ([]aloft.Function, error) {
	var all []aloft.Function
	switch {
	case plan.Static != nil && s.Start == "":
		all = append(all, aloft.Function{Name: WebFunction, Kind: aloft.Static, Root: plan.Static.Root})
	default:
		start := plan.Start
		if s.Start != "" {
			start = s.Start
		}
		all = append(all, aloft.Function{
			Name: WebFunction, Kind: aloft.Web, Command: shell(start), Env: environment(plan.Env, s.Env),
			HealthPath: s.Health.Path, BootTimeout: s.Health.Timeout, DrainTimeout: s.Drain, Timeout: s.Timeout,
		})
		if s.Static != nil && s.Static.Prefix != "" {
			all = append(all, aloft.Function{
				Name: "static", Kind: aloft.Static, Root: s.Static.Dir, Prefix: s.Static.Prefix,
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plan.Workers)) {
		if err := aloft.CheckName("process", name); err != nil {
			return nil, err
		}
		all = append(all, aloft.Function{
			Name: name, Kind: aloft.Worker, Command: shell(plan.Workers[name]), Env: environment(plan.Env, s.Env),
		})
	}
	return tune(all, s)
}

// tune applies the functions section of the manifest. A name that no function has is a worker if it brings a command.
func tune(all []aloft.Function, s manifest.Settings) ([]aloft.Function, error) {
	for _, name := range slices.Sorted(maps.Keys(s.Functions)) {
		fs := s.Functions[name]
		i := slices.IndexFunc(all, func(f aloft.Function) bool { return f.Name == name })
		if i < 0 {
			if fs.Command == "" {
				return nil, aloft.Errorf(aloft.Invalid, "function %q has no command", name).
					WithHint("give it one in the functions section of aloft.yml, or a line in the Procfile")
			}
			all = append(all, aloft.Function{Name: name, Kind: aloft.Worker, Env: all[0].Env})
			i = len(all) - 1
		}
		f := all[i].Clone()
		if fs.Command != "" {
			f.Command = shell(fs.Command)
		}
		if fs.Timeout != 0 {
			f.Timeout = fs.Timeout
		}
		f.Memory, f.Concurrency, f.Instances = fs.Memory, fs.Concurrency, fs.Instances
		f.Env = environment(f.Env, fs.Env)
		all[i] = f
	}
	for i, f := range all {
		if n, ok := s.Formation[f.Name]; ok && f.Instances == 0 {
			all[i].Instances = n
		}
	}
	return all, nil
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

// shell returns the argument vector that runs a shell line. A line that is one simple command replaces the shell, so that
// signals reach the program itself.
func shell(line string) []string {
	if line == "" {
		return nil
	}
	if first, _, _ := strings.Cut(line, " "); strings.ContainsAny(line, ";&|<>()`\n#") || strings.Contains(first, "=") || builtin(first) {
		return []string{"/bin/sh", "-c", line}
	}
	return []string{"/bin/sh", "-c", "exec " + line}
}

// builtin reports whether a line that begins with this word must not follow exec.
func builtin(word string) bool {
	switch word {
	case "exec", "cd", "export", "if", "while", "for", "until", "case", "set", "unset", "trap", "eval", ".", ":", "{", "!", "source", "ulimit", "umask":
		return true
	}
	return false
}
