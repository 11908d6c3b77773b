package logs_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/aloft-run/aloft/internal/logs"
)

// TestCompressMemory compresses a segment of 16 MB with memory for some chunks of it. It runs alone: others allocate too.
//
//nolint:paralleltest // it counts what the process allocates
func TestCompressMemory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, logs.Options{SegmentBytes: 1 << 30})
	for i := range 128 << 10 {
		s.Append(staging, benchLine(i))
	}
	closeStore(t, s)
	files, _ := filepath.Glob(filepath.Join(dir, "web", "staging", "*.log"))
	if len(files) != 1 {
		t.Fatalf("segments: %v", files)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := logs.CompressFile(files[0], filepath.Join(dir, "zipped")); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("compressing a segment allocated %d KB, want at most 4 MB", took>>10)
	}
}
