package source

import (
	"path"
	"strings"

	"github.com/aloft-run/aloft"
)

// CheckLink returns an Invalid error unless a symbolic link at p (a slash-separated path in a tree) with this target stays
// inside the tree. A target may climb with ".." at its start only: further on, ".." could climb out through another link.
func CheckLink(p, target string) error {
	refuse := func(why string) error {
		return aloft.Errorf(aloft.Invalid, "symbolic link %q leads to %q, %s", p, target, why).
			WithHint("replace it by a relative link inside the app or by a copy, or name it in .aloftignore")
	}
	switch {
	case path.IsAbs(target):
		return refuse("outside of the app")
	case target == "" || strings.ContainsRune(target, 0) || len(target) > MaxPath:
		return refuse("which is no path")
	}
	depth := strings.Count(p, "/")
	climbing := true
	for element := range strings.SplitSeq(target, "/") {
		switch element {
		case "", ".":
		case "..":
			if depth--; !climbing {
				return refuse("which climbs (..) after a name")
			}
			if depth < 0 {
				return refuse("outside of the app")
			}
		default:
			climbing = false
		}
	}
	return nil
}

// shellQuote quotes a path for a command line in a hint.
func shellQuote(p string) string {
	safe := func(r rune) bool {
		return r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@,:", r))
	}
	if p != "" && strings.IndexFunc(p, func(r rune) bool { return !safe(r) }) < 0 {
		return p
	}
	return "'" + strings.ReplaceAll(p, "'", `'\''`) + "'"
}
