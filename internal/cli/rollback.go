package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

type rollbackOptions struct {
	to          string
	description string
	canary      canaryOptions
}

func newRollback(p *program) *cobra.Command {
	var o rollbackOptions
	c := newCommand(cobra.Command{
		Use:   "rollback [vN|COMMIT|TAG] [flags]",
		Short: "Return to an earlier release, code and config",
		Long: `Makes a new release that equals an earlier one in everything: code, config, functions. Without an argument
it is the newest release that succeeded before the current one. A commit, whole or its first digits (four or
more), or a tag of the Git repository in the directory, means the newest release of it that succeeded. The history
is not rewritten.

` + canaryHelp + `

` + lossHelp + `

With --json it prints what aloft up prints.

Exit status: 0 released; 1 it did not start, and the current release keeps serving, or the answer was no; 2 there
is no such release, or nobody to ask.`,
		Example: `  aloft rollback
  aloft rollback v5
  aloft rollback 3f9c1ab
  aloft rollback 1.4.0 --stage production
  aloft rollback v5 --stage production -m "Prices were wrong"`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.to, err = checkTarget(first(args)); err != nil {
				return err
			}
			return runRollback(c.Context(), p, o)
		},
	})
	c.Flags().StringVarP(&o.description, "message", "m", "", "why")
	o.canary.flags(c)
	return c
}

func runRollback(ctx context.Context, p *program, o rollbackOptions) error {
	canary, err := o.canary.read()
	if err != nil {
		return err
	}
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	input := aloft.RollbackInput{Stage: ref, Description: o.description, Canary: canary}
	return p.release(ctx, ref, func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
		var err error
		if input.Version, err = p.target(ctx, c, ref, o.to); err != nil {
			return aloft.Deployment{}, err
		}
		input.Author = p.authorOn(c)
		return c.Rollback(ctx, input, report)
	})
}
