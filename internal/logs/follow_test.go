package logs_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

// TestFollow starts followers at random moments of a busy log with tiny segments: history and news join without gap or double.
func TestFollow(t *testing.T) {
	t.Parallel()
	const n = 30_000
	s := open(t, t.TempDir(), logs.Options{SegmentBytes: 200 << 10, MaxBytes: 1 << 30, FlushEvery: time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	follow := func(name string, limit int) {
		var want int
		first := true
		for l, err := range s.Logs(ctx, aloft.LogQuery{Stage: staging, Limit: limit, Follow: true}) {
			if err != nil {
				t.Errorf("%s: %v at line %d", name, err, want)
				return
			}
			if first {
				_, _ = fmt.Sscan(l.Text, &want)
				first = false
			}
			if !reflect.DeepEqual(l, line(want)) {
				t.Errorf("%s: got %.20q, want line %d", name, l.Text, want)
				return
			}
			if want++; want == n {
				return
			}
		}
	}
	for i := range n {
		if i%5000 == 1 {
			wg.Go(func() { follow(fmt.Sprint("all from ", i), 0) })
			wg.Go(func() { follow(fmt.Sprint("ten from ", i), 10) })
		}
		s.Append(staging, line(i))
	}
	wg.Wait()
}

// TestSlowFollower: one who does not take its lines holds nobody up, and later sees what is still there and how much is not.
func TestSlowFollower(t *testing.T) {
	t.Parallel()
	const n = 20_000
	s := open(t, t.TempDir(), logs.Options{SegmentBytes: 64 << 10, MaxBytes: 128 << 10, FlushEvery: time.Millisecond})
	s.Append(staging, line(0))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next, gaps := 0, 0
	for l, err := range s.Logs(ctx, aloft.LogQuery{Stage: staging, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if next == 0 { // it sleeps while the log goes on
			for i := 1; i < n; i++ {
				s.Append(staging, line(i))
			}
		}
		if l.Stream == "aloft" {
			var missing int
			if _, err := fmt.Sscan(l.Text, &missing); err != nil {
				t.Fatal(err)
			}
			next += missing
			gaps++
			continue
		}
		if !reflect.DeepEqual(l, line(next)) {
			t.Fatalf("got %.20q, want line %d", l.Text, next)
		}
		if next++; next == n {
			break
		}
	}
	if gaps == 0 {
		t.Error("nothing was missing: the test disturbed nobody")
	}
}

// TestManyWriters: the lines of each goroutine keep their order.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), logs.Options{FlushEvery: time.Millisecond})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				s.Append(staging, aloft.LogLine{Time: moment, Release: g, Text: fmt.Sprint(i)})
			}
		})
	}
	wg.Wait()
	next := make([]int, 8)
	for _, l := range read(t, s, aloft.LogQuery{}) {
		if l.Text != fmt.Sprint(next[l.Release]) {
			t.Fatalf("writer %d: got %s, want %d", l.Release, l.Text, next[l.Release])
		}
		next[l.Release]++
	}
	for g, n := range next {
		if n != 2000 {
			t.Errorf("writer %d: %d lines", g, n)
		}
	}
}

func TestCloseEndsFollowers(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), logs.Options{})
	s.Append(staging, line(0))
	for _, err := range s.Logs(t.Context(), aloft.LogQuery{Stage: staging, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
	}
	s.Append(staging, line(1)) // does nothing
	for _, err := range s.Logs(t.Context(), aloft.LogQuery{Stage: staging}) {
		if !strings.Contains(err.Error(), "closed") || errors.Is(err, context.Canceled) {
			t.Errorf("Logs after Close: %v", err)
		}
	}
}
