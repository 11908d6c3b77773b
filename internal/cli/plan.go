package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newPlan(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "plan [stage] [flags]",
		Short: "Show what a deploy would change",
		Long: `Builds the app and prints what aloft up would change: + is added, ~ is modified, - is removed. It changes
nothing; values of variables never appear.

With --json: {"id", "stage", "current", "build", "changes": [{"action", "kind", "name", "before", "after"}]}.

Exit status: 0 planned, changes or not; 1 the build failed; 2 the input was wrong.`,
		Example: `  aloft plan
  aloft plan production --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runPlan(c.Context(), p, first(args)) },
	})
}

func runPlan(ctx context.Context, p *program, stage string) error {
	input, err := p.source(ctx, stage)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, input.Stage)
	if err != nil {
		return err
	}
	defer c.Close()
	var plan aloft.Plan
	err = p.work(ctx, func(report aloft.Reporter) error {
		plan, err = c.Plan(ctx, input, report)
		return err
	})
	if err != nil {
		return err
	}
	if p.flags.json {
		if plan.Changes == nil {
			plan.Changes = []aloft.Change{}
		}
		return p.printJSON(plan)
	}
	if len(plan.Changes) == 0 {
		fmt.Fprintf(p.out, "no changes: %s is at v%d\n", plan.Stage, plan.Current)
	}
	for _, change := range plan.Changes {
		fmt.Fprintln(p.out, p.changeLine(change))
	}
	return nil
}

func (p *program) changeLine(change aloft.Change) string {
	paint := p.paint(p.out)
	mark := paint.yellow("~")
	switch change.Action {
	case aloft.Add:
		mark = paint.green("+")
	case aloft.Remove:
		mark = paint.red("-")
	case aloft.Modify:
	}
	line := fmt.Sprintf("%s %-9s %s", mark, clean(change.Kind), clean(change.Name))
	switch {
	case change.Before != "" && change.After != "":
		line += fmt.Sprintf(": %s → %s", clean(change.Before), clean(change.After))
	case change.Before+change.After != "":
		line += ": " + clean(change.Before+change.After)
	}
	return line
}
