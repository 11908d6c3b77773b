package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/lambdaruntime"
)

// functionResult is a function as --json says it.
type functionResult struct {
	Function string             `json:"function"`
	Name     string             `json:"name"` // as Lambda has it
	Kind     aloft.FunctionKind `json:"kind"`
	Runs     string             `json:"runs"` // a command, a handler, or a directory
	Runtime  string             `json:"runtime,omitempty"`
	Routes   []string           `json:"routes"`
	URL      string             `json:"url,omitempty"` // a function URL
	Waiting  int                `json:"waiting"`       // events that nobody waits for and that it has not worked on
}

func newFunctions(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "functions [stage] [flags]",
		Short: "List the functions of a stage",
		Long: `Lists what the current release of a stage is made of: web functions, workers, Lambda handlers, files, with what each
runs, which requests it answers, its function URL, and how many events wait for it (aloft invoke --async).

With --json: an array of {"function", "name" (as Lambda has it), "kind", "runs", "runtime", "routes", "url", "waiting"}.

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft functions
  aloft functions production --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runFunctions(c.Context(), p, first(args)) },
	})
}

func runFunctions(ctx context.Context, p *program, stage string) error {
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	release, err := p.currentRelease(ctx, ref)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := p.status(ctx, c, ref)
	if err != nil {
		return err
	}
	waiting, err := c.Pending(ctx, ref)
	if err != nil {
		return err
	}
	results := []functionResult{}
	rows := [][]string{{"FUNCTION", "KIND", "RUNS", "RUNTIME", "ROUTES", "EVENTS WAITING"}}
	for _, f := range release.Functions {
		r := functionOf(ref, f)
		if release.AWS != nil { // a family stands for the newest of it there
			r.Runtime = lambdaruntime.Newest(r.Runtime)
		}
		r.Waiting, r.URL = waiting[f.Name], status.FunctionURLs[f.Name]
		results = append(results, r)
		rows = append(rows, []string{r.Function, string(r.Kind), r.Runs, r.Runtime, strings.Join(r.Routes, ", "), strconv.Itoa(r.Waiting)})
	}
	if p.flags.json {
		return p.printJSON(results)
	}
	if len(status.FunctionURLs) > 0 {
		rows[0] = append(rows[0], "URL")
		for i, r := range results {
			rows[i+1] = append(rows[i+1], r.URL)
		}
	}
	return table(p.out, rows)
}

func functionOf(ref aloft.StageRef, f aloft.Function) functionResult {
	r := functionResult{Function: f.Name, Name: ref.NameOf(f), Kind: f.Kind, Runtime: f.Runtime, Routes: []string{}}
	switch f.Kind {
	case aloft.Web:
		r.Runs, r.Routes = commandText(f.Command), []string{"/"}
	case aloft.Worker:
		r.Runs = commandText(f.Command)
	case aloft.Handler:
		r.Runs, r.Routes = f.Handler, f.Patterns()
	case aloft.Static:
		r.Runs, r.Routes = "./"+f.Root, []string{"/" + strings.Trim(f.Prefix, "/")}
	}
	return r
}

// commandText is a command as it was written.
func commandText(command []string) string {
	if len(command) == 3 && command[1] == "-c" {
		return strings.TrimPrefix(command[2], "exec ")
	}
	return strings.Join(command, " ")
}
