// Package report is what the benchmarks have in common to say what they found: medians, targets, and Markdown tables ready
// for docs/PERFORMANCE.md.
package report

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Table is a Markdown table; its columns stand under each other in a terminal as well.
type Table struct{ rows [][]string }

// NewTable returns a table with a head.
func NewTable(head ...string) *Table { return &Table{rows: [][]string{head}} }

// Add adds a row.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Empty reports whether there is nothing but the head.
func (t *Table) Empty() bool { return len(t.rows) == 1 }

// Print prints the table below a title.
func (t *Table) Print(out io.Writer, title string) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	fmt.Fprintf(out, "\n%s\n\n", title)
	for i, row := range t.rows {
		for j, width := range widths {
			cell := ""
			if j < len(row) {
				cell = row[j]
			}
			fmt.Fprintf(out, "| %s%s ", cell, strings.Repeat(" ", width-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(out, "|")
		if i == 0 {
			for _, width := range widths {
				fmt.Fprintf(out, "|%s", strings.Repeat("-", width+2))
			}
			fmt.Fprintln(out, "|")
		}
	}
}

// Quantile returns the value below which a share q of the values lies, 0 if there are none.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// Median is the middle value, 0 if there are none.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Took returns how long f takes, in milliseconds.
func Took(f func() error) (float64, error) {
	began := time.Now()
	err := f()
	return MS(time.Since(began)), err
}

// MS is d in milliseconds.
func MS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Machine says where and when, and how busy the machine is: figures are worth nothing without.
func Machine(ctx context.Context, out io.Writer, moment string) {
	text := func(name string, args ...string) string {
		b, _ := exec.CommandContext(ctx, name, args...).Output()
		return strings.TrimSpace(string(b))
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(out, "\n%s: %s, commit %s, %s %s, %d cores, %s, load average %s\n", moment,
		time.Now().UTC().Format("2006-01-02 15:04 MST"), text("git", "describe", "--always", "--dirty", "--tags"),
		text("uname", "-s"), text("uname", "-r"), runtime.NumCPU(), runtime.Version(), strings.Join(strings.Fields(string(load))[:3], " "))
}
