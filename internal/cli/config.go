package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// mask stands for every value in lists.
const mask = "********"

func newConfig(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "config [command] [flags]",
		Short: "List and change the variables of a stage",
		Long: `Variables are part of a stage's releases: every change makes a new release and restarts the app with it, and a
rollback restores them. Values are sealed at rest; only config get prints one.

Without a command it lists the names (the same as config list). config:set and the like are the same as
config set.

With --json it prints an array of names.

Exit status: 0 it worked; 1 the app did not start with the change, and the current release keeps serving;
2 the input was wrong; 130 interrupted.`,
		Example: `  aloft config
  aloft config set DATABASE_URL=postgres://localhost/shop --stage production
  aloft config get DATABASE_URL`,
		Args: configArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runConfigList(c.Context(), p) },
	})
	c.AddCommand(newConfigList(p), newConfigGet(p), newConfigSet(p), newConfigUnset(p), newConfigClear(p))
	return c
}

// configArgs says what "config K=V" probably meant.
func configArgs(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if name, _, ok := cutAssignment(arg); ok {
			hint := "aloft config set " + clean(name) + "=…"
			if stage := c.Flag("stage"); stage != nil && stage.Changed {
				hint += " --stage " + clean(stage.Value.String())
			}
			return aloft.Errorf(aloft.Invalid, "config needs a command to change %s", clean(name)).WithHint("%s", hint)
		}
	}
	return subcommandOnly(c, args)
}

func newConfigList(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "list [flags]",
		Short: "List the variables, values masked",
		Long: `Lists the variables of the current release by name, values masked. With --json: an array of names.

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft config list
  aloft config list --stage production --json`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runConfigList(c.Context(), p) },
	})
}

func runConfigList(ctx context.Context, p *program) error {
	config, err := p.config(ctx)
	if err != nil {
		return err
	}
	names := append([]string{}, slices.Sorted(maps.Keys(config))...)
	if p.flags.json {
		return p.printJSON(names)
	}
	if len(names) == 0 {
		fmt.Fprintln(p.err, "no variables are set")
	}
	for _, name := range names {
		fmt.Fprintf(p.out, "%s=%s\n", clean(name), mask)
	}
	return nil
}

func newConfigGet(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "get NAME [flags]",
		Short: "Print the value of one variable",
		Long: `Prints the value of a variable, as it is, and a newline. With --json: {"NAME": "value"}.

Exit status: 0 printed; 2 it is not set, or there is no such app or stage.`,
		Example: `  aloft config get DATABASE_URL
  psql "$(aloft config get DATABASE_URL --stage production)"`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error { return runConfigGet(c.Context(), p, args[0]) },
	})
}

func runConfigGet(ctx context.Context, p *program, name string) error {
	config, err := p.config(ctx)
	if err != nil {
		return err
	}
	value, ok := config[name]
	if !ok {
		e := aloft.Errorf(aloft.NotFound, "no variable %s is set", clean(name))
		if len(config) > 0 {
			return e.WithHint("set are: %s", p.near(name, slices.Sorted(maps.Keys(config))))
		}
		return e.WithHint("no variables are set")
	}
	if p.flags.json {
		return p.printJSON(map[string]string{name: value})
	}
	fmt.Fprintln(p.out, value)
	return nil
}

// config returns the variables of the stage that the flags name.
func (p *program) config(ctx context.Context) (aloft.Config, error) {
	ref, err := p.stage("")
	if err != nil {
		return nil, err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	config, err := c.Config(ctx, ref)
	return config, p.explainIf(ctx, c, ref, err)
}

// explainIf is explain for an error that may be nil.
func (p *program) explainIf(ctx context.Context, c backend, ref aloft.StageRef, err error) error {
	if err == nil {
		return nil
	}
	return p.explain(ctx, c, ref, err)
}

func newConfigUnset(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "unset NAME... [flags]",
		Aliases: []string{"remove", "rm"},
		Short:   "Remove variables, in one release",
		Long: `Removes variables, in one release.

Names that are not set are passed over.

` + lossHelp + `

Exit status: 0 released, or none was set; 1 the app did not start without them; 2 there is no such app or stage.`,
		Example: `  aloft config unset OLD_KEY
  aloft config unset A B C --stage production`,
		Args: between(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.configure(c.Context(), aloft.ConfigInput{Unset: args})
		},
	})
}

func newConfigClear(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "clear [flags]",
		Short: "Remove all variables, in one release",
		Long: `Removes all variables of a stage, in one release. It asks first; --yes answers.

` + lossHelp + `

Exit status: 0 released; 1 the app did not start without them, or the answer was no; 2 there is no such stage.`,
		Example: `  aloft config clear
  aloft config clear --stage pr-12 --yes`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			ref, err := p.stage("")
			if err != nil {
				return err
			}
			if err := p.confirm(c.Context(), "Remove all variables of "+ref.String()+"?"); err != nil {
				return err
			}
			return p.configure(c.Context(), aloft.ConfigInput{Clear: true})
		},
	})
}

// configure changes variables of the stage that the flags name.
func (p *program) configure(ctx context.Context, input aloft.ConfigInput) error {
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	input.Stage = ref
	return p.release(ctx, ref, func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
		input.Author = p.authorOn(c)
		return c.Configure(ctx, input, report)
	})
}
