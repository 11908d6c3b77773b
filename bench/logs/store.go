package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/bench/report"
)

// kept is a log of lines: ours, or SQLite's.
type kept interface {
	Add(line aloft.LogLine) error
	// Close returns when all lines are in files.
	Close() error
	// Tail reads the last n lines.
	Tail(ctx context.Context, n int) (int, error)
	// Filter counts the lines in which text occurs.
	Filter(ctx context.Context, text string) (int, error)
}

// figures of one kind of log, one for each round.
type figures struct{ rate, cpu, bytes, tail, filter []float64 }

// stores fills a log with lines of one app, and reads it, ours and SQLite's in turns.
func (b *bench) stores(ctx context.Context) error {
	kinds := []struct {
		name string
		open func(dir string) (kept, error)
		figures
	}{{name: "aloft", open: openOurs}, {name: "SQLite", open: openSQLite}}
	for round := range b.rounds {
		for i := range kinds {
			k := &kinds[i]
			dir := filepath.Join(b.Dir, fmt.Sprintf("%s-%d", k.name, round))
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			if err := b.fill(dir, k.open, &k.figures); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			if err := b.read(ctx, dir, k.open, &k.figures); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	t := report.NewTable("log", "lines/s", "CPU, µs per line", "bytes per line", "last 100 lines, ms", "filter of all, ms")
	for _, k := range kinds {
		t.Add(k.name, report.Figure(report.Median(k.rate)), report.Figure(report.Median(k.cpu)), report.Figure(report.Median(k.bytes)),
			report.Figure(report.Median(k.tail)), report.Figure(report.Median(k.filter)))
	}
	t.Print(b.out, fmt.Sprintf("%d lines of one app, %d rounds; SQLite: WAL, transactions of 1,000 lines, an index over app and number", b.lines, b.rounds))
	ours := kinds[0].figures
	b.goals.Judge("log store: capture", report.Median(ours.rate), report.AtLeast(1_000_000, " lines/s"))
	b.goals.Judge("log store: CPU per line", report.Median(ours.cpu), report.AtMost(1, " µs"))
	b.goals.Judge("log store: last 100 lines of one app", report.Median(ours.tail), report.AtMost(1, " ms"))
	b.goals.Judge(fmt.Sprintf("log store: filter of %d lines", b.lines), report.Median(ours.filter), report.AtMost(100, " ms"))
	b.goals.Note("log store: capture, aloft ÷ SQLite", report.Figure(report.Median(ours.rate)/report.Median(kinds[1].rate))+" ×")
	return nil
}

const (
	rare  = "needle"
	every = 100_000 // lines, in one of which it occurs
)

func sample(i int) aloft.LogLine {
	text := fmt.Sprintf(`10.0.0.7 "GET /api/v1/items/4711?page=2 HTTP/1.1" 200 5123 12ms "Mozilla/5.0 (X11; Linux x86_64)" id=%d`, i*7919%1_000_003)
	if i%every == 0 {
		text += " " + rare
	}
	return aloft.LogLine{
		Time: time.Unix(1_700_000_000, int64(i)*1000), Release: 7, Function: "web", Instance: "web-1",
		Stream: []string{"stdout", "access"}[i/8%2], Text: text,
	}
}

func (b *bench) fill(dir string, open func(string) (kept, error), f *figures) error {
	lines := make([]aloft.LogLine, b.lines) // made before: only the log is measured
	for i := range lines {
		lines[i] = sample(i)
	}
	k, err := open(dir)
	if err != nil {
		return err
	}
	before, began := processorTime(), time.Now()
	for _, line := range lines {
		if err := k.Add(line); err != nil {
			return err
		}
	}
	if err := k.Close(); err != nil {
		return err
	}
	n := float64(b.lines)
	f.rate = append(f.rate, n/time.Since(began).Seconds())
	f.cpu = append(f.cpu, float64((processorTime()-before).Microseconds())/n)
	size, err := sizeOf(dir)
	f.bytes = append(f.bytes, size/n)
	return err
}

func (b *bench) read(ctx context.Context, dir string, open func(string) (kept, error), f *figures) error {
	k, err := open(dir)
	if err != nil {
		return err
	}
	defer k.Close()
	const tails = 50
	var times []float64
	for range tails {
		time, err := report.Took(func() error {
			n, err := k.Tail(ctx, 100)
			if err == nil && n != 100 {
				err = fmt.Errorf("%d of the last 100 lines", n)
			}
			return err
		})
		if err != nil {
			return err
		}
		times = append(times, time)
	}
	f.tail = append(f.tail, report.Median(times))
	time, err := report.Took(func() error {
		n, err := k.Filter(ctx, rare)
		if want := (b.lines + every - 1) / every; err == nil && n != want {
			err = fmt.Errorf("found %d lines of %d", n, want)
		}
		return err
	})
	f.filter = append(f.filter, time)
	return err
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func sizeOf(dir string) (size float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += float64(info.Size())
		}
		return err
	})
	return size, err
}
