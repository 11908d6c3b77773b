package logs_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

var (
	staging = aloft.StageRef{App: "web", Stage: "staging"}
	moment  = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
)

func open(tb testing.TB, dir string, options logs.Options) *logs.Store {
	tb.Helper()
	s, err := logs.Open(dir, options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func closeStore(tb testing.TB, s *logs.Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

// line is a line that tells its number, with the odd bytes that apps print.
func line(i int) aloft.LogLine {
	return aloft.LogLine{
		Time:      moment.Add(time.Duration(i)*time.Millisecond - time.Duration(i%7)*3*time.Millisecond), // not quite in order
		Release:   i / 1000,
		Function:  "web",
		Instance:  fmt.Sprint("i", i/100%40),
		Stream:    []string{"stdout", "stderr", "access"}[i%3],
		RequestID: strings.Repeat("r", i%2*8),
		Text:      fmt.Sprintf("%d \x1b[31mred\x00\xff\n%s", i, strings.Repeat("x", i*7%300)),
	}
}

func read(tb testing.TB, s *logs.Store, query aloft.LogQuery) (all []aloft.LogLine) {
	tb.Helper()
	if query.Stage.App == "" {
		query.Stage = staging
	}
	for l, err := range s.Logs(tb.Context(), query) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func wantLines(tb testing.TB, what string, got, want []aloft.LogLine) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Errorf("%s: %d lines, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			tb.Errorf("%s: line %d:\n got %+v\nwant %+v", what, i, got[i], want[i])
			return
		}
	}
}

// TestModel appends at random, opens again, compresses, and compares every kind of query with a slice.
func TestModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := logs.Options{SegmentBytes: 100 << 10, MaxBytes: 1 << 30, FlushEvery: time.Millisecond}
	s := open(t, dir, options)
	var model []aloft.LogLine
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 40 {
		for range random.IntN(500) {
			model = append(model, line(len(model)))
			s.Append(staging, model[len(model)-1])
		}
		switch random.IntN(4) {
		case 0:
			closeStore(t, s)
			s = open(t, dir, options)
		case 1:
			if err := logs.Compress(s); err != nil {
				t.Fatal(err)
			}
		}
		limit := random.IntN(len(model) + 10)
		since := moment.Add(time.Duration(random.IntN(len(model)+10)) * time.Millisecond)
		matching := filter(model, since)
		what := fmt.Sprintf("round %d of %d lines, limit %d", round, len(model), limit)
		wantLines(t, what+" all", read(t, s, aloft.LogQuery{}), model)
		wantLines(t, what+" limit", read(t, s, aloft.LogQuery{Limit: limit}), tail(model, limit))
		wantLines(t, what+" since", read(t, s, aloft.LogQuery{Since: since}), matching)
		wantLines(t, what+" both", read(t, s, aloft.LogQuery{Since: since, Limit: limit}), tail(matching, limit))
		if t.Failed() {
			return
		}
	}
	if zipped, _ := filepath.Glob(filepath.Join(dir, "web", "staging", "*.zst")); len(zipped) < 3 {
		t.Errorf("only %v were compressed", zipped)
	}
}

func filter(all []aloft.LogLine, since time.Time) (matching []aloft.LogLine) {
	for _, l := range all {
		if !l.Time.Before(since) {
			matching = append(matching, l)
		}
	}
	return matching
}

func tail(all []aloft.LogLine, limit int) []aloft.LogLine {
	if limit == 0 || limit > len(all) {
		return all
	}
	return all[len(all)-limit:]
}

func TestAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, logs.Options{FlushEvery: time.Hour})
	wantLines(t, "no log", read(t, s, aloft.LogQuery{}), nil)
	want := line(1)
	s.Append(staging, want)
	wantLines(t, "one line", read(t, s, aloft.LogQuery{}), []aloft.LogLine{want})
	if found, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*")); len(found) > 0 {
		t.Errorf("written already: %v", found)
	}
	wantLines(t, "another stage", read(t, s, aloft.LogQuery{Stage: aloft.StageRef{App: "web", Stage: "production"}}), nil)

	for _, at := range []time.Time{time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s.Append(staging, aloft.LogLine{Time: at, Text: "odd time"})
		if got := read(t, s, aloft.LogQuery{Since: time.Date(1, 1, 1, 1, 0, 0, 0, time.UTC), Limit: 1}); len(got) != 1 || got[0].Text != "odd time" {
			t.Errorf("a line of %v: %+v", at, got)
		}
	}
	before := time.Now()
	s.Append(staging, aloft.LogLine{Text: "now"})
	if got := read(t, s, aloft.LogQuery{Limit: 1})[0].Time; got.Before(before.Add(-time.Second)) || got.After(time.Now().Add(time.Second)) {
		t.Errorf("a line without time got %v", got)
	}
	for _, ref := range []aloft.StageRef{{}, {App: "..", Stage: ".."}, {App: "web", Stage: "../x"}} {
		s.Append(ref, want) // must not end in a path
		for _, err := range s.Logs(t.Context(), aloft.LogQuery{Stage: ref}) {
			if aloft.ErrorCode(err) != aloft.Invalid {
				t.Errorf("Logs of %v: %v, want Invalid", ref, err)
			}
		}
		if aloft.ErrorCode(s.Delete(ref)) != aloft.Invalid {
			t.Errorf("Delete of %v must be refused", ref)
		}
	}
}

func TestLargeLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, logs.Options{})
	var want []aloft.LogLine
	for i, size := range []int{0, 1, 64 << 10, 1 << 20, 3 << 19, 3} {
		l := line(i)
		l.Text = strings.Repeat("\xfe\n", size)
		want = append(want, l)
		s.Append(staging, l)
	}
	wantLines(t, "buffered", read(t, s, aloft.LogQuery{}), want)
	closeStore(t, s)
	s = open(t, dir, logs.Options{})
	wantLines(t, "opened again", read(t, s, aloft.LogQuery{}), want)
	s.Append(staging, aloft.LogLine{Time: moment, Text: strings.Repeat("x", 17<<20)})
	if got := read(t, s, aloft.LogQuery{Limit: 1})[0]; len(got.Text) != 16<<20 {
		t.Errorf("%d bytes, want the first 16 MB", len(got.Text))
	}
}

func TestCap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := logs.Options{SegmentBytes: 64 << 10, MaxBytes: 256 << 10, FlushEvery: time.Millisecond}
	s := open(t, dir, options)
	const n = 20_000
	for i := range n {
		s.Append(staging, line(i))
	}
	closeStore(t, s)
	var size int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, _ error) error {
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	if size > options.MaxBytes+options.SegmentBytes+64<<10 {
		t.Errorf("%d bytes on disk, the limit is %d and one segment", size, options.MaxBytes)
	}
	s = open(t, dir, options)
	got := read(t, s, aloft.LogQuery{})
	if len(got) < 200 || len(got) >= n {
		t.Fatalf("%d lines left", len(got))
	}
	for i, l := range got {
		if want := line(n - len(got) + i); !reflect.DeepEqual(l, want) {
			t.Fatalf("line %d of %d: got %+v, want %+v", i, len(got), l, want)
		}
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, logs.Options{FlushEvery: time.Millisecond})
	other := aloft.StageRef{App: "web", Stage: "production"}
	s.Append(staging, line(1))
	s.Append(other, line(2))
	ended := make(chan error, 1)
	seen := make(chan struct{}, 1)
	go func() {
		var last error
		for _, err := range s.Logs(t.Context(), aloft.LogQuery{Stage: staging, Follow: true}) {
			seen <- struct{}{}
			last = err
		}
		ended <- last
	}()
	<-seen
	if err := s.Delete(staging); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the follower ended with %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "web", "staging")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
	wantLines(t, "deleted", read(t, s, aloft.LogQuery{}), nil)
	wantLines(t, "other stage", read(t, s, aloft.LogQuery{Stage: other}), []aloft.LogLine{line(2)})
	s.Append(staging, line(3))
	wantLines(t, "new life", read(t, s, aloft.LogQuery{}), []aloft.LogLine{line(3)})
	if err := errors.Join(s.Delete(staging), s.Delete(staging), s.Delete(other)); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), logs.Options{})
	for i := range 10 {
		s.Append(staging, line(i))
	}
	for _, follow := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var last error
		for _, err := range s.Logs(ctx, aloft.LogQuery{Stage: staging, Follow: follow}) {
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("follow %v: %v, want context.Canceled", follow, last)
		}
	}
	n := 0
	for range s.Logs(t.Context(), aloft.LogQuery{Stage: staging, Follow: true}) { // breaking out is no error
		if n++; n == 4 {
			break
		}
	}
}
