package lambdaapi_test

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft/internal/lambdaapi"
)

// TestMerge puts trees of all shapes over each other: a file, a directory and a link in each other's place.
func TestMerge(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	link := func(to string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777}
	}
	zero, one := &fstest.MapFile{Data: []byte("0"), Mode: 0o644}, &fstest.MapFile{Data: []byte("1"), Mode: 0o644}
	layers := fstest.MapFS{
		"0/both/a": zero, "0/both/only0": zero, "0/dir/x": zero, "0/file": zero, "0/link": link(outside), "0/replaced": link("file"),
		"1/both/a": one, "1/both/deep/only1": one, "1/dir": one, "1/file/x": one, "1/link/x": one, "1/replaced": link("both/a"),
		"opt/.keep": zero,
	}
	if err := os.CopyFS(dir, layers); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, from := range []string{"0", "1"} {
		if err := lambdaapi.Merge(root, from, "opt"); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"both/a": "1", "both/only0": "0", "both/deep/only1": "1", "dir": "1", "file/x": "1", "link/x": "1", "replaced": "1", ".keep": "0",
	} {
		if got, err := root.ReadFile("opt/" + name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("written through a link: %v %v", entries, err)
	}
}
