package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// cold measures the first request through the gateway to an app of which nothing runs, against exec → first answer of the
// same program without aloft.
func (b *bench) cold(ctx context.Context) error {
	list, missing, err := home.Apps(ctx, b.Dir, "cold-", "functions:\n  web: {idle: 400ms}\n")
	if err != nil {
		return err
	}
	for _, why := range missing {
		fmt.Fprintln(b.out, "not measured:", why)
	}
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	address := make([]string, len(list))
	bare, first := make([][]float64, len(list)), make([][]float64, len(list))
	for i, a := range list {
		if address[i], err = s.Up(ctx, a.Dir); err != nil {
			return err
		}
	}
	b.level(ctx, s, filepath.Base(list[0].Dir))
	for range b.rounds {
		for i, a := range list {
			_, alone, err := a.Bare(ctx)
			if err != nil {
				return err
			}
			if err := calm(ctx, s, list); err != nil {
				return err
			}
			took, err := home.Get(ctx, address[i])
			if err != nil {
				return fmt.Errorf("%s: %w", a.Name, err)
			}
			bare[i], first[i] = append(bare[i], alone), append(first[i], took)
		}
	}
	t := report.NewTable("", "bare, p50 ms", "aloft, p50 ms", "aloft, p90 ms", "later by, ms", "ratio")
	for i, a := range list {
		alone, ours := report.Median(bare[i]), report.Median(first[i])
		t.Add(a.Name, report.Figure(alone), report.Figure(ours), report.Figure(report.Quantile(first[i], .9)),
			report.Figure(ours-alone), report.Figure(ours/alone))
		b.goals.Judge("cold start, "+a.Name+": later than bare by", ours-alone, report.AtMost(6, " ms"))
		if a.Name == "Go" {
			b.goals.Judge("cold start, Go: first request through the gateway (G13)", ours, report.AtMost(25, " ms"))
		}
	}
	t.Print(b.out, fmt.Sprintf("Cold starts: exec → first answer (bare, tried every 0.2 ms), first request through the gateway while nothing runs (aloft); %d rounds", b.rounds))
	return nil
}

// calm waits until nothing runs of any app and the server has cleared away what did.
func calm(ctx context.Context, s *home.Server, list []home.App) error {
	for _, a := range list {
		if err := await(ctx, s, filepath.Base(a.Dir), aloft.Idle); err != nil {
			return err
		}
	}
	time.Sleep(300 * time.Millisecond)
	return nil
}

// wake measures a request to a frozen instance against one to an instance that was quiet for as long but may not freeze.
func (b *bench) wake(ctx context.Context) error {
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	var frozen, running []float64
	asleep, err := b.deploy(ctx, s, "wake-frozen", "functions:\n  web: {idle: 4s}\n")
	if err != nil {
		return err
	}
	awake, err := b.deploy(ctx, s, "wake-running", "functions:\n  web: {idle: off}\n")
	if err != nil {
		return err
	}
	get := func(address string, times *[]float64) error {
		took, err := home.Get(ctx, address)
		*times = append(*times, took)
		return err
	}
	for i := range b.rounds {
		if err := await(ctx, s, "wake-frozen", aloft.Frozen); err != nil {
			return err
		}
		first, second := func() error { return get(asleep, &frozen) }, func() error { return get(awake, &running) }
		if i%2 == 1 { // each of them comes first as often
			first, second = second, first
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
	}
	t := report.NewTable("", "p50 ms", "p90 ms")
	t.Add("a running instance", report.Figure(report.Median(running)), report.Figure(report.Quantile(running, .9)))
	t.Add("a frozen one", report.Figure(report.Median(frozen)), report.Figure(report.Quantile(frozen, .9)))
	t.Print(b.out, fmt.Sprintf("A request after a second of quiet, %d rounds", b.rounds))
	b.goals.Judge("wake from freeze: later than a running instance by", report.Median(frozen)-report.Median(running), report.AtMost(0.5, " ms"))
	return nil
}
