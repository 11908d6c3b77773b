package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

func init() { caddy.RegisterModule((*chained)(nil)) }

// chained is our proxy as a handler in the chain of Caddy's own HTTP server: what it costs to be there, and so why the
// gateway brings its own server ("-only caddy,chain,aloft").
type chained struct {
	App     string `json:"app"`
	handler http.Handler
}

func (*chained) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.bench", New: func() caddy.Module { return new(chained) }}
}

func (c *chained) Provision(caddy.Context) error {
	up := upstream.New("web.1", func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", c.App)
	})
	table := new(route.Table)
	table.Put(&route.Route{Stage: aloft.StageRef{App: host}, Hosts: []string{host}, Backend: instance{up}})
	c.handler = proxy.New(proxy.Config{Table: table, Access: func(aloft.StageRef, aloft.LogLine) {}})
	return nil
}

func (c *chained) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	c.handler.ServeHTTP(w, r)
	return nil
}

func runChain(args []string) error {
	return runCaddyWith(args, map[string]any{"handler": "bench", "app": args[0]})
}

// runCaddy is stock Caddy with its reverse_proxy and nothing else.
func runCaddy(args []string) error {
	return runCaddyWith(args, map[string]any{"handler": "reverse_proxy", "upstreams": []any{map[string]any{"dial": args[0]}}})
}

// runCaddyWith runs Caddy with one handler for the host. args are the app's address and a directory with certificates.
func runCaddyWith(args []string, handler map[string]any) error {
	addr, secure, err := freeAddrs()
	if err != nil {
		return err
	}
	server := func(addr string) map[string]any {
		return map[string]any{
			"listen":          []string{addr},
			"automatic_https": map[string]any{"disable": true},
			"routes":          []any{map[string]any{"match": []any{map[string]any{"host": []string{host}}}, "handle": []any{handler}}},
		}
	}
	overTLS := server(secure)
	overTLS["tls_connection_policies"] = []any{map[string]any{}}
	config, err := json.Marshal(map[string]any{
		"admin":   map[string]any{"disabled": true, "config": map[string]any{"persist": false}},
		"storage": map[string]any{"module": "file_system", "root": filepath.Join(args[1], "caddy")},
		"logging": map[string]any{"logs": map[string]any{"default": map[string]any{"level": "ERROR"}}},
		"apps": map[string]any{
			"http": map[string]any{"servers": map[string]any{"plain": server(addr), "tls": overTLS}},
			"tls": map[string]any{"certificates": map[string]any{"load_files": []any{
				map[string]any{"certificate": filepath.Join(args[1], "cert.pem"), "key": filepath.Join(args[1], "key.pem")},
			}}},
		},
	})
	if err != nil {
		return err
	}
	if err := caddy.Load(config, true); err != nil {
		return err
	}
	announce(addr, secure)
	return nil
}
