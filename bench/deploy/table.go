package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aloft-run/aloft/bench/report"
)

// row is one thing that was measured, in milliseconds, round after round.
type row struct {
	name    string
	times   []float64
	targets []target
}

// target is a bound of a row's median against another row's, as PERFORMANCE.md sets it.
type target struct {
	peer  string
	ratio float64 // of the row over the peer, at most
}

// table collects rows in the order of their first measurement.
type table struct {
	rows []*row
	free bool   // no targets apply: they are set for large trees, where fixed costs do not count
	note string // printed below
}

func (t *table) row(name string) *row {
	for _, r := range t.rows {
		if r.name == name {
			return r
		}
	}
	r := &row{name: name}
	t.rows = append(t.rows, r)
	return r
}

// add notes a time, and the targets of what it is the time of.
func (t *table) add(name string, time float64, targets ...target) {
	r := t.row(name)
	r.times = append(r.times, time)
	if !t.free {
		r.targets = targets
	}
}

// print prints the medians, and their ratios to the peers of the columns that were measured.
func (t *table) print(out io.Writer, title string, peers ...string) {
	peers = slices.DeleteFunc(peers, func(p string) bool { return len(t.row(p).times) == 0 })
	head := []string{"what", "ms", "least ms"}
	for _, p := range peers {
		head = append(head, "÷ "+p)
	}
	shown := report.NewTable(append(head, "target")...)
	for _, r := range t.rows {
		if len(r.times) == 0 {
			continue
		}
		middle := report.Median(r.times)
		cells := []string{r.name, report.Figure(middle), report.Figure(slices.Min(r.times))}
		for _, p := range peers {
			cells = append(cells, report.Figure(middle/report.Median(t.row(p).times)))
		}
		shown.Add(append(cells, t.verdicts(r))...)
	}
	shown.Print(out, title)
	if t.note != "" {
		fmt.Fprintln(out, "\n"+t.note)
	}
}

func (t *table) verdicts(r *row) string {
	var all []string
	for _, want := range r.targets {
		bound, verdict := report.AtMost(want.ratio, " × "+want.peer), "not measured"
		if peer := t.row(want.peer).times; len(peer) > 0 {
			verdict = bound.Verdict(report.Median(r.times) / report.Median(peer))
		}
		all = append(all, bound.String()+": "+verdict)
	}
	return strings.Join(all, ", ")
}
