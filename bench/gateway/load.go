package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/bench/wire"
)

// load is what one measurement asks for: "hello/32" are 32 connections over plain HTTP, "tls/32" the same over TLS, and "h2/32"
// are 32 requests at once in 4 connections of HTTP/2 over TLS.
type load struct {
	what  string
	conns int
}

func parseLoad(text string) (load, error) {
	what, conns, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(conns)
	if err != nil || n < 1 {
		return load{}, fmt.Errorf("load %q is not what/connections", text)
	}
	return load{what, n}, nil
}

func (l load) String() string { return l.what + "/" + strconv.Itoa(l.conns) }

// secure reports whether the load goes to the TLS port.
func (l load) secure() bool { return l.what == "tls" || l.what == "h2" }

// of reports whether a peer takes part: those that are there for one question are measured for that one only.
func (l load) of(p peer) bool {
	switch p.name {
	case "aloft1000":
		return l.what == "hello" && l.conns == 32
	case "httputil", "kamal-proxy":
		return l.what == "hello"
	}
	return !l.secure() || p.tls != ""
}

// request returns the bytes that each connection sends again and again.
func (l load) request() ([]byte, error) {
	head := " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n"
	switch l.what {
	case "hello", "tls":
		return []byte("GET /" + head + "\r\n"), nil
	case "100k":
		return []byte("GET /100k" + head + "\r\n"), nil
	case "post1m":
		return append([]byte("POST /"+head+"Content-Length: 1048576\r\n\r\n"), make([]byte, 1<<20)...), nil
	}
	return nil, fmt.Errorf("no load %q", l.what)
}

// result is one measurement.
type result struct {
	wire.Result

	CPU float64 // of the peer for one request, µs; 0 if not known
}

// measure loads a peer from a process of its own.
func measure(ctx context.Context, p peer, l load, d time.Duration) (result, error) {
	exe, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	addr := p.addr
	if l.secure() {
		addr = p.tls
	}
	cmd := exec.CommandContext(ctx, exe, "load", addr, l.what, strconv.Itoa(l.conns), d.String())
	cmd.Stderr = os.Stderr
	before := processorTime(p.pid)
	out, err := cmd.Output()
	if err != nil {
		return result{}, err
	}
	used := processorTime(p.pid) - before
	var r result
	if err := json.Unmarshal(out, &r.Result); err != nil {
		return result{}, err
	}
	if p.pid != 0 {
		r.CPU = float64(used.Microseconds()) / float64(r.Requests)
	}
	return r, nil
}

func runLoad(args []string) error {
	conns, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	l := load{args[1], conns}
	each := func(warm, end time.Time) (*wire.Times, error) {
		return streams(args[0], max(1, l.conns/h2Conns), warm, end)
	}
	if l.what == "h2" {
		conns = h2Conns
	} else {
		request, err := l.request()
		if err != nil {
			return err
		}
		each = func(warm, end time.Time) (*wire.Times, error) {
			c, err := dial(args[0], l.secure(), "http/1.1")
			if err != nil {
				return nil, err
			}
			return wire.Client(c, request, warm, end)
		}
	}
	r, err := wire.Run(conns, d, each)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// dial connects, with TLS if asked for. Certificates are not what is measured: they are not checked.
func dial(addr string, secure bool, protocol string) (net.Conn, error) {
	if !secure {
		return net.Dial("tcp", addr)
	}
	c, err := tls.Dial("tcp", addr, &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{protocol}})
	if err == nil && c.ConnectionState().NegotiatedProtocol != protocol {
		return nil, fmt.Errorf("%s speaks %q", addr, c.ConnectionState().NegotiatedProtocol)
	}
	return c, err
}
