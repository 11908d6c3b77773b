package cli

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

type configSetOptions struct {
	file string
}

func newConfigSet(p *program) *cobra.Command {
	var o configSetOptions
	c := newCommand(cobra.Command{
		Use:   "set NAME=VALUE... [flags]",
		Short: "Set variables, in one release",
		Long: `Sets variables, in one release. Setting what is set already makes none. FUNCTION/NAME is a variable that only one
function has, over that of the same name which all have.

Other users of the machine can see arguments while the command runs: --file keeps secrets out of them. The
file has a NAME=VALUE on each line; empty lines and lines that start with # do not count, and a value may
stand in quotes. "-" is standard input.

` + lossHelp + `

Exit status: 0 released, or nothing changed; 1 the app did not start with them, and the current release
keeps serving; 2 an argument has no "=", or a name is not allowed.`,
		Example: `  aloft config set LOG_LEVEL=debug GREETING="Hello there"
  aloft config set create/LOG_LEVEL=debug
  aloft config set --file .env --stage production
  pass show stripe | sed 's/^/STRIPE_KEY=/' | aloft config set --file -`,
		Args: between(0, -1),
		RunE: func(c *cobra.Command, args []string) error { return runConfigSet(c.Context(), p, o, args) },
	})
	c.Flags().StringVar(&o.file, "file", "", "read NAME=VALUE lines from a file, - is standard input")
	return c
}

func runConfigSet(ctx context.Context, p *program, o configSetOptions, args []string) error {
	set := map[string]string{}
	if o.file != "" {
		if err := p.readAssignments(o.file, set); err != nil {
			return err
		}
	}
	for _, arg := range args {
		name, value, ok := cutAssignment(arg)
		if !ok {
			return aloft.Errorf(aloft.Invalid, "%s is not of the form NAME=VALUE", cautious(arg)).WithHint("for example: aloft config set LOG_LEVEL=debug")
		}
		set[name] = value
	}
	if len(set) == 0 {
		return aloft.Errorf(aloft.Invalid, "nothing to set").WithHint("for example: aloft config set LOG_LEVEL=debug")
	}
	for name := range set {
		if err := manifest.CheckVariable(name); err != nil {
			return err
		}
	}
	return p.configure(ctx, aloft.ConfigInput{Set: set})
}

// cautious repeats an argument if it looks like a name: it may be a value that lost its name.
func cautious(arg string) string {
	isName := arg != "" && len(arg) <= 40 && strings.Trim(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
	if isName {
		return arg
	}
	return "an argument"
}

func cutAssignment(text string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(text, "=")
	return name, value, ok && name != ""
}

// maxAssignments bounds a file of assignments, in bytes.
const maxAssignments = 1 << 20

// readAssignments reads the lines of a file into set.
func (p *program) readAssignments(name string, set map[string]string) error {
	in := p.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return aloft.Errorf(aloft.Invalid, "%w", err).WithHint("--file names a file with NAME=VALUE lines")
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	lines := bufio.NewScanner(io.LimitReader(in, maxAssignments))
	lines.Buffer(nil, maxAssignments)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := cutAssignment(strings.TrimPrefix(line, "export "))
		if !ok {
			return aloft.Errorf(aloft.Invalid, "line %d is not of the form NAME=VALUE", n)
		}
		set[strings.TrimSpace(name)] = unquote(strings.TrimSpace(value))
	}
	if err := lines.Err(); err != nil {
		return aloft.Errorf(aloft.Invalid, "read variables: %w", err)
	}
	return nil
}

// unquote removes a pair of quotes around a value.
func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}
