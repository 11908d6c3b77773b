package cli

import (
	"context"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

const upHelp = `Builds the app in the current directory (or -C DIR), makes a release of it on a stage, runs it, and prints
its URL on standard output.

The stage is the argument, else --stage, else "staging". What to build and run is detected: a Procfile,
an executable ./server, package.json, requirements.txt, go.mod and others; aloft build --explain says
what and why. aloft.yml, which may say more, is optional (aloft schema).

New instances start beside the old ones; when they are ready, requests move to them, and the old ones
finish what they have begun. If anything fails, the old release keeps serving. If the source has not
changed since the current release, no release is made, unless --force is given or all of it has crashed.

--plan ID carries out what aloft plan showed, or refuses if the stage, its stack or the source has moved since.
On AWS, where a release would replace or delete what somebody may miss, it shows that and asks first; --yes, or
the plan's id, agrees. Without a terminal it refuses.

` + canaryHelp + `

With --json: {"app", "stage", "release", "url", "artifact": {"digest", "size", "files"},
"build": {"buildpack", "cached", "seconds"}, "isolation", "seconds", "unchanged"}.

Exit status: 0 released, or nothing changed; 1 the build, the start or the canary failed, the plan is another, or the
answer was no; 2 the input was wrong, or there was nobody to ask; 130 interrupted.`

type upOptions struct {
	stage       string
	description string
	plan        string
	given       func(flag string) bool
	force       bool
	canary      canaryOptions
}

func newUp(p *program) *cobra.Command {
	var o upOptions
	c := newCommand(cobra.Command{
		Use:     "up [stage] [flags]",
		Aliases: []string{"deploy"},
		Short:   "Build the app, release it and run it",
		Long:    upHelp,
		Example: `  aloft up
  aloft up production -m "New prices"
  aloft up production --canary 10% --for 5m
  aloft up production --plan 3-9f2c1ab077-5de01c4a21
  aloft up -C ../shop --stage pr-12 --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stage = first(args)
			return runUp(c.Context(), p, o)
		},
	})
	o.flags(c)
	return c
}

func (o *upOptions) flags(c *cobra.Command) {
	o.given = c.Flags().Changed
	c.Flags().BoolVar(&o.force, "force", false, "build and release though nothing changed")
	c.Flags().StringVar(&o.plan, "plan", "", "carry out this plan of aloft plan, or refuse")
	c.Flags().StringVarP(&o.description, "message", "m", "", "why this release is made")
	o.canary.flags(c)
}

func runUp(ctx context.Context, p *program, o upOptions) error {
	if o.given("plan") && !isPlanID(o.plan) {
		return aloft.Errorf(aloft.Invalid, "--plan %q is no id of a plan", o.plan).WithHint("the last line of aloft plan has one, such as 3-9f2c1ab077-5de01c4a21")
	}
	canary, err := o.canary.read()
	if err != nil {
		return err
	}
	input, err := p.source(ctx, o.stage)
	if err != nil {
		return err
	}
	input.Force, input.Description, input.Plan = o.force, o.description, o.plan
	input.Canary = canary
	return p.release(ctx, input.Stage, func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
		input.Author = p.authorOn(c)
		return c.Deploy(ctx, input, report)
	})
}

// isPlanID reports whether text looks like the id of a plan.
func isPlanID(text string) bool {
	return regexp.MustCompile(`^\d{1,9}(-[0-9a-f]{10}){2}$`).MatchString(text)
}

// source returns what up, build and plan work on.
func (p *program) source(ctx context.Context, stage string) (aloft.DeployInput, error) {
	dir, err := p.dir()
	if err != nil {
		return aloft.DeployInput{}, err
	}
	ref, err := p.stage(stage)
	if err != nil {
		return aloft.DeployInput{}, err
	}
	return aloft.DeployInput{
		Stage: ref, Dir: dir, Commit: gitCommit(ctx, dir), Platform: aloft.PlatformName(p.flags.platform),
	}, nil
}
