// Command spawn measures what a sandbox costs beside a plain process: the time until a program's first byte arrives, engine
// by engine, in turns within one run.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/confined"
	"github.com/aloft-run/aloft/internal/engine/namespace"
	"github.com/aloft-run/aloft/internal/engine/process"
)

func main() {
	n := flag.Int("n", 100, "starts of each engine")
	flag.Parse()
	if err := run(context.Background(), *n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// contender is an engine under a name, and how its starts went.
type contender struct {
	name   string
	engine engine.Engine
	times  []time.Duration
}

func run(ctx context.Context, n int) error {
	dir, err := os.MkdirTemp("", "aloft-spawn-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all := []*contender{{name: "plain process", engine: process.New("")}}
	if e, err := confined.New("", nil); err == nil {
		all = append(all, &contender{name: "level 2, confined", engine: e})
	}
	for _, c := range []struct {
		name    string
		options namespace.Options
	}{
		{"level 3, isolated", namespace.Options{Server: "aloft-spawn-3", Ready: 2}},
		{"level 3, none stands ready", namespace.Options{Server: "aloft-spawn-1"}},
		{"level 4, isolated and bounded", namespace.Options{Server: "aloft-spawn-4", Ready: 2, Bounded: true}},
		{"level 4, none stands ready", namespace.Options{Server: "aloft-spawn-0", Bounded: true}},
	} {
		e, err := namespace.New(ctx, c.options)
		if err != nil {
			fmt.Printf("%s: not measured: %v\n", c.name, err)
			continue
		}
		defer e.Close()
		all = append(all, &contender{name: c.name, engine: e})
	}
	for range n {
		for _, c := range all {
			took, err := start(ctx, c.engine, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.times = append(c.times, took)
			time.Sleep(20 * time.Millisecond) // the next sandbox gets ready meanwhile, as between the starts of a server
		}
	}
	base := time.Duration(0)
	fmt.Printf("%-32s %10s %10s %10s %12s\n", "until the first byte", "p50", "p90", "p99", "over plain")
	for _, c := range all {
		slices.Sort(c.times)
		at := func(p int) time.Duration { return c.times[min(n-1, n*p/100)].Round(10 * time.Microsecond) }
		if base == 0 {
			base = at(50)
		}
		fmt.Printf("%-32s %10s %10s %10s %12s\n", c.name, at(50), at(90), at(99), at(50)-base)
	}
	return nil
}

// start returns how long it takes until a program's output arrives.
func start(ctx context.Context, e engine.Engine, dir string) (time.Duration, error) {
	r, w := io.Pipe()
	began := time.Now()
	s, err := e.Start(ctx, engine.Spec{
		ID: "spawn", Command: []string{"/bin/echo", "hello"}, Tree: dir, Private: dir, Stdout: w,
		Limits: engine.Limits{Temp: 1 << 20, Memory: 64 << 20, Processes: 64},
	})
	if err != nil {
		return 0, err
	}
	_, err = r.Read(make([]byte, 16))
	took := time.Since(began)
	_ = r.Close()
	<-s.Done()
	return took, err
}
