package source

import (
	"slices"
	"strings"
)

// verdict is what a list of patterns says about a path.
type verdict int

const (
	silent verdict = iota
	named
	broughtBack // named by a "!" pattern
)

// patternList is a list of patterns below a directory. The last that matches decides.
type patternList struct {
	base     string // "" or "dir/"
	patterns []pattern
}

func newList(lines []string) patternList {
	return patternList{patterns: parsePatterns(strings.Join(lines, "\n"))}
}

func (l *patternList) verdict(path string, dir bool) verdict {
	path = path[len(l.base):]
	for i := len(l.patterns) - 1; i >= 0; i-- {
		p := &l.patterns[i]
		if !p.match(path, dir) {
			continue
		}
		if p.negated {
			return broughtBack
		}
		return named
	}
	return silent
}

// ignoreFiles lists the names of ignore files; an earlier one overrides a later one.
func ignoreFiles() []string { return []string{".aloftignore", ".upignore", ".gitignore"} }

// rules are the ignore files that count in a directory: its own and those of the directories above.
type rules struct {
	parent *rules // nil at the top
	lists  [3]patternList
}

// ignored reports whether the ignore files leave a path out. A path below an ignored directory is not asked about.
func (r *rules) ignored(path string, dir bool) bool {
	for kind := range ignoreFiles() {
		for level := r; level != nil; level = level.parent {
			if v := level.lists[kind].verdict(path, dir); v != silent {
				return v == named
			}
		}
	}
	return false
}

// neverTaken reports whether a name is left out of every tree: what belongs to version control, to aloft, to the desktop.
func neverTaken(name string) bool {
	return slices.Contains([]string{".git", ".hg", ".svn", ".aloft", ".DS_Store"}, name)
}

// filter decides what belongs to a tree.
type filter struct {
	ignore           bool
	keep, drop, only patternList
}

func newFilter(opt Options) filter {
	return filter{ignore: opt.Ignore, keep: newList(opt.Keep), drop: newList(opt.Drop), only: newList(opt.Only)}
}

// scope is what the filter knows of a directory and hands down to what is in it.
type scope struct {
	rules   *rules
	kept    bool // a Keep pattern named it or a directory above: ignore files do not count
	ignored bool // walked only because a Keep pattern may name something below
	only    bool // an Only pattern named it or a directory above
}

// top is the scope of the tree's own directory.
func (f *filter) top() scope { return scope{only: len(f.only.patterns) == 0} }

// enter decides about a path in a directory of the given scope. For a directory, ok says whether to walk it, and the
// result is its scope; for anything else ok says whether it belongs to the tree.
func (f *filter) enter(in scope, path string, dir bool) (out scope, ok bool) {
	if neverTaken(path[strings.LastIndexByte(path, '/')+1:]) || f.drop.verdict(path, dir) == named {
		return in, false
	}
	out = in
	switch {
	case in.kept:
	case f.keep.verdict(path, dir) == named:
		out.kept, out.ignored = true, false
	case in.ignored || f.ignore && in.rules.ignored(path, dir):
		out.ignored = true
	}
	if out.ignored {
		mayKeep := func(p pattern) bool { return p.mayMatchBelow(path) }
		if !dir || !slices.ContainsFunc(f.keep.patterns, mayKeep) {
			return out, false
		}
	}
	switch f.only.verdict(path, dir) {
	case named:
		out.only = true
	case broughtBack:
		out.only = false
	case silent:
	}
	return out, dir || out.only
}
