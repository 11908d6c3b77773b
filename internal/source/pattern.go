package source

import "strings"

// pattern is one line of an ignore file.
type pattern struct {
	glob     glob
	negated  bool // "!": brings back
	dirOnly  bool // "/" at the end: directories only
	anywhere bool // no other slash: compared with the last path element at any depth
}

// parsePatterns parses the text of an ignore file.
func parsePatterns(text string) []pattern {
	text = strings.TrimPrefix(text, "\ufeff")
	var list []pattern
	for line := range strings.SplitSeq(text, "\n") {
		if p, ok := parsePattern(line); ok {
			list = append(list, p)
		}
	}
	return list
}

// parsePattern parses a line. It is not ok if the line is blank or a comment.
func parsePattern(line string) (pattern, bool) {
	line = trimSpaces(strings.TrimSuffix(line, "\r"))
	if line == "" || line[0] == '#' {
		return pattern{}, false
	}
	var p pattern
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.dirOnly = strings.CutSuffix(line, "/")
	p.anywhere = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return pattern{}, false
	}
	p.glob = compileGlob(line)
	return p, true
}

// trimSpaces drops spaces at the end, unless a backslash precedes them.
func trimSpaces(line string) string {
	keep := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			continue
		case '\\':
			i++
		}
		keep = i + 1
	}
	return line[:min(keep, len(line))]
}

// match reports whether the pattern names the path, which is relative to the directory of its ignore file.
func (p *pattern) match(path string, dir bool) bool {
	if p.dirOnly && !dir {
		return false
	}
	if p.anywhere {
		path = path[strings.LastIndexByte(path, '/')+1:]
	}
	return p.glob.match(path)
}

// mayMatchBelow reports whether the pattern says where to look and that is below dir. It may say yes where no is true.
func (p *pattern) mayMatchBelow(dir string) bool {
	if p.anywhere || p.negated {
		return false
	}
	dir += "/"
	return strings.HasPrefix(p.glob.literal, dir) || p.glob.tokens != nil && strings.HasPrefix(dir, p.glob.literal)
}
