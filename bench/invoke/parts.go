package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft/bench/report"
)

// rates of one target: invocations a second, and µs at the median and the 99th of a hundred.
type rates struct{ rate, p50, p99 []float64 }

// warmRounds are made before those that count.
const warmRounds = 4

// rate measures invocations per second at 1 and 32 clients.
func (b *bench) rate(ctx context.Context) error {
	peers := b.started(ctx)
	var targets []target
	for _, p := range peers {
		defer p.stop()
		targets = append(targets, p.target)
	}
	for _, language := range languages {
		t, err := ours(b.urls[warmApp], language)
		if err != nil {
			return err
		}
		targets = append(targets, t)
	}
	targets = slices.DeleteFunc(targets, func(t target) bool { return !strings.Contains(t.name, b.target) })
	for _, text := range strings.Split(b.clients, ",") {
		clients, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		found := map[string]*rates{}
		for range warmRounds { // of all: just-in-time compilers work for seconds, in each of eight processes
			for _, t := range targets {
				if t.single && clients > 1 {
					continue
				}
				if _, err := b.measure(ctx, t, clients); err != nil {
					return err
				}
			}
		}
		before, err := b.server.CPU()
		if err != nil {
			return err
		}
		taken := 0
		for range b.rounds {
			for _, t := range targets {
				if t.single && clients > 1 {
					continue
				}
				r, err := b.measure(ctx, t, clients)
				if err != nil {
					return err
				}
				if found[t.name] == nil {
					found[t.name] = &rates{}
				}
				f := found[t.name]
				f.rate, f.p50, f.p99 = append(f.rate, r.Rate), append(f.p50, r.P50), append(f.p99, r.P99)
				if t.ours {
					taken += r.Requests
				}
			}
		}
		after, err := b.server.CPU()
		if err != nil {
			return err
		}
		b.show(targets, found, clients)
		b.goals.Note(fmt.Sprintf("%d clients: the server's processor time per invocation, HTTP front included", clients),
			report.Figure(float64((after-before).Microseconds())/float64(taken))+" µs")
		b.judge(found, clients)
	}
	used, err := b.server.Memory()
	if err != nil {
		return err
	}
	b.goals.Judge("RSS of the server after it", used.RSS, report.AtMost(60, " MB"))
	b.goals.Note("of it not the program itself", report.Figure(used.Own)+" MB")
	return nil
}

func (b *bench) show(targets []target, found map[string]*rates, clients int) {
	t := report.NewTable("", "invocations/s", "p50 µs", "p99 µs")
	for _, target := range targets {
		if f := found[target.name]; f != nil {
			t.Add(target.name, report.Figure(report.Median(f.rate)), report.Figure(report.Median(f.p50)), report.Figure(report.Median(f.p99)))
		}
	}
	t.Print(b.out, fmt.Sprintf("Invocations through HTTP, %d clients, at most 8 instances a function; medians of %d rounds of %s, after %d that do not count", clients, b.rounds, b.duration, warmRounds))
}

func (b *bench) judge(found map[string]*rates, clients int) {
	compare := func(ours, theirs string, want float64) {
		what, bound := fmt.Sprintf("%d clients, invocations/s, %s ÷ %s", clients, ours, theirs), report.AtLeast(want, " ×")
		if found[ours] == nil || found[theirs] == nil {
			b.goals.Missing(what, bound, "not measured")
			return
		}
		b.goals.Judge(what, report.Median(found[ours].rate)/report.Median(found[theirs].rate), bound)
	}
	if clients == 1 {
		compare("aloft, node", "serverless-offline, node", 2)
		if rie := found["RIE, go"]; rie != nil {
			b.goals.Note("1 client, invocations/s, aloft, go ÷ RIE, go", report.Figure(report.Median(found["aloft, go"].rate)/report.Median(rie.rate))+" ×")
		}
		return
	}
	compare("aloft, node", "serverless-offline, node", 2.5)
	compare("aloft, go", "workerd", 0.75)
	if found["aloft, go"] == nil {
		return
	}
	b.goals.Note("32 clients, invocations/s, aloft, go (target on the machine of shared/PERFORMANCE.md, where workerd has 13,662: 10,000)",
		report.Figure(report.Median(found["aloft, go"].rate)))
}
