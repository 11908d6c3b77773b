package edge

import (
	"net/url"
	"strings"
)

// unescapings is how often a target is unescaped: some apps do it again after their server did.
const unescapings = 4

// Hides reports whether a request's target (a path, with or without a query) may be read by some app as the hidden path or
// one below it; a hidden path of "" hides nothing. Apps differ in what they make of a target, so everything that any of them could read so is hidden: escaped
// letters and slashes, escapes of escapes, dot segments, double slashes, backslashes, parameters of segments, capitals.
func Hides(hidden, target string) bool {
	if hidden == "" {
		return false
	}
	segments := strings.Split(strings.Trim(hidden, "/"), "/")
	path, _, _ := strings.Cut(target, "?")
	for range unescapings {
		// An escaped question mark is part of the path, or the end of it for who reads it again.
		if reads(path, segments) || reads(path[:end(path)], segments) {
			return true
		}
		plain := unescape(path)
		if plain == path {
			return false
		}
		path = plain
	}
	return true // nobody escapes an honest path so often
}

// reads reports whether a path is at or below the hidden segments, with its dot segments as they are, or followed.
func reads(path string, hidden []string) bool {
	path = strings.NewReplacer("\\", "/", "\t", "", "\r", "", "\n", "", "\x00", "").Replace(path) // some leave these bytes out
	var plain, followed []string
	for part := range strings.SplitSeq(path, "/") {
		part, _, _ = strings.Cut(part, ";")
		switch part = strings.TrimSpace(part); part {
		case "", ".":
			continue
		case "..":
			followed = followed[:max(0, len(followed)-1)]
		default:
			followed = append(followed, part)
		}
		plain = append(plain, part)
	}
	return begins(plain, hidden) || begins(followed, hidden)
}

// end is where a path ends for who looks for a query, a fragment or the end of a C string in it.
func end(path string) int {
	if i := strings.IndexAny(path, "?#\x00"); i >= 0 {
		return i
	}
	return len(path)
}

func begins(path, hidden []string) bool {
	if len(path) < len(hidden) {
		return false
	}
	for i, part := range hidden {
		if !strings.EqualFold(path[i], part) {
			return false
		}
	}
	return true
}

// unescape replaces the escapes that are good ones, and leaves the others.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+3 <= len(text) {
			if c, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
