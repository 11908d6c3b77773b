package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/caddyserver/caddy/v2/modules/standard"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

const host = "bench.localhost"

type peer struct{ name, addr string }

func roles() map[string]func([]string) error {
	return map[string]func([]string) error{"upstream": runUpstream, "caddy": runCaddy, "chain": runChain, "aloft": runAloft, "load": runLoad}
}

// startPeers starts the peers asked for. Stop ends all that were started.
func startPeers(ctx context.Context, dir string, o options) ([]peer, func(), error) {
	var started []*exec.Cmd
	stop := func() {
		for _, c := range slices.Backward(started) {
			_ = c.Process.Signal(syscall.SIGTERM)
			_ = c.Wait()
		}
	}
	self := func(args ...string) (string, error) {
		cmd, addr, err := spawn(ctx, args...)
		if cmd != nil {
			started = append(started, cmd)
		}
		return addr, err
	}
	app, err := self("upstream")
	if err != nil {
		return nil, stop, err
	}
	var peers []peer
	for _, name := range strings.Split(o.only, ",") {
		if _, err := exec.LookPath("nginx"); name == "nginx" && err != nil {
			fmt.Fprintln(os.Stderr, "nginx is missing (apt-get install nginx-light): no comparison with it")
			continue
		}
		addr := app
		switch name {
		case "direct":
		case "nginx":
			var cmd *exec.Cmd
			if cmd, addr, err = startNginx(ctx, dir, app); cmd != nil {
				started = append(started, cmd)
			}
		case "caddy", "chain":
			addr, err = self(name, app, dir)
		case "aloft":
			addr, err = self("aloft", app, filepath.Join(dir, "aloft"), o.profile, strconv.Itoa(o.routes))
		default:
			err = fmt.Errorf("no peer %q", name)
		}
		if err != nil {
			return nil, stop, fmt.Errorf("%s: %w", name, err)
		}
		peers = append(peers, peer{name, addr})
	}
	return peers, stop, nil
}

// spawn runs this program in a role, which prints its address first.
func spawn(ctx context.Context, args ...string) (*exec.Cmd, string, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	return cmd, strings.TrimSpace(line), err
}

// announce prints the address and waits for the end.
func announce(addr string) {
	fmt.Println(addr)
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, os.Interrupt)
	<-c
}

// runUpstream is the app: "/" says hello, "/100k" sends 100 KB, a POST is read and counted.
func runUpstream([]string) error {
	hello, big := []byte("Hello, world!\n"), make([]byte, 100<<10)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = []string{"text/plain"}
		if r.Method == http.MethodPost {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprintln(w, n)
			return
		}
		if r.URL.Path == "/100k" {
			w.Header().Set("Content-Length", strconv.Itoa(len(big)))
			_, _ = w.Write(big)
			return
		}
		_, _ = w.Write(hello)
	}))
	announce(ln.Addr().String())
	return nil
}

type instance struct{ up *upstream.Upstream }

func (i instance) Acquire(context.Context) (*upstream.Upstream, error) {
	if !i.up.Begin() {
		return nil, errors.New("draining")
	}
	return i.up, nil
}

// runAloft is our gateway with an access log that is made and dropped.
func runAloft(args []string) error {
	if args[2] != "" {
		f, err := os.Create(args[2])
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	up := upstream.New("web.1", func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", args[0])
	})
	var table route.Table
	routes, _ := strconv.Atoi(args[3])
	for i := range routes {
		name := host
		if i > 0 {
			name = fmt.Sprintf("app-%d.localhost", i)
		}
		table.Put(&route.Route{Stage: aloft.StageRef{App: name, Stage: "production"}, Hosts: []string{name}, Backend: instance{up}})
	}
	var size int
	g, err := gateway.Start(context.Background(), gateway.Config{
		HTTP: "127.0.0.1:0", Table: &table, Dir: args[1],
		Access: func(_ aloft.StageRef, line aloft.LogLine) { size = len(line.Text) },
	})
	if err != nil {
		return err
	}
	announce(g.HTTPAddr())
	_ = size
	return nil
}

const nginxConf = `%[4]sdaemon off; worker_processes auto; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 4096; }
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  client_max_body_size 0; keepalive_requests 10000000;
  upstream app { server %[2]s; keepalive 512; keepalive_requests 10000000; }
  server { listen %[3]s; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } } }
`

func startNginx(ctx context.Context, dir, app string) (*exec.Cmd, string, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, "", err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root; " // or its workers could not write their temporary files
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, app, addr, user), 0o600); err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, "nginx", "-p", dir, "-c", conf)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // SIGKILL would leave the workers
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("%w (install Debian's nginx, or leave it out with -only)", err)
	}
	for range 500 {
		if c, err := net.Dial("tcp", addr); err == nil {
			return cmd, addr, c.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return cmd, addr, errors.New("nginx does not listen")
}

func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
