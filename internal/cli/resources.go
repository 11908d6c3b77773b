package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newResources(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "resources [stage] [flags]",
		Short: "List the buckets, queues, topics and streams of a stage",
		Long: `Lists what the resources section of aloft.yml made for a stage, with the name that AWS's SDKs know each by, the
variable by which functions get it, and how much is in it; the size is what its part of the stage's room takes, 10 GB
for all unless aloft serve is told otherwise (--resources-limit). What a release does not declare any more is listed
without a variable: it is kept until the stage is destroyed.

With --json: an array of {"resource", "type", "name", "arn", "counts": [{"what", "n"}], "variable", "url"}; url is where
AWS's clients outside of the app find it, with the key that aloft credentials aws prints.

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft resources
  aloft resources production --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runResources(c.Context(), p, first(args)) },
	})
}

func runResources(ctx context.Context, p *program, stage string) error {
	ref, err := p.stage(stage)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	list, err := c.Resources(ctx, ref)
	if err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if p.flags.json {
		return p.printJSON(list)
	}
	rows := [][]string{{"RESOURCE", "TYPE", "NAME", "VARIABLE", "HOLDS"}}
	for _, r := range list {
		var holds []string
		for _, count := range r.Counts {
			text := fmt.Sprintf("%d %s", count.N, count.What)
			if count.What == aloft.Bytes {
				text = aloft.SizeText(count.N)
			}
			holds = append(holds, text)
		}
		rows = append(rows, []string{r.Resource, r.Type, r.Name, r.Variable, strings.Join(holds, ", ")})
	}
	return table(p.out, rows)
}
