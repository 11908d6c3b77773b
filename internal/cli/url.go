package cli

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newURL(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "url [stage] [flags]",
		Short: "Print the URL of a stage",
		Long: `Prints the URL at which a stage answers. With --json: {"app", "stage", "url"}.

Exit status: 0 printed; 2 there is no such app or stage, or on AWS no release of it serves yet or none of its functions
takes requests.`,
		Example: `  aloft url
  curl "$(aloft url production)"`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runURL(c.Context(), p, first(args)) },
	})
}

func runURL(ctx context.Context, p *program, stage string) error {
	status, err := p.lookUp(ctx, stage)
	if err != nil {
		return err
	}
	return p.printURL(status)
}

// addressed returns NotFound for a stage that answers nowhere.
func addressed(status aloft.Status) error {
	ref := status.Stage.StageRef
	switch {
	case status.URL != "":
		return nil
	case len(status.Instances) == 0:
		return aloft.Errorf(aloft.NotFound, "%s has no URL: no release serves it", ref).
			WithHint("aloft status %[1]s says what became of the newest; aloft up %[1]s deploys it", ref.Stage)
	}
	return aloft.Errorf(aloft.NotFound, "%s has no URL: none of its functions takes requests", ref).WithHint("aloft functions %s lists them", ref.Stage)
}

func (p *program) printURL(status aloft.Status) error {
	if p.flags.json {
		return p.printJSON(map[string]string{"app": status.Stage.App, "stage": status.Stage.Stage, "url": status.URL})
	}
	fmt.Fprintln(p.out, clean(status.URL))
	return nil
}

// lookUp returns the status of the stage that the flags and the argument name. It returns NotFound if it answers nowhere.
func (p *program) lookUp(ctx context.Context, stage string) (aloft.Status, error) {
	ref, err := p.stage(stage)
	if err != nil {
		return aloft.Status{}, err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return aloft.Status{}, err
	}
	defer c.Close()
	status, err := p.status(ctx, c, ref)
	if err == nil {
		err = addressed(status)
	}
	return status, err
}

func newOpen(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "open [stage] [flags]",
		Short: "Open a stage in the browser",
		Long: `Opens the URL of a stage with the desktop's own program (xdg-open or open), and prints it.

Exit status: 0 opened; 1 there is no program to open it with; 2 there is no such app or stage.`,
		Example: `  aloft open
  aloft open production`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runOpen(c.Context(), p, first(args)) },
	})
}

func runOpen(ctx context.Context, p *program, stage string) error {
	status, err := p.lookUp(ctx, stage)
	if err != nil {
		return err
	}
	for _, name := range []string{"xdg-open", "open"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if out, err := exec.CommandContext(ctx, path, status.URL).CombinedOutput(); err != nil {
			return aloft.Errorf(aloft.Failed, "%s: %w", name, err).WithDetail(string(out)).WithHint("open it yourself: %s", status.URL)
		}
		return p.printURL(status)
	}
	return aloft.Errorf(aloft.Failed, "neither xdg-open nor open is installed").WithHint("open it yourself: %s", status.URL)
}
