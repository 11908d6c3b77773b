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
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

type options struct {
	aloft  string // the program to measure
	dir    string // where trees and homes lie
	rounds int
	files  int    // of the large tree
	only   string // comma-separated parts
}

func main() {
	var o options
	flag.StringVar(&o.aloft, "aloft", "../bin/aloft", "the aloft to measure")
	flag.StringVar(&o.dir, "dir", "", "directory for trees and homes (default: the system's for temporary files)")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.IntVar(&o.files, "files", 20_000, "files of the large tree")
	flag.StringVar(&o.only, "only", report.Names(new(bench).parts()), "parts to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report.Machine(ctx, os.Stdout, "bench/deploy begins")
	err := run(ctx, os.Stdout, o)
	report.Machine(context.WithoutCancel(ctx), os.Stdout, "bench/deploy ends")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what the parts have in common.
type bench struct {
	options

	out io.Writer
	dir string // freed at the end
}

func run(ctx context.Context, out io.Writer, o options) error {
	bin, err := filepath.Abs(o.aloft)
	if err != nil {
		return err
	}
	if _, err := os.Stat(bin); err != nil {
		return fmt.Errorf("%w (make build)", err)
	}
	o.aloft = bin
	dir, err := os.MkdirTemp(o.dir, "aloft-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, out: out, dir: dir}
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

func (b *bench) serve(ctx context.Context) (*home.Server, error) {
	return home.Serve(ctx, b.aloft, b.dir)
}
