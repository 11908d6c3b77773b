package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/s3"
)

func newUnlock(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "unlock [stage] [flags]",
		Short: "Take the lock of a stage on AWS from who holds it",
		Long: `Whoever changes a stage on AWS holds its lock, in the account's bucket. A command that was killed, or whose
machine is gone, leaves its lock behind; it ends by itself after a minute. This command ends it at once, and says
whose it was. If its holder is at work still, that work ends within half a minute: first make sure that
nobody deploys.

With --json: {"app", "stage", "owner", "since"}.

Exit status: 0 unlocked; 2 nobody holds the lock, or the stage is on this machine, whose server needs no lock.`,
		Example: `  aloft unlock production
  aloft unlock --app shop --stage production --platform aws --region eu-west-1`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runUnlock(c.Context(), p, first(args)) },
	})
}

func runUnlock(ctx context.Context, p *program, stage string) error {
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	at, err := p.site(ref)
	if err != nil {
		return err
	}
	if !at.aws {
		return aloft.Errorf(aloft.Invalid, "%s is on this machine, whose server keeps commands in order without locks", ref).
			WithHint("for a stage on AWS add --platform aws, or platform: aws to aloft.yml")
	}
	b, err := p.openAWS(ctx, at)
	if err != nil {
		return err
	}
	defer b.Close()
	holder, err := b.unlock(ctx, ref)
	if err != nil {
		return err
	}
	if p.flags.json {
		return p.printJSON(struct {
			App   string    `json:"app"`
			Stage string    `json:"stage"`
			Owner string    `json:"owner"`
			Since time.Time `json:"since"`
		}{ref.App, ref.Stage, holder.Owner, holder.Since})
	}
	if !p.flags.quiet {
		fmt.Fprintf(p.err, "%s is unlocked; the lock was of %s\n", ref, holder)
	}
	return nil
}

// unlock breaks the lock of a stage. An account without records has no locks.
func (b *awsBackend) unlock(ctx context.Context, ref aloft.StageRef) (s3.Holder, error) {
	store, ok := b.apps.AppService.(*s3.Store)
	if !ok {
		return s3.Holder{}, aloft.Errorf(aloft.NotFound, "nobody holds the lock of %s: nothing was ever deployed in this account and region", ref)
	}
	return store.Break(ctx, ref)
}
