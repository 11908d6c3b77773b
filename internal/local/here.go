package local

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
)

// here are the resources of the release that this machine has. It returns Invalid for others, which are on AWS only, unless
// whoever uses them has the variable that they would give: then there is one elsewhere, which is used as it is.
func (d *deployment) here() ([]aloft.Resource, error) {
	var all []aloft.Resource
	for _, r := range d.release.Resources {
		if resource.Here(r.Type) {
			all = append(all, r)
			continue
		}
		variable := resource.Variable(r)
		for _, f := range d.release.Tuned() {
			_, own := f.Env[variable]
			_, set := d.config.For(f.Name)[variable]
			if uses(f, r.Name) && !own && !set {
				return nil, aloft.Errorf(aloft.Invalid, "this machine has no %s for %q, which %s uses, and %s is not set", r.Type, r.Name, f.Name, variable).
					WithHint("if you have one, say where: aloft config set %s=… %s; or declare it below stages of platform aws only", variable, d.release.Stage)
			}
		}
	}
	return all, d.checkSources()
}

// uses reports whether a function has an edge to a resource.
func uses(f aloft.Function, name string) bool {
	return slices.ContainsFunc(f.Uses, func(text string) bool { return aloft.CutEdge(text).Resource == name })
}

// checkSources refuses event sources that only AWS has.
func (d *deployment) checkSources() error {
	for _, f := range d.release.Tuned() {
		for _, source := range f.EventSources {
			if strings.HasPrefix(source, aloft.Table+":") || strings.Contains(source, ":dynamodb:") {
				return aloft.Errorf(aloft.Invalid, "%s has the event source %s, and this machine has no tables", f.Name, source).
					WithHint("have it below stages of platform aws only: stages, STAGE, functions, %s, events", f.Name)
			}
		}
	}
	return nil
}
