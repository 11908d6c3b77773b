package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// manifest is the aloft.yml of an app that goes on in the stack it was made of. What belongs to that one stack is below the stage:
// another stage would read its queues.
func (p *placing) manifest(section map[string]any) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Made from the stack %s in %s by aloft import stack. The next aloft up %s is an update of that stack: what the\n", p.Name, p.Region, p.ref.Stage)
	fmt.Fprintf(&b, "# section cloudformation names stays as it is, and the functions take the place of those that it had. What is null there aloft\n# would add and the stack has not: a route by the name of a handler that nobody was to ask.\nname: %s\n", p.app.Name)
	b.WriteString("functions:\n  web: {instances: 0}   # what looks like a server in the package is none\n")
	routes := map[string]string{}
	for _, f := range p.app.Functions {
		writeFunction(&b, f)
		if f.address != nil {
			auth := "none"
			if f.address.IAM {
				auth = "iam"
			}
			fmt.Fprintf(&b, "    url: {auth: %s, stream: %t}\n", auth, f.address.Stream)
		}
		for _, route := range f.routes {
			routes[route] = f.As
		}
	}
	writeRoutes(&b, routes)
	fmt.Fprintf(&b, "stages:\n  %s:\n    platform: aws\n    functions:\n", p.ref.Stage)
	for _, f := range p.app.Functions {
		fmt.Fprintf(&b, "      %s:\n", f.As)
		writeLambda(&b, "        ", f, "the stack's, which stays")
		writeEvents(&b, "        ", f.events)
	}
	fmt.Fprintf(&b, "    aws:\n      region: %s\n      architecture: %s\n      stack: %s\n", p.Region, p.app.Functions[0].Architecture, p.Name)
	if len(p.called) > 0 {
		b.WriteString("      ids:   # what goes on under the logical id that it has, or would have one that is taken\n")
	}
	for _, id := range slices.Sorted(maps.Keys(p.called)) {
		fmt.Fprintf(&b, "        %s: %s\n", id, p.called[id])
	}
	b.WriteString("      cloudformation:")
	writeYAML(&b, "        ", any(section))
	return []byte(b.String())
}

func writeFunction(b *strings.Builder, f Named) {
	fmt.Fprintf(b, "  %s:\n    handler: %s\n    runtime: %s\n    memory: %dMB\n    timeout: %ds\n", f.As, strconv.Quote(f.Handler), f.Runtime, f.Memory, f.Timeout)
}

func writeLambda(b *strings.Builder, indent string, f Named, role string) {
	fmt.Fprintf(b, "%slambda:\n%s  role: %s   # %s\n", indent, indent, f.Role, role)
	if len(f.Layers) > 0 {
		fmt.Fprintf(b, "%s  layers: [%s]\n", indent, strings.Join(f.Layers, ", "))
	}
}

func writeEvents(b *strings.Builder, indent string, events []string) {
	if len(events) > 0 {
		fmt.Fprintf(b, "%sevents:\n", indent)
	}
	for _, event := range events {
		fmt.Fprintf(b, "%s- %s\n", indent, strconv.Quote(event))
	}
}

func writeRoutes(b *strings.Builder, routes map[string]string) {
	if len(routes) > 0 {
		b.WriteString("routes:\n")
	}
	for _, route := range slices.Sorted(maps.Keys(routes)) {
		fmt.Fprintf(b, "  %s: %s\n", strconv.Quote(route), routes[route])
	}
}
