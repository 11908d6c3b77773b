package source

import "strings"

// glob is a compiled wildcard pattern over slash-separated paths, byte by byte as git does it: literal first, then tokens.
type glob struct {
	literal string
	tokens  []token
	never   bool // malformed: matches nothing
}

type tokenKind byte

const (
	oneByte  tokenKind = iota // exactly lit
	anyByte                   // ?   one byte, not a slash
	setByte                   // [ ] one byte of set, not a slash
	star                      // *   any bytes but slashes
	anyPath                   // **  any bytes
	someDirs                  // **/ nothing, or any bytes up to and including a slash
)

type token struct {
	kind tokenKind
	lit  byte
	set  *byteSet
}

// compileGlob compiles text. What comes before the first special byte is compared as it is, and what follows is a pattern
// of its own: so in "a**/b" the stars count as if they stood at the start of a path element, as in git.
func compileGlob(text string) glob {
	cut := strings.IndexAny(text, `*?[\`)
	if cut < 0 {
		return glob{literal: text}
	}
	g := glob{literal: text[:cut]}
	rest := text[cut:]
	for i := 0; i < len(rest) && !g.never; {
		i += g.compileToken(rest, i)
	}
	return g
}

// compileToken compiles the token at text[i] and returns its length.
func (g *glob) compileToken(text string, i int) int {
	switch text[i] {
	case '*':
		return g.compileStars(text, i)
	case '?':
		g.tokens = append(g.tokens, token{kind: anyByte})
		return 1
	case '[':
		set, length, ok := parseSet(text[i:])
		g.never = !ok
		g.tokens = append(g.tokens, token{kind: setByte, set: set})
		return length
	case '\\':
		if i+1 == len(text) {
			g.never = true
			return 1
		}
		g.tokens = append(g.tokens, token{kind: oneByte, lit: text[i+1]})
		return 2
	}
	g.tokens = append(g.tokens, token{kind: oneByte, lit: text[i]})
	return 1
}

func (g *glob) compileStars(text string, i int) int {
	end := i
	for end < len(text) && text[end] == '*' {
		end++
	}
	rest := text[end:]
	whole := end-i > 1 && (i == 0 || text[i-1] == '/')
	switch {
	case whole && strings.HasPrefix(rest, "/"):
		g.tokens = append(g.tokens, token{kind: someDirs})
		return end - i + 1
	case whole && (rest == "" || strings.HasPrefix(rest, `\/`)):
		g.tokens = append(g.tokens, token{kind: anyPath})
	default:
		g.tokens = append(g.tokens, token{kind: star})
	}
	return end - i
}

// match reports whether the whole of s matches. It goes back to the last star, and when that cannot take more, to the
// last double star: going back further can never help, so the time is at most quadratic.
func (g *glob) match(s string) bool {
	rest, ok := strings.CutPrefix(s, g.literal)
	if !ok || g.never {
		return false
	}
	if g.tokens == nil {
		return rest == ""
	}
	if last := g.tokens[len(g.tokens)-1]; last.kind == oneByte && (rest == "" || rest[len(rest)-1] != last.lit) {
		return false // the quick answer for nearly every path that "*.ext" does not name
	}
	return g.run(rest)
}

func (g *glob) run(s string) bool {
	near, far := mark{token: -1}, mark{token: -1}
	t, i := 0, 0
	for {
		switch {
		case t == len(g.tokens) && i == len(s):
			return true
		case t < len(g.tokens) && g.tokens[t].kind == star:
			near = mark{t, i}
			t++
			continue
		case t < len(g.tokens) && g.tokens[t].kind > star:
			near, far = mark{token: -1}, mark{t, i}
			t++
			continue
		case t < len(g.tokens) && i < len(s) && g.tokens[t].takes(s[i]):
			t, i = t+1, i+1
			continue
		}
		if near.token >= 0 && near.at < len(s) && s[near.at] != '/' {
			near.at++
			t, i = near.token+1, near.at
			continue
		}
		if far.token < 0 || !far.advance(s, g.tokens[far.token].kind) {
			return false
		}
		near = mark{token: -1}
		t, i = far.token+1, far.at
	}
}

// mark is a place to go back to: a star and how far it reaches.
type mark struct{ token, at int }

// advance lets a double star take more. It reports false if there is no more.
func (m *mark) advance(s string, kind tokenKind) bool {
	if m.at >= len(s) {
		return false
	}
	if kind == anyPath {
		m.at++
		return true
	}
	slash := strings.IndexByte(s[m.at:], '/')
	m.at += slash + 1
	return slash >= 0
}

func (t token) takes(c byte) bool {
	switch t.kind {
	case oneByte:
		return c == t.lit
	case anyByte:
		return c != '/'
	default:
		return c != '/' && t.set.has(c)
	}
}
