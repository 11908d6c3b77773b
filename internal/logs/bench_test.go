package logs_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

const benchText = `10.0.0.7 - - "GET /api/v1/items/4711?page=2 HTTP/1.1" 200 5123 12ms "Mozilla/5.0 (X11; Linux x86_64)" id=`

func benchLine(i int) aloft.LogLine {
	return aloft.LogLine{
		Time: moment.Add(time.Duration(i) * time.Microsecond), Release: 7, Function: "web", Instance: "web-1",
		Stream: []string{"stdout", "access"}[i/8%2], Text: benchText + fmt.Sprint(i*7919%1_000_003),
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend measures capture until everything is in a file, compressing in the background as it happens in life.
func BenchmarkAppend(b *testing.B) {
	lines := make([]aloft.LogLine, 4096)
	for i := range lines {
		lines[i] = benchLine(i)
	}
	s := open(b, b.TempDir(), logs.Options{MaxBytes: 4 << 30})
	before, start := cpu(), time.Now()
	for i := 0; b.Loop(); i++ {
		s.Append(staging, lines[i%len(lines)])
	}
	for logs.Unwritten(s) {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "lines/s")
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/line")
	if n := logs.Dropped(s); n > 0 {
		b.Errorf("%d of %d lines were dropped", n, b.N)
	}
}

// million is a log of a million lines, in files.
func million(b *testing.B) *logs.Store {
	b.Helper()
	s := open(b, b.TempDir(), logs.Options{MaxBytes: 4 << 30})
	for i := range 1_000_000 {
		s.Append(staging, benchLine(i))
	}
	logs.Flush(s)
	for logs.Plain(s) > 1 {
		time.Sleep(10 * time.Millisecond)
	}
	return s
}

func BenchmarkTail100(b *testing.B) {
	s := million(b)
	for b.Loop() {
		if n := len(read(b, s, aloft.LogQuery{Limit: 100})); n != 100 {
			b.Fatal(n)
		}
	}
}

func BenchmarkTail10000(b *testing.B) {
	s := million(b)
	for b.Loop() {
		if n := len(read(b, s, aloft.LogQuery{Limit: 10_000})); n != 10_000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkScanMillion(b *testing.B) {
	s := million(b)
	for b.Loop() {
		n := 0
		for l := range s.Logs(b.Context(), aloft.LogQuery{Stage: staging}) {
			n += len(l.Text) & 1
		}
	}
}

func BenchmarkSinceMillion(b *testing.B) {
	s := million(b)
	for b.Loop() {
		if n := len(read(b, s, aloft.LogQuery{Since: moment.Add(999 * time.Millisecond)})); n != 1000 {
			b.Fatal(n)
		}
	}
}
