package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

const host = "bench.localhost"

// peer is a proxy to load. tls is "" if it takes no part there, pid 0 if its processor time is not known.
type peer struct {
	name, addr, tls string
	pid             int
}

func roles() map[string]func([]string) error {
	return map[string]func([]string) error{
		"upstream": runUpstream, "caddy": runCaddy, "chain": runChain, "httputil": runHTTPUtil, "aloft": runAloft, "load": runLoad,
	}
}

// stage is what the peers run in.
type stage struct {
	dir, app string // directory and the app's address
	started  []*exec.Cmd
}

// stop ends all that were started.
func (s *stage) stop() {
	for _, c := range slices.Backward(s.started) {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
}

// start starts the peers asked for. Those that are missing or do not start are named; failed reports whether there were some
// of the latter kind.
func (s *stage) start(ctx context.Context, out io.Writer, o options) (peers []peer, failed bool, err error) {
	app, err := s.self(ctx, "upstream")
	if err != nil {
		return nil, false, err
	}
	s.app = app.addr
	if err := certify(s.dir); err != nil {
		return nil, false, err
	}
	for _, name := range strings.Split(o.only, ",") {
		p, err := s.peer(ctx, name, o)
		if errors.Is(err, exec.ErrNotFound) {
			fmt.Fprintf(out, "not compared with %s: it is not installed\n", name)
			continue
		}
		if err != nil {
			fmt.Fprintf(out, "FAILED: %s: %v\n", name, err)
			failed = true
			continue
		}
		p.name = name
		peers = append(peers, p)
	}
	return peers, failed, nil
}

func (s *stage) peer(ctx context.Context, name string, o options) (peer, error) {
	home := filepath.Join(s.dir, name)
	switch name {
	case "direct":
		return peer{addr: s.app}, nil
	case "nginx":
		return s.nginx(ctx)
	case "haproxy":
		return s.haproxy(ctx)
	case "kamal-proxy":
		return s.kamal(ctx)
	case "caddy", "chain", "httputil":
		return s.self(ctx, name, s.app, s.dir)
	case "aloft":
		return s.self(ctx, "aloft", s.app, home, o.profile, "1")
	case "aloft1000":
		return s.self(ctx, "aloft", s.app, home, "", "1000")
	}
	return peer{}, fmt.Errorf("no peer %q", name)
}

// self runs this program in a role, which prints its addresses first.
func (s *stage) self(ctx context.Context, args ...string) (peer, error) {
	exe, err := os.Executable()
	if err != nil {
		return peer{}, err
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return peer{}, err
	}
	if err := s.run(cmd); err != nil {
		return peer{}, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return peer{}, fmt.Errorf("%s did not start: %w", args[0], err)
	}
	addr, secure, _ := strings.Cut(strings.TrimSpace(line), " ")
	return peer{addr: addr, tls: secure, pid: cmd.Process.Pid}, nil
}

// run starts a process that stop ends.
func (s *stage) run(cmd *exec.Cmd) error {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // SIGKILL would leave nginx's workers
	err := cmd.Start()
	if err == nil {
		s.started = append(s.started, cmd)
	}
	return err
}

// announce prints the addresses, plain and TLS, and waits for the end.
func announce(addr, secure string) {
	fmt.Println(addr, secure)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, os.Interrupt)
	<-c
}

// listens waits until somebody does.
func listens(addr string) error {
	for range 500 {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("nobody listens on %s", addr)
}

// freeAddrs returns two addresses that nobody listens on.
func freeAddrs() (string, string, error) {
	var addrs [2]string
	for i := range addrs {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer ln.Close()
		addrs[i] = ln.Addr().String()
	}
	return addrs[0], addrs[1], nil
}
