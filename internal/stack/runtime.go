package stack

import (
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// native is the runtime of programs that need no interpreter.
const native = "provided.al2023"

// runtime decides how Lambda starts a function. It returns Invalid for what none of its runtimes can run.
func (s *render) runtime(f aloft.Function) (runtime, error) {
	r := runtime{name: f.Runtime, handler: f.Handler}
	switch {
	case f.Kind == aloft.Static:
		r.name = native
	case f.Runtime == "" && f.Kind == aloft.Web:
		name, err := lambdaruntime.ForCommand(f.Command, nil)
		if err != nil {
			return runtime{}, aloft.Errorf(aloft.Invalid, "%s: %w", f.Name, err).
				WithHint("put the interpreter into the app and start it by its path, or name the runtime whose layers have it: functions.%s.runtime in aloft.yml", f.Name)
		}
		r.name = name
	}
	family, warning, err := lambdaruntime.Parse(r.name)
	if err != nil {
		return runtime{}, err
	}
	if warning != "" {
		s.warn(f.Name + ": " + warning)
	}
	r.family, r.name = family, lambdaruntime.Newest(r.name)
	if f.Kind == aloft.Handler {
		r.shim = s.in.Config.Secret != "" && len(s.in.Config.Variables[f.Name]) > 0
		r.wrapped = r.shim
		if r.shim && family == lambdaruntime.Provided {
			return runtime{}, aloft.Errorf(aloft.Invalid, "the config of %s does not fit into the 4 KB that Lambda has for variables, and a bootstrap of its own takes no more", f.Name).
				WithHint("have less in the config, or read the secret yourself (resources: a secret, uses: it)")
		}
		return r, nil
	}
	r.shim, r.wrapped = true, family != lambdaruntime.Provided
	r.handler = handlerOf(f.Name)
	return r, nil
}

// handlerOf is the handler of a function that has none: Lambda wants one.
func handlerOf(name string) string { return strings.ReplaceAll(name, "-", "_") + ".aloft" }
