package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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
		fmt.Fprintf(&b, "  %s:\n    handler: %s\n    runtime: %s\n    memory: %dMB\n    timeout: %ds\n", f.As, strconv.Quote(f.Handler), f.Runtime, f.Memory, f.Timeout)
		if f.url {
			b.WriteString("    url: true\n")
		}
		fmt.Fprintf(&b, "    lambda:\n      role: %s   # the stack's: say what it may do with uses and lambda.policy before the stack goes\n", f.Role)
		if len(f.Layers) > 0 {
			fmt.Fprintf(&b, "      layers: [%s]\n", strings.Join(f.Layers, ", "))
		}
		if len(f.events) > 0 {
			b.WriteString("    # The stack still has these: take them over when it lets go.\n    # events:\n")
			for _, event := range f.events {
				fmt.Fprintf(&b, "    # - %s\n", strconv.Quote(event))
			}
		}
		for _, route := range f.routes {
			routes[route] = f.As
		}
	}
	if len(routes) > 0 {
		b.WriteString("routes:\n")
		for _, route := range slices.Sorted(maps.Keys(routes)) {
			fmt.Fprintf(&b, "  %s: %s\n", strconv.Quote(route), routes[route])
		}
	}
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
