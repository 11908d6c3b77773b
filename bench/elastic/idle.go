package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

const deployers = 4 // deploys at a time

// idle measures what apps cost of which nothing runs: the server's memory and processor time.
func (b *bench) idle(ctx context.Context) error {
	dirs, err := b.many(ctx)
	if err != nil {
		return err
	}
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	empty, err := s.Settled(ctx)
	if err != nil {
		return err
	}
	took, err := report.Took(func() error { return deployAll(ctx, s, dirs) })
	if err != nil {
		return err
	}
	if err := allIdle(ctx, s, dirs); err != nil {
		return err
	}
	deployed, share, err := b.watched(ctx, s)
	if err != nil {
		return err
	}
	s.End()
	if err := s.Start(ctx); err != nil {
		return err
	}
	restart, err := report.Took(func() error { return allIdle(ctx, s, dirs) })
	if err != nil {
		return err
	}
	again, later, err := b.watched(ctx, s)
	if err != nil {
		return err
	}
	first, err := b.wakeOne(ctx, s, filepath.Base(dirs[b.apps/2]))
	if err != nil {
		return err
	}
	t := report.NewTable("server", "RSS, MB", "more than empty", "of it its own, MB", "more than empty")
	t.Add("started, no apps", report.Figure(empty.RSS), "", report.Figure(empty.Own), "")
	add := func(what string, m home.Memory) {
		t.Add(what, report.Figure(m.RSS), report.Figure(m.RSS-empty.RSS), report.Figure(m.Own), report.Figure(m.Own-empty.Own))
	}
	add(fmt.Sprintf("%d apps deployed, none runs", b.apps), deployed)
	add("the same after a restart", again)
	t.Print(b.out, fmt.Sprintf("%d apps of which nothing runs: deployed in %.1f s (%.0f ms each, %d at a time); after a restart none runs any more after %.1f s; the first request to one of them then: %s ms",
		b.apps, took/1000, took/float64(b.apps), deployers, restart/1000, report.Figure(first)))
	b.goals.Judge("idle apps: server's RSS grew by, just deployed", deployed.RSS-empty.RSS, report.AtMost(20, " MB"))
	b.goals.Judge("idle apps: server's RSS grew by, after a restart", again.RSS-empty.RSS, report.AtMost(20, " MB"))
	b.goals.Judge(fmt.Sprintf("idle apps: share of a core over %s", b.watch), max(share, later), report.AtMost(0.1, " %"))
	return nil
}

// many plants the apps, which share one program, and returns where they are.
func (b *bench) many(ctx context.Context) ([]string, error) {
	dirs := make([]string, b.apps)
	for i := range dirs {
		dirs[i] = filepath.Join(b.Dir, fmt.Sprintf("idle-%d", i))
		if err := home.Plant(dirs[i], map[string]string{"aloft.yml": "functions:\n  web: {idle: 1s}\n"}); err != nil {
			return nil, err
		}
	}
	if err := home.Hello(ctx, filepath.Join(dirs[0], "server")); err != nil {
		return nil, err
	}
	for _, dir := range dirs[1:] {
		if err := os.Link(filepath.Join(dirs[0], "server"), filepath.Join(dir, "server")); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}

// allIdle waits until nothing runs of any app.
func allIdle(ctx context.Context, s *home.Server, dirs []string) error {
	for _, dir := range dirs {
		if err := await(ctx, s, filepath.Base(dir), aloft.Idle); err != nil {
			return err
		}
	}
	return nil
}

func deployAll(ctx context.Context, s *home.Server, dirs []string) error {
	queue, errs := make(chan string), make(chan error, len(dirs))
	var workers sync.WaitGroup
	for range deployers {
		workers.Go(func() {
			for dir := range queue {
				_, err := s.Deploy(ctx, home.Input(dir), aloft.Discard{})
				errs <- err
			}
		})
	}
	for _, dir := range dirs {
		queue <- dir
	}
	close(queue)
	workers.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

// watched returns the server's memory once it does not change any more, and the share of a core that the server uses then, in percent.
func (b *bench) watched(ctx context.Context, s *home.Server) (m home.Memory, share float64, err error) {
	if m, err = s.Settled(ctx); err != nil {
		return m, 0, err
	}
	before, err := s.CPU()
	if err != nil {
		return m, 0, err
	}
	time.Sleep(b.watch)
	after, err := s.CPU()
	return m, 100 * float64(after-before) / float64(b.watch), err
}

// wakeOne asks an app of which nothing runs.
func (b *bench) wakeOne(ctx context.Context, s *home.Server, app string) (float64, error) {
	all, err := s.Overview(ctx, app)
	if err != nil {
		return 0, err
	}
	return home.Get(ctx, all[0].URL)
}
