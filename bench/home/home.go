// Package home runs the real aloft with a home directory of its own, for benchmarks that go through it.
package home

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

// Server is an aloft server with a home of its own.
type Server struct {
	*client.Client

	Home string
	bin  string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// New returns a server that is not started, with an empty home.
func (l *Lab) New() (*Server, error) {
	home, err := os.MkdirTemp(l.Dir, "home-")
	if err != nil {
		return nil, err
	}
	return &Server{Client: client.New(filepath.Join(home, api.SocketName)), bin: l.Aloft, Home: home}, nil
}

// Start starts the server and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	s.cmd = s.Command(context.WithoutCancel(ctx), "serve")
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := s.Health(ctx)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			s.Remove()
			return fmt.Errorf("aloft serve: %w\n%s", err, &s.log)
		}
	}
}

// End ends the server; its home stays.
func (s *Server) End() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// Remove ends the server and deletes its home.
func (s *Server) Remove() {
	s.Close()
	s.End()
	_ = os.RemoveAll(s.Home)
}

// Command is an aloft command for this server.
func (s *Server) Command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.bin, args...)
	c.Env = append(os.Environ(), "ALOFT_HOME="+s.Home, "ALOFT_HTTP=127.0.0.1:0")
	return c
}

// Up types aloft up for the app in dir, with more arguments if given, and returns the URL that it prints.
func (s *Server) Up(ctx context.Context, dir string, args ...string) (string, error) {
	c := s.Command(ctx, append([]string{"up", "-C", dir}, args...)...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("aloft up: %w\n%s", err, &errs)
	}
	return strings.TrimSpace(string(out)), nil
}

// Input is a deploy of a directory as the command would ask for it, but for git's commit.
func Input(dir string) aloft.DeployInput {
	return aloft.DeployInput{Stage: aloft.StageRef{App: filepath.Base(dir), Stage: aloft.DefaultStage}, Dir: dir, Author: "bench"}
}
