package source_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aloft-run/aloft/internal/source"
)

func TestScanListsFilesByPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"b/x": "1", "b-c": "2", "b.txt": "3", "a/z/run*": "#!/bin/sh\n", "link": "-> a/z/run", "B": "4",
		".git/config": "no", "sub/.git": "no", ".hg/x": "no", ".svn/x": "no", ".aloft/x": "no", "b/.DS_Store": "no", ".github/x": "yes",
	})
	must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	tree := scan(t, dir, source.Options{})
	if got, want := paths(tree), ".github/x B a/z/run b-c b.txt b/x link"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	for _, e := range tree.Entries() {
		want := "-rw-r--r--"
		switch e.Path {
		case "a/z/run":
			want = "-rwxr-xr-x"
		case "link":
			want = "Lrwxrwxrwx"
		}
		if e.Mode.String() != want {
			t.Errorf("%s has mode %v, want %s", e.Path, e.Mode, want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		".gitignore":                "node_modules/\n*.log\n/dist\nvendor\nout/\n",
		".upignore":                 "!keep.log\nup.txt\n",
		".aloftignore":              "!up.txt\nsecret\n",
		"node_modules/a/index.js":   "1",
		"node_modules/a/.gitignore": "index.js\n",
		"node_modules/a/debug.log":  "1",
		"sub/node_modules/b.js":     "1",
		"dist/x":                    "1",
		"x.log":                     "1",
		"keep.log":                  "1",
		"up.txt":                    "1",
		"sub/secret":                "1",
		"vendor/bundle/gem":         "1",
		"vendor/other":              "1",
		"out/deep/bin/app":          "1",
		"out/deep/junk":             "1",
		"main.o":                    "1",
	})
	for name, test := range map[string]struct {
		opt  source.Options
		want string
	}{
		"ignore files":   {source.Options{Ignore: true}, "keep.log main.o up.txt"},
		"keep":           {source.Options{Ignore: true, Keep: []string{"node_modules/"}}, "keep.log main.o node_modules/a/.gitignore node_modules/a/debug.log node_modules/a/index.js sub/node_modules/b.js up.txt"},
		"keep below":     {source.Options{Ignore: true, Keep: []string{"vendor/bundle/", "out/*/bin/"}}, "keep.log main.o out/deep/bin/app up.txt vendor/bundle/gem"},
		"drop":           {source.Options{Ignore: true, Drop: []string{"*.o", "up.txt"}}, "keep.log"},
		"drop in kept":   {source.Options{Ignore: true, Keep: []string{"node_modules/"}, Drop: []string{"*.o", "node_modules/a/"}}, "keep.log sub/node_modules/b.js up.txt"},
		"only":           {source.Options{Only: []string{"out/deep/bin/", "*.o"}}, "main.o out/deep/bin/app"},
		"only but":       {source.Options{Only: []string{"vendor/", "!vendor/bundle/"}}, "vendor/other"},
		"only and kept":  {source.Options{Ignore: true, Keep: []string{"/dist/"}, Only: []string{"dist/", "x.log"}}, "dist/x"},
		"without ignore": {source.Options{Drop: []string{"node_modules", "vendor", "out", "sub"}}, "dist/x keep.log main.o up.txt x.log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(strings.Fields(strings.NewReplacer(".aloftignore", "", ".upignore", "").Replace(" "+paths(scan(t, dir, test.opt)))), " ")
			got = strings.TrimPrefix(strings.TrimPrefix(got, ".gitignore"), " ")
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestDigestNamesTheTree(t *testing.T) {
	t.Parallel()
	base := map[string]string{"a": "1", "d/b*": "2", "l": "-> a"}
	digest := func(files map[string]string) string {
		dir := t.TempDir()
		write(t, dir, files)
		return scan(t, dir, source.Options{}).Digest()
	}
	first := digest(base)
	if again := digest(base); again != first {
		t.Errorf("equal trees have digests %s and %s", first, again)
	}
	for name, other := range map[string]map[string]string{
		"content": {"a": "2", "d/b*": "2", "l": "-> a"},
		"mode":    {"a": "1", "d/b": "2", "l": "-> a"},
		"link":    {"a": "1", "d/b*": "2", "l": "-> d"},
		"file":    {"a": "1", "d/b*": "2", "l": "a"},
		"name":    {"a": "1", "d/c*": "2", "l": "-> a"},
		"more":    {"a": "1", "d/b*": "2", "l": "-> a", "m": ""},
	} {
		if digest(other) == first {
			t.Errorf("another %s gives the same digest", name)
		}
	}
}

func TestManyFilesInOneDirectory(t *testing.T) {
	t.Parallel()
	dir, files := t.TempDir(), map[string]string{}
	for i := range 700 {
		files[fmt.Sprintf("f%d", i)] = fmt.Sprint(i)
	}
	write(t, dir, files)
	digests := map[[32]byte]bool{}
	for _, e := range scan(t, dir, source.Options{}).Entries() {
		digests[e.Digest] = true
	}
	if len(digests) != 700 || digests[[32]byte{}] {
		t.Errorf("%d digests of 700 files", len(digests))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files map[string]string
		says  []string
	}{
		"absolute link":   {map[string]string{"a/l": "-> /etc/passwd"}, []string{`"a/l"`, `"/etc/passwd"`}},
		"climbing link":   {map[string]string{"a/l": "-> ../../x"}, []string{`"a/l"`, `"../../x"`}},
		"link to outside": {map[string]string{"l": "-> .."}, []string{`"l"`, `".."`}},
		"climbs by link":  {map[string]string{"a/b/up": "-> ..", "a/b/l": "-> up/../../x"}, []string{`"a/b/l"`}},
		"first by path":   {map[string]string{"b/l": "-> /b", "a": "1", "b/a/l": "-> /first", "c": "-> /c"}, []string{`"b/a/l"`}},
		"not UTF-8":       {map[string]string{"a\xff": "1"}, []string{`"a\xff"`, "UTF-8"}},
		"dir not UTF-8":   {map[string]string{"d\xff/a": "1"}, []string{`"d\xff"`, "UTF-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, test.files)
			_, err := source.Scan(t.Context(), dir, source.Options{})
			invalid(t, err, test.says...)
			if _, err := source.Scan(t.Context(), dir, source.Options{Drop: []string{"*"}}); err != nil {
				t.Errorf("what is left out is refused: %v", err)
			}
		})
	}
}

func TestLinksInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/b/l": "-> ../../x", "m": "-> ./a//b", "dangling": "-> nowhere", "a/up": "-> .."})
	scan(t, dir, source.Options{})
}

func TestRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	_, err := source.Scan(t.Context(), dir, source.Options{})
	invalid(t, err, `"pipe"`, "named pipe")
	must(t, os.Remove(filepath.Join(dir, "pipe")))

	short, err := os.MkdirTemp("", "s") //nolint:usetesting // a socket's path has at most 107 bytes
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	l, err := net.Listen("unix", filepath.Join(short, "sock"))
	must(t, err)
	defer l.Close()
	_, err = source.Scan(t.Context(), short, source.Options{})
	invalid(t, err, `"sock"`, "socket")
}

func TestNoDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"file": "1"})
	_, err := source.Scan(t.Context(), filepath.Join(dir, "missing"), source.Options{})
	invalid(t, err, "missing", "does not exist")
	_, err = source.Scan(t.Context(), filepath.Join(dir, "file"), source.Options{})
	invalid(t, err, "file", "not a directory")
	if tree := scan(t, t.TempDir(), source.Options{}); len(tree.Entries()) != 0 {
		t.Errorf("an empty directory has %d entries", len(tree.Entries()))
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"big/deep/a": strings.Repeat("x", 3000), "big/b": "x", "small/c": "x"})
	_, err := source.Scan(t.Context(), dir, source.Options{MaxFiles: 2})
	e := invalid(t, err, "2 files")
	if !strings.Contains(e.Detail, "big/deep") {
		t.Errorf("detail %q does not name the largest directory", e.Detail)
	}
	_, err = source.Scan(t.Context(), dir, source.Options{MaxBytes: 2000})
	invalid(t, err, "too large")
	scan(t, dir, source.Options{MaxFiles: 3, MaxBytes: 3002})
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a": "1"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Scan(ctx, dir, source.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("scan: %v", err)
	}
	dst := filepath.Join(t.TempDir(), "copy")
	if err := scan(t, dir, source.Options{}).Copy(ctx, dst); !errors.Is(err, context.Canceled) {
		t.Errorf("copy: %v", err)
	}
	if _, err := os.Lstat(dst); err == nil {
		t.Error("a canceled copy leaves something")
	}
}

func TestLargest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/b/c/x": "12345", "a/y": "12", "d/z": "123456", "w": "1"})
	var got []string
	for _, d := range scan(t, dir, source.Options{}).Largest(3) {
		got = append(got, fmt.Sprint(d.Path, "=", d.Size))
	}
	if s := strings.Join(got, " "); s != "a=7 d=6 a/b=5" {
		t.Errorf("largest: %s", s)
	}
}
