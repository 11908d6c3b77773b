package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// ups measures from typing aloft up to the first answer of a new app, an executable ./server.
func (b *bench) ups(ctx context.Context) error {
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	t := new(table)
	for i := range b.rounds {
		dir, err := b.trivial(ctx, i)
		if err != nil {
			return err
		}
		bare, _, err := home.App{Command: []string{"./server"}, Dir: dir}.Bare(ctx)
		if err != nil {
			return err
		}
		t.add("./server", bare)
		time, err := report.Took(s.Command(ctx, "version").Run)
		if err != nil {
			return err
		}
		t.add("aloft version, the command's own start", time)
		if time, err = report.Took(func() error { return upAndGet(ctx, s, dir) }); err != nil {
			return err
		}
		t.add("aloft up, new app → its URL answers", time)
		if time, err = b.fromNothing(ctx, dir); err != nil {
			return err
		}
		t.add("the same where no aloft server runs yet", time)
	}
	t.print(b.out, "a new ./server: from the command to the first answer, 100 ms of it held back", "./server")
	return nil
}

// trivial makes an app of nothing but an executable.
func (b *bench) trivial(ctx context.Context, i int) (string, error) {
	dir := filepath.Join(b.Dir, fmt.Sprintf("up-%d", i))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	return dir, home.Hello(ctx, filepath.Join(dir, "server"))
}

// upAndGet deploys and asks the URL that comes of it.
func upAndGet(ctx context.Context, s *home.Server, dir string) error {
	address, err := s.Up(ctx, dir)
	if err != nil {
		return err
	}
	_, err = home.Get(ctx, address)
	return err
}

// fromNothing is a first aloft up in an empty home, which starts the server in the background.
func (b *bench) fromNothing(ctx context.Context, dir string) (float64, error) {
	s, err := b.New()
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(s.Home)
	time, err := report.Took(func() error { return upAndGet(ctx, s, dir) })
	stop := s.Command(context.WithoutCancel(ctx), "stop", "--server")
	if out, stopErr := stop.CombinedOutput(); err == nil && stopErr != nil {
		err = fmt.Errorf("stop the server: %w\n%s", stopErr, out)
	}
	return time, err
}
