// Package gateway is Caddy, embedded and configured once: certificates (ACME, and an authority of its own for *.localhost),
// TLS, QUIC and life cycle are Caddy's; requests go to package proxy. Routes are data in a route.Table and never a reason
// to configure Caddy again. With Caddy's state process-global, one gateway runs at a time.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/route"
)

// Config is what a gateway needs. At least one of HTTP and HTTPS is set.
type Config struct {
	HTTP   string // address to listen on, such as "127.0.0.1:7070"; "" for none
	HTTPS  string // the same for TLS: HTTP/1.1, HTTP/2, and HTTP/3 on the UDP port of that number
	Table  *route.Table
	Dir    string // where certificates and keys are kept; nothing is written elsewhere
	Access func(ref aloft.StageRef, line aloft.LogLine)
	Logger *slog.Logger // for what the gateway itself has to say; nil: nothing
	Limits Limits
	// Trusted are the proxies before the gateway: what they say of a client in X-Forwarded-For, -Proto and -Host counts,
	// and Limits.ClientConns does not apply to them.
	Trusted []netip.Prefix
	// Uncapped are addresses to which Limits.ClientConns does not apply either.
	Uncapped []netip.Prefix

	// Fallback answers what leads to no stage; nil: nothing does.
	Fallback route.Fallback

	// Inherited listeners are used in place of HTTP and HTTPS: another process has them too.
	Inherited *Listeners
	// Standby makes the gateway take nothing until Take and TakePackets; connections wait in the kernel.
	Standby bool
}

// Listeners are those of a gateway; nil where it has none.
type Listeners struct{ HTTP, HTTPS *net.TCPListener }

// Gateway is a running gateway.
type Gateway struct {
	config    Config
	handler   *proxy.Handler
	http, tls *net.TCPListener // nil if not asked for
	app       *app             // Caddy's instance of it
	crowd     *crowd
	log       *slog.Logger
	retiring  atomic.Bool  // each answer is the last of its connection
	open      atomic.Int64 // connections that speak HTTP
}

// running is the gateway that Caddy's modules belong to: Caddy makes them from names alone.
var running struct {
	sync.Mutex
	gateway *Gateway
}

// Start listens and serves until Close. It returns a Conflict error if an address is taken, naming who holds it, or if a
// gateway runs already.
func Start(ctx context.Context, config Config) (*Gateway, error) {
	running.Lock()
	defer running.Unlock()
	if running.gateway != nil {
		return nil, aloft.Errorf(aloft.Conflict, "a gateway runs already in this process")
	}
	g := &Gateway{config: config, log: config.Logger}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.config.Limits = config.Limits.orDefault()
	g.crowd = newCrowd(g.config.Limits, slices.Concat(config.Trusted, config.Uncapped), g.log)
	g.handler = proxy.New(proxy.Config{
		Table: config.Table, Access: config.Access, Trusted: config.Trusted, Fallback: config.Fallback, Limits: g.config.Limits.Proxy,
	})
	if err := g.listen(ctx); err != nil {
		g.closeListeners()
		return nil, err
	}
	running.gateway = g
	caddy.BufferedLog() // until the configuration says where to, Caddy would log to stderr
	if err := caddy.Load(g.caddyConfig(), true); err != nil {
		running.gateway = nil
		g.closeListeners()
		return nil, fmt.Errorf("start Caddy: %w", err)
	}
	return g, nil
}

func (g *Gateway) listen(ctx context.Context) (err error) {
	if in := g.config.Inherited; in != nil {
		g.http, g.tls = in.HTTP, in.HTTPS
		return nil
	}
	if g.http, err = listen(ctx, g.config.HTTP); err != nil {
		return err
	}
	g.tls, err = listen(ctx, g.config.HTTPS)
	return err
}

// HTTPAddr is the address of plain HTTP, "" if there is none.
func (g *Gateway) HTTPAddr() string { return address(g.http) }

// HTTPSAddr is the address of HTTPS, "" if there is none.
func (g *Gateway) HTTPSAddr() string { return address(g.tls) }

// Close takes no more requests, waits until ctx ends for those in flight, and cuts the rest. Upgraded connections are the
// upstreams' to end.
func (g *Gateway) Close(ctx context.Context) error {
	running.Lock()
	defer running.Unlock()
	if running.gateway != g {
		return nil
	}
	err := g.app.shutdown(ctx)
	if stopErr := caddy.Stop(); err == nil && stopErr != nil {
		err = fmt.Errorf("stop Caddy: %w", stopErr)
	}
	g.crowd.stop()
	g.closeListeners() // nobody has served on them if it stood by
	running.gateway = nil
	return err
}

func (g *Gateway) closeListeners() {
	for _, ln := range []*net.TCPListener{g.http, g.tls} {
		if ln != nil {
			_ = ln.Close()
		}
	}
}

func address(ln *net.TCPListener) string {
	if ln == nil {
		return ""
	}
	return ln.Addr().String()
}
