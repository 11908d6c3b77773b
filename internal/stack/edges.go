package stack

import (
	"maps"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// store is a declared resource as its kind rendered it.
type store struct {
	rendered resource.Rendered
}

func (s *render) addResources() error { return nil }

func (s *render) addSources() error { return nil }

// resourceEnv are the variables of the resources that a function uses.
func (s *render) resourceEnv(f aloft.Function) map[string]any {
	env := map[string]any{}
	for _, use := range f.Uses {
		maps.Copy(env, s.stores[use].rendered.Env)
	}
	return env
}
