package lambdahttp

import (
	"bytes"
	"unicode/utf8"
)

// scanner reads JSON that is as most programs write it. Its methods return false for anything else: errors, keys with
// escapes, text that is not UTF-8, depth.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

const maxDepth = 64

// object reads an object and appends its members.
func (s *scanner) object(all []member) ([]member, bool) {
	s.space()
	if !s.take('{') {
		return nil, false
	}
	s.space()
	if s.take('}') {
		return all, true
	}
	for {
		s.space()
		key, plain := s.text()
		s.space()
		if !plain || !s.take(':') {
			return nil, false
		}
		s.space()
		start := s.pos
		if !s.value() {
			return nil, false
		}
		all = append(all, member{key: key, value: s.data[start:s.pos]})
		s.space()
		if s.take('}') {
			return all, true
		}
		if !s.take(',') {
			return nil, false
		}
	}
}

// value skips a value.
func (s *scanner) value() bool {
	if s.pos >= len(s.data) {
		return false
	}
	switch c := s.data[s.pos]; c {
	case '"':
		return s.skipText()
	case '{':
		return s.nested('}', true)
	case '[':
		return s.nested(']', false)
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		return s.number()
	}
}

// nested skips an object or an array.
func (s *scanner) nested(closing byte, keys bool) bool {
	if s.depth++; s.depth > maxDepth {
		return false
	}
	defer func() { s.depth-- }()
	s.pos++
	s.space()
	if s.take(closing) {
		return true
	}
	for {
		s.space()
		if keys {
			if !s.skipText() {
				return false
			}
			if s.space(); !s.take(':') {
				return false
			}
			s.space()
		}
		if !s.value() {
			return false
		}
		s.space()
		if s.take(closing) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// text reads a string without escapes and returns what is between the quotes.
func (s *scanner) text() ([]byte, bool) {
	start := s.pos + 1
	if !s.skipText() {
		return nil, false
	}
	raw := s.data[start : s.pos-1]
	return raw, bytes.IndexByte(raw, '\\') < 0
}

// skipText skips a string. A short one is read byte by byte; a long one without escapes is found by its end, which is much
// faster for a body in base64.
func (s *scanner) skipText() bool {
	if !s.take('"') {
		return false
	}
	const short = 20
	for i, c := range s.data[s.pos:min(s.pos+short, len(s.data))] {
		if c == '"' {
			s.pos += i + 1
			return true
		}
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	start := s.pos
	end := bytes.IndexByte(s.data[start:], '"')
	if end < 0 {
		return false
	}
	content := s.data[start : start+end]
	if bytes.IndexByte(content, '\\') < 0 {
		s.pos += end + 1
		controls, ascii := inspect(content)
		return !controls && (ascii || utf8.Valid(content))
	}
	for {
		s.pos += special(s.data[s.pos:])
		if s.pos >= len(s.data) {
			return false
		}
		switch s.data[s.pos] {
		case '"':
			s.pos++
			return utf8.Valid(s.data[start : s.pos-1])
		case '\\':
			if !s.escape() {
				return false
			}
		default:
			return false
		}
	}
}

// escape skips a backslash and what belongs to it.
func (s *scanner) escape() bool {
	if s.pos+1 >= len(s.data) {
		return false
	}
	switch s.data[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		if s.pos+6 > len(s.data) {
			return false
		}
		for _, c := range s.data[s.pos+2 : s.pos+6] {
			if !hexDigit(c) {
				return false
			}
		}
		s.pos += 6
		return true
	}
	return false
}
