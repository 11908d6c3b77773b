package logs_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

// TestDiskFull: while no write works lines are kept, then dropped and counted; the log says so when it works again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), logs.Options{FlushEvery: time.Millisecond})
	var full atomic.Bool
	logs.Failing(s, &full, syscall.ENOSPC)
	s.Append(staging, line(0))
	logs.Flush(s)
	full.Store(true)
	const n = 60_000 // about 10 MB: more than is kept
	start := time.Now()
	for i := 1; i < n; i++ {
		s.Append(staging, line(i))
		if i == 100 {
			logs.Flush(s)
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("Append took %v while the disk was full", took)
	}
	full.Store(false)
	for logs.Unwritten(s) {
		time.Sleep(time.Millisecond)
	}
	s.Append(staging, line(n))
	got := read(t, s, aloft.LogQuery{})
	kept := 0
	for kept < len(got) && reflect.DeepEqual(got[kept], line(kept)) {
		kept++
	}
	if kept < 1000 || len(got) != kept+2 {
		t.Fatalf("%d lines, the first %d are right; want two more", len(got), kept)
	}
	want := fmt.Sprintf("%d lines dropped: ", n-kept)
	if l := got[kept]; l.Stream != "aloft" || !strings.HasPrefix(l.Text, want) || !strings.Contains(l.Text, "no space left on device") {
		t.Errorf("got %+v, want %q and the reason", l, want)
	}
	if !reflect.DeepEqual(got[kept+1], line(n)) {
		t.Errorf("the line after: %+v", got[kept+1])
	}
}

func TestLostAtClose(t *testing.T) {
	t.Parallel()
	s, err := logs.Open(t.TempDir(), logs.Options{FlushEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var full atomic.Bool
	full.Store(true)
	logs.Failing(s, &full, syscall.ENOSPC)
	s.Append(staging, line(0))
	s.Append(staging, line(1))
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "2 lines") {
		t.Errorf("Close: %v, want it to say that 2 lines are lost", err)
	}
}

// TestOpenFiles writes to 1,000 stages at once with few files open.
func TestOpenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, logs.Options{OpenFiles: 10, FlushEvery: time.Millisecond})
	ref := func(i int) aloft.StageRef { return aloft.StageRef{App: fmt.Sprint("app", i), Stage: "staging"} }
	most := 0
	for round := range 3 {
		for i := range 1000 {
			s.Append(ref(i), line(round))
			if i%100 == 0 {
				most = max(most, openBelow(dir))
			}
		}
		for logs.Unwritten(s) {
			most = max(most, openBelow(dir))
		}
	}
	if most > 12 { // one is opened before the oldest is closed, and a first Append lists its directory
		t.Errorf("%d files were open, the limit is 10", most)
	}
	for i := range 1000 {
		wantLines(t, ref(i).App, read(t, s, aloft.LogQuery{Stage: ref(i)}), []aloft.LogLine{line(0), line(1), line(2)})
	}
}

func openBelow(dir string) (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(target, dir) {
			n++
		}
	}
	return n
}
