package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/aloft-run/aloft/internal/attack"
	"github.com/aloft-run/aloft/internal/engine"
)

// runAttack tries what a hostile app would try, at a level of isolation; "" is the best that the machine gives.
func runAttack(ctx context.Context, p *program, level string) error {
	wanted, err := readLevel("--level", level)
	if err != nil {
		return err
	}
	if wanted == 0 {
		wanted = engine.Bounded
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the aloft program: %w", err)
	}
	e, _, err := openAtMost(ctx, p.env, wanted)
	if err != nil {
		return err
	}
	defer closeEngine(e)
	report, err := attack.Run(ctx, e, self)
	if err != nil {
		return err
	}
	worse := report.Unexpected()
	if p.flags.json {
		err = p.printJSON(map[string]any{"ok": len(worse) == 0, "level": report.Level, "engine": report.Engine, "results": report.Results})
	} else {
		err = p.printAttack(report)
	}
	if err == nil && len(worse) > 0 {
		return &exitError{status: exitFailed}
	}
	return err
}

func (p *program) printAttack(report attack.Report) error {
	paint := p.paint(p.out)
	rows := [][]string{{"GROUP", "PROBE", "RESULT", "REASON"}}
	allowed := 0
	for _, r := range report.Results {
		result := "blocked"
		if r.Allowed {
			result = "allowed"
			allowed++
		}
		if !r.Expected {
			result += ", which it should not be"
		}
		rows = append(rows, []string{r.Group, r.Name, result, clean(r.Reason)})
	}
	if err := table(p.out, rows); err != nil {
		return err
	}
	verdict := paint.green("all as it should be")
	if n := len(report.Unexpected()); n > 0 {
		verdict = paint.red(fmt.Sprintf("%d not as they should be", n))
	}
	fmt.Fprintf(p.out, "\nlevel %d (%s, engine %s): %d probes, %d allowed, %s\n",
		report.Level, report.Level, report.Engine, len(report.Results), allowed, verdict)
	return nil
}
