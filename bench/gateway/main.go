// Command gateway measures aloft's gateway beside its peers in one run: it starts a Go server, and before it Debian's nginx and
// HAProxy, stock Caddy, Go's own reverse proxy, kamal-proxy where it is installed, and our gateway, each a process of its own,
// loads them in turns (A B C A B C …) and prints medians and ratios.
//
//	go run ./gateway -duration 1s -rounds 5
//
// Figures of one run compare; figures of two runs do not: machines are shared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aloft-run/aloft/bench/report"
)

type options struct {
	duration time.Duration
	rounds   int
	only     string // comma-separated peers
	loads    string // comma-separated loads
	profile  string // file for a CPU profile of our gateway
}

func main() {
	if len(os.Args) > 1 {
		if role, ok := roles()[os.Args[1]]; ok {
			if err := role(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, os.Args[1]+":", err)
				os.Exit(1)
			}
			return
		}
	}
	var o options
	flag.DurationVar(&o.duration, "duration", time.Second, "time of one measurement")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; the median counts")
	flag.StringVar(&o.only, "only", "direct,nginx,haproxy,caddy,kamal-proxy,httputil,aloft,aloft1000",
		"peers to measure; chain is our proxy inside Caddy's own server, aloft1000 our gateway with 1,000 routes")
	flag.StringVar(&o.loads, "loads", "hello/1,hello/32,hello/256,100k/32,post1m/32,tls/32,h2/32", "loads: what/connections")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the aloft process")
	flag.Parse()
	report.Main("bench/gateway", func(ctx context.Context, out io.Writer) error { return run(ctx, out, o) })
}

// run starts everything, measures, prints.
func run(ctx context.Context, out io.Writer, o options) error {
	var loads []load
	for _, text := range strings.Split(o.loads, ",") {
		l, err := parseLoad(text)
		if err != nil {
			return err
		}
		loads = append(loads, l)
	}
	dir, err := os.MkdirTemp("", "aloft-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &stage{dir: dir}
	defer s.stop()
	peers, failed, err := s.start(ctx, out, o)
	if err != nil {
		return err
	}
	found := findings{}
	for _, l := range loads {
		failed = found.measure(ctx, out, l, peers, o) || failed
	}
	found.print(out, loads, peers)
	if failed {
		return errors.New("a part failed; see above")
	}
	return ctx.Err()
}

// measure loads the peers in turns. A peer that fails is left out of the rest of this load; failed tells that there was one.
func (f findings) measure(ctx context.Context, out io.Writer, l load, peers []peer, o options) (failed bool) {
	gone := map[string]bool{}
	for range o.rounds {
		for _, p := range peers {
			if gone[p.name] || !l.of(p) || ctx.Err() != nil {
				continue
			}
			r, err := measure(ctx, p, l, o.duration)
			if err != nil {
				fmt.Fprintf(out, "FAILED: %s with %s: %v\n", p.name, l, err)
				gone[p.name], failed = true, true
				continue
			}
			f.add(l, p, r)
		}
	}
	return failed
}
