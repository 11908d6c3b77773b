package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

// filteredTime is how far back lines are looked for that a filter wants.
const filteredTime = 24 * time.Hour

// defaultLines is how many lines logs prints if neither -n nor --since says.
const defaultLines = 100

type logOptions struct {
	stage    string
	follow   bool
	lines    int
	linesSet bool
	since    string
	raw      bool

	function, grep, release string
	only                    int // --release as a number
}

func newLogs(p *program) *cobra.Command {
	var o logOptions
	c := newCommand(cobra.Command{
		Use:     "logs [stage] [flags]",
		Aliases: []string{"log"},
		Short:   "Print the log of a stage",
		Long: `Prints what the app's instances printed, what aloft says about them, and the requests they took, oldest first.
Escape sequences and control bytes are left out unless --raw is given. --follow goes on when the server is upgraded.
On AWS it is what CloudWatch has, some seconds late: all functions in all regions, in the order of their times; where no
release ever served, what those of the newest printed.

--function, --release and --grep leave out all other lines, before -n counts. Without --since they look at the last 24
hours.

With --json it prints an array of {"time", "release", "region" (on AWS), "function", "instance", "stream", "requestId",
"text"}; with --follow one such object a line.

Exit status: 0 printed; 2 there is no such app or stage, or no release of it has the --function; 130
interrupted (the way to end --follow).`,
		Example: `  aloft logs
  aloft logs -f production
  aloft logs -n 20
  aloft logs --since 5m
  aloft logs production --function create --grep "timed out"
  aloft logs --since 2026-01-31T12:00:00Z --json`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stage, o.linesSet = first(args), c.Flags().Changed("lines")
			if err := o.readFilter(c.Flags().Changed); err != nil {
				return err
			}
			return runLogs(c.Context(), p, o)
		},
	})
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with new lines")
	c.Flags().IntVarP(&o.lines, "lines", "n", defaultLines, "the last so many lines; 0 is all")
	c.Flags().StringVar(&o.since, "since", "", "not before: a duration ago, or a time as 2026-01-31T12:00:00Z")
	c.Flags().StringVar(&o.function, "function", "", "lines of this function only")
	c.Flags().StringVar(&o.release, "release", "", "lines of this release only, such as v3")
	c.Flags().StringVar(&o.grep, "grep", "", "lines that have this text only")
	c.Flags().BoolVar(&o.raw, "raw", false, "print lines as they are, escape sequences too")
	return c
}

// readFilter reads the flags that say which lines are wanted. Given says which flags were given.
func (o *logOptions) readFilter(given func(string) bool) error {
	for name, value := range map[string]string{"function": o.function, "grep": o.grep} {
		if given(name) && (value == "" || strings.ContainsFunc(value, unicode.IsControl)) {
			return aloft.Errorf(aloft.Invalid, "--%s %q leaves no line", name, value).WithHint("leave it out to see all")
		}
	}
	if o.function != "" && strings.ContainsAny(o.function, " /") {
		return aloft.Errorf(aloft.Invalid, "--function %q is no name of a function", o.function).WithHint("aloft functions lists them")
	}
	if n, is := aloft.ParseVersion(o.release); is {
		o.only = n
	} else if given("release") {
		return aloft.Errorf(aloft.Invalid, "--release %q is no release", o.release).WithHint("such as v3; aloft releases lists them")
	}
	return nil
}

// filters reports whether lines are left out.
func (o logOptions) filters() bool { return o.function != "" || o.grep != "" || o.only != 0 }

// wants reports whether a line is not left out.
func (o logOptions) wants(line aloft.LogLine) bool {
	return (o.function == "" || line.Function == o.function) && (o.only == 0 || line.Release == o.only) && strings.Contains(line.Text, o.grep)
}

func (o logOptions) query(ref aloft.StageRef) (aloft.LogQuery, error) {
	query := aloft.LogQuery{Stage: ref, Limit: o.lines, Follow: o.follow}
	if o.lines < 0 {
		return query, aloft.Errorf(aloft.Invalid, "-n %d is negative", o.lines).WithHint("0 prints all lines")
	}
	if o.filters() && !o.follow {
		query.Limit = 0 // of those that are wanted
	}
	if o.since == "" {
		if o.filters() && !o.follow {
			query.Since = time.Now().Add(-filteredTime)
		}
		return query, nil
	}
	if !o.linesSet {
		query.Limit = 0
	}
	if d, err := time.ParseDuration(o.since); err == nil && d >= 0 {
		query.Since = time.Now().Add(-d)
		return query, nil
	}
	at, err := time.Parse(time.RFC3339, o.since)
	if err != nil {
		return query, aloft.Errorf(aloft.Invalid, "--since %q is neither a duration nor a time", o.since).
			WithHint("for example: --since 5m, --since 2026-01-31T12:00:00Z")
	}
	query.Since = at
	return query, nil
}

func runLogs(ctx context.Context, p *program, o logOptions) error {
	ref, err := p.stage(o.stage)
	if err != nil {
		return err
	}
	query, err := o.query(ref)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, ref)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := p.status(ctx, c, ref); err != nil {
		return err // a stage that does not exist has an empty log
	}
	if err := logged(ctx, c, ref, o.function); err != nil {
		return err
	}
	if o.follow {
		return p.followLogs(ctx, c, query, o)
	}
	list := []aloft.LogLine{}
	for line, err := range c.Logs(ctx, query) {
		switch {
		case err != nil:
			return err
		case !o.wants(line):
		case p.flags.json || o.filters():
			list = append(list, line)
		default:
			if err := p.printLog(line, o.raw); err != nil {
				return err
			}
		}
	}
	if o.filters() && o.lines > 0 && (o.linesSet || o.since == "") {
		list = list[max(0, len(list)-o.lines):]
	}
	if p.flags.json {
		return p.printJSON(list)
	}
	for _, line := range list {
		if err := p.printLog(line, o.raw); err != nil {
			return err
		}
	}
	return nil
}

// logged refuses the name of a function that no release of a stage has: old ones have lines in the log, and so do hooks.
func logged(ctx context.Context, c backend, ref aloft.StageRef, name string) (refused error) {
	if name == "" || slices.Contains([]string{"predeploy", "postdeploy"}, name) {
		return nil
	}
	const newest, all = 1, 0
	for _, limit := range []int{newest, all} {
		releases, err := c.Releases(ctx, ref, limit)
		if err != nil {
			return err
		}
		for i, r := range releases {
			err := hasFunction(r, ref, name)
			if err == nil {
				return nil
			}
			if i == 0 {
				refused = err
			}
		}
	}
	return refused
}

func (p *program) printLog(line aloft.LogLine, raw bool) error {
	if p.flags.json {
		e := json.NewEncoder(p.out)
		e.SetEscapeHTML(false)
		return e.Encode(line)
	}
	text, paint := line.Text, p.paint(p.out)
	if !raw {
		text = clean(text)
	}
	from := line.Function
	if line.Instance != "" {
		from = line.Instance
	}
	if line.Region != "" {
		from = line.Region + "/" + from
	}
	head := fmt.Sprintf("%s v%d %s", line.Time.Local().Format("2006-01-02T15:04:05.000"), line.Release, clean(from))
	switch line.Stream {
	case "stdout":
	case "stderr":
		head += " err"
	default:
		head += " " + clean(line.Stream)
	}
	_, err := fmt.Fprintf(p.out, "%s %s\n", paint.dim(head+" |"), text)
	return err
}
