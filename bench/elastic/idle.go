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

const (
	deployers = 4               // deploys at a time
	rest      = 3 * time.Second // in which a server comes to rest
)

// idle measures what apps cost of which nothing runs: the server's memory and processor time.
func (b *bench) idle(ctx context.Context) error {
	dirs := make([]string, b.apps)
	for i := range dirs {
		dirs[i] = filepath.Join(b.Dir, fmt.Sprintf("idle-%d", i))
		if err := home.Plant(dirs[i], map[string]string{"aloft.yml": "functions:\n  web: {idle: 1s}\n"}); err != nil {
			return err
		}
	}
	if err := home.Hello(ctx, filepath.Join(dirs[0], "server")); err != nil {
		return err
	}
	for _, dir := range dirs[1:] {
		if err := os.Link(filepath.Join(dirs[0], "server"), filepath.Join(dir, "server")); err != nil {
			return err
		}
	}
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	time.Sleep(rest)
	empty, err := s.RSS()
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
	deployed, share, err := b.watched(s)
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
	again, later, err := b.watched(s)
	if err != nil {
		return err
	}
	first, err := b.wakeOne(ctx, s, filepath.Base(dirs[b.apps/2]))
	if err != nil {
		return err
	}
	t := report.NewTable("server", "RSS, MB", "more than empty, MB")
	t.Add("started, no apps", report.Figure(empty), "")
	t.Add(fmt.Sprintf("%d apps deployed, none runs", b.apps), report.Figure(deployed), report.Figure(deployed-empty))
	t.Add("the same after a restart", report.Figure(again), report.Figure(again-empty))
	t.Print(b.out, fmt.Sprintf("%d apps of which nothing runs: deployed in %.1f s (%.0f ms each, %d at a time); after a restart none runs any more after %.1f s; the first request to one of them then: %s ms",
		b.apps, took/1000, took/float64(b.apps), deployers, restart/1000, report.Figure(first)))
	b.goals.Judge("idle apps: server's RSS grew by, just deployed", deployed-empty, report.AtMost(20, " MB"))
	b.goals.Judge("idle apps: server's RSS grew by, after a restart", again-empty, report.AtMost(20, " MB"))
	b.goals.Judge(fmt.Sprintf("idle apps: share of a core over %s", b.watch), max(share, later), report.AtMost(0.1, " %"))
	return nil
}

// allIdle waits until nothing runs of any app and the server has come to rest.
func allIdle(ctx context.Context, s *home.Server, dirs []string) error {
	for _, dir := range dirs {
		if err := await(ctx, s, filepath.Base(dir), aloft.Idle); err != nil {
			return err
		}
	}
	time.Sleep(rest)
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

// watched returns the server's memory in MB and the share of a core that it uses, in percent.
func (b *bench) watched(s *home.Server) (rss, share float64, err error) {
	before, err := s.CPU()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(b.watch)
	after, err := s.CPU()
	if err != nil {
		return 0, 0, err
	}
	rss, err = s.RSS()
	return rss, 100 * float64(after-before) / float64(b.watch), err
}

// wakeOne asks an app of which nothing runs.
func (b *bench) wakeOne(ctx context.Context, s *home.Server, app string) (float64, error) {
	all, err := s.Overview(ctx, app)
	if err != nil {
		return 0, err
	}
	return home.Get(ctx, all[0].URL)
}
