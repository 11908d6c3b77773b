package attack

import (
	"cmp"
	"slices"

	"github.com/aloft-run/aloft/internal/engine"
)

// Probes are all that is tried.
func Probes() []Probe {
	var all []Probe
	for group, list := range map[string][]Probe{
		"what every app needs": needs(), "files": files(), "other processes": others(), "network": network(),
		"system calls": calls(), "first process": first(), "limits": limits(),
	} {
		for _, p := range list {
			p.Group = group
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b Probe) int { return cmp.Compare(a.Group, b.Group) })
	return all
}

const (
	confined = engine.Confined
	isolated = engine.Isolated
	bounded  = engine.Bounded
)
