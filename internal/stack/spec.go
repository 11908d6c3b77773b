package stack

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/shim"
)

// spec is what the shim of a function runs. Before a handler's runtime it only fetches the config.
func (s *render) spec(f aloft.Function) shim.Spec {
	all := shim.Spec{Name: f.Name}
	if f.Kind == aloft.Handler {
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
