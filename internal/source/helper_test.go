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
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		name, executable := strings.CutSuffix(name, "*")
		file := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			must(t, os.Symlink(target, file))
			continue
		}
		must(t, os.WriteFile(file, []byte(content), 0o644))
		if executable {
			must(t, os.Chmod(file, 0o755))
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func scan(t testing.TB, dir string, opt source.Options) *source.Tree {
	t.Helper()
	tree, err := source.Scan(t.Context(), dir, opt)
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	t.Cleanup(func() { _ = tree.Close() })
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
