package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aloft-run/aloft"
)

// jsonError is an error as --json says it.
type jsonError struct {
	Code    aloft.Code `json:"code"`
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
	Detail  string     `json:"detail,omitempty"`
}

// printError says err for people on standard error, and with --json also as a value on standard output.
func (p *program) printError(err error) {
	e := jsonError{Code: aloft.ErrorCode(err), Message: err.Error()}
	if a, ok := errors.AsType[*aloft.Error](err); ok {
		e.Hint, e.Detail = a.Hint, a.Detail
	}
	paint := p.paint(p.err)
	fmt.Fprintln(p.err, paint.red("aloft:"), clean(strings.ReplaceAll(e.Message, "\n", " ")))
	if e.Detail != "" {
		printIndented(p.err, paint, e.Detail)
	}
	if e.Hint != "" {
		fmt.Fprintln(p.err, paint.bold("hint:"), clean(strings.ReplaceAll(e.Hint, "\n", " ")))
	}
	if p.wantsJSON() {
		_ = p.printJSON(map[string]jsonError{"error": e}) // there is nowhere left to complain
	}
}

func printIndented(w io.Writer, paint paint, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintln(w, paint.dim("  |"), clean(line))
	}
}

// wantsJSON is true also if the flags could not be read.
func (p *program) wantsJSON() bool {
	args := p.args
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return p.flags.json || slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// printJSON writes a value to standard output.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// flagError makes an error of cobra's about a flag ours: status 2 and the nearest flag.
func flagError(c *cobra.Command, err error) error {
	e := aloft.Errorf(aloft.Invalid, "%w", err)
	hint := "see " + c.CommandPath() + " --help"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		add := func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		}
		c.Flags().VisitAll(add)
		c.InheritedFlags().VisitAll(add)
		if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
			hint = "did you mean --" + near + "? " + hint
		}
	}
	return e.WithHint("%s", hint)
}

// between accepts from least to most arguments; most -1 is any number.
func between(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return aloft.Errorf(aloft.Invalid, "%s: an argument is missing", c.CommandPath()).WithHint("%s", usage(c))
		case most >= 0 && len(args) > most:
			return aloft.Errorf(aloft.Invalid, "%s: unexpected argument %q", c.CommandPath(), args[most]).WithHint("%s%s", stageHint(c, args[most]), usage(c))
		}
		return nil
	}
}

// stageHint says how a command is told the stage, if an argument that it does not take may be one.
func stageHint(c *cobra.Command, arg string) string {
	if aloft.CheckName("stage", arg) != nil || c.Flag("stage") == nil {
		return ""
	}
	return fmt.Sprintf("for the stage %s: %s --stage %s; ", arg, c.CommandPath(), arg)
}

func usage(c *cobra.Command) string { return "usage: " + c.UseLine() }

// subcommandOnly refuses arguments of a command that only has subcommands, or does something without any.
func subcommandOnly(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, append(sub.Aliases, sub.Name())...)
		}
	}
	hint := "see " + c.CommandPath() + " --help"
	if c.HasParent() {
		hint = stageHint(c, args[0]) + hint
	}
	if near := nearest(args[0], names); near != "" {
		hint = fmt.Sprintf("did you mean %s %s? %s", c.CommandPath(), near, hint)
	}
	return aloft.Errorf(aloft.Invalid, "unknown command %q", strings.TrimPrefix(c.CommandPath()+" "+args[0], "aloft ")).WithHint("%s", hint)
}

// nearest returns the name that takes the fewest edits to word, "" if all are far.
func nearest(word string, names []string) string {
	best, found := len(word)/2+1, ""
	for _, name := range names {
		d := distance(word, name)
		if len(word) > 1 && strings.HasPrefix(name, word) {
			d = min(d, 1)
		}
		if d < best && d <= 1+len(word)/4 {
			best, found = d, name
		}
	}
	return found
}

// distance counts the edits between a and b; two letters swapped are one.
func distance(a, b string) int {
	if len(a) > 100 {
		return len(a)
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
