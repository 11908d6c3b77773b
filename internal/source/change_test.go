package source_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/source"
)

func TestOpenRefusesWhatChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(file string) error{
		"other content": func(f string) error { return os.WriteFile(f, []byte("efgh"), 0o644) },
		"longer":        func(f string) error { return os.WriteFile(f, []byte("abcdefgh"), 0o644) },
		"shorter":       func(f string) error { return os.Truncate(f, 1) },
		"gone":          os.Remove,
		"now a link": func(f string) error {
			_ = os.Remove(f)
			return os.Symlink("other", f)
		},
		"now a dir": func(f string) error {
			_ = os.Remove(f)
			return os.Mkdir(f, 0o755)
		},
		"parent now a link": func(f string) error {
			dir := filepath.Dir(f)
			_ = os.Rename(dir, dir+"-old")
			return os.Symlink("/etc", dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, map[string]string{"d/a file": "abcd", "d/other": "abcd"})
			tree := scan(t, dir, source.Options{})
			must(t, change(filepath.Join(dir, "d/a file")))
			f, err := tree.Open(tree.Entries()[0])
			if err == nil {
				_, err = io.ReadAll(f)
				_ = f.Close()
			}
			invalid(t, err, `"d/a file"`, "changed")
			dst := filepath.Join(t.TempDir(), "copy")
			invalid(t, tree.Copy(t.Context(), dst), `"d/`, "changed") // another file first if the directory is gone
			if _, err := os.Lstat(dst); err == nil {
				t.Error("the failed copy is still there")
			}
		})
	}
}

// TestScanSeesWrites scans while a program writes: each scan gives what was there at one time, or says what changed.
func TestScanSeesWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "1", "busy": "", "z": "1"})
	var stop atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		f, err := os.OpenFile(filepath.Join(dir, "busy"), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for !stop.Load() {
			_, _ = f.WriteString("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
		}
	}()
	changed := 0
	for deadline := time.Now().Add(10 * time.Second); changed == 0 && time.Now().Before(deadline); {
		tree, err := source.Scan(t.Context(), dir, source.Options{})
		if err != nil {
			invalid(t, err, `"busy"`, "changed")
			changed++
			continue
		}
		_ = tree.Close()
	}
	stop.Store(true)
	<-stopped
	if changed == 0 {
		t.Error("no scan noticed the writer")
	}
}

// TestIndexNeverLies edits files over and over, within clock ticks and without a change of size, and compares scans with
// the index to scans without.
func TestIndexNeverLies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opt := source.Options{Index: filepath.Join(t.TempDir(), "state", "index")}
	write(t, dir, map[string]string{"a": "0000", "d/b": "0000", "c": "0000"})
	for i := range 300 {
		file := filepath.Join(dir, []string{"a", "d/b", "c"}[i%3])
		must(t, os.WriteFile(file, fmt.Appendf(nil, "%04d", i), 0o644))
		if got, want := scan(t, dir, opt).Digest(), scan(t, dir, source.Options{}).Digest(); got != want {
			t.Fatalf("round %d: the index hides a change", i)
		}
	}
}

func TestIndexIsACache(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "index")
	opt := source.Options{Index: file}
	write(t, dir, map[string]string{"a": "1", "d/b": "2"})
	past := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(filepath.Join(dir, "a"), past, past))
	want := scan(t, dir, opt).Digest()
	good, err := os.ReadFile(file)
	must(t, err)
	for at := range good {
		bad := append([]byte(nil), good...)
		bad[at] ^= 0xff
		must(t, os.WriteFile(file, bad, 0o644))
		if got := scan(t, dir, opt).Digest(); got != want {
			t.Fatalf("an index with a bad byte %d is believed", at)
		}
		must(t, os.WriteFile(file, good[:at], 0o644))
		if got := scan(t, dir, opt).Digest(); got != want {
			t.Fatalf("an index of %d bytes is believed", at)
		}
	}
	blocked := filepath.Join(dir, "a", "index") // below a file: cannot be written
	if got := scan(t, dir, source.Options{Index: blocked}).Digest(); got != want {
		t.Error("an index that cannot be written changes the scan")
	}
	leftovers, err := filepath.Glob(file + ".tmp*")
	if must(t, err); len(leftovers) > 0 {
		t.Errorf("left over: %v", leftovers)
	}
}

// TestIndexIsUsed shows that an unchanged file is not read again: its content is exchanged behind the index's back.
func TestIndexIsUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opt := source.Options{Index: filepath.Join(t.TempDir(), "index")}
	write(t, dir, map[string]string{"a": "1", "b": "1"})
	waitUntilSettled(t, filepath.Join(dir, "b"))
	first := scan(t, dir, opt)
	written, err := os.ReadFile(opt.Index)
	must(t, err)
	// Another set of options must not make the index forget.
	scan(t, dir, source.Options{Index: opt.Index, Drop: []string{"a"}})
	if again := scan(t, dir, opt); again.Digest() != first.Digest() {
		t.Error("the digest changed")
	}
	after, err := os.ReadFile(opt.Index)
	must(t, err)
	if string(written) != string(after) {
		t.Error("an unchanged tree was hashed again")
	}
}

// TestFreshFilesAreHashedAgain: a file whose time is not before the scan may change without a trace, so it is not trusted.
func TestFreshFilesAreHashedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opt := source.Options{Index: filepath.Join(t.TempDir(), "index")}
	write(t, dir, map[string]string{"a": "1"})
	soon := time.Now().Add(time.Hour)
	must(t, os.Chtimes(filepath.Join(dir, "a"), soon, soon))
	scan(t, dir, opt)
	first, err := os.ReadFile(opt.Index)
	must(t, err)
	scan(t, dir, opt)
	second, err := os.ReadFile(opt.Index)
	must(t, err)
	if string(first) == string(second) {
		t.Error("a fresh file was not hashed again")
	}
}

// waitUntilSettled waits until the file system's clock is well past the file's times.
func waitUntilSettled(tb testing.TB, file string) {
	tb.Helper()
	first, err := os.Stat(file)
	must(tb, err)
	probe := filepath.Join(tb.TempDir(), "probe")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		must(tb, os.WriteFile(probe, make([]byte, 1<<16), 0o644))
		now, err := os.Stat(probe)
		must(tb, err)
		if now.ModTime().Sub(first.ModTime()) > 100*time.Millisecond {
			return
		}
	}
	tb.Fatal("the clock of the file system stands still")
}
