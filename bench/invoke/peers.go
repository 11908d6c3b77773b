package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/internal/porttest"
)

const offlineManifest = `service: bench
frameworkVersion: "3"
provider: {name: aws, runtime: nodejs20.x, region: us-east-1}
plugins: [serverless-offline]
functions:
  node: {handler: fnode.handler}
`

// peer is a process that takes invocations.
type peer struct {
	target

	cmd *exec.Cmd
}

// stop ends the process and those that it started.
func (p *peer) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
}

// started starts the peers that are installed and says of the others that they are not measured.
func (b *bench) started(ctx context.Context) (all []*peer) {
	for _, start := range []func(context.Context) (*peer, error){b.direct, b.workerd, b.offline, b.emulator} {
		p, err := start(ctx)
		if err != nil {
			fmt.Fprintln(b.out, "not measured:", err)
			continue
		}
		all = append(all, p)
	}
	return all
}

// direct is a plain Go server: what no engine can reach.
func (b *bench) direct(ctx context.Context) (*peer, error) {
	program := filepath.Join(b.Dir, "hello")
	if err := home.Hello(ctx, program); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	return launch(ctx, target{name: "plain Go server", addr: ports[0], path: "/"}, b.Dir, []string{"PORT=" + portOf(ports[0]), "HOST=127.0.0.1"}, program)
}

// A worker of workerd, and how it is served.
const (
	worker       = "export default { async fetch(request) { await request.json(); return Response.json({ message: 'hello', n: 1 }) } }\n"
	workerConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "%s", http = (), service = "main")],
);
const main :Workerd.Worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-01-01");
`
)

// workerd runs functions in its own process, isolated by V8 alone.
func (b *bench) workerd(ctx context.Context) (*peer, error) {
	program, err := filepath.Abs(filepath.Join(b.peers, "node_modules/@cloudflare/workerd-linux-64/bin/workerd"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, errors.New("workerd is not installed (tools/benchdeps.sh)")
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.Dir, "workerd")
	if err := home.Plant(dir, map[string]string{"worker.js": worker, "config.capnp": fmt.Sprintf(workerConfig, ports[0])}); err != nil {
		return nil, err
	}
	return launch(ctx, target{name: "workerd", addr: ports[0], path: "/"}, dir, nil, program, "serve", "config.capnp")
}

// offline is serverless-offline's Invoke API.
func (b *bench) offline(ctx context.Context) (*peer, error) {
	modules, err := filepath.Abs(filepath.Join(b.peers, "node_modules"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(modules, "serverless-offline")); err != nil {
		return nil, errors.New("serverless-offline is not installed (tools/benchdeps.sh)")
	}
	dir := filepath.Join(b.Dir, "offline")
	if err := home.Plant(dir, map[string]string{"fnode.js": nodeFunction, "serverless.yml": offlineManifest}); err != nil {
		return nil, err
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	t := target{name: "serverless-offline, node", addr: ports[0], path: "/2015-03-31/functions/bench-dev-node/invocations"}
	return launch(ctx, t, dir, []string{"SLS_TELEMETRY_DISABLED=1"}, "node", "node_modules/.bin/serverless", "offline", "--noTimeout",
		"--lambdaPort", portOf(ports[0]), "--httpPort", portOf(ports[1]), "--websocketPort", portOf(ports[2]))
}

// emulator is the Runtime Interface Emulator with the Go function.
func (b *bench) emulator(ctx context.Context) (*peer, error) {
	program, err := filepath.Abs(filepath.Join(b.peers, "aws-lambda-rie"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, errors.New("the Runtime Interface Emulator is not installed (tools/benchdeps.sh)")
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	t := target{name: "RIE, go", addr: ports[0], path: "/2015-03-31/functions/function/invocations", single: true}
	return launch(ctx, t, b.Dir, nil, program, "--runtime-interface-emulator-address", ports[0], "--runtime-api-address", ports[1],
		"--log-level", "error", filepath.Join(b.Dir, "fgo"))
}

// launch starts a process and waits until it takes invocations.
func launch(ctx context.Context, t target, dir string, env []string, command ...string) (*peer, error) {
	t.host = t.addr
	cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...)
	var said bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &peer{t, cmd}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", t.addr)
		if err == nil {
			return p, c.Close()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			p.stop()
			return nil, fmt.Errorf("%s does not listen: %w\n%s", t.name, err, said.Bytes())
		}
	}
}

// freePorts returns addresses of this machine on which nothing listens.
func freePorts(n int) (addrs []string, err error) {
	for range n {
		port, err := porttest.Find()
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, net.JoinHostPort("127.0.0.1", port))
	}
	return addrs, nil
}

// portOf is the port of an address that freePorts returned.
func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
