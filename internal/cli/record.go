package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aloft-run/aloft"
)

func newRecord(p *program) *cobra.Command {
	var limit string
	var off bool
	c := newCommand(cobra.Command{
		Use:   "record FUNCTION [flags]",
		Short: "Keep the events of a handler function for a while",
		Long: `Keeps each event that comes to a handler function from now on, with its reply and the release that answered: those of
aloft invoke, of requests, and of event sources. aloft records lists them, aloft replay invokes with them again.

Before anything is kept, secrets are masked: headers, cookies, query keys and members whose names say so (authorization,
cookie, password, token, secret, api key …), in JSON and forms within bodies too, and all that contains a value of the
stage's config of 6 characters or more. Of a stage the last 200 are kept, of 512 KB at most each, in the home directory;
they go with the stage.

With --json: {"function", "until"}.

Exit status: 0 it records, or has ended; 2 there is no such function, or the time is wrong.`,
		Example: `  aloft record create
  aloft record create --for 1h --stage production
  aloft record create --off`,
		Args: between(1, 1),
		RunE: func(c *cobra.Command, args []string) error { return runRecord(c.Context(), p, args[0], limit, off) },
	})
	c.Flags().StringVar(&limit, "for", "10m", "how long, at most 24h")
	c.Flags().BoolVar(&off, "off", false, "end it now")
	return c
}

func runRecord(ctx context.Context, p *program, function, limit string, off bool) error {
	d, err := time.ParseDuration(limit)
	if err != nil || d <= 0 || d > 24*time.Hour {
		return aloft.Errorf(aloft.Invalid, "--for %q is no time of at most 24h", limit).WithHint("such as 10m or 2h")
	}
	until := time.Now().Add(d).Round(time.Second)
	if off {
		until = time.Time{}
	}
	ref, c, err := p.openServer(ctx, noRecorder)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Record(ctx, ref, function, until); err != nil {
		return p.explain(ctx, c, ref, err)
	}
	if p.flags.json {
		return p.printJSON(aloft.RecorderState{Function: function, Until: until})
	}
	if p.flags.quiet {
		return nil
	}
	if off {
		fmt.Fprintf(p.err, "events of %s are recorded no more\n", clean(function))
	} else {
		fmt.Fprintf(p.err, "events of %s are recorded until %s; aloft records lists them\n", clean(function), until.Format(time.TimeOnly))
	}
	return nil
}

func newRecords(p *program) *cobra.Command {
	return newCommand(cobra.Command{
		Use:   "records [FUNCTION] [flags]",
		Short: "List the events that aloft record kept",
		Long: `Lists the events that were kept of a function, or of all of the stage, newest first, and of which functions events are
kept now.

With --json: {"recording": [{"function", "until"}], "records": [{"id", "function", "release", "at", "event", "reply",
"functionError", "masked" (how many values are)}]}.

Exit status: 0 printed; 2 there is no such app or stage.`,
		Example: `  aloft records
  aloft records create --json --stage production`,
		Args: between(0, 1),
		RunE: func(c *cobra.Command, args []string) error { return runRecords(c.Context(), p, first(args)) },
	})
}

// recordsResult is what --json says.
type recordsResult struct {
	Recording []aloft.RecorderState `json:"recording"`
	Records   []aloft.Recording     `json:"records"`
}

func runRecords(ctx context.Context, p *program, function string) error {
	ref, c, err := p.openServer(ctx, noRecorder)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := p.status(ctx, c, ref); err != nil {
		return err
	}
	var result recordsResult
	if result.Recording, err = c.Recorded(ctx, ref); err != nil {
		return err
	}
	if result.Records, err = c.Recordings(ctx, ref, function); err != nil {
		return err
	}
	if p.flags.json {
		return p.printJSON(result)
	}
	for _, r := range result.Recording {
		fmt.Fprintf(p.err, "events of %s are recorded until %s\n", r.Function, r.Until.Local().Format(time.TimeOnly))
	}
	rows := [][]string{{"ID", "FUNCTION", "RELEASE", "WHEN", "EVENT", "REPLY"}}
	for _, r := range result.Records {
		reply := shortened(string(r.Reply))
		if r.FunctionError != "" {
			reply = "failed: " + r.FunctionError
		}
		rows = append(rows, []string{fmt.Sprint(r.ID), r.Function, fmt.Sprint("v", r.Release), r.At.Local().Format(time.DateTime), shortened(string(r.Event)), clean(reply)})
	}
	return table(p.out, rows)
}

// shortened is the start of a text, for a column.
func shortened(text string) string {
	const width = 40
	runes := []rune(clean(text))
	if len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return string(runes)
}
