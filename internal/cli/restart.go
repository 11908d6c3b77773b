package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newRestart(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "restart [stage] [flags]",
		Aliases: []string{"ps:restart"},
		Short:   "Replace all instances of a stage by new ones",
		Long: `Starts new instances of the current release, leads requests to them once they are ready, and ends the old ones
when they have finished theirs: no request is lost. If the new ones do not become ready, the old ones keep
serving. A stage that is stopped is started. It is no release: nothing changes.

` + lossHelp + `

With --json: what aloft up prints.

Exit status: 0 restarted; 1 the new instances did not become ready; 2 there is no such app or stage.`,
		Example: `  aloft restart
  aloft restart production`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runRestart(c.Context(), p, first(args)) },
	})
}

func runRestart(ctx context.Context, p *program, stage string) error {
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	d, err := p.carryOut(ctx, ref, func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
		return c.Restart(ctx, ref, report)
	})
	if err != nil {
		return err
	}
	if p.flags.json {
		return p.printDeployment(d)
	}
	if !p.flags.quiet {
		fmt.Fprintf(p.err, "%s v%d was restarted %s\n", ref, d.Release.Version, p.paint(p.err).dim(short(d.Elapsed)))
	}
	return nil
}
