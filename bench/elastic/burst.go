package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/home"
	"github.com/aloft-run/aloft/bench/report"
)

// work is how long a request of the burst takes in the app, in milliseconds.
const work = 200

// crowd is what clients saw.
type crowd struct {
	mu    sync.Mutex
	took  []float64
	lost  []error
	after time.Duration // until all instances were ready; 0: they never were
	seen  int           // the most instances that were ready at once
}

// burst lets as many clients as the app may have instances come at once, to an app of one instance that takes one request at
// a time. They ask again and again until all instances run, then once more.
func (b *bench) burst(ctx context.Context) error {
	s, err := b.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Remove()
	address, err := b.deploy(ctx, s, "burst", fmt.Sprintf(
		"functions:\n  web: {min: 1, max: %d, concurrency: {soft: 1, hard: 1}, memory: 64MB}\n", b.instances))
	if err != nil {
		return err
	}
	before, err := s.RSS()
	if err != nil {
		return err
	}
	c, began := new(crowd), time.Now()
	full, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var clients sync.WaitGroup
	for range b.instances {
		clients.Go(func() { c.ask(ctx, full, fmt.Sprintf("%s/slow?ms=%d", address, work)) })
	}
	for full.Err() == nil {
		n, err := ready(ctx, s, "burst")
		if err != nil {
			cancel()
			clients.Wait()
			return err
		}
		if c.seen = max(c.seen, n); n >= b.instances {
			c.after = time.Since(began)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	clients.Wait()
	used, err := s.RSS()
	if err != nil {
		return err
	}
	b.sayBurst(c, used-before)
	return nil
}

func (b *bench) sayBurst(c *crowd, grown float64) {
	t := report.NewTable("answered", "lost", "instances", "all ready after, s", "p50 ms", "p99 ms", "longest, ms", "server's RSS grew by, MB")
	after := "never"
	if c.after > 0 {
		after = report.Figure(c.after.Seconds())
	}
	t.Add(fmt.Sprint(len(c.took)), fmt.Sprint(len(c.lost)), fmt.Sprint(c.seen), after, report.Figure(report.Median(c.took)),
		report.Figure(report.Quantile(c.took, .99)), report.Figure(report.Quantile(c.took, 1)), report.Figure(grown))
	t.Print(b.out, fmt.Sprintf("Burst: %d clients at once to one instance that takes one request at a time, %d ms of waiting each", b.instances, work))
	if len(c.lost) > 0 {
		fmt.Fprintln(b.out, "\nthe first that was lost:", c.lost[0])
	}
	b.goals.Judge("burst: requests lost", float64(len(c.lost)), report.AtMost(0, ""))
	b.goals.Judge("burst: instances at once", float64(c.seen), report.AtLeast(float64(b.instances), ""))
}

// ask asks until full ends.
func (c *crowd) ask(ctx, full context.Context, address string) {
	for last := false; !last; {
		last = full.Err() != nil
		took, err := home.Get(ctx, address)
		c.mu.Lock()
		if err != nil {
			c.lost = append(c.lost, err)
		} else {
			c.took = append(c.took, took)
		}
		c.mu.Unlock()
	}
}

// ready counts the instances that take requests.
func ready(ctx context.Context, s *home.Server, app string) (n int, err error) {
	all, err := s.Overview(ctx, app)
	for _, stage := range all {
		for _, i := range stage.Instances {
			if i.State == aloft.Ready {
				n++
			}
		}
	}
	return n, err
}
