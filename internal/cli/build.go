package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

type buildOptions struct {
	stage   string
	explain bool
}

// buildResult is a build as --json says it.
type buildResult struct {
	App       string           `json:"app"`
	Stage     string           `json:"stage"`
	Artifact  artifactResult   `json:"artifact"`
	Buildpack string           `json:"buildpack"`
	Why       string           `json:"why"`
	Cached    bool             `json:"cached"`
	Seconds   float64          `json:"seconds"`
	Functions []aloft.Function `json:"functions"`
	Largest   []aloft.PathSize `json:"largest,omitempty"`
	Verdicts  []aloft.Verdict  `json:"verdicts"`
}

func newBuild(p *program) *cobra.Command {
	var o buildOptions
	c := newCommand(cobra.Command{
		Use:   "build [stage] [flags]",
		Short: "Build the app without releasing it",
		Long: `Does the part of aloft up that comes before the release: detects what the app is, builds it and stores the
artifact, whose digest it prints on standard output. With --explain it prints what was detected and why,
and what would run. When nothing is detected, the error lists what was looked for.

With --json: {"app", "stage", "artifact": {"digest", "size", "files"}, "buildpack", "why", "cached",
"seconds", "functions", "largest", "verdicts"}.

Exit status: 0 built; 1 the build failed; 2 the input was wrong, or no app was found.`,
		Example: `  aloft build
  aloft build --explain
  aloft build -C ../shop --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stage = first(args)
			return runBuild(c.Context(), p, o)
		},
	})
	c.Flags().BoolVar(&o.explain, "explain", false, "print what was detected and why")
	return c
}

func runBuild(ctx context.Context, p *program, o buildOptions) error {
	input, err := p.source(ctx, o.stage)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, input.Stage)
	if err != nil {
		return err
	}
	defer c.Close()
	var b aloft.Build
	err = p.work(ctx, func(report aloft.Reporter) error {
		b, err = c.Build(ctx, input, report)
		return err
	})
	if err != nil {
		return err
	}
	return p.printBuild(b, o.explain)
}

func (p *program) printBuild(b aloft.Build, explain bool) error {
	switch {
	case p.flags.json:
		return p.printJSON(buildResult{
			App: b.Stage.App, Stage: b.Stage.Stage, Artifact: artifactResult(b.Artifact), Buildpack: b.Buildpack, Why: b.Why,
			Cached: b.Cached, Seconds: b.Elapsed.Seconds(), Functions: b.Functions, Largest: b.Largest, Verdicts: b.Verdicts,
		})
	case explain:
		fmt.Fprintf(p.out, "app:        %s\nbuildpack:  %s\nwhy:        %s\n", b.Stage.App, clean(b.Buildpack), clean(b.Why))
		for _, f := range b.Functions {
			fmt.Fprintf(p.out, "%-11s %s\n", f.Name+":", clean(whatRuns(f)))
		}
		fmt.Fprintf(p.out, "artifact:   %s (%s, %s)\n", b.Artifact.Short(), aloft.SizeText(b.Artifact.Size), plural(b.Artifact.Files, "file"))
		p.printVerdicts(b.Verdicts)
	default:
		fmt.Fprintln(p.out, b.Artifact.Digest)
	}
	if p.flags.verbose {
		p.printPackage(b)
	}
	return nil
}

// printVerdicts lists what each buildpack said, in the order they were asked.
func (p *program) printVerdicts(verdicts []aloft.Verdict) {
	fmt.Fprintln(p.out, "\nlooked for, in this order:")
	for _, v := range verdicts {
		mark := "-"
		switch {
		case v.Used:
			mark = "*"
		case v.Matched:
			mark = "+"
		}
		fmt.Fprintf(p.out, "  %s %-10s %s\n", mark, v.Buildpack, clean(v.Why))
	}
	fmt.Fprintln(p.out, "  (* used, + would have fitted too)")
}

// whatRuns says what a function does, in a line.
func whatRuns(f aloft.Function) string {
	if f.Kind == aloft.Static {
		return "the files of " + f.Root + "/"
	}
	return strings.Join(f.Command, " ")
}
