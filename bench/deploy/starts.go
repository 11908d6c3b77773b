package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// starts measures from exec to the first connection that is accepted, bare, and to "ready" as aloft notices it.
func (b *bench) starts(ctx context.Context) error {
	list, missing, err := home.Apps(ctx, b.Dir, "start-", "")
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
	t, target := report.NewTable("", "bare, ms", "aloft, ms", "later by, ms", "ratio", "held back, ms", "target: later by", ""), report.AtMost(6, " ms")
	for _, a := range list {
		var bare, ready, held []float64
		for range 3 * b.rounds {
			alone, _, err := a.Bare(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", a.Name, err)
			}
			start, hold, err := cold(ctx, s, a)
			if err != nil {
				return fmt.Errorf("%s under aloft: %w", a.Name, err)
			}
			bare, ready, held = append(bare, alone), append(ready, start), append(held, hold)
		}
		later := report.Median(ready) - report.Median(bare)
		t.Add(a.Name, report.Figure(report.Median(bare)), report.Figure(report.Median(ready)), report.Figure(later),
			report.Figure(report.Median(ready)/report.Median(bare)), report.Figure(report.Median(held)), target.String(), target.Verdict(later))
	}
	t.Print(b.out, fmt.Sprintf("Starts: exec → accepts (bare, tried every 0.2 ms), exec → ready (aloft); medians of %d", 3*b.rounds))
	return nil
}

// cold starts the app by a deploy while nothing runs of it. It returns from exec to ready, and how long the deploy held the
// ready app back to see that it stays up.
func cold(ctx context.Context, s *home.Server, a home.App) (start, held float64, err error) {
	in, seen := home.Input(a.Dir), new(steps)
	if err := s.Stop(ctx, in.Stage); err != nil && aloft.ErrorCode(err) != aloft.NotFound {
		return 0, 0, err
	}
	in.Force = true
	made, err := s.Deploy(ctx, in, seen)
	if err != nil {
		return 0, 0, err
	}
	began, err := startOf(ctx, s, made.Release)
	if err != nil {
		return 0, 0, err
	}
	for line, err := range s.Logs(ctx, aloft.LogQuery{Stage: in.Stage, Limit: 50}) {
		if err != nil {
			return 0, 0, err
		}
		if line.Release == made.Release.Version && line.Stream == "aloft" && strings.HasPrefix(line.Text, "ready on ") {
			start = report.MS(line.Time.Sub(began))
			return start, report.MS(seen.of(aloft.StepReady)) - start, nil
		}
	}
	return 0, 0, errors.New("its log does not say when it was ready: v" + strconv.Itoa(made.Release.Version))
}

// startOf returns when the release's instance was started.
func startOf(ctx context.Context, s *home.Server, release aloft.Release) (time.Time, error) {
	all, err := s.Overview(ctx, release.App)
	if err != nil {
		return time.Time{}, err
	}
	for _, stage := range all {
		for _, i := range stage.Instances {
			if i.Release == release.Version {
				return i.StartedAt, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("v%d has no instance", release.Version)
}
