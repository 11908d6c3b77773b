package attack

import (
	"cmp"
	"slices"
)

// sortProbes orders probes by group, and keeps their order within one.
func sortProbes(all []Probe) {
	slices.SortStableFunc(all, func(a, b Probe) int { return cmp.Compare(a.Group, b.Group) })
}
