package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// unset is the value that puts a setting back to what the source says.
const unset = "default"

func newScale(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:     "scale [FUNCTION=MIN..MAX]... [flags]",
		Aliases: []string{"ps:scale"},
		Short:   "Set how many instances of functions run",
		Long: `Sets how many instances run of a web function: MIN at least while there are requests, up to MAX when they need
them. One number is both. A worker has a fixed number, which may be 0. "default" goes back to what aloft.yml
says. All of it is one release, so that a rollback undoes it, and later deploys keep it.

Without arguments it lists what each function has (the same as aloft resource).

` + lossHelp + `

Exit status: 0 released, or nothing changed; 1 the app did not start, and the release before keeps serving; 2 there
is no such function, or it cannot have so many.`,
		Example: `  aloft scale web=2..10
  aloft scale web=3 mailer=0 --stage production
  aloft scale web=default`,
		Args: between(0, -1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return runTunings(c.Context(), p)
			}
			input, err := readScales(args)
			if err != nil {
				return err
			}
			return p.tune(c.Context(), input)
		},
	})
}

// readScales reads "web=2..10" and the like.
func readScales(args []string) (aloft.TuneInput, error) {
	input := aloft.TuneInput{Set: map[string]aloft.Tuning{}, Reset: map[string][]aloft.TuningField{}}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return input, aloft.Errorf(aloft.Invalid, "%q is not of the form FUNCTION=MIN..MAX", arg).WithHint("for example: aloft scale web=2..10")
		}
		if value == unset {
			input.Reset[name] = append(input.Reset[name], aloft.ScaleField)
			continue
		}
		least, most, ok := readInterval(value)
		if !ok {
			return input, aloft.Errorf(aloft.Invalid, "%s: %q is no number of instances", name, value).WithHint("such as 3 or 2..10, or %s", unset)
		}
		input.Set[name] = aloft.Tuning{Scale: &aloft.Scale{Min: least, Max: most}}
	}
	return input, nil
}

// readInterval reads "2..10", or "3" as both ends.
func readInterval(text string) (low, high int, ok bool) {
	first, second, isRange := strings.Cut(text, "..")
	if !isRange {
		second = first
	}
	low, ok = wholeNumber(first)
	high, ok2 := wholeNumber(second)
	return low, high, ok && ok2
}

// wholeNumber reads digits.
func wholeNumber(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && strings.Trim(text, "0123456789") == ""
}

// tune changes what is set of functions of the stage that the flags name.
func (p *program) tune(ctx context.Context, input aloft.TuneInput) error {
	ref, err := p.stage("")
	if err != nil {
		return err
	}
	input.Stage = ref
	return p.release(ctx, ref, func(ctx context.Context, c backend, report aloft.Reporter) (aloft.Deployment, error) {
		input.Author = p.authorOn(c)
		return c.Tune(ctx, input, report)
	})
}
