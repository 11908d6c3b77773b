package artifact_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/artifact"
	"github.com/aloft-run/aloft/internal/source"
)

// write makes files below dir. A name that ends with "*" is executable, a content "-> x" makes a link to x.
func write(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, content := range files {
		name, executable := strings.CutSuffix(name, "*")
		file := filepath.Join(dir, name)
		must(tb, os.MkdirAll(filepath.Dir(file), 0o755))
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			must(tb, os.Symlink(target, file))
			continue
		}
		must(tb, os.WriteFile(file, []byte(content), 0o644))
		if executable {
			must(tb, os.Chmod(file, 0o755))
		}
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func scan(tb testing.TB, dir string, opt source.Options) *source.Tree {
	tb.Helper()
	tree, err := source.Scan(tb.Context(), dir, opt)
	if err != nil {
		tb.Fatalf("scan: %v", err)
	}
	tb.Cleanup(func() { _ = tree.Close() })
	return tree
}

func pack(tb testing.TB, tree *source.Tree, opt artifact.PackOptions) *artifact.Archive {
	tb.Helper()
	archive, err := artifact.Pack(tb.Context(), tree, opt)
	if err != nil {
		tb.Fatalf("pack: %v", err)
	}
	return archive
}

func open(tb testing.TB) (*artifact.Store, string) {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "artifacts")
	store, err := artifact.Open(dir)
	must(tb, err)
	return store, dir
}

func put(tb testing.TB, store *artifact.Store, archive *artifact.Archive) aloft.Artifact {
	tb.Helper()
	made, err := store.Put(tb.Context(), archive)
	if err != nil {
		tb.Fatalf("put: %v", err)
	}
	return made
}

// coded asserts that err is an *aloft.Error of the code that says all of these in its message and has a hint.
func coded(t *testing.T, err error, code aloft.Code, says ...string) {
	t.Helper()
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("error %v, want a coded error %q", err, code)
	}
	for _, s := range says {
		if !strings.Contains(e.Message, s) {
			t.Errorf("message %q does not say %q", e.Message, s)
		}
	}
	if e.Hint == "" {
		t.Errorf("%q has no hint", e.Message)
	}
}
