package local

import (
	"slices"

	"github.com/aloft-run/aloft"
)

// besides is a release as it runs besides the current one: its handlers alone, started when they are needed, with resources
// that stay as the current release has them.
func besides(release aloft.Release, current []aloft.Resource) aloft.Release {
	functions := slices.DeleteFunc(release.Tuned(), func(f aloft.Function) bool { return f.Kind != aloft.Handler })
	for i := range functions {
		functions[i].Instances, functions[i].Idle = 1, aloft.Duration(sideIdle)
	}
	release.Functions, release.Tuning = functions, nil
	release.Resources = slices.Clone(release.Resources)
	for i, r := range release.Resources {
		for _, now := range current {
			if now.Type == r.Type && release.ResourceName(now) == release.ResourceName(r) {
				release.Resources[i] = now.Clone()
			}
		}
	}
	return release
}
