package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aloft-run/aloft/bench/report"
)

// plant makes an app of so many files in dir: modules that look like code, of 200 B to 20 KB, twenty in a directory. The same
// number gives the same bytes.
func plant(dir string, files int) error {
	dice := rand.New(rand.NewPCG(1, uint64(files)))
	words := vocabulary(dice)
	sizes := []int{200, 800, 2_000, 6_000, 20_000}
	for i := range files - 1 { // the last is what says how it starts
		at := filepath.Join(dir, "lib", fmt.Sprintf("m%03d", i/400), fmt.Sprintf("d%02d", i/20%20))
		if i%20 == 0 {
			if err := os.MkdirAll(at, 0o755); err != nil {
				return err
			}
		}
		text := module(dice, words, sizes[dice.IntN(len(sizes))])
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("f%02d.js", i%20)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func vocabulary(dice *rand.Rand) []string {
	words := make([]string, 3000)
	for i := range words {
		letters := make([]byte, 3+dice.IntN(9))
		for j := range letters {
			letters[j] = 'a' + byte(dice.IntN(26))
		}
		words[i] = string(letters)
	}
	return words
}

// module is code of some statements over a few names, as modules are: it repeats itself, but no other file.
func module(dice *rand.Rand, words []string, size int) string {
	statements := []string{
		"const %s = require('./%s');\n", "  if (%s !== %s) {\n    return null;\n  }\n", "function %s(%s) {\n", "}\n\n",
		"  this.%s = options.%s || {};\n", "// %s of the %s, which see\n", "  return %s.map((item) => item.%s);\n",
		"module.exports.%s = %s;\n", "  throw new TypeError('%s is not a %s');\n",
	}
	names := words[dice.IntN(len(words)-40):][:40]
	var text strings.Builder
	for text.Len() < size {
		line := statements[dice.IntN(len(statements))]
		for strings.Contains(line, "%s") {
			name := names[min(len(names)-1, int(dice.ExpFloat64()*8))]
			if dice.IntN(4) == 0 {
				name = words[dice.IntN(len(words))]
			}
			line = strings.Replace(line, "%s", name, 1)
		}
		text.WriteString(line)
	}
	return text.String()
}

// walk looks at all files once: what it costs, at the least, to see that nothing changed.
func walk(dir string) error {
	return filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil {
			_, err = d.Info()
		}
		return err
	})
}

// repository makes a git repository of dir with everything in it committed, and keeps it beside dir: only some of the
// measurements shall see it.
func repository(ctx context.Context, dir string) (*gitDir, error) {
	g := &gitDir{tree: dir, away: dir + ".git"}
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-q", "-m", "all"},
	} {
		if err := g.git(ctx, args...); err != nil {
			return nil, err
		}
	}
	return g, g.leave()
}

type gitDir struct{ tree, away string }

func (g *gitDir) enter() error { return os.Rename(g.away, filepath.Join(g.tree, ".git")) }
func (g *gitDir) leave() error { return os.Rename(filepath.Join(g.tree, ".git"), g.away) }

// measure measures f, in a git checkout or in the bare tree.
func (g *gitDir) measure(checkout bool, f func() error) (float64, error) {
	if !checkout {
		return report.Took(f)
	}
	if err := g.enter(); err != nil {
		return 0, err
	}
	time, err := report.Took(f)
	return time, errors.Join(err, g.leave())
}

func (g *gitDir) git(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = g.tree
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", args[0], err, out)
	}
	return nil
}
