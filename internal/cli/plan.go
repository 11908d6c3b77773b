package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

const planHelp = `Builds the app and prints what aloft up would change: + is added, ~ is modified, - is removed. It changes
nothing; values of variables never appear. The last line is how to have exactly this plan carried out: if the
stage, its stack or the source has moved since, aloft up --plan refuses.

Of a stage on AWS it also says what happens to each resource of the stack, in each region, and what would be
replaced or deleted (!); which statements the functions' roles get and lose, and why; and what that costs.
CloudFormation is asked with a change set, which is deleted again; releases of code alone need none.

With --json: {"id", "stage", "current", "build", "changes": [{"action", "kind", "name", "before", "after"}],
"preview": {"regions": [{"region", "stack", "status", "account", "adopts", "codeOnly", "changeSet", "resources":
[{"action", "id", "type", "name", "replace", "properties", "causes", "kept", "refused", "part"}], "notes"}], "iam":
[{"action", "role", "function", "effect", "actions", "resources", "why", "regions"}], "cost": {"date", "standing",
"lines", "million", "assumed", "unpriced"}}}. Without AWS there is no "preview". docs/PLAN.md says what each means.

Exit status: 0 planned, changes or not; 1 the build failed; 2 the input was wrong.`

// lossHelp is for the help of commands that change what a stage serves.
const lossHelp = `On AWS, where it would replace or delete what somebody may miss, it shows that and asks first; --yes agrees. Without
a terminal it refuses, with exit status 2.`

func newPlan(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "plan [stage] [flags]",
		Short: "Show what a deploy would change",
		Long:  planHelp,
		Example: `  aloft plan
  aloft plan production --json
  aloft up production --plan "$(aloft plan production --json | jq -r .id)"`,
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
		return nil
	}
	p.planTo(p.out).print(plan)
	fmt.Fprintf(p.out, "\nto carry it out: aloft up %s --plan %s\n", plan.Stage.Stage, plan.ID)
	return nil
}

// asking does a change of a stage, and once more if somebody agrees to what it would replace or delete.
func (p *program) asking(ctx context.Context, do func() error) error {
	err := do()
	loss, ok := errors.AsType[*aloft.LossError](err)
	if !ok {
		return err
	}
	if err := p.agree(ctx, loss); err != nil {
		return err
	}
	p.agreed = loss.Plan.ID
	return do()
}

// agree shows what would be lost, and asks. Where nobody can answer it returns Invalid, which names what it is about.
func (p *program) agree(ctx context.Context, loss *aloft.LossError) error {
	if !isTerminal(p.in) || !isTerminal(p.err) {
		return aloft.Errorf(aloft.Invalid, "%w, and there is nobody to ask", loss.Err).WithDetail(loss.Err.Detail).WithHint("%s", loss.Err.Hint)
	}
	p.planTo(p.err).print(loss.Plan)
	fmt.Fprintln(p.err)
	if i := slices.IndexFunc(loss.Plan.Preview.Regions, func(r aloft.RegionPreview) bool { return r.Adopts }); i >= 0 {
		return p.confirm(ctx, fmt.Sprintf("Make the stack %s that of %s, with all that this replaces or deletes?", loss.Plan.Preview.Regions[i].Stack, loss.Plan.Stage))
	}
	return p.confirm(ctx, fmt.Sprintf("Replace or delete %s of %s?", plural(len(loss.Plan.Losses()), "resource"), loss.Plan.Stage))
}
