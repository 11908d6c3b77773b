package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newStatus(p *program) *cobra.Command {
	drift := false
	c := newCommand(cobra.Command{
		Use:     "status [stage] [flags]",
		Aliases: []string{"ps"},
		Short:   "Show what runs of an app",
		Long: `Prints the app's stages, or the one named, and the instances that run of them: their state, what they use, the
requests they work on, and why one has crashed and when it starts again. A function without requests may be
idle, with no instance until the next request, or its instance frozen (idle in aloft.yml).

Of a stage on AWS each function in each region is one line, and each region's stack one more. While a release is tried
(--canary), its versions are lines of their own, with the share that each gets. Where no release ever served it says
what became of the newest, and shows its functions and stacks, as far as they are there. --drift has CloudFormation
compare what it made with the stack's template, which takes some seconds to minutes: what somebody changed by other
means is listed. What aloft itself changes without the stack (code, versions, the alias) is no drift.

With --json: an array of {"stage", "url", "isolation", "instances", "newest"}: instances have a "share" while a release
is tried; newest is {"version", "status", "reason", "holder"} of a release that is under way, or that failed where none
ever served, and holder is who works on it. On AWS there is "stacks": [{"region", "stack", "status", "reason",
"release", "changed", "hint"}], and with --drift "drift": [{"region", "id", "type", "physical", "deleted",
"differences": [{"property", "expected", "actual"}]}].

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft status
  aloft status production
  aloft status production --drift
  aloft status --app shop --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runStatus(c.Context(), p, first(args), drift) },
	})
	c.Flags().BoolVar(&drift, "drift", false, "on AWS, list what is not as the stack's template says")
	return c
}

func runStatus(ctx context.Context, p *program, stage string, drift bool) error {
	results, err := p.statuses(ctx, stage, drift)
	if err != nil {
		return err
	}
	if p.flags.json {
		return p.printJSON(results)
	}
	for i, s := range results {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		if err := p.printStatus(s); err != nil {
			return err
		}
		if err := p.printStacks(s); err != nil {
			return err
		}
	}
	return nil
}

// statuses are those of the stage that is named, else of all stages of the app.
func (p *program) statuses(ctx context.Context, stage string, drift bool) ([]statusResult, error) {
	ref, err := p.stage(stage)
	if err != nil {
		return nil, err
	}
	if stage == "" && !p.flags.stageSet {
		return p.overview(ctx, ref.App, drift)
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if b, onAWS := c.(*awsBackend); onAWS {
		one, err := b.look(ctx, ref, drift)
		return []statusResult{one}, p.explainIf(ctx, c, ref, err)
	}
	status, err := p.status(ctx, c, ref)
	if err != nil {
		return nil, err
	}
	if drift {
		p.tellNoDrift(ref)
	}
	one, err := p.statusOnServer(ctx, c, status)
	return []statusResult{one}, err
}

func (p *program) printStatus(s statusResult) error {
	state := stageState(s.Status)
	if s.nothing && s.Newest != nil {
		state = "nothing serves"
	}
	fmt.Fprintf(p.out, "%s  %s  %s\n", p.paint(p.out).bold(s.Stage.StageRef.String()), state, clean(s.URL))
	p.printNewest(s)
	for _, domain := range s.Stage.Domains {
		fmt.Fprintf(p.out, "  domain %s\n", clean(domain))
	}
	if p.flags.verbose {
		fmt.Fprintf(p.out, "  isolation level %d, %s\n", s.Level, clean(s.Isolation))
	}
	if len(s.Instances) == 0 {
		return nil
	}
	rows := [][]string{{"FUNCTION", "INSTANCE", "RELEASE", "STATE", "PID", "LISTENS ON", "UP", "MEMORY", "CPU", "REQUESTS", "RESTARTS", "REASON"}}
	for _, i := range s.Instances {
		rows = append(rows, instanceRow(i))
	}
	if !slices.ContainsFunc(s.Instances, isProcess) {
		for i, row := range rows {
			rows[i] = append(row[:4:4], row[len(row)-1])
		}
	}
	if slices.ContainsFunc(s.Instances, func(i aloft.Instance) bool { return i.Share > 0 }) {
		rows[0] = slices.Insert(rows[0], 3, "SHARE")
		for i, one := range s.Instances {
			rows[i+1] = slices.Insert(rows[i+1], 3, shareText(one.Share))
		}
	}
	return table(p.out, rows)
}

// shareText is how much of a function's requests an instance gets.
func shareText(share float64) string {
	if share == 0 {
		return "all"
	}
	return fmt.Sprintf("%.4g %%", 100*share)
}

// isProcess reports whether an instance is, or was, a process that aloft looks at, as none on AWS is.
func isProcess(i aloft.Instance) bool {
	return i.PID != 0 || i.Listen != "" || i.InFlight+i.Restarts > 0
}

// unknown stands in tables for what nobody measures.
const unknown = "-"

// instanceRow is an instance in the table.
func instanceRow(i aloft.Instance) []string {
	up, memory, processor, requests, restarts := unknown, unknown, unknown, unknown, unknown
	if !i.StartedAt.IsZero() {
		up = ago(i.StartedAt)
	}
	if i.Memory > 0 {
		memory, processor = aloft.SizeText(i.Memory), i.CPU.String()
	}
	if isProcess(i) {
		requests, restarts = fmt.Sprint(i.InFlight), fmt.Sprint(i.Restarts)
	}
	return []string{
		i.Function, i.ID, fmt.Sprintf("v%d", i.Release), string(i.State), number(i.PID), i.Listen, up,
		memory, processor, requests, restarts, i.Reason,
	}
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// stageState says in a few words how a stage is.
func stageState(s aloft.Status) string {
	is := func(state aloft.InstanceState) bool {
		return slices.ContainsFunc(s.Instances, func(i aloft.Instance) bool { return i.State == state })
	}
	current := fmt.Sprintf("v%d", s.Stage.Current)
	switch {
	case s.Stage.Current == 0:
		return "nothing released"
	case s.Stage.Stopped:
		return current + " stopped"
	case is(aloft.Ready):
		return current + " ready"
	case is(aloft.Crashed):
		return current + " crashed"
	case is(aloft.Starting):
		return current + " starting"
	case is(aloft.Frozen):
		return current + " frozen"
	case is(aloft.Idle):
		return current + " idle"
	default:
		return current
	}
}
