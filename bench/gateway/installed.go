package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

const nginxConf = `%[4]sdaemon off; worker_processes auto; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 4096; }
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  client_max_body_size 0; keepalive_requests 10000000; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;
  upstream app { server %[2]s; keepalive 512; keepalive_requests 10000000; }
  server { listen %[3]s; listen %[5]s ssl http2;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } } }
`

// nginx is Debian's, with kept connections to the app.
func (s *stage) nginx(ctx context.Context) (peer, error) {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root; " // or its workers could not write their temporary files
	}
	return s.configured(ctx, "nginx", func(addr, secure string) string {
		return fmt.Sprintf(nginxConf, s.dir, s.app, addr, user, secure)
	}, "-p", s.dir, "-c")
}

const haproxyConf = `global
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind %[2]s
  bind %[3]s ssl crt %[1]s/both.pem alpn h2,http/1.1
  default_backend app
backend app
  server app %[4]s
`

// haproxy is Debian's, with kept connections to the app.
func (s *stage) haproxy(ctx context.Context) (peer, error) {
	return s.configured(ctx, "haproxy", func(addr, secure string) string {
		return fmt.Sprintf(haproxyConf, s.dir, addr, secure, s.app)
	}, "-db", "-f")
}

// configured runs a program whose last argument is its configuration.
func (s *stage) configured(ctx context.Context, name string, config func(addr, secure string) string, args ...string) (peer, error) {
	addr, secure, err := freeAddrs()
	if err != nil {
		return peer{}, err
	}
	file := filepath.Join(s.dir, name+".conf")
	if err := os.WriteFile(file, []byte(config(addr, secure)), 0o600); err != nil {
		return peer{}, err
	}
	cmd := exec.CommandContext(ctx, name, append(args, file)...)
	if err := s.run(cmd); err != nil {
		return peer{}, err
	}
	return peer{addr: addr, tls: secure, pid: cmd.Process.Pid}, listens(addr)
}

// kamal is a kamal-proxy that somebody installed, with its defaults. It writes a line per request, to nowhere.
func (s *stage) kamal(ctx context.Context) (peer, error) {
	addr, secure, err := freeAddrs()
	if err != nil {
		return peer{}, err
	}
	_, port, _ := net.SplitHostPort(addr)
	_, securePort, _ := net.SplitHostPort(secure)
	env := append(os.Environ(), "HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir, "XDG_RUNTIME_DIR="+s.dir)
	cmd := exec.CommandContext(ctx, "kamal-proxy", "run", "--http-port", port, "--https-port", securePort)
	cmd.Env = env
	if err := s.run(cmd); err != nil {
		return peer{}, err
	}
	if err := listens(addr); err != nil {
		return peer{}, err
	}
	deploy := exec.CommandContext(ctx, "kamal-proxy", "deploy", "bench", "--target", s.app, "--host", host)
	deploy.Env = env
	if out, err := deploy.CombinedOutput(); err != nil {
		return peer{}, errors.Join(err, errors.New(string(out)))
	}
	return peer{addr: addr, pid: cmd.Process.Pid}, nil
}
