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
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
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

// revParse is the commit that a tag, or anything else that Git reads, names in the repository of a directory; "" if none.
func revParse(ctx context.Context, dir, text string) string {
	if !inRepository(dir) {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "rev-parse", "--verify", "--quiet", text+"^{commit}").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// gitPatience bounds the wait for Git.
const gitPatience = 2 * time.Second

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
