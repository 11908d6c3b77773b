package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// target is what PERFORMANCE.md asks of aloft against a peer.
type target struct {
	name string
	of   func(r result) float64
	want float64
	most bool   // the ratio may be at most want; otherwise at least
	peer string // "" is stock Caddy
}

func rate(r result) float64 { return r.Rate }
func p50(r result) float64  { return r.P50 }
func p99(r result) float64  { return r.P99 }

func targets() map[string][]target {
	return map[string][]target{
		"hello/1":   {{name: "p50", of: p50, want: 0.65, most: true}},
		"hello/32":  {{name: "req/s", of: rate, want: 1.6}, {name: "req/s (moonshot)", of: rate, want: 0.6, peer: "nginx"}},
		"hello/256": {{name: "req/s", of: rate, want: 2.5}, {name: "p99", of: p99, want: 0.45, most: true}},
		"100k/32":   {{name: "req/s", of: rate, want: 1.3}},
		"post1m/32": {{name: "req/s", of: rate, want: 1.15}},
	}
}

// median takes each figure's median over the rounds.
func median(rs []result) result {
	mid := func(of func(result) float64) float64 {
		var v []float64
		for _, r := range rs {
			v = append(v, of(r))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return result{mid(rate), mid(p50), mid(p99)}
}

func printTable(out io.Writer, load string, peers []peer, results map[string][]result) {
	fmt.Fprintf(out, "\n%-10s %12s %10s %10s   aloft's req/s, p50, p99 against it\n", load, "req/s", "p50 µs", "p99 µs")
	have := len(results["aloft"]) > 0
	for _, p := range peers {
		r := median(results[p.name])
		fmt.Fprintf(out, "%-10s %12.0f %10.0f %10.0f", p.name, r.Rate, r.P50, r.P99)
		if have && p.name != "aloft" {
			a := median(results["aloft"])
			fmt.Fprintf(out, "   %.2f ×  %.2f ×  %.2f ×", a.Rate/r.Rate, a.P50/r.P50, a.P99/r.P99)
		}
		fmt.Fprintln(out)
	}
	for _, t := range targets()[load] {
		peer := cmp.Or(t.peer, "caddy")
		if have && len(results[peer]) > 0 {
			t.print(out, median(results["aloft"]), median(results[peer]), peer)
		}
	}
}

func (t target) print(out io.Writer, ours, theirs result, peer string) {
	ratio := t.of(ours) / t.of(theirs)
	word, ok := "at least", ratio >= t.want
	if t.most {
		word, ok = "at most", ratio <= t.want
	}
	verdict := "met"
	if !ok {
		verdict = "MISSED"
	}
	fmt.Fprintf(out, "  target: %s %s %.2f × %s: %.2f × %s\n", t.name, word, t.want, peer, ratio, verdict)
}
