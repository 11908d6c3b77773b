package report

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Part is a benchmark that can run alone.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// Names are the parts' names, comma-separated: the default of a flag -only.
func Names(parts []Part) string {
	var names []string
	for _, p := range parts {
		names = append(names, p.Name)
	}
	return strings.Join(names, ",")
}

// Run runs the parts that only names, in their own order. One that fails says so and does not keep the others from
// running; the error tells of all that failed.
func Run(ctx context.Context, out io.Writer, parts []Part, only string) error {
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.ContainsFunc(parts, func(p Part) bool { return p.Name == name }) {
			return fmt.Errorf("no part %q; there are %s", name, Names(parts))
		}
	}
	var failed []string
	for _, p := range parts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !slices.Contains(wanted, p.Name) {
			continue
		}
		if err := p.Run(ctx); err != nil {
			fmt.Fprintf(out, "\nFAILED: %s: %v\n", p.Name, err)
			failed = append(failed, p.Name)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}
