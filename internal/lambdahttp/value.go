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
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return raw, nil
	}
	if plain, ok := unquote(raw, i); ok {
		return plain, nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, aloft.Errorf(aloft.Failed, "%s is not a valid string", what)
	}
	return []byte(s), nil
}

// unquote resolves the escapes of a string, of which the first is at i. It takes no surrogates: those are for encoding/json.
func unquote(raw []byte, i int) ([]byte, bool) {
	plain := make([]byte, 0, len(raw))
	for {
		plain = append(plain, raw[:i]...)
		c, size := raw[i+1], 2
		switch c {
		case '"', '\\', '/':
			plain = append(plain, c)
		case 'b':
			plain = append(plain, '\b')
		case 'f':
			plain = append(plain, '\f')
		case 'n':
			plain = append(plain, '\n')
		case 'r':
			plain = append(plain, '\r')
		case 't':
			plain = append(plain, '\t')
		default:
			n, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16)
			if err != nil || !utf8.ValidRune(rune(n)) {
				return nil, false
			}
			plain, size = utf8.AppendRune(plain, rune(n)), 6
		}
		raw = raw[i+size:]
		if i = bytes.IndexByte(raw, '\\'); i < 0 {
			return append(plain, raw...), true
		}
	}
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
