package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// gitCommit returns the commit that dir is a clean checkout of, "" if it is none or git does not say so soon.
func gitCommit(ctx context.Context, dir string) string {
	if !inRepository(dir) {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	git := func(args ...string) (string, bool) {
		// The repository may be a stranger's: its configuration must not name programs to run.
		c := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-C", dir}, args...)...)
		out, err := c.Output()
		return strings.TrimSpace(string(out)), err == nil
	}
	if changes, ok := git("status", "--porcelain", "--", "."); !ok || changes != "" {
		return ""
	}
	commit, _ := git("rev-parse", "--verify", "--quiet", "HEAD")
	return commit
}

func inRepository(dir string) bool {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}
