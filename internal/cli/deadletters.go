package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/client"
)

func newDeadLetters(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "dead-letters [command] [flags]",
		Short: "List the events that functions could not work on, and replay them",
		Long: `An event that nobody waits for (aloft invoke --async, and what event sources bring) is given up when its function has
failed three times, or takes no events for six hours; aloft.yml may say otherwise (retries, max-event-age). Unless
on-failure names a destination it is kept here. Without a command the dead letters are listed (the same as
dead-letters list). dead-letters:replay and the like are the same as dead-letters replay.

Exit status: 0 it worked; 2 there is no such app, stage or dead letter.`,
		Example: `  aloft dead-letters
  aloft dead-letters replay --all
  aloft dead-letters:show 5f0c1f6e-3b1c-4d6f-9a55-0f3a4b8f5f11`,
		Args: subcommandOnly,
		RunE: func(c *cobra.Command, _ []string) error { return runDeadLetters(c.Context(), p, 0) },
	})
	c.AddCommand(newDeadLettersList(p), newDeadLettersShow(p), newLetters(p, "replay", "Have functions work on dead letters again",
		`Gives dead letters to their functions again, as new events with the same request ids. What fails again comes back.`,
		(*client.Client).Replay),
		newLetters(p, "remove", "Delete dead letters", `Deletes dead letters. There is no way back.`, (*client.Client).RemoveDeadLetters))
	return c
}

func newDeadLettersList(p *program) *cobra.Command {
	var limit int
	c := newCommand(cobra.Command{
		Use:   "list [flags]",
		Short: "List the events that functions could not work on",
		Long: `Lists the dead letters of a stage, oldest first: the request's id, its function, when it came, how often the function
failed on it, and the error of the last time.

With --json: an array of {"id", "stage", "function", "error", "attempts", "event" (when it came), "dead" (when it was
given up)}.

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft dead-letters list
  aloft dead-letters list -n 20 --stage production --json`,
		Args: between(0, 0),
		RunE: func(c *cobra.Command, _ []string) error { return runDeadLetters(c.Context(), p, limit) },
	})
	c.Flags().IntVarP(&limit, "limit", "n", 0, "at most so many; 0 is all")
	return c
}

func runDeadLetters(ctx context.Context, p *program, limit int) error {
	if limit < 0 {
		return aloft.Errorf(aloft.Invalid, "--limit %d is negative", limit).WithHint("0 lists all")
	}
	return p.onStage(ctx, func(c *client.Client, ref aloft.StageRef) error {
		letters, err := c.DeadLetters(ctx, ref, limit)
		if err != nil {
			return err
		}
		if p.flags.json {
			return p.printJSON(append([]aloft.DeadLetter{}, letters...))
		}
		rows := [][]string{{"REQUEST", "FUNCTION", "AGE", "ATTEMPTS", "ERROR"}}
		for _, l := range letters {
			rows = append(rows, []string{l.ID, l.Function, ago(l.Event), strconv.Itoa(l.Attempts), firstLine(l.Error)})
		}
		return table(p.out, rows)
	})
}

// firstLine is enough of an error for a table.
func firstLine(text string) string {
	const most = 100
	for i, r := range text {
		if r == '\n' || i >= most {
			return text[:i] + "…"
		}
	}
	return text
}

// onStage does something with the stage that the flags name.
func (p *program) onStage(ctx context.Context, do func(c *client.Client, ref aloft.StageRef) error) error {
	ref, c, err := p.openServer(ctx, "say where they go in aloft.yml: functions.NAME.on-failure: queue:NAME")
	if err != nil {
		return err
	}
	defer c.Close()
	return p.explainIf(ctx, c, ref, do(c, ref))
}

func newDeadLettersShow(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "show ID [flags]",
		Short: "Print an event that a function could not work on",
		Long: `Prints the payload of a dead letter to standard output, and what is known of it to standard error.

With --json: what dead-letters list has, and "payload" and "response" (the function's error).

Exit status: 0 printed; 2 there is no such app, stage or dead letter.`,
		Example: `  aloft dead-letters show 5f0c1f6e-3b1c-4d6f-9a55-0f3a4b8f5f11
  aloft dead-letters show 5f0c1f6e-3b1c-4d6f-9a55-0f3a4b8f5f11 --json`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error { return runDeadLettersShow(c.Context(), p, args[0]) },
	})
}

func runDeadLettersShow(ctx context.Context, p *program, id string) error {
	return p.onStage(ctx, func(c *client.Client, ref aloft.StageRef) error {
		l, err := c.DeadLetter(ctx, ref, id)
		if err != nil {
			return err
		}
		if p.flags.json {
			return p.printJSON(l)
		}
		if !p.flags.quiet {
			fmt.Fprintf(p.err, "%s failed %s, came %s ago: %s\n", clean(l.Function), plural(l.Attempts, "time"), ago(l.Event), clean(l.Error))
			if len(l.Response) > 0 {
				fmt.Fprintln(p.err, clean(string(l.Response)))
			}
		}
		_, err = fmt.Fprintln(p.out, clean(string(l.Payload)))
		return err
	})
}

// newLetters is a command that does something with chosen dead letters.
func newLetters(p *program, name, short, long string, do func(*client.Client, context.Context, aloft.StageRef, []string) (int, error)) *cobra.Command {
	var all bool
	c := newCommand(cobra.Command{
		Use:   name + " [ID...] [flags]",
		Short: short,
		Long: long + `

With --json: {"count"}.

Exit status: 0 done; 2 one of them is none, and nothing was done, or it is not said which.`,
		Example: fmt.Sprintf("  aloft dead-letters %[1]s 5f0c1f6e-3b1c-4d6f-9a55-0f3a4b8f5f11\n  aloft dead-letters %[1]s --all --stage production", name),
		Args:    between(0, -1),
		RunE: func(c *cobra.Command, ids []string) error {
			ctx := c.Context()
			if all == (len(ids) > 0) {
				return aloft.Errorf(aloft.Invalid, "it is not said which dead letters").WithHint("name them, or all of them with --all; aloft dead-letters lists them")
			}
			return p.onStage(ctx, func(c *client.Client, ref aloft.StageRef) error {
				n, err := do(c, ctx, ref, ids)
				if err != nil {
					return err
				}
				if p.flags.json {
					return p.printJSON(map[string]int{"count": n})
				}
				_, err = fmt.Fprintln(p.out, plural(n, "dead letter"))
				return err
			})
		},
	})
	c.Flags().BoolVar(&all, "all", false, "all of the stage")
	return c
}
