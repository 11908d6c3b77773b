// Command elastic measures what scaling costs: the first request to an app of which nothing runs, beside the same program
// started bare; a request to a frozen instance, beside one to a running instance; a burst that needs a hundred instances at
// once; and many apps of which nothing runs. It runs the real aloft with a home of its own.
//
//	go run ./elastic -aloft ../bin/aloft -rounds 15
//
// Figures of one run compare; figures of two runs do not: machines are shared.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

type options struct {
	home.Lab

	rounds    int // of first requests
	instances int // of the burst
	apps      int // that are idle
	watch     time.Duration
	only      string // comma-separated parts
}

func main() {
	var o options
	o.Flags()
	flag.IntVar(&o.rounds, "rounds", 15, "rounds of first requests; the median counts")
	flag.IntVar(&o.instances, "instances", 100, "instances that the burst needs")
	flag.IntVar(&o.apps, "apps", 200, "apps that are idle")
	flag.DurationVar(&o.watch, "watch", 20*time.Second, "how long idle apps are watched")
	flag.StringVar(&o.only, "only", report.Names(new(bench).parts()), "parts to measure")
	flag.Parse()
	report.Main("bench/elastic", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

// bench is what the parts have in common.
type bench struct {
	options

	out   io.Writer
	goals *report.Goals
}

func (b *bench) parts() []report.Part {
	return []report.Part{{Name: "cold", Run: b.cold}, {Name: "wake", Run: b.wake}, {Name: "burst", Run: b.burst}, {Name: "idle", Run: b.idle}}
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

// deploy plants the Go app with a manifest, deploys it and returns its URL.
func (b *bench) deploy(ctx context.Context, s *home.Server, name, manifest string) (string, error) {
	dir := filepath.Join(b.Dir, name)
	if err := home.Plant(dir, map[string]string{"aloft.yml": manifest}); err != nil {
		return "", err
	}
	if err := home.Hello(ctx, filepath.Join(dir, "server")); err != nil {
		return "", err
	}
	return s.Up(ctx, dir)
}

// await waits until all instances of an app are in one state.
func await(ctx context.Context, s *home.Server, app string, state aloft.InstanceState) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		all, err := s.Overview(ctx, app)
		if err != nil {
			return err
		}
		running, there := 0, 0
		for _, stage := range all {
			for _, i := range stage.Instances {
				if running++; i.State == state {
					there++
				}
			}
		}
		if running == there && there > 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: %d of %d instances are %q after a minute", app, there, running, state)
		}
	}
}

// level says how the apps run: the sandbox is part of every start.
func (b *bench) level(ctx context.Context, s *home.Server, app string) {
	if all, err := s.Overview(ctx, app); err == nil && len(all) > 0 {
		fmt.Fprintf(b.out, "\napps run at isolation level %d\n", all[0].Level)
	}
}
