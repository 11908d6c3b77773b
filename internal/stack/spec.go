package stack

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// The variables by which the stack tells the shim what to do.
const (
	specVariable   = "ALOFT_FUNCTION"
	secretVariable = "ALOFT_CONFIG_SECRET" //nolint:gosec // the name of a variable
	labelVariable  = "ALOFT_CONFIG_LABEL"
)

// spec is the JSON that the shim reads.
type spec struct {
	Name        string            `json:"name,omitempty"`
	Command     []string          `json:"command,omitempty"`
	Static      []staticDir       `json:"static,omitempty"`
	EventPath   string            `json:"eventPath,omitempty"`
	Sources     map[string]string `json:"sources,omitempty"`
	HealthPath  string            `json:"healthPath,omitempty"`
	BootTimeout aloft.Duration    `json:"bootTimeout,omitempty"`
	Stream      bool              `json:"stream,omitempty"`
	RequestLog  bool              `json:"requestLog,omitempty"`
}

type staticDir struct {
	Prefix string `json:"prefix,omitempty"`
	Root   string `json:"root,omitempty"`
}

// spec is what the shim of a function runs. Before a handler's runtime it only fetches the config.
func (s *render) spec(f aloft.Function) spec {
	if f.Kind == aloft.Handler {
		return spec{}
	}
	all := spec{
		Name: f.Name, Command: f.Command, HealthPath: f.HealthPath, BootTimeout: f.BootTimeout, EventPath: f.EventsAt(),
		Sources: s.sources[f.Name], Stream: s.aws.Endpoint == aloft.RESTAPI || s.aws.Endpoint == aloft.URLEndpoint, RequestLog: true,
	}
	dirs := s.static
	if f.Kind == aloft.Static {
		dirs = []aloft.Function{f}
	}
	for _, dir := range dirs {
		all.Static = append(all.Static, staticDir{dir.Prefix, dir.Root})
	}
	slices.SortFunc(all.Static, func(a, b staticDir) int {
		if n := len(b.Prefix) - len(a.Prefix); n != 0 {
			return n
		}
		return strings.Compare(a.Prefix, b.Prefix)
	})
	return all
}
