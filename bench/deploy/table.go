package main

import (
	"fmt"
	"io"
	"slices"
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

func median(times []float64) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
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
	fmt.Fprintf(out, "\n%s\n%-46s %10s %10s", title, "", "ms", "least ms")
	for _, p := range peers {
		fmt.Fprintf(out, "  ÷ %-12s", p)
	}
	fmt.Fprintln(out, "target")
	for _, r := range t.rows {
		if len(r.times) == 0 {
			continue
		}
		fmt.Fprintf(out, "%-46s %10.1f %10.1f", r.name, median(r.times), slices.Min(r.times))
		for _, p := range peers {
			fmt.Fprintf(out, "  %-14.2f", median(r.times)/median(t.row(p).times))
		}
		fmt.Fprintln(out, t.verdicts(r))
	}
	if t.note != "" {
		fmt.Fprintln(out, t.note)
	}
}

func (t *table) verdicts(r *row) (text string) {
	for _, want := range r.targets {
		peer := t.row(want.peer).times
		if len(peer) == 0 {
			text += fmt.Sprintf("≤ %.2f × %s: not measured ", want.ratio, want.peer)
			continue
		}
		verdict := "met"
		if median(r.times) > want.ratio*median(peer) {
			verdict = "MISSED"
		}
		text += fmt.Sprintf("≤ %.2f × %s: %s ", want.ratio, want.peer, verdict)
	}
	return text
}
