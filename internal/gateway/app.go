package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
	"github.com/quic-go/quic-go/http3"

	"github.com/aloft-run/aloft/internal/gateway/http1"
)

// app is the Caddy app "aloft": the servers. It takes the place of Caddy's own app "http", which wraps each request and
// response (replacer, copies for its logs, chunked writes), so that a body cannot be spliced: 100 KB bodies run at half the
// speed there, small ones at 70 to 90 % (bench/gateway -only chain,aloft). Nor would it let us see a request's framing.
type app struct {
	gateway *Gateway
	ctx     caddy.Context
	certs   *caddytls.TLS // nil without HTTPS
	tls     *tls.Config
	servers []*http.Server
	doors   []*door
	usual   []*http1.Server              // what those are spared, where there are such
	clear   *clear                       // nil if HTTP/2 is not served without TLS
	quic    atomic.Pointer[http3.Server] // nil until it takes packets
	packets http3.QUICListener
}

var (
	_ caddy.App         = (*app)(nil)
	_ caddy.Provisioner = (*app)(nil)
	_ caddy.Module      = (*app)(nil)
)

// CaddyModule says what the module is called and how it is made.
func (*app) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "aloft", New: func() caddy.Module { return new(app) }}
}

// Provision gets the certificates ready.
func (a *app) Provision(ctx caddy.Context) error {
	a.gateway, a.ctx = running.gateway, ctx // Start holds the lock
	a.gateway.app = a
	if a.gateway.tls == nil {
		return nil
	}
	module, err := ctx.App("tls")
	if err != nil {
		return fmt.Errorf("load certificate management: %w", err)
	}
	certs, ok := module.(*caddytls.TLS)
	if !ok {
		return fmt.Errorf("certificate management is a %T", module)
	}
	a.certs = certs
	policies := caddytls.ConnectionPolicies{{}}
	if err := policies.Provision(ctx); err != nil {
		return fmt.Errorf("set up TLS: %w", err)
	}
	a.tls = policies.TLSConfig(ctx)
	a.tls.NextProtos = []string{"h2", "http/1.1"}
	return nil
}

// Start serves on the gateway's listeners, unless it is to wait.
func (a *app) Start() error {
	if a.gateway.config.Standby {
		return nil
	}
	if err := a.startQUIC(); err != nil {
		return err
	}
	return a.take()
}

// take serves on the TCP listeners.
func (a *app) take() error {
	g := a.gateway
	if g.http != nil {
		server := a.server()
		server.Protocols.SetHTTP1(true)
		clear, err := newClear(g, server)
		if err != nil {
			return err
		}
		d := a.door(g.http, nil, server)
		d.clear = clear
		a.clear = clear
		go a.serve(server, d)
	}
	if g.tls == nil {
		return nil
	}
	server := a.server()
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.TLSConfig = a.tls
	server.Handler = a.advertise(server.Handler)
	if err := serveHTTP2(server, g.config.Limits.Talk); err != nil {
		return err
	}
	go a.serve(server, a.door(g.tls, a.tls, server))
	return nil
}

func (a *app) server() *http.Server {
	g := a.gateway
	s := &http.Server{
		Handler:           a.challenges(g.lastAnswers(g.handler)),
		ReadHeaderTimeout: g.config.Limits.HeaderTime,
		IdleTimeout:       g.config.Limits.IdleTime,
		MaxHeaderBytes:    g.config.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
		ConnState:         g.stateChanged,
		ConnContext:       g.crowd.inContext,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: g.config.Limits.Streams, WriteByteTimeout: g.config.Limits.Proxy.Stall,
			MaxReadFrameSize: 16 << 10, // the least that there is; a connection keeps a buffer for its largest frame
		},

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is the app's to answer
	}
	a.servers = append(a.servers, s)
	return s
}

// door opens the door of a server.
func (a *app) door(ln *net.TCPListener, config *tls.Config, s *http.Server) *door {
	d := newDoor(a.gateway, ln, config, a.usually(s))
	a.doors = append(a.doors, d)
	return d
}

// usually returns who serves what is usual in place of s, nil if nobody can.
func (a *app) usually(s *http.Server) *http1.Server {
	usual, err := http1.New(http1.Config{
		Handler: s.Handler, HeadTime: s.ReadHeaderTimeout, IdleTime: s.IdleTimeout, State: s.ConnState, Context: s.ConnContext, Log: a.gateway.log,
	})
	if err != nil {
		a.gateway.log.Debug("net/http serves alone", "reason", err)
		return nil
	}
	a.usual = append(a.usual, usual)
	return usual
}

func (a *app) serve(s *http.Server, ln net.Listener) {
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		a.gateway.log.Error("the gateway stopped listening", "address", ln.Addr().String(), "error", err)
	}
}

// startQUIC serves HTTP/3 on the UDP port with the number of the HTTPS port, if there is one.
func (a *app) startQUIC() error {
	if a.gateway.tls == nil {
		return nil
	}
	addr, err := caddy.ParseNetworkAddress("udp/" + a.gateway.HTTPSAddr())
	if err != nil {
		return fmt.Errorf("address of HTTP/3: %w", err)
	}
	early := false // requests of early data can be replayed
	if a.packets, err = addr.ListenQUIC(a.ctx, 0, net.ListenConfig{}, a.tls, nil, &early); err != nil {
		return fmt.Errorf("listen for HTTP/3: %w", err)
	}
	server := &http3.Server{
		Handler: a.gateway.handler, TLSConfig: a.tls, MaxHeaderBytes: a.gateway.config.Limits.HeaderBytes,
		IdleTimeout: a.gateway.config.Limits.IdleTime,
	}
	a.quic.Store(server)
	go func() { _ = server.ServeListener(a.packets) }()
	return nil
}

// challenges lets Caddy answer what a certificate authority asks of the domains it proves.
func (a *app) challenges(next http.Handler) http.Handler {
	if a.certs == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") && a.certs.HandleHTTPChallenge(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// advertise tells clients that HTTP/3 is there.
func (a *app) advertise(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if quic := a.quic.Load(); quic != nil {
			_ = quic.SetQUICHeaders(w.Header()) // fails only before the listener is known
		}
		next.ServeHTTP(w, r)
	})
}

// Stop ends all servers at once. Close has shut them down before.
func (a *app) Stop() error {
	for _, s := range a.servers {
		_ = s.Close()
	}
	for _, s := range a.usual {
		s.Close()
	}
	if a.clear != nil {
		a.clear.close()
	}
	a.stopQUIC()
	return nil
}

func (a *app) stopQUIC() {
	if quic := a.quic.Swap(nil); quic != nil {
		_ = quic.Close()
		_ = a.packets.Close()
	}
}

// shutdown waits for the requests in flight.
func (a *app) shutdown(ctx context.Context) error {
	var first error
	for _, s := range a.usual {
		s.Drain()
	}
	for _, s := range a.servers {
		if err := s.Shutdown(ctx); err != nil && first == nil {
			first = fmt.Errorf("requests were cut: %w", err)
		}
	}
	for _, s := range a.usual {
		if err := s.Shutdown(ctx); err != nil && first == nil {
			first = fmt.Errorf("requests were cut: %w", err)
		}
	}
	if a.clear != nil {
		if err := a.clear.shutdown(ctx); err != nil && first == nil {
			first = fmt.Errorf("requests were cut: %w", err)
		}
	}
	if quic := a.quic.Load(); quic != nil {
		if err := quic.Shutdown(ctx); err != nil && first == nil {
			first = fmt.Errorf("requests were cut: %w", err)
		}
	}
	return first
}
