package shim

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// start starts the server. What it returns is closed when the process has ended, and what it wrote is passed on.
func (c *child) start(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	var pumps []*pump
	for _, one := range []struct {
		to  *output
		end *io.Writer
	}{{c.stdout, &cmd.Stdout}, {c.stderr, &cmd.Stderr}} {
		p, server, err := newPump(one.to)
		if err != nil {
			return nil, err
		}
		defer func() { _ = server.Close() }()
		*one.end = server
		pumps = append(pumps, p)
	}
	if err := cmd.Start(); err != nil {
		for _, p := range pumps {
			_ = p.from.Close()
		}
		return nil, err
	}
	c.pumps.Store(&pumps)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, p := range pumps {
			go p.run()
		}
		_ = cmd.Wait() // its ProcessState says how it ended
		until, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		for _, p := range pumps {
			p.end(until)
		}
	}()
	return done, nil
}

// drain passes on what the server wrote until now.
func (c *child) drain() {
	if pumps := c.pumps.Load(); pumps != nil {
		for _, p := range *pumps {
			p.drain()
		}
	}
}

// command is the server's process, to be started.
func (c *child) command() (*exec.Cmd, error) {
	env := c.childEnv(c.port)
	program, err := lookPath(c.Command[0], c.root, env)
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{
		Path: program, Args: c.Command, Dir: c.root, Env: env, SysProcAttr: apart(),
	}, nil
}

// stop ends what is left of a process group, politely if the server is still to be asked.
func stop(group int, ended <-chan struct{}, politely bool) {
	if politely {
		_ = syscall.Kill(-group, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(graceTime):
		}
	}
	_ = syscall.Kill(-group, syscall.SIGKILL) // what it has started would hold its port
	<-ended
}

// ended says why a server is no more.
func (c *child) ended(cmd *exec.Cmd, wasReady bool) error {
	how := cmd.ProcessState.String()
	if strings.HasPrefix(how, "signal: killed") {
		how += " (Lambda ends what needs more memory than the function has)"
	}
	when := ""
	if !wasReady {
		when = " before it was ready"
	}
	return failed(kindExit, "%s ended%s: %s%s", c.Command[0], when, how, c.lastLines())
}

func (c *child) lastLines() string {
	if lines := c.stderr.tail.String(); lines != "" {
		return "; its last lines:\n" + lines
	}
	return "; it printed nothing"
}

// lookPath finds a program as the server's own environment has it. A name with a slash is relative to the task root.
func lookPath(name, root string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(root, name)
		}
		return name, nil
	}
	path := lookup(env, "PATH")
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if !filepath.IsAbs(file) {
			file = filepath.Join(root, file)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", failed(kindInit, "%s is not in PATH (%s): put it into the artifact, or choose a runtime or a layer that has it", name, path)
}

// freePort chooses a port below those that Linux gives to outgoing connections. Taken ones are rare where nothing else runs.
func freePort() (int, error) {
	const first, last, tries = 20000, 32000, 100
	var err error
	for range tries {
		port := first + rand.IntN(last-first) //nolint:gosec // not a secret
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil { //nolint:noctx // nothing waits
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("none is free: %w", err)
}
