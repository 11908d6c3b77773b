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
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/aloft-run/aloft/bench/report"
)

type options struct {
	aloft  string // the program to measure
	dir    string // where logs and homes lie
	rounds int
	lines  int
	only   string // comma-separated parts
}

func main() {
	var o options
	flag.StringVar(&o.aloft, "aloft", "../bin/aloft", "the aloft to measure")
	flag.StringVar(&o.dir, "dir", "", "directory for logs and homes (default: the system's for temporary files)")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median counts")
	flag.IntVar(&o.lines, "lines", 1_000_000, "lines of a log")
	flag.StringVar(&o.only, "only", report.Names(new(bench).parts()), "parts to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report.Machine(ctx, os.Stdout, "bench/logs begins")
	err := run(ctx, os.Stdout, o)
	report.Machine(context.WithoutCancel(ctx), os.Stdout, "bench/logs ends")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what the parts have in common.
type bench struct {
	options

	out   io.Writer
	dir   string // freed at the end
	goals *report.Goals
}

func (b *bench) parts() []report.Part {
	return []report.Part{{Name: "store", Run: b.stores}, {Name: "app", Run: b.printing}}
}

func run(ctx context.Context, out io.Writer, o options) error {
	bin, err := filepath.Abs(o.aloft)
	if err != nil {
		return err
	}
	o.aloft = bin
	dir, err := os.MkdirTemp(o.dir, "aloft-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, out: out, dir: dir, goals: report.NewGoals()}
	err = report.Run(ctx, out, b.parts(), o.only)
	b.goals.Print(out, "Targets")
	return err
}
