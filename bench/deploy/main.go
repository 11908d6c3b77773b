// Command deploy measures what a user waits for: deploys, beside what the same tree costs a walk, git and zip; and starts,
// beside the same programs started bare. It runs the real aloft with a home of its own.
//
//	go run ./deploy -aloft ../bin/aloft -rounds 5
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
	files  int    // of the large tree
	only   string // comma-separated parts
}

func main() {
	var o options
	o.Flags()
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.IntVar(&o.files, "files", 20_000, "files of the large tree")
	flag.StringVar(&o.only, "only", report.Names(new(bench).parts()), "parts to measure")
	flag.Parse()
	report.Main("bench/deploy", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

// bench is what the parts have in common.
type bench struct {
	options

	out io.Writer
}

func run(ctx context.Context, out io.Writer, o options) error {
	free, err := o.Open()
	if err != nil {
		return err
	}
	defer free()
	b := &bench{options: o, out: out}
	return report.Run(ctx, out, b.parts(), o.only)
}

func (b *bench) parts() []report.Part {
	return []report.Part{
		{Name: "small", Run: func(ctx context.Context) error { return b.deploys(ctx, "small", 20) }},
		{Name: "large", Run: func(ctx context.Context) error { return b.deploys(ctx, "large", b.files) }},
		{Name: "start", Run: b.starts},
		{Name: "up", Run: b.ups},
	}
}
