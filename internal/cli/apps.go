package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

type appResult struct {
	Name   string         `json:"name"`
	Stages []aloft.Status `json:"stages"`
}

func newApps(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "apps [flags]",
		Aliases: []string{"ls"},
		Short:   "List all apps and their stages",
		Long: `Lists all apps with their stages, whatever the current directory is.

With --json: an array of {"name", "stages": [{"stage", "url", "isolation", "instances"}]}.

Exit status: 0 printed.`,
		Example: `  aloft apps
  aloft apps --json`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runApps(c.Context(), p) },
	})
}

func runApps(ctx context.Context, p *program) error {
	c, err := p.connect(ctx, aloft.StageRef{})
	if err != nil {
		return err
	}
	defer c.Close()
	if app, err := p.app(); err == nil && p.flags.platform == "" {
		p.tellElsewhere(app, "not listed", "aloft status --stage %s; aloft apps --platform aws lists what an account has")
	}
	statuses, err := c.Overview(ctx, "")
	if err != nil {
		return err
	}
	if p.flags.json {
		apps := []appResult{}
		for _, s := range statuses {
			if len(apps) == 0 || apps[len(apps)-1].Name != s.Stage.App {
				apps = append(apps, appResult{Name: s.Stage.App})
			}
			last := &apps[len(apps)-1]
			last.Stages = append(last.Stages, s)
		}
		return p.printJSON(apps)
	}
	if len(statuses) == 0 {
		fmt.Fprintln(p.err, "no apps yet: aloft up deploys the one in the current directory")
		return nil
	}
	rows := [][]string{{"APP", "STAGE", "STATE", "URL"}}
	for _, s := range statuses {
		rows = append(rows, []string{s.Stage.App, s.Stage.Stage, stageState(s), s.URL})
	}
	return table(p.out, rows)
}
