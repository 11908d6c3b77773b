// Command gateway measures aloft's gateway beside its peers in one run: it starts a Go server, and before it Debian's nginx,
// stock Caddy and our gateway, each a process of its own, loads them in turns (A B C A B C …) and prints medians and ratios.
//
//	go run ./gateway -duration 2s -rounds 3
//
// Figures of one run compare; figures of two runs do not: machines are shared.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

type options struct {
	duration time.Duration
	rounds   int
	only     string // comma-separated peers
	loads    string // comma-separated loads
	profile  string // file for a CPU profile of our gateway
	routes   int    // more routes in our table
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
	flag.DurationVar(&o.duration, "duration", 2*time.Second, "time of one measurement")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median counts")
	flag.StringVar(&o.only, "only", "direct,nginx,caddy,aloft", "peers to measure; chain is our proxy inside Caddy's own server")
	flag.StringVar(&o.loads, "loads", "hello/1,hello/32,hello/256,100k/32,post1m/32", "loads: what/connections")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the aloft process")
	flag.IntVar(&o.routes, "routes", 1, "routes in aloft's table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run starts everything, measures, prints.
func run(ctx context.Context, out io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "aloft-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	peers, stop, err := startPeers(ctx, dir, o)
	defer stop()
	if err != nil {
		return err
	}
	for _, text := range strings.Split(o.loads, ",") {
		l, err := parseLoad(text)
		if err != nil {
			return err
		}
		results := map[string][]result{}
		for range o.rounds {
			for _, p := range peers {
				r, err := measure(ctx, p.addr, l, o.duration)
				if err != nil {
					return fmt.Errorf("%s %s: %w", p.name, text, err)
				}
				results[p.name] = append(results[p.name], r)
			}
		}
		printTable(out, text, peers, results)
	}
	return nil
}
