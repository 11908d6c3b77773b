package main

import (
	"fmt"
	"io"

	"github.com/aloft-run/aloft/bench/report"
)

// goal is what docs/PERFORMANCE.md asks of aloft against a peer.
type goal struct {
	load, name string
	of         func(r result) float64
	peer       string
	target     report.Target
}

func rate(r result) float64 { return r.Rate }
func p50(r result) float64  { return r.P50 }
func p99(r result) float64  { return r.P99 }
func cpu(r result) float64  { return r.CPU }

func goals() []goal {
	times := " ×"
	return []goal{
		{"hello/1", "p50", p50, "caddy", report.AtMost(0.65, times)},
		{"hello/32", "req/s", rate, "caddy", report.AtLeast(1.6, times)},
		{"hello/32", "req/s (moonshot)", rate, "nginx", report.AtLeast(0.6, times)},
		{"hello/32", "req/s", rate, "kamal-proxy", report.AtLeast(1.3, times)},
		{"hello/32", "req/s", rate, "httputil", report.Target{}},
		{"hello/32", "req/s, its 1,000 routes against one", rate, "aloft1000", report.AtMost(1.05, times)},
		{"hello/32", "CPU", cpu, "caddy", report.Target{}},
		{"hello/256", "req/s", rate, "caddy", report.AtLeast(2.5, times)},
		{"hello/256", "p99", p99, "caddy", report.AtMost(0.45, times)},
		{"hello/256", "req/s", rate, "kamal-proxy", report.AtLeast(2, times)},
		{"hello/256", "req/s", rate, "httputil", report.Target{}},
		{"100k/32", "req/s", rate, "caddy", report.AtLeast(1.3, times)},
		{"post1m/32", "req/s", rate, "caddy", report.AtLeast(1.15, times)},
		{"tls/32", "req/s", rate, "caddy", report.Target{}},
		{"h2/32", "req/s", rate, "caddy", report.AtLeast(1.7, times)},
	}
}

// findings are results by load and peer, one for each round.
type findings map[string]map[string][]result

func (f findings) add(l load, p peer, r result) {
	if f[l.String()] == nil {
		f[l.String()] = map[string][]result{}
	}
	f[l.String()][p.name] = append(f[l.String()][p.name], r)
}

// median takes a figure's median over the rounds, 0 if there are none.
func (f findings) median(load, peer string, of func(result) float64) float64 {
	var values []float64
	for _, r := range f[load][peer] {
		values = append(values, of(r))
	}
	return report.Median(values)
}

// print prints a table of each figure and one of the targets.
func (f findings) print(out io.Writer, loads []load, peers []peer) {
	head := []string{"load"}
	for _, p := range peers {
		head = append(head, p.name)
	}
	for _, figure := range []struct {
		title string
		cell  func(load, peer string) string
	}{
		{"Requests per second", func(l, p string) string { return report.Figure(f.median(l, p, rate)) }},
		{"Time of a request, p50 / p99, µs", func(l, p string) string {
			return report.Figure(f.median(l, p, p50)) + " / " + report.Figure(f.median(l, p, p99))
		}},
		{"Processor time per request, µs", func(l, p string) string {
			if used := f.median(l, p, cpu); used > 0 {
				return report.Figure(used)
			}
			return "–"
		}},
	} {
		t := report.NewTable(head...)
		for _, l := range loads {
			row := []string{l.String()}
			for _, p := range peers {
				if len(f[l.String()][p.name]) == 0 {
					row = append(row, "")
				} else {
					row = append(row, figure.cell(l.String(), p.name))
				}
			}
			t.Add(row...)
		}
		t.Print(out, figure.title)
	}
	f.judge(out)
}

func (f findings) judge(out io.Writer) {
	all := report.NewGoals()
	for _, g := range goals() {
		what := fmt.Sprintf("%s, %s, aloft ÷ %s", g.load, g.name, g.peer)
		ours, theirs := f.median(g.load, "aloft", g.of), f.median(g.load, g.peer, g.of)
		switch {
		case len(f[g.load]) == 0 || ours == 0:
		case theirs == 0 && g.target.Want > 0:
			all.Missing(what, g.target, "not measured")
		case theirs == 0:
		case g.target.Want == 0:
			all.Note(what, report.Figure(ours/theirs)+" ×")
		default:
			all.Judge(what, ours/theirs, g.target)
		}
	}
	all.Print(out, "Targets")
}
