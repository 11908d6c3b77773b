package source_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/source"
)

// corpus is a directory of real files: the one that ALOFT_BENCH_CORPUS names, else Go's own source.
func corpus(b *testing.B) string {
	b.Helper()
	if dir := os.Getenv("ALOFT_BENCH_CORPUS"); dir != "" {
		return dir
	}
	out, err := exec.CommandContext(b.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		b.Skipf("no corpus: go env GOROOT: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src")
}

// walkAndLstat is the yardstick of PERFORMANCE.md: what it costs to see that nothing changed, at the least.
func walkAndLstat(b *testing.B, dir string) time.Duration {
	b.Helper()
	best := time.Hour
	for range 7 {
		began := time.Now()
		must(b, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil {
				_, err = d.Info()
			}
			return err
		}))
		best = min(best, time.Since(began))
	}
	return best
}

func report(b *testing.B, walk time.Duration) {
	b.Helper()
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/walk.Seconds(), "×walk+lstat")
	b.ReportMetric(float64(walk.Milliseconds()), "walk-ms")
}

func BenchmarkScanFirst(b *testing.B) {
	dir := corpus(b)
	walk := walkAndLstat(b, dir)
	for b.Loop() {
		scan(b, dir, source.Options{})
	}
	report(b, walk)
}

func BenchmarkScanUnchanged(b *testing.B) {
	dir := corpus(b)
	opt := source.Options{Index: filepath.Join(b.TempDir(), "index"), Ignore: true, Keep: []string{"node_modules/"}}
	scan(b, dir, opt)
	walk := walkAndLstat(b, dir)
	for b.Loop() {
		scan(b, dir, opt)
	}
	report(b, walk)
}

func BenchmarkCopy(b *testing.B) {
	tree := scan(b, corpus(b), source.Options{})
	to := b.TempDir()
	for b.Loop() {
		must(b, tree.Copy(b.Context(), filepath.Join(to, "copy")))
		b.StopTimer()
		must(b, os.RemoveAll(filepath.Join(to, "copy")))
		b.StartTimer()
	}
}
