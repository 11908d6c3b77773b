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
	"strings"
)

type options struct {
	aloft  string // the program to measure
	dir    string // where trees and homes lie
	rounds int
	files  int    // of the large tree
	only   string // comma-separated parts
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "server" {
		fmt.Fprintln(os.Stderr, "server:", runServer(os.Getenv("PORT")))
		os.Exit(1)
	}
	var o options
	flag.StringVar(&o.aloft, "aloft", "../bin/aloft", "the aloft to measure")
	flag.StringVar(&o.dir, "dir", "", "directory for trees and homes (default: the system's for temporary files)")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.IntVar(&o.files, "files", 20_000, "files of the large tree")
	flag.StringVar(&o.only, "only", "small,large,start,up", "parts to measure")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
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
	parts := map[string]func(context.Context) error{
		"small": func(ctx context.Context) error { return b.deploys(ctx, "small", 20) },
		"large": func(ctx context.Context) error { return b.deploys(ctx, "large", o.files) },
		"start": b.starts,
		"up":    b.ups,
	}
	for name := range strings.SplitSeq(o.only, ",") {
		part, ok := parts[name]
		if !ok {
			return fmt.Errorf("no part %q", name)
		}
		if err := part(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
