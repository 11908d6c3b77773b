package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/api"
	"github.com/aloft-run/aloft/internal/client"
)

// server is an aloft server with a home of its own.
type server struct {
	*client.Client

	bin, home string
	cmd       *exec.Cmd
	log       bytes.Buffer
}

// serve starts a server in a new home. The caller stops it.
func (b *bench) serve(ctx context.Context) (*server, error) {
	home, err := os.MkdirTemp(b.dir, "home-")
	if err != nil {
		return nil, err
	}
	s := &server{Client: client.New(filepath.Join(home, api.SocketName)), bin: b.aloft, home: home}
	s.cmd = s.command(context.WithoutCancel(ctx), "serve")
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err = s.Health(ctx); err == nil {
			return s, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			s.stop()
			return nil, fmt.Errorf("aloft serve: %w\n%s", err, &s.log)
		}
	}
}

// stop ends the server and removes its home.
func (s *server) stop() {
	s.Close()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.home)
}

// command is an aloft command for this server.
func (s *server) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.bin, args...)
	c.Env = append(os.Environ(), "ALOFT_HOME="+s.home, "ALOFT_HTTP=127.0.0.1:0")
	return c
}

// up types aloft up and returns the URL that it prints.
func (s *server) up(ctx context.Context, dir string) (string, error) {
	c := s.command(ctx, "up", "-C", dir)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("aloft up: %w\n%s", err, &errs)
	}
	return strings.TrimSpace(string(out)), nil
}

// input is a deploy of a directory as the command would ask for it, but for git's commit.
func input(dir string) aloft.DeployInput {
	return aloft.DeployInput{Stage: aloft.StageRef{App: filepath.Base(dir), Stage: aloft.DefaultStage}, Dir: dir, Author: "bench"}
}

// took returns how long f takes, in milliseconds.
func took(f func() error) (float64, error) {
	began := time.Now()
	err := f()
	return ms(time.Since(began)), err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
