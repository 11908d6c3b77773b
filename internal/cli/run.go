package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aloft-run/aloft"
)

func newRun(p *program) *cobra.Command {
	c := newCommand(cobra.Command{
		Use:   "run [flags] -- COMMAND [ARG...]",
		Short: "Run a one-off command with a stage's code and config",
		Long: `Runs a command beside the app, in a fresh copy of the current release's code and with its config: a migration, a
console, a script. Input and output are passed through as they are; if both are a terminal, the command gets
one as well. Flags after the command are the command's; no shell is between (use sh -c for one).

Exit status: that of the command; 1 it could not be started; 2 there is no such app, stage or release;
130 interrupted, which ends the command.`,
		Example: `  aloft run -- npm run migrate
  aloft run --stage production -- sh -c 'echo "$DATABASE_URL" | wc -c'
  aloft run -- psql < dump.sql`,
		Args: between(1, -1),
		RunE: func(c *cobra.Command, args []string) error { return runRun(c.Context(), p, args) },
	})
	c.Flags().SetInterspersed(false)
	return c
}

func runRun(ctx context.Context, p *program, command []string) error {
	if command[0] == "" {
		return aloft.Errorf(aloft.Invalid, "the command is empty").WithHint("for example: aloft run -- npm run migrate")
	}
	ref, c, err := p.openServer(ctx, "make it a handler function and call it: aloft invoke FUNCTION")
	if err != nil {
		return err
	}
	defer c.Close()
	input := aloft.RunInput{Stage: ref, Command: command, Stdin: p.in, Stdout: p.out, Stderr: p.err}
	restore := p.giveTerminal(&input)
	status, err := c.Run(ctx, input)
	restore()
	if err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if status != 0 {
		return &exitError{status: status}
	}
	return nil
}

// giveTerminal passes the user's terminal on, if input and output are one, and makes it pass on every key, Ctrl-C too.
// Restore must be called at the end.
func (p *program) giveTerminal(input *aloft.RunInput) (restore func()) {
	in, ok := p.in.(*os.File)
	if !ok || !isTerminal(p.in) || !isTerminal(p.out) {
		return func() {}
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return func() {} // then it goes without
	}
	input.Terminal = &aloft.Terminal{File: in, Type: p.env["TERM"]}
	return func() { _ = term.Restore(int(in.Fd()), state) }
}
