package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// manifest is an app's aloft.yml. What would take events away from the stack, which still has them, is in comments.
func (r *reader) manifest(app App) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made from the stack %s in %s by aloft import stack.\nname: %s\nplatform: aws\n", r.Name, r.Region, app.Name)
	fmt.Fprintf(&b, "aws:\n  region: %s\n  architecture: %s\n", r.Region, app.Functions[0].Architecture)
	b.WriteString("functions:\n  web: {instances: 0}   # what looks like a server in the package is none\n")
	routes := map[string]string{}
	for _, f := range app.Functions {
		writeFunction(&b, f)
		if f.url {
			b.WriteString("    url: true\n")
		}
		writeLambda(&b, "    ", f, "the stack's: say what it may do with uses and lambda.policy before the stack goes")
		if len(f.events) > 0 {
			b.WriteString("    # The stack still has these: take them over when it lets go.\n")
			writeEvents(&b, "    # ", f.events)
		}
		for _, route := range f.routes {
			routes[route] = f.As
		}
	}
	writeRoutes(&b, routes)
	return []byte(b.String())
}

// account is what came of each resource.
func (r *reader) account() (imported, left []string) {
	for _, id := range slices.Sorted(maps.Keys(r.Physical)) {
		one := r.Physical[id]
		line := id + " (" + one.Type + ")"
		switch {
		case r.seen[id] != "":
			imported = append(imported, line+": "+r.seen[id])
		case r.left[id] != "":
			left = append(left, line+": "+r.left[id])
		default:
			left = append(left, line+": it stays with the stack, as "+one.ID)
		}
	}
	return imported, left
}
