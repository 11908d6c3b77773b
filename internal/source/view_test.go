package source_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aloft-run/aloft/internal/source"
)

func TestFS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a": "1", "d/b*": "2", "d/e/c": "3", "secret": "no", "d/l": "-> ../a", "dl": "-> d", "loop": "-> loop", "hidden": "-> secret",
	})
	fsys := scan(t, dir, source.Options{Drop: []string{"secret"}}).FS()
	for name, want := range map[string]string{"a": "1", "d/b": "2", "dl/b": "2", "d/l": "1", "dl/l": "1", "dl/e/c": "3"} {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"secret", "loop", "hidden", "../a", "/a", "a/b", "nope", ""} {
		if _, err := fs.ReadFile(fsys, name); err == nil {
			t.Errorf("%q can be read", name)
		}
	}
	if info, err := fs.Stat(fsys, "d/b"); err != nil || info.Mode() != 0o755 || info.Size() != 1 {
		t.Errorf("stat: %v %v", info, err)
	}
}

func TestFSObeysItsContract(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "1", "d/b*": "2", "d/e/c": "3", "l": "-> a"})
	if err := fstest.TestFS(scan(t, dir, source.Options{}).FS(), "a", "d/b", "d/e/c", "l"); err != nil {
		t.Error(err)
	}
	if err := fstest.TestFS(scan(t, t.TempDir(), source.Options{}).FS()); err != nil {
		t.Error(err)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "1", "d/b*": "2", "d/e/c\n ü": "3", "l": "-> d", "x.log": "no", "big": string(make([]byte, 3<<20))})
	must(t, os.Chmod(filepath.Join(dir, "a"), 0o600))
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	must(t, os.Chtimes(filepath.Join(dir, "a"), old, old))
	tree := scan(t, dir, source.Options{Drop: []string{"*.log"}})
	dst := filepath.Join(t.TempDir(), "copy")
	must(t, tree.Copy(t.Context(), dst))
	if got := scan(t, dst, source.Options{}); got.Digest() != tree.Digest() {
		t.Errorf("the copy holds %s", paths(got))
	}
	info, err := os.Stat(filepath.Join(dst, "a"))
	if must(t, err); !info.ModTime().Equal(old) || info.Mode() != 0o644 {
		t.Errorf("the copy has time %v and mode %v", info.ModTime(), info.Mode())
	}
	if err := tree.Copy(t.Context(), dst); err == nil {
		t.Error("copied over what was there")
	}
	if got := scan(t, dst, source.Options{}); got.Digest() != tree.Digest() {
		t.Error("the refused copy changed what was there")
	}
}
