// Command logs measures what apps print: how fast it is kept and what that costs, beside SQLite; how fast it is read again; and
// how it is through the real aloft, with an app that prints as fast as it can.
//
//	go run ./logs -aloft ../bin/aloft -lines 1000000 -rounds 3
//
// Figures of one run compare; figures of two runs do not: machines are shared.
package main

import (
	"context"
	"flag"
	"io"

	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

type options struct {
	home.Lab

	rounds int
	lines  int
	only   string // comma-separated parts
}

func main() {
	var o options
	o.Flags()
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median counts")
	flag.IntVar(&o.lines, "lines", 1_000_000, "lines of a log")
	flag.StringVar(&o.only, "only", report.Names(new(bench).parts()), "parts to measure")
	flag.Parse()
	report.Main("bench/logs", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

// bench is what the parts have in common.
type bench struct {
	options

	out   io.Writer
	goals *report.Goals
}

func (b *bench) parts() []report.Part {
	return []report.Part{{Name: "store", Run: b.stores}, {Name: "app", Run: b.printing}}
}

func run(ctx context.Context, out io.Writer, o options) error {
	free, err := o.Open()
	if err != nil {
		return err
	}
	defer free()
	b := &bench{options: o, out: out, goals: report.NewGoals()}
	err = report.Run(ctx, out, b.parts(), o.only)
	b.goals.Print(out, "Targets")
	return err
}
