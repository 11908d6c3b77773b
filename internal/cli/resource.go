package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

func newResource(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "resource [command] [flags]",
		Short: "Set what functions may use: memory, time, requests at once",
		Long: `Sets what each instance of a function may use. Every change is a release: a rollback undoes it, later deploys
keep it, and "default" goes back to what aloft.yml says. resource:memory and the like are the same as resource
memory.

Without a command it lists what each function has. With --json: an array of {"function", "kind", "instances",
"concurrency", "memory", "timeout", "set" (what is set here, not by the source)}.

Exit status: 0 it worked; 1 the app did not start with the change, and the release before keeps serving; 2 the input
was wrong.`,
		Example: `  aloft resource
  aloft resource memory web 512MB
  aloft resource:timeout web 30s --stage production`,
		Args: subcommandOnly,
		RunE: func(c *cobra.Command, _ []string) error { return runTunings(c.Context(), p) },
	})
	c.AddCommand(newLimit(p, aloft.MemoryField, "512MB", "Set how much memory an instance may use",
		"An instance that wants more is ended and started again. Its share of the processors follows its memory.", readSize),
		newLimit(p, aloft.TimeoutField, "30s", "Set how long a request may wait for its response",
			"A request without response headers by then is answered with status 504, and an instance that hangs is replaced.", readTimeout),
		newLimit(p, aloft.ConcurrencyField, "10..20", "Set how many requests an instance takes at once",
			"SOFT..HARD: beyond SOFT another instance is started, if the function may have more (aloft scale); beyond HARD requests\nwait. One number is HARD alone; SOFT.. sets no bound.", readConcurrency))
	return c
}

// newLimit is the command that sets a field of a function.
func newLimit(p *program, field aloft.TuningField, example, short, long string, read func(string) (aloft.Tuning, bool)) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   string(field) + " FUNCTION VALUE [flags]",
		Short: short,
		Long: short + ", in one release.\n\n" + long + "\n\n" + lossHelp + `

Exit status: 0 released, or nothing changed; 1 the app did not start with it; 2 there is no such function, or the value
is wrong.`,
		Example: fmt.Sprintf("  aloft resource %s web %s\n  aloft resource:%s web %s --stage production", field, example, field, unset),
		Args:    between(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			name, value := args[0], args[1]
			if value == unset {
				return p.tune(c.Context(), aloft.TuneInput{Reset: map[string][]aloft.TuningField{name: {field}}})
			}
			tuning, ok := read(value)
			if !ok {
				return aloft.Errorf(aloft.Invalid, "%q is no %s", value, field).WithHint("such as %s, or %s", example, unset)
			}
			return p.tune(c.Context(), aloft.TuneInput{Set: map[string]aloft.Tuning{name: tuning}})
		},
	})
}

func readSize(text string) (aloft.Tuning, bool) {
	mb, ok := wholeNumber(text)
	if !ok {
		mb, ok = manifest.ParseSize(text)
	}
	return aloft.Tuning{Memory: mb}, ok && mb > 0
}

func readTimeout(text string) (aloft.Tuning, bool) {
	d, err := time.ParseDuration(text)
	return aloft.Tuning{Timeout: aloft.Duration(d)}, err == nil && d > 0
}

func readConcurrency(text string) (aloft.Tuning, bool) {
	if first, unbounded := strings.CutSuffix(text, ".."); unbounded {
		soft, ok := wholeNumber(first)
		return aloft.Tuning{Concurrency: aloft.Concurrency{Soft: soft}}, ok && soft > 0
	}
	soft, hard, ok := readInterval(text)
	if !strings.Contains(text, "..") {
		return aloft.Tuning{Concurrency: aloft.Concurrency{Hard: hard}}, ok && hard > 0
	}
	return aloft.Tuning{Concurrency: aloft.Concurrency{Soft: soft, Hard: hard}}, ok && soft > 0 && hard > 0
}

// tuningResult is what a function has, as --json says it.
type tuningResult struct {
	Function    string              `json:"function"`
	Kind        aloft.FunctionKind  `json:"kind"`
	Instances   aloft.Scale         `json:"instances"`
	Concurrency aloft.Concurrency   `json:"concurrency"`
	Memory      int                 `json:"memory"`  // MB; 0 is no bound
	Timeout     aloft.Duration      `json:"timeout"` // 0 is none
	Set         []aloft.TuningField `json:"set"`
}

func runTunings(ctx context.Context, p *program) error {
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	release, err := p.currentRelease(ctx, ref)
	if err != nil {
		return err
	}
	results := []tuningResult{}
	for _, f := range release.Functions {
		if f.Kind != aloft.Static {
			results = append(results, tuningOf(f, release.Tuning[f.Name]))
		}
	}
	if p.flags.json {
		return p.printJSON(results)
	}
	rows := [][]string{{"FUNCTION", "KIND", "INSTANCES", "REQUESTS AT ONCE", "MEMORY", "TIMEOUT", "SET HERE"}}
	for _, r := range results {
		rows = append(rows, r.row())
	}
	return table(p.out, rows)
}

// currentRelease is the release that a stage serves, its zero value if none.
func (p *program) currentRelease(ctx context.Context, ref aloft.StageRef) (aloft.Release, error) {
	c, err := p.connect(ctx, ref)
	if err != nil {
		return aloft.Release{}, err
	}
	defer c.Close()
	status, err := p.status(ctx, c, ref)
	if err != nil || status.Stage.Current == 0 {
		return aloft.Release{}, err
	}
	return c.Release(ctx, ref, status.Stage.Current)
}

func tuningOf(f aloft.Function, t aloft.Tuning) tuningResult {
	f = t.Apply(f)
	result := tuningResult{
		Function: f.Name, Kind: f.Kind, Instances: aloft.Scale{Min: max(1, f.Instances), Max: max(1, f.Instances, f.Max)},
		Concurrency: aloft.Concurrency{Soft: f.Target, Hard: f.Concurrency}, Memory: f.Memory, Timeout: f.Timeout,
		Set: append([]aloft.TuningField{}, t.Fields()...),
	}
	if t.Scale != nil {
		result.Instances = *t.Scale
	}
	return result
}

func (r tuningResult) row() []string {
	what := aloft.Tuning{Scale: &r.Instances, Concurrency: r.Concurrency, Memory: r.Memory, Timeout: r.Timeout}
	var set []string
	for _, field := range r.Set {
		set = append(set, string(field))
	}
	return []string{
		r.Function, string(r.Kind), what.Text(aloft.ScaleField), what.Text(aloft.ConcurrencyField), what.Text(aloft.MemoryField),
		what.Text(aloft.TimeoutField), strings.Join(set, ", "),
	}
}
