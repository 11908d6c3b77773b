package lambdahttp

import (
	"encoding/base64"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The functions below append JSON. A member is appended with the comma before it unless it is the object's first.

func appendKey(dst []byte, key string) []byte {
	if c := dst[len(dst)-1]; c != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, key...)
	return append(dst, '"', ':')
}

func appendMember(dst []byte, key, value string) []byte {
	return appendString(appendKey(dst, key), value)
}

// appendOptional appends null in place of an empty string.
func appendOptional(dst []byte, key, value string) []byte {
	if value == "" {
		return appendNull(dst, key)
	}
	return appendMember(dst, key, value)
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

func appendBool(dst []byte, key string, value bool) []byte {
	return strconv.AppendBool(appendKey(dst, key), value)
}

// appendMap appends a map as an object with its keys sorted.
func appendMap(dst []byte, key string, m map[string]string) []byte {
	dst = append(appendKey(dst, key), '{')
	for _, k := range slices.Sorted(maps.Keys(m)) {
		dst = appendStringKey(dst, k)
		dst = appendString(dst, m[k])
	}
	return append(dst, '}')
}

// appendStringKey appends a key that may need escapes.
func appendStringKey(dst []byte, key string) []byte {
	if c := dst[len(dst)-1]; c != '{' {
		dst = append(dst, ',')
	}
	return append(appendString(dst, key), ':')
}

// appendString appends s as a JSON string. Bytes that are not UTF-8 count as ISO 8859-1, as in the fields of old HTTP.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	return append(appendEscaped(dst, s), '"')
}

// appendEscaped appends what stands between the quotes.
func appendEscaped(dst []byte, s string) []byte {
	begin, start, ascii := len(dst), 0, true
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			ascii = false
		}
		if c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			start = i + 1
		}
	}
	if ascii || utf8.ValidString(s) {
		return append(dst, s[start:]...)
	}
	return appendLatin1(dst[:begin], s)
}

// appendLatin1 appends each byte of s as the character of that number.
func appendLatin1(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			dst = appendEscape(dst, c)
		} else {
			dst = utf8.AppendRune(dst, rune(c))
		}
	}
	return dst
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendText appends a body that is valid UTF-8 as a JSON string.
func appendText(dst, body []byte) []byte {
	dst = append(dst, '"')
	for {
		n := special(body)
		dst = append(dst, body[:n]...)
		if n == len(body) {
			return append(dst, '"')
		}
		dst = appendEscape(dst, body[n])
		body = body[n+1:]
	}
}

// appendBase64 appends a body as a JSON string in base64.
func appendBase64(dst, body []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, body)
	return append(dst, '"')
}

const (
	eachByte = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special returns the index of the first byte of b that may not stand in a JSON string as it is: a control character, a
// quote or a backslash; len(b) if there is none. It looks at eight bytes at once: the lowest set bit of the sum is exact,
// since the borrows of a subtraction only go upwards.
func special(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := v^('"'*eachByte), v^('\\'*eachByte)
		found := ((v - ' '*eachByte) &^ v) | ((quote - eachByte) &^ quote) | ((backslash - eachByte) &^ backslash)
		if found &= highBits; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c == '"' || c == '\\' {
			return i
		}
	}
	return len(b)
}

// inspect reports whether b has control characters, and whether it is ASCII. Of eight bytes at once it knows if one is below
// ' ', not which.
func inspect(b []byte) (controls, ascii bool) {
	var below, above uint64
	for ; len(b) >= 32; b = b[32:] {
		v0, v1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		v2, v3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		below |= (v0-' '*eachByte)&^v0 | (v1-' '*eachByte)&^v1 | (v2-' '*eachByte)&^v2 | (v3-' '*eachByte)&^v3
		above |= v0 | v1 | v2 | v3
	}
	for _, c := range b {
		if c < ' ' {
			return true, false
		}
		above |= uint64(c)
	}
	return below&highBits != 0, above&highBits == 0
}
