package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// ups measures from typing aloft up to the first answer of a new app, an executable ./server.
func (b *bench) ups(ctx context.Context) error {
	s, err := b.serve(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	t := new(table)
	for i := range b.rounds {
		dir, err := b.trivial(i)
		if err != nil {
			return err
		}
		bare, err := app{command: []string{filepath.Join(dir, "server")}}.bare(ctx)
		if err != nil {
			return err
		}
		t.add("./server", bare)
		time, err := took(s.command(ctx, "version").Run)
		if err != nil {
			return err
		}
		t.add("aloft version, the command's own start", time)
		if time, err = took(func() error { return s.upAndGet(ctx, dir) }); err != nil {
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

func (b *bench) trivial(i int) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.dir, fmt.Sprintf("up-%d", i))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "server"), []byte("#!/bin/sh\nexec "+self+" server\n"), 0o755)
}

// upAndGet deploys and asks the URL that comes of it.
func (s *server) upAndGet(ctx context.Context, dir string) error {
	text, err := s.up(ctx, dir)
	if err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	transport := &http.Transport{ // not every resolver knows *.localhost
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", u.Port()))
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, text, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", text, answer.Status)
	}
	return nil
}

// fromNothing is a first aloft up in an empty home, which starts the server in the background.
func (b *bench) fromNothing(ctx context.Context, dir string) (float64, error) {
	home, err := os.MkdirTemp(b.dir, "home-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	s := &server{bin: b.aloft, home: home}
	time, err := took(func() error { return s.upAndGet(ctx, dir) })
	stop := s.command(context.WithoutCancel(ctx), "stop", "--server")
	if out, stopErr := stop.CombinedOutput(); err == nil && stopErr != nil {
		err = fmt.Errorf("stop the server: %w\n%s", stopErr, out)
	}
	return time, err
}
