package stack

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/shim"
)

// The variables by which the stack tells the shim what to do.
const (
	specVariable   = shim.SpecVariable
	secretVariable = shim.SecretVariable
	labelVariable  = shim.LabelVariable
)

// spec is what the shim of a function runs. Before a handler's runtime it only fetches the config.
func (s *render) spec(f aloft.Function) shim.Spec {
	if f.Kind == aloft.Handler {
		return shim.Spec{}
	}
	all := shim.Spec{
		Name: f.Name, Command: f.Command, HealthPath: f.HealthPath, BootTimeout: f.BootTimeout, EventPath: f.EventsAt(),
		Sources: s.sources[f.Name], Stream: s.aws.Endpoint == aloft.RESTAPI || s.aws.Endpoint == aloft.URLEndpoint, RequestLog: true,
	}
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
