package artifact_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/artifact"
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

// BenchmarkPackFirst is a first deploy: scan, pack, no index, nothing to reuse. The peer is Info-ZIP's default.
func BenchmarkPackFirst(b *testing.B) {
	dir := corpus(b)
	if _, err := exec.LookPath("zip"); err != nil {
		b.Skip("zip is missing; install it (apt-get install zip)")
	}
	out := filepath.Join(b.TempDir(), "peer.zip")
	began := time.Now()
	zip := exec.CommandContext(b.Context(), "zip", "-qr", "-y", "-6", out, ".")
	zip.Dir = dir
	must(b, zip.Run())
	peer := time.Since(began)
	info, err := os.Stat(out)
	must(b, err)

	var size int64
	var packing time.Duration
	cpu := cpuTime(b)
	for b.Loop() {
		tree := scan(b, dir, source.Options{})
		began := time.Now()
		size = pack(b, tree, artifact.PackOptions{}).Artifact().Size
		packing += time.Since(began)
	}
	b.ReportMetric(peer.Seconds()/(packing.Seconds()/float64(b.N)), "×zip-6-packing-alone")
	b.ReportMetric(peer.Seconds()/(b.Elapsed().Seconds()/float64(b.N)), "×zip-6")
	b.ReportMetric(float64(size)/float64(info.Size()), "size/zip-6")
	b.ReportMetric(peer.Seconds(), "zip-6-s")
	// On a busy machine processor time says more than the clock.
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/float64(b.N), "cpu-s")
	b.ReportMetric((zip.ProcessState.UserTime() + zip.ProcessState.SystemTime()).Seconds(), "zip-6-cpu-s")
}

// BenchmarkPackOneChanged is a deploy after an edit of one file: scan with the index, pack with reuse.
func BenchmarkPackOneChanged(b *testing.B) {
	dir := corpus(b)
	store, err := artifact.Open(b.TempDir())
	must(b, err)
	// A link to the corpus would not do, and copying keeps the corpus as it is.
	work := filepath.Join(b.TempDir(), "work")
	must(b, scan(b, dir, source.Options{}).Copy(b.Context(), work))
	opt := source.Options{Index: filepath.Join(b.TempDir(), "index")}
	edited := filepath.Join(work, "edited.txt")
	must(b, os.WriteFile(edited, []byte("0"), 0o644))
	waitUntilSettled(b, edited)
	made, err := store.Put(b.Context(), pack(b, scan(b, work, opt), artifact.PackOptions{}))
	must(b, err)

	walk := walkAndLstat(b, work)
	edit := []byte("x")
	for b.Loop() {
		b.StopTimer()
		edit = append(edit, 'x')
		must(b, os.WriteFile(edited, edit, 0o644))
		b.StartTimer()
		pack(b, scan(b, work, opt), artifact.PackOptions{Store: store, Reuse: made.Digest})
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/walk.Seconds(), "×walk+lstat")
	b.ReportMetric(float64(walk.Milliseconds()), "walk-ms")
}

func BenchmarkPut(b *testing.B) {
	archive := pack(b, scan(b, corpus(b), source.Options{}), artifact.PackOptions{})
	for b.Loop() {
		b.StopTimer()
		store, err := artifact.Open(b.TempDir())
		must(b, err)
		b.StartTimer()
		_, err = store.Put(b.Context(), archive)
		must(b, err)
	}
	b.SetBytes(archive.Artifact().Size)
}

func BenchmarkExtract(b *testing.B) {
	store, err := artifact.Open(b.TempDir())
	must(b, err)
	made, err := store.Put(b.Context(), pack(b, scan(b, corpus(b), source.Options{}), artifact.PackOptions{}))
	must(b, err)
	// Nothing is removed between the rounds: ext4 is slow to make files just after it deleted many.
	for b.Loop() {
		must(b, store.Extract(b.Context(), made.Digest, filepath.Join(b.TempDir(), "app")))
	}
}

// cpuTime returns the processor time that this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

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

// waitUntilSettled waits until the index may trust the file's times: a second file's time is well past the first's.
func waitUntilSettled(b *testing.B, file string) {
	b.Helper()
	first, err := os.Stat(file)
	must(b, err)
	probe := filepath.Join(b.TempDir(), "probe")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		must(b, os.WriteFile(probe, bytes.Repeat([]byte("x"), 1<<20), 0o644))
		now, err := os.Stat(probe)
		must(b, err)
		if now.ModTime().Sub(first.ModTime()) > 100*time.Millisecond {
			return
		}
	}
	b.Fatal("the clock of the file system stands still")
}
