package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/metrics"
)

// printMetrics prints what a stage did as tables, with bars if there is a terminal that shows them.
func (p *program) printMetrics(r metrics.Report) error {
	const day = "2006-01-02 15:04"
	fmt.Fprintf(p.out, "%s  %s to %s", p.paint(p.out).bold(r.Stage.String()), r.Since.Local().Format(day), r.Until.Local().Format(day))
	bars := p.showsBars()
	if bars {
		fmt.Fprintf(p.out, ", a bar is %s", strings.TrimSuffix(time.Duration(r.Step).String(), "0s"))
	}
	fmt.Fprintln(p.out)
	times := []string{"AVERAGE MS", "P50 MS", "P95 MS", "P99 MS"}
	rows := [][]string{append([]string{"FUNCTION", "REGION", "INVOCATIONS", "ERRORS", "THROTTLES", "AT ONCE"}, times...)}
	for _, f := range r.Functions {
		t := f.Total
		row := append([]string{f.Function, f.Region, count(t.Invocations), count(t.Errors), count(t.Throttles), count(t.Concurrency)}, latencyCells(t.Duration)...)
		rows = append(rows, withBars(row, bars, f.Buckets, func(c metrics.Calls) int64 { return c.Invocations }))
	}
	if err := table(p.out, rows); err != nil {
		return err
	}
	if len(r.Gateways) == 0 {
		return nil
	}
	fmt.Fprintln(p.out)
	rows = [][]string{append([]string{"GATEWAY", "REQUESTS", "4XX", "5XX"}, times...)}
	for _, g := range r.Gateways {
		t, name := g.Total, g.Region
		if name == "" {
			name = "this server"
		}
		row := append([]string{name, count(t.Count), count(t.ClientErrors), count(t.ServerErrors)}, latencyCells(t.Latency)...)
		rows = append(rows, withBars(row, bars, g.Buckets, func(r metrics.Requests) int64 { return r.Count }))
	}
	return table(p.out, rows)
}

// showsBars reports whether standard output is a terminal that has the characters.
func (p *program) showsBars() bool {
	locale := p.env["LC_ALL"] + p.env["LC_CTYPE"] + p.env["LANG"]
	return isTerminal(p.out) && p.env["TERM"] != "dumb" && strings.Contains(strings.ReplaceAll(strings.ToLower(locale), "-", ""), "utf8")
}

func withBars[T any](row []string, shown bool, buckets []T, of func(T) int64) []string {
	if !shown {
		return row
	}
	values := make([]int64, len(buckets))
	for i, bucket := range buckets {
		values[i] = of(bucket)
	}
	return append(row, sparkline(values))
}

// widest is how many bars fit into a line beside the figures.
const widest = 60

// sparkline shows values as bars: nothing as a space, the largest at full height. Of more values than fit neighbours are added up.
func sparkline(values []int64) string {
	group := (len(values) + widest - 1) / widest
	var sums []int64
	for i, v := range values {
		if i%max(group, 1) == 0 {
			sums = append(sums, 0)
		}
		sums[len(sums)-1] += v
	}
	most := int64(0)
	for _, v := range sums {
		most = max(most, v)
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range sums {
		if v == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(bars[(v*int64(len(bars))-1)/most])
	}
	return b.String()
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func latencyCells(l metrics.Latency) []string {
	cells := make([]string, 0, 4)
	for _, ms := range []float64{l.Average, l.P50, l.P95, l.P99} {
		text := ""
		if ms > 0 {
			text = strconv.FormatFloat(ms, 'f', 1, 64)
		}
		cells = append(cells, text)
	}
	return cells
}
