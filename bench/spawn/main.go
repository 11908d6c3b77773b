// Command spawn measures what a sandbox costs beside a plain process: the time until a program's first byte arrives, engine
// by engine, in turns within one run.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aloft-run/aloft/bench/report"
	"github.com/aloft-run/aloft/internal/engine"
	"github.com/aloft-run/aloft/internal/engine/confined"
	"github.com/aloft-run/aloft/internal/engine/namespace"
	"github.com/aloft-run/aloft/internal/engine/process"
)

func main() {
	rounds := flag.Int("rounds", 5, "rounds of 20 starts of each engine")
	flag.Parse()
	report.Main("bench/spawn", func(ctx context.Context, _ io.Writer) error { return run(ctx, 20**rounds) })
}

// contender is an engine under a name, and how its starts went.
type contender struct {
	name   string
	engine engine.Engine
	times  []float64 // ms
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
		{bounded, namespace.Options{Server: "aloft-spawn-4", Ready: 2, Bounded: true}},
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
			if ctx.Err() != nil {
				return ctx.Err()
			}
			took, err := start(ctx, c.engine, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.times = append(c.times, report.MS(took))
			time.Sleep(20 * time.Millisecond) // the next sandbox gets ready meanwhile, as between the starts of a server
		}
	}
	print(all, n)
	return nil
}

// bounded is the level that the target is for.
const bounded = "level 4, isolated and bounded"

func print(all []*contender, n int) {
	t, goals := report.NewTable("", "p50, ms", "p90", "p99", "over a plain process at p50"), report.NewGoals()
	for _, c := range all {
		over := report.Median(c.times) - report.Median(all[0].times)
		t.Add(c.name, report.Figure(report.Median(c.times)), report.Figure(report.Quantile(c.times, .9)),
			report.Figure(report.Quantile(c.times, .99)), report.Figure(over))
		if c.name == bounded {
			goals.Judge("sandbox, "+bounded+": over a plain process", over, report.AtMost(5, " ms"))
		}
	}
	t.Print(os.Stdout, fmt.Sprintf("A sandbox by itself: until the first byte of /bin/echo, %d starts of each in turns", n))
	goals.Print(os.Stdout, "Targets")
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
