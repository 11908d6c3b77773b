package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

type rollbackOptions struct {
	version     int
	description string
}

func newRollback(p *program) *cobra.Command {
	var o rollbackOptions
	c := newCommand(cobra.Command{
		Use:   "rollback [vN] [flags]",
		Short: "Return to an earlier release, code and config",
		Long: `Makes a new release that equals an earlier one in everything: code, config, functions. Without an argument
it is the newest release that succeeded before the current one. The history is not rewritten.

On AWS, where it would replace or delete what somebody may miss, such as a table that came later, it shows that
and asks first; --yes agrees. Without a terminal it refuses.

With --json it prints what aloft up prints.

Exit status: 0 released; 1 it did not start, and the current release keeps serving, or the answer was no; 2 there
is no such release, or nobody to ask.`,
		Example: `  aloft rollback
  aloft rollback v5
  aloft rollback v5 --stage production -m "Prices were wrong"`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.version, err = parseVersion(first(args)); err != nil {
				return err
			}
			return runRollback(c.Context(), p, o)
		},
	})
	c.Flags().StringVarP(&o.description, "message", "m", "", "why")
	return c
}

// parseVersion reads "v5" or "5"; "" is 0.
func parseVersion(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(text, "v"))
	if err != nil || n < 1 || strings.ContainsAny(text, "+-") {
		return 0, aloft.Errorf(aloft.Invalid, "%q is no release", text).WithHint("name one as aloft releases does: v5")
	}
	return n, nil
}

func runRollback(ctx context.Context, p *program, o rollbackOptions) error {
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	input := aloft.RollbackInput{Stage: ref, Version: o.version, Author: p.author(), Description: o.description, Agreed: p.flags.yes}
	return p.agreeing(ctx, ref, func(plan string) change {
		return func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
			input.Plan = plan
			return c.Rollback(ctx, input, report)
		}
	})
}
