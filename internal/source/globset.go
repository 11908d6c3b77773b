package source

import "strings"

// byteSet is the set of bytes that a bracket expression names.
type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }

func (s *byteSet) add(from, to byte) {
	for c := int(from); c <= int(to); c++ {
		s[c>>6] |= 1 << (c & 63)
	}
}

func (s *byteSet) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// parseSet parses the bracket expression that text starts with and returns how long it is. It is not ok if the expression
// does not end or names an unknown class.
func parseSet(text string) (set *byteSet, length int, ok bool) {
	set = new(byteSet)
	p := setParser{text: text, at: 1, set: set}
	negated := strings.HasPrefix(text[1:], "!") || strings.HasPrefix(text[1:], "^")
	if negated {
		p.at++
	}
	for first := true; ; first = false {
		if p.at >= len(text) || p.bad {
			return set, len(text), false
		}
		if text[p.at] == ']' && !first {
			break
		}
		p.item()
	}
	if negated {
		set.invert()
	}
	return set, p.at + 1, true
}

type setParser struct {
	text string
	at   int
	set  *byteSet
	prev byte // the byte before, which a range may start at; 0 if none may
	bad  bool
}

// item parses one byte, range or class.
func (p *setParser) item() {
	c := p.text[p.at]
	switch {
	case c == '-' && p.prev != 0 && p.at+1 < len(p.text) && p.text[p.at+1] != ']':
		p.at++
		to, ok := p.literal()
		if !ok {
			return
		}
		p.set.add(p.prev, to)
		p.prev = 0
	case c == '[' && strings.HasPrefix(p.text[p.at+1:], ":") && p.class():
		p.prev = 0
	default:
		c, ok := p.literal()
		if !ok {
			return
		}
		p.set.add(c, c)
		p.prev = c
	}
}

// literal reads one byte that may be escaped.
func (p *setParser) literal() (byte, bool) {
	if p.text[p.at] == '\\' {
		p.at++
	}
	if p.at >= len(p.text) {
		p.bad = true
		return 0, false
	}
	c := p.text[p.at]
	p.at++
	return c, true
}

// class parses "[:name:]". It reports false, and reads nothing, if that is not what stands there.
func (p *setParser) class() bool {
	body := p.text[p.at+2:]
	end := strings.IndexByte(body, ']')
	if end < 0 {
		p.bad = true
		return true
	}
	name, ok := strings.CutSuffix(body[:end], ":")
	if !ok {
		return false
	}
	p.bad = true // unless the class has members, which every known class has
	for c := range byte(128) {
		if inClass(name, c) {
			p.set.add(c, c)
			p.bad = false
		}
	}
	p.at += 2 + end + 1
	return true
}

func inClass(name string, c byte) bool {
	upper, lower, digit := c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9'
	space := c == ' ' || c == '\t' || c == '\n' || c == '\r'
	graph := c > ' ' && c < 127
	switch name {
	case "alnum":
		return upper || lower || digit
	case "alpha":
		return upper || lower
	case "blank":
		return c == ' ' || c == '\t'
	case "cntrl":
		return c < ' ' || c == 127
	case "digit":
		return digit
	case "graph":
		return graph
	case "lower":
		return lower
	case "print":
		return graph || c == ' '
	case "punct":
		return graph && !upper && !lower && !digit
	case "space":
		return space
	case "upper":
		return upper
	case "xdigit":
		return digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	}
	return false
}
