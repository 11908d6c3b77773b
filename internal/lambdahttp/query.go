package lambdahttp

import (
	"net/url"
	"slices"
	"strings"
)

// param is a key of a query with its values, in the order they came.
type param struct {
	key    string
	values []string
}

// params splits a query at its ampersands and groups it by key, in the order of first appearance. Decoded, "+" and "%20"
// are spaces; a pair whose escapes are broken stays as it was sent. A key without "=" has the value "".
func params(raw string, decode bool) []param {
	var all []param
	at := map[string]int{}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if decode {
			key, value = unescape(key), unescape(value)
		}
		i, seen := at[key]
		if !seen {
			i = len(all)
			at[key] = i
			all = append(all, param{key: key})
		}
		all[i].values = append(all[i].values, value)
	}
	return all
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// appendParams appends an object with one value for each key, as choose makes it of all.
func appendParams(dst []byte, all []param, choose func([]string) string) []byte {
	dst = append(dst, '{')
	for _, p := range all {
		dst = appendStringKey(dst, p.key)
		dst = appendString(dst, choose(p.values))
	}
	return append(dst, '}')
}

// appendMultiParams appends an object with the list of values for each key.
func appendMultiParams(dst []byte, all []param) []byte {
	dst = append(dst, '{')
	for _, p := range all {
		dst = appendStrings(appendStringKey(dst, p.key), p.values)
	}
	return append(dst, '}')
}

func appendStrings(dst []byte, values []string) []byte {
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, v)
	}
	return append(dst, ']')
}

func last(values []string) string { return values[len(values)-1] }

func commas(values []string) string { return strings.Join(values, ",") }

// joinQuery makes a query of pairs that an event has. Pairs that it has decoded are escaped again.
func joinQuery(all []param, decoded bool) string {
	var b strings.Builder
	for _, p := range all {
		for _, v := range p.values {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			if decoded {
				b.WriteString(url.QueryEscape(p.key) + "=" + url.QueryEscape(v))
			} else {
				b.WriteString(p.key + "=" + v)
			}
		}
	}
	return b.String()
}

// cleanQuery escapes what may not stand in a request line, and a "#"; the rest of a raw query stays.
func cleanQuery(raw string) string { return escape(raw, "#") }

// cleanPath does the same for a path that is encoded, in which a "%" without two digits is escaped too.
func cleanPath(raw string) string {
	if !strings.HasPrefix(raw, "/") {
		raw = "/" + raw
	}
	raw = escape(raw, "\"#<>?\\^`{|}")
	pieces := strings.Split(raw, "%")
	for i, piece := range pieces[1:] {
		if len(piece) < 2 || !hexDigit(piece[0]) || !hexDigit(piece[1]) {
			pieces[i+1] = "25" + piece
		}
	}
	return strings.Join(pieces, "%")
}

// escape escapes the bytes of s that are not visible ASCII and those of more.
func escape(s, more string) string {
	unsafe := func(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte(more, c) >= 0 }
	if !slices.ContainsFunc([]byte(s), unsafe) {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+32)
	for i := range len(s) {
		if c := s[i]; unsafe(c) {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

func hexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
