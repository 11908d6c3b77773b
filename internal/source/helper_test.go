package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
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

func paths(tree *source.Tree) string {
	var list []string
	for _, e := range tree.Entries() {
		list = append(list, e.Path)
	}
	return strings.Join(list, " ")
}

// invalid asserts that err is an Invalid error that says all of these in its message and has a hint.
func invalid(t *testing.T, err error, says ...string) *aloft.Error {
	t.Helper()
	e, ok := errors.AsType[*aloft.Error](err)
	if !ok || e.Code != aloft.Invalid {
		t.Fatalf("error %v, want an Invalid error", err)
	}
	for _, s := range says {
		if !strings.Contains(e.Message, s) {
			t.Errorf("message %q does not say %q", e.Message, s)
		}
	}
	if e.Hint == "" {
		t.Errorf("%q has no hint", e.Message)
	}
	return e
}
