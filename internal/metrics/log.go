package metrics

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
)

// FromLog counts what a server's log says of a stage: the lines of requests, and the reports after the invocations of handlers.
// Errors of functions are answers with 5xx, for a log does not say how events ended. Functions that did nothing are in it as well.
func FromLog(lines iter.Seq2[aloft.LogLine, error], functions []aloft.Function, g Grid) (Report, error) {
	report := Report{Since: g.Since, Until: g.Until, Step: aloft.Duration(g.Step), Functions: []Function{}, Gateways: []Gateway{}}
	c := counter{grid: g, calls: map[string]*tally{}, handlers: map[string]bool{}, requests: newTally(g)}
	for _, f := range functions {
		c.handlers[f.Name] = f.Kind == aloft.Handler
		if f.Kind == aloft.Web || f.Kind == aloft.Handler {
			c.calls[f.Name] = newTally(g)
		}
	}
	for line, err := range lines {
		if err != nil {
			return report, err
		}
		c.add(line)
	}
	for _, f := range functions {
		if t := c.calls[f.Name]; t != nil {
			report.Functions = append(report.Functions, t.function(f.Name, g))
		}
	}
	report.Gateways = append(report.Gateways, c.requests.gateway(g))
	return report, nil
}

// counter is what was counted so far.
type counter struct {
	grid     Grid
	calls    map[string]*tally // by function
	handlers map[string]bool
	requests *tally
}

func (c *counter) add(line aloft.LogLine) {
	bucket, in := c.grid.At(line.Time)
	if !in {
		return
	}
	calls := c.calls[line.Function]
	if line.Stream == "access" {
		status, took, ok := access(line.Text)
		if !ok {
			return
		}
		c.requests.add(bucket, line.Time, took, status)
		switch {
		case calls == nil:
		case !c.handlers[line.Function] && line.Instance != "":
			calls.add(bucket, line.Time, took, status)
		case c.handlers[line.Function] && status >= serverError: // its report counts it
			calls.failed[bucket]++
		}
		return
	}
	if calls == nil || line.Stream != "aloft" || !strings.HasPrefix(line.Text, "REPORT RequestId: ") {
		return
	}
	for field := range strings.SplitSeq(line.Text, "\t") {
		if text, is := strings.CutPrefix(field, "Duration: "); is {
			if took, ok := millis(strings.TrimSuffix(text, " ms")); ok {
				calls.add(bucket, line.Time, took, 0)
			}
		}
	}
}

const clientError, serverError = 400, 500

// access reads a line of the access log: method, path, status, bytes, time, client.
func access(text string) (status int, took float64, ok bool) {
	words := strings.Fields(text)
	if len(words) < 5 {
		return 0, 0, false
	}
	status, err := strconv.Atoi(words[2])
	if err != nil {
		return 0, 0, false
	}
	took, ok = millis(strings.TrimSuffix(words[4], "ms"))
	return status, took, ok
}

func millis(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && v >= 0 && !math.IsInf(v, 0)
}

// tally is what was counted of a function, or of the gateway, by bucket.
type tally struct {
	took   [][]float64 // milliseconds
	client []int64     // answered with 4xx
	failed []int64     // answered with 5xx
	edges  []edge
}

// edge is when something began or ended.
type edge struct {
	at    time.Time
	began int // 1, or -1 when it ended
}

func newTally(g Grid) *tally {
	return &tally{took: make([][]float64, g.Len()), client: make([]int64, g.Len()), failed: make([]int64, g.Len())}
}

// add notes something that ended at a moment, in the bucket of its end, as that is when it is known.
func (t *tally) add(bucket int, end time.Time, took float64, status int) {
	t.edges = append(t.edges, edge{end.Add(-time.Duration(took * float64(time.Millisecond))), 1}, edge{end, -1})
	t.took[bucket] = append(t.took[bucket], took)
	switch {
	case status >= serverError:
		t.failed[bucket]++
	case status >= clientError:
		t.client[bucket]++
	}
}

func (t *tally) function(name string, g Grid) Function {
	f := Function{Function: name, Buckets: make([]Calls, len(t.took))}
	atOnce := t.atOnce(g)
	for i, took := range t.took {
		f.Buckets[i] = Calls{Time: g.Begin(i), Invocations: int64(len(took)), Errors: t.failed[i], Concurrency: atOnce[i], Duration: latencyOf(took)}
		f.Total.Errors += t.failed[i]
		f.Total.Concurrency = max(f.Total.Concurrency, atOnce[i])
	}
	all := slices.Concat(t.took...)
	f.Total.Invocations, f.Total.Duration = int64(len(all)), latencyOf(all)
	return f
}

func (t *tally) gateway(g Grid) Gateway {
	made := Gateway{Buckets: make([]Requests, len(t.took))}
	for i, took := range t.took {
		made.Buckets[i] = Requests{Time: g.Begin(i), Count: int64(len(took)), ClientErrors: t.client[i], ServerErrors: t.failed[i], Latency: latencyOf(took)}
		made.Total.ClientErrors += t.client[i]
		made.Total.ServerErrors += t.failed[i]
	}
	all := slices.Concat(t.took...)
	made.Total.Count, made.Total.Latency = int64(len(all)), latencyOf(all)
	return made
}

// atOnce is the most that went on at once, by bucket. What ends as another begins was not at once with it.
func (t *tally) atOnce(g Grid) []int64 {
	slices.SortFunc(t.edges, func(a, b edge) int {
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return a.began - b.began
	})
	most, now, last := make([]int64, len(t.took)), int64(0), 0
	for _, e := range t.edges {
		bucket, in := g.At(e.at)
		if !in {
			now += int64(e.began)
			continue
		}
		for ; last < bucket; last++ { // what went on went on in these, too
			most[last+1] = now
		}
		now += int64(e.began)
		most[bucket] = max(most[bucket], now)
	}
	return most
}

// latencyOf sorts times and says how they are.
func latencyOf(took []float64) Latency {
	if len(took) == 0 {
		return Latency{}
	}
	slices.Sort(took)
	sum := 0.0
	for _, ms := range took {
		sum += ms
	}
	rank := func(share float64) float64 { return took[int(math.Ceil(share*float64(len(took))))-1] }
	return Latency{Average: sum / float64(len(took)), P50: rank(0.50), P95: rank(0.95), P99: rank(0.99)}
}
