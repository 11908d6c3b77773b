package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/source"
)

type told []string

func (t *told) Report(p aloft.Event) {
	if w, is := p.(aloft.Warning); is {
		*t = append(*t, w.Text)
	}
}

// TestWarnOfEnvFiles: a file of secrets in a package is said.
func TestWarnOfEnvFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"sub/secrets.env", ".gitignore", "environment.txt", "left.env"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("left.env\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := source.Scan(t.Context(), dir, source.Options{Ignore: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tree.Close() }()
	var got told
	warnOfEnvFiles(tree, &got)
	if len(got) != 1 || !strings.HasPrefix(got[0], "sub/secrets.env is shipped") {
		t.Errorf("told %q", got)
	}
}
