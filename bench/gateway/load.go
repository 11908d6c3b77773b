package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
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

// result is one measurement. Times are in microseconds.
type result struct {
	Rate, P50, P99 float64
	Requests       int     // with those of the time to warm up
	CPU            float64 // of the peer for one request; 0 if not known
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
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	if p.pid != 0 {
		r.CPU = float64(used.Microseconds()) / float64(r.Requests)
	}
	return r, nil
}

// times are those of one connection's requests, as far as they began after the time to warm up, and the number of all.
type times struct {
	took []time.Duration
	all  int
}

func (t *times) add(begin, warm time.Time) {
	t.all++
	if begin.After(warm) {
		t.took = append(t.took, time.Since(begin))
	}
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
	warm := time.Now().Add(d / 5)
	end := warm.Add(d)
	l := load{args[1], conns}
	var run func() (*times, error)
	if l.what == "h2" {
		each := max(1, conns/h2Conns)
		conns = h2Conns
		run = func() (*times, error) { return streams(args[0], each, warm, end) }
	} else {
		request, err := l.request()
		if err != nil {
			return err
		}
		run = func() (*times, error) { return client(args[0], l.secure(), request, warm, end) }
	}
	taken, errs := make([]*times, conns), make([]error, conns)
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() { taken[i], errs[i] = run() })
	}
	wg.Wait()
	if err := cmp.Or(errs...); err != nil {
		return err
	}
	var all []time.Duration
	r := result{}
	for _, t := range taken {
		all = append(all, t.took...)
		r.Requests += t.all
	}
	slices.Sort(all)
	if len(all) == 0 {
		return fmt.Errorf("no request was answered")
	}
	at := func(q float64) float64 { return float64(all[int(q*float64(len(all)-1))].Microseconds()) }
	r.Rate, r.P50, r.P99 = float64(len(all))/d.Seconds(), at(.5), at(.99)
	return json.NewEncoder(os.Stdout).Encode(r)
}
