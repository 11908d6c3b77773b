package source_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/source"
)

// TestIgnoreLikeGit compares thousands of random patterns on random trees with what git says.
func TestIgnoreLikeGit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is missing; install it (apt-get install git)")
	}
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			dir := t.TempDir()
			randomTree(t, r, dir)
			want := gitTree(t, dir)
			var got []string
			for _, e := range scan(t, dir, source.Options{Ignore: true}).Entries() {
				got = append(got, e.Path)
			}
			for _, p := range union(want, got) {
				if slices.Contains(want, p) != slices.Contains(got, p) {
					t.Errorf("%q: git takes it %v, we %v\n%s", p, slices.Contains(want, p), slices.Contains(got, p), ignoreFiles(dir))
				}
			}
		})
	}
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// gitTree lists the files that git check-ignore does not name.
func gitTree(t *testing.T, dir string) []string {
	t.Helper()
	run := func(stdin string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "HOME=" + dir}
		cmd.Stdin = strings.NewReader(stdin)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: nothing is ignored
			t.Fatalf("git %v: %v %s", args, err, stderr.String())
		}
		return string(out)
	}
	run("", "init", "-q", "-b", "main")
	var all []string
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			all = append(all, rel)
		}
		return err
	}))
	ignored := strings.Split(run(strings.Join(all, "\x00"), "check-ignore", "--no-index", "-z", "--stdin"), "\x00")
	return slices.DeleteFunc(all, func(p string) bool { return slices.Contains(ignored, p) })
}

func ignoreFiles(dir string) string {
	var b strings.Builder
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, _ error) error {
		if d.Name() == ".gitignore" {
			text, _ := os.ReadFile(p)
			fmt.Fprintf(&b, "%s:\n%q\n", p, text)
		}
		return nil
	})
	return b.String()
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// randomTree makes names from a small alphabet, so that patterns often match.
func randomTree(t *testing.T, r *rand.Rand, dir string) {
	t.Helper()
	name := func() string {
		return pick(r, "a", "b", "ab", "a.o", "b.o", "foo", "bar", "a b", " a", "a ", "!a", "#a", "[a]", "a]", "-", "A1", "é", `a\`, "*", "x*y", "ä.o", "abc", "aab", "1", "_")
	}
	dirs := []string{"."}
	for range 4 + r.IntN(10) {
		d := filepath.Join(dirs[r.IntN(len(dirs))], name())
		if os.Mkdir(filepath.Join(dir, d), 0o755) == nil {
			dirs = append(dirs, d)
		}
	}
	for range 20 + r.IntN(40) {
		p := filepath.Join(dir, dirs[r.IntN(len(dirs))], name())
		if _, err := os.Lstat(p); err != nil {
			must(t, os.WriteFile(p, nil, 0o644))
		}
	}
	for _, d := range dirs {
		if d != "." && r.IntN(3) > 0 {
			continue
		}
		var lines []string
		for range 1 + r.IntN(5) {
			lines = append(lines, randomPattern(r, name))
		}
		must(t, os.WriteFile(filepath.Join(dir, d, ".gitignore"), []byte(strings.Join(lines, pick(r, "\n", "\r\n"))), 0o644))
	}
}

func randomPattern(r *rand.Rand, name func() string) string {
	var b strings.Builder
	b.WriteString(pick(r, "", "", "", "!", "!", "/", "**/", "#", `\!`, "\ufeff"))
	for i := range 1 + r.IntN(3) {
		if i > 0 {
			b.WriteString(pick(r, "/", "/", "/**/", "/*/", "*", "**", `\/`, "//"))
		}
		b.WriteString(pick(r, name(), name(), name(), "*", "**", "***", "?", "*.o", "a*", "*b", "?o*", "[ab]", "[!a]", "[^a-b]", "[]a]", "[a", "[[:alpha:]]*",
			"[[:bad:]]", "[a-", "[[:digit:][:upper:]]", `[\]]`, `\*`, `\a`, "**a", "a**", `[a-\c]o`, "[[:]", "[[a]", "[b-a]", "[!]a]*", "*[.]o", "[[:space:]]?"))
	}
	b.WriteString(pick(r, "", "", "", "/", "/", " ", `\ `, "/*", "/**", "  ", `\`))
	return b.String()
}
