package client_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/api/apitest"
	"github.com/aloft-run/aloft/internal/client"
)

func TestUpgradeServer(t *testing.T) {
	home := t.TempDir()
	if _, err := serve(t, home).UpgradeServer(t.Context(), time.Second); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("a server that cannot be upgraded: %v", err)
	}
	home = t.TempDir()
	listener, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	want := api.Upgraded{PID: 7, Version: "2", Before: api.ServerPID{PID: 6, Version: "1"}}
	asked, canceled := make(chan struct{}), make(chan struct{})
	services := (&apitest.Fake{}).Services(home, func() {})
	services.Upgrade = func(ctx context.Context, limit time.Duration) (api.Upgraded, error) {
		if limit == 1500*time.Millisecond {
			return want, nil
		}
		if limit == time.Minute {
			close(asked)
			<-ctx.Done()
			close(canceled)
			return want, ctx.Err()
		}
		return want, aloft.Errorf(aloft.Failed, "it is not ready").WithDetail("oh no")
	}
	server := &http.Server{Handler: api.New(services)}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	defer wg.Wait()
	defer func() { _ = server.Close() }()
	c := client.New(filepath.Join(home, api.SocketName))
	defer c.Close()
	if got, err := c.UpgradeServer(t.Context(), 1500*time.Millisecond); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = c.UpgradeServer(t.Context(), time.Second)
	if e, ok := errors.AsType[*aloft.Error](err); !ok || e.Code != aloft.Failed || e.Detail != "oh no" {
		t.Errorf("what fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := c.UpgradeServer(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	<-canceled
}

// TestTheSocketIsPassedOn: connections made while nobody accepts are answered by the next server, and the first one's end
// does not take the socket away.
func TestTheSocketIsPassedOn(t *testing.T) {
	home := t.TempDir()
	first, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(s *api.Socket, text string) *http.Server {
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			api.WriteProblem(w, aloft.Errorf(aloft.Conflict, "%s", text))
		})}
		go func() { _ = server.Serve(s) }()
		return server
	}
	one := answer(first, "first")
	ask := func() chan string {
		said := make(chan string, 1)
		go func() {
			c := client.New(filepath.Join(home, api.SocketName))
			defer c.Close()
			_, err := c.Health(context.WithoutCancel(t.Context()))
			said <- err.Error()
		}()
		return said
	}
	if got := <-ask(); got != "first" {
		t.Errorf("said %q", got)
	}
	first.Pause()
	early := ask()
	select {
	case got := <-early:
		t.Errorf("a paused socket answers %q", got)
	case <-time.After(50 * time.Millisecond):
	}
	first.Resume()
	if got := <-early; got != "first" {
		t.Errorf("said %q", got)
	}
	first.Pause()
	file, err := first.File()
	if err != nil {
		t.Fatal(err)
	}
	inherited, err := net.FileListener(file)
	_ = file.Close()
	if err != nil {
		t.Fatal(err)
	}
	late := ask()
	first.Leave()
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	second := api.Adopt(home, inherited.(*net.UnixListener))
	two := answer(second, "second")
	for _, said := range []chan string{late, ask()} {
		if got := <-said; got != "second" {
			t.Errorf("said %q", got)
		}
	}
	if err := two.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(home, api.SocketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}
