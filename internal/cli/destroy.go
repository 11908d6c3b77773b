package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newDestroy(p *program) *cobra.Command {
	deleteData := false
	c := newCommand(cobra.Command{
		Use:   "destroy [stage] [flags]",
		Short: "Delete an app, or one stage of it",
		Long: `Deletes a stage (the argument or --stage), or without one the whole app with all its stages: processes, releases,
config, domains, logs, and artifacts that no other release needs. There is no way back. It asks first;
--yes answers.

On AWS the stacks of the stage go, in all its regions; what its resources hold (databases, buckets, tables)
stays in the account and is listed. With --delete-data the resources that aloft.yml declares go with what they
hold; what the section cloudformation retains (DeletionPolicy), as an import writes it for the stores of a stack,
stays and is listed all the same. Without a stage the app's stages are deleted where the app as a whole is
(platform in aloft.yml, --platform); those that are elsewhere are named.

With --json: {"app", "destroyed": [stages]}.

Exit status: 0 deleted; 1 the answer was no; 2 there is no such app or stage, or nobody to answer.`,
		Example: `  aloft destroy pr-12
  aloft destroy --app shop --yes
  aloft destroy production --delete-data`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return runDestroy(c.Context(), p, first(args), deleteData)
		},
	})
	c.Flags().BoolVar(&deleteData, "delete-data", false, "on AWS, delete the declared resources with what they hold too")
	return c
}

func runDestroy(ctx context.Context, p *program, stage string, deleteData bool) error {
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	if stage == "" && !p.flags.stageSet {
		ref.Stage = ""
	}
	if ref.Stage == "" {
		p.tellElsewhere(ref.App, "not touched", "aloft destroy %s")
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	statuses, err := c.Overview(ctx, ref.App)
	if err != nil {
		return p.elsewhere(ctx, ref, p.explain(ctx, c, ref, err))
	}
	stages, question := []string{}, "Delete the app "+ref.App
	for _, s := range statuses {
		if ref.Stage == "" || s.Stage.Stage == ref.Stage {
			stages = append(stages, s.Stage.Stage)
		}
	}
	switch {
	case ref.Stage != "" && len(stages) == 0:
		return p.explain(ctx, c, ref, aloft.Errorf(aloft.NotFound, "there is no stage %s", ref))
	case ref.Stage != "":
		question = "Delete the stage " + ref.String()
	case len(stages) > 0:
		question += " with " + strings.Join(stages, ", ")
	}
	if onAWS, is := c.(*awsBackend); is && deleteData {
		onAWS.deleteData, question = true, question+", with all that its declared resources hold"
	}
	if err := p.confirm(ctx, question+"?"); err != nil {
		return err
	}
	if err := c.Destroy(ctx, ref); err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if p.flags.json {
		return p.printJSON(map[string]any{"app": ref.App, "destroyed": stages})
	}
	if !p.flags.quiet {
		fmt.Fprintln(p.err, "deleted", strings.TrimSuffix(ref.String(), "/"))
	}
	return nil
}
