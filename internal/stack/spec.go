package stack

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/shim"
)

// spec is what the shim of a function runs, with the variables that it fills in. Before a handler's runtime it only fetches the
// config; without one it becomes the handler.
func (s *render) spec(f aloft.Function, filled map[string]string) shim.Spec {
	all := shim.Spec{Name: f.Name, Env: filled}
	if f.Kind == aloft.Handler {
		if ownProgram(f) {
			all.Become = f.Command
		}
		return all
	}
	all.Command, all.HealthPath, all.BootTimeout = f.Command, f.HealthPath, f.BootTimeout
	all.EventPath, all.Sources, all.RequestLog = f.EventsAt(), s.sources[f.Name], true
	all.Stream = s.aws.Endpoint == aloft.RESTAPI || s.aws.Endpoint == aloft.URLEndpoint
	dirs := s.static
	if f.Kind == aloft.Static {
		dirs = []aloft.Function{f}
	}
	for _, dir := range dirs {
		all.Static = append(all.Static, shim.Static{Prefix: dir.Prefix, Root: dir.Root})
	}
	slices.SortFunc(all.Static, func(a, b shim.Static) int {
		if n := len(b.Prefix) - len(a.Prefix); n != 0 {
			return n
		}
		return strings.Compare(a.Prefix, b.Prefix)
	})
	return all
}
