package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime/pprof"
	"strconv"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

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
	announce(ln.Addr().String(), "")
	return nil
}

// runHTTPUtil is Go's httputil.ReverseProxy with as many kept connections as there are clients and nothing else: what
// kamal-proxy is built on.
func runHTTPUtil(args []string) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	app := &url.URL{Scheme: "http", Host: args[0]}
	go http.Serve(ln, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(app)
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true},
	})
	announce(ln.Addr().String(), "")
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
		HTTP: "127.0.0.1:0", HTTPS: "127.0.0.1:0", Table: &table, Dir: args[1],
		Access: func(_ aloft.StageRef, line aloft.LogLine) { size = len(line.Text) },
	})
	if err != nil {
		return err
	}
	announce(g.HTTPAddr(), g.HTTPSAddr())
	_ = size
	return nil
}
