package logs_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/logs"
)

var writeFiles = flag.Bool("write-files", false, "write testdata/v1; only for a format that was never released")

// TestOldFiles reads the files that the first version of the format left.
func TestOldFiles(t *testing.T) {
	t.Parallel()
	const dir = "testdata/v1/web/staging"
	if *writeFiles {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range segments(t, 800) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files := map[string][]byte{}
	names, err := filepath.Glob(dir + "/*")
	if err != nil || len(names) < 2 {
		t.Fatal("no files", err)
	}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, restore(t, files), logs.Options{})
	var want []aloft.LogLine
	for i := range 800 {
		want = append(want, line(i))
	}
	wantLines(t, "old files", read(t, s, aloft.LogQuery{}), want)
}

// segments writes a log and returns its files: plain ones, and one compressed.
func segments(t *testing.T, n int) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir, logs.Options{SegmentBytes: 64 << 10, FlushEvery: time.Millisecond})
	for i := range n {
		s.Append(staging, line(i))
		if i%20 == 0 {
			logs.Flush(s)
		}
	}
	logs.Flush(s)
	for logs.Plain(s) > 1 { // the compressor is at work
		time.Sleep(time.Millisecond)
	}
	closeStore(t, s)
	files := map[string][]byte{}
	names, _ := filepath.Glob(filepath.Join(dir, "web", "staging", "*"))
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = content
	}
	if len(files) < 2 {
		t.Fatalf("only %d files", len(files))
	}
	return files
}

func restore(t *testing.T, files map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "web", "staging"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, "web", "staging", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newest(files map[string][]byte) (name string) {
	for n := range files {
		name = max(name, n)
	}
	return name
}

// TestTorn cuts the last segment at many places: what is before the cut is read, the rest is gone, and the log goes on.
func TestTorn(t *testing.T) {
	t.Parallel()
	files := segments(t, 1000)
	name := newest(files)
	whole := files[name]
	for i := range 60 {
		files[name] = whole[:len(whole)*i/60]
		if i%2 == 1 {
			files[name] = append(bytes.Clone(files[name]), make([]byte, 500)...) // what a power cut leaves
		}
		dir := restore(t, files)
		s := open(t, dir, logs.Options{})
		got := read(t, s, aloft.LogQuery{})
		for j, l := range got {
			if !reflect.DeepEqual(l, line(j)) {
				t.Fatalf("cut %d: line %d of %d is %+v", i, j, len(got), l)
			}
		}
		s.Append(staging, line(len(got)))
		closeStore(t, s)
		s = open(t, dir, logs.Options{})
		if again := read(t, s, aloft.LogQuery{}); len(again) != len(got)+1 || !reflect.DeepEqual(again[len(got)], line(len(got))) {
			t.Fatalf("cut %d: %d lines, then %d after one more", i, len(got), len(again))
		}
	}
}

// TestFlipped changes bytes in all files: every line that is yielded is one that was written, in order.
func TestFlipped(t *testing.T) {
	t.Parallel()
	const n = 1000
	files := segments(t, n)
	random := rand.New(rand.NewPCG(5, 6))
	lost := 0
	for i := range 100 {
		bad := map[string][]byte{}
		for name, content := range files {
			bad[name] = bytes.Clone(content)
			for range i % 4 {
				bad[name][random.IntN(len(content))] ^= 1 << random.IntN(8)
			}
		}
		s := open(t, restore(t, bad), logs.Options{})
		next := 0
		for _, l := range read(t, s, aloft.LogQuery{}) {
			if l.Stream == "aloft" {
				lost++
				continue
			}
			var number int
			if _, err := fmt.Sscan(l.Text, &number); err != nil || number < next || !reflect.DeepEqual(l, line(number)) {
				t.Fatalf("flip %d: after line %d comes %+v", i, next, l)
			}
			next = number + 1
		}
		read(t, s, aloft.LogQuery{Limit: 100, Since: moment.Add(time.Second / 2)})
	}
	if lost == 0 {
		t.Error("nothing was lost: the test disturbed nothing")
	}
}

func FuzzDecode(f *testing.F) {
	s, err := logs.Open(f.TempDir(), logs.Options{FlushEvery: time.Hour})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	for _, n := range []int{1, 3, 50} {
		plain, zipped, err := logs.Encode(line, n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain, false)
		f.Add(zipped, false)
		f.Add(plain[40:], true) // records alone: the fuzzer cannot make a checksum, so the test does
	}
	f.Fuzz(func(t *testing.T, data []byte, records bool) {
		if records {
			data = logs.Wrap(data, 100)
		}
		lines, err := logs.Decode(s, data)
		if err == nil && lines == 0 && len(data) > 0 {
			t.Error("no lines, no error")
		}
	})
}
