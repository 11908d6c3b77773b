package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aloft-run/aloft/internal/cli"
)

// TestToolDirs: sandboxes see whole tools, of a user's own directories the programs only, and never the server's home.
func TestToolDirs(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"node/bin", "user/bin", "mixed/bin", "mixed/aloft", "inside/bin/aloft"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	at := func(names ...string) []string {
		for i, name := range names {
			names[i] = filepath.Join(base, name)
		}
		return names
	}
	path := filepath.Join(base, "node/bin") + ":" + filepath.Join(base, "user/bin") + ":" + filepath.Join(base, "mixed/bin") + ":/usr/bin:relative"
	env := map[string]string{"HOME": filepath.Join(base, "user"), "PATH": path}
	if got, want := cli.ToolDirs(env, filepath.Join(base, "mixed/aloft")), at("mixed/bin", "node", "user/bin"); !slices.Equal(got, want) {
		t.Errorf("shown are %q, want %q", got, want)
	}
	env["PATH"] = filepath.Join(base, "inside/bin")
	if got := cli.ToolDirs(env, filepath.Join(base, "inside/bin/aloft")); len(got) > 0 {
		t.Errorf("shown are %q, which hold the server's home", got)
	}
}
