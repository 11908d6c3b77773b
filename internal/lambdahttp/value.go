package lambdahttp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/aloft-run/aloft"
)

// kindOf says what a JSON value is, for errors that must not show it.
func kindOf(value []byte) string {
	value = bytes.TrimLeft(value, " \t\r\n")
	if len(value) == 0 {
		return "empty"
	}
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

func isNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }

// text returns a string's content; what names the value in errors. Without escapes it shares memory with value. Null is "".
func text(value []byte, what string) ([]byte, error) {
	if isNull(value) {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, aloft.Errorf(aloft.Failed, "%s is %s, not a string", what, kindOf(value))
	}
	raw := value[1 : len(value)-1]
	if untilEscape(raw) == len(raw) {
		return raw, nil
	}
	if plain, ok := unquote(raw); ok {
		return plain, nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, aloft.Errorf(aloft.Failed, "%s is not a valid string", what)
	}
	return []byte(s), nil
}

// unquote resolves the escapes of a string. It takes no surrogates: those are for encoding/json.
func unquote(raw []byte) ([]byte, bool) {
	plain := make([]byte, 0, len(raw))
	for {
		n := untilEscape(raw)
		plain = append(plain, raw[:n]...)
		if n == len(raw) {
			return plain, true
		}
		c := raw[n+1]
		switch c {
		case '"', '\\', '/':
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		default:
			r, err := strconv.ParseUint(string(raw[n+2:n+6]), 16, 16)
			if err != nil || !utf8.ValidRune(rune(r)) {
				return nil, false
			}
			plain = utf8.AppendRune(plain, rune(r))
			raw = raw[n+6:]
			continue
		}
		plain = append(plain, c)
		raw = raw[n+2:]
	}
}

// untilEscape returns the index of the first backslash, len(raw) if there is none. JSON within JSON has one every few bytes,
// so that the first bytes are worth a look before the search starts.
func untilEscape(raw []byte) int {
	const near = 16
	for i, c := range raw[:min(near, len(raw))] {
		if c == '\\' {
			return i
		}
	}
	if len(raw) > near {
		if i := bytes.IndexByte(raw[near:], '\\'); i >= 0 {
			return near + i
		}
	}
	return len(raw)
}

// scalar returns a string, number or boolean as text: what functions put into headers.
func scalar(value []byte, what string) (string, error) {
	switch value[0] {
	case '"':
		b, err := text(value, what)
		return string(b), err
	case '{', '[':
		return "", aloft.Errorf(aloft.Failed, "%s is %s, not a string", what, kindOf(value))
	}
	return string(value), nil
}

// boolean returns a boolean; null is false.
func boolean(value []byte, what string) (bool, error) {
	switch {
	case isNull(value) || value[0] == 'f':
		return false, nil
	case value[0] == 't':
		return true, nil
	}
	return false, aloft.Errorf(aloft.Failed, "%s is %s, not true or false", what, kindOf(value))
}

// body returns the bytes of a body, which may share memory with value.
func body(value []byte, encoded bool) ([]byte, error) {
	content, err := text(value, "body")
	if err != nil || !encoded || len(content) == 0 {
		return content, err
	}
	plain, err := base64.StdEncoding.AppendDecode(nil, content)
	if err != nil {
		return nil, aloft.Errorf(aloft.Failed, "isBase64Encoded is true but body is not base64")
	}
	return plain, nil
}

// elements returns the elements of an array. Null has none.
func elements(value []byte, what string) ([][]byte, error) {
	if isNull(value) {
		return nil, nil
	}
	if value[0] != '[' {
		return nil, aloft.Errorf(aloft.Failed, "%s is %s, not an array", what, kindOf(value))
	}
	var all [][]byte
	s := scanner{data: value, pos: 1}
	for s.space(); !s.take(']'); s.space() {
		s.take(',') // value is valid JSON, so that commas stand where they must
		s.space()
		start := s.pos
		if !s.value() {
			return slowElements(value, what)
		}
		all = append(all, value[start:s.pos])
	}
	return all, nil
}

// slowElements is elements for values that only encoding/json takes.
func slowElements(value []byte, what string) ([][]byte, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(value, &raw); err != nil {
		return nil, aloft.Errorf(aloft.Failed, "%s is not an array", what)
	}
	all := make([][]byte, len(raw))
	for i, element := range raw {
		all[i] = element
	}
	return all, nil
}
