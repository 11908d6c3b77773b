package lambdahttp

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// hopByHop reports whether a field concerns one connection only (RFC 9110 section 7.6.1), or its framing.
func hopByHop(key string) bool {
	switch key {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length":
		return true
	}
	return false
}

// fieldNames returns the names of the fields that an event or a reply has, sorted: all but those of the connection, those
// that Connection names, and skip.
func fieldNames(h http.Header, buf []string, skip string) []string {
	for name, values := range h {
		if len(values) > 0 && name != skip && name != "Host" && !hopByHop(name) && !named(h["Connection"], name) {
			buf = append(buf, name)
		}
	}
	slices.Sort(buf)
	return buf
}

// named reports whether a Connection field names the field.
func named(connection []string, name string) bool {
	for _, v := range connection {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), name) {
				return true
			}
		}
	}
	return false
}

// appendName appends a field's name as a key, in lower case if wanted.
func appendName(dst []byte, name string, lower bool) []byte {
	start := len(dst)
	dst = appendStringKey(dst, name)
	for i := start; lower && i < len(dst); i++ {
		if c := dst[i]; 'A' <= c && c <= 'Z' {
			dst[i] = c + 'a' - 'A'
		}
	}
	return dst
}

// setter collects the fields of a message that strangers wrote, and refuses what could split it.
type setter struct {
	header http.Header
	whose  string   // "the reply" or "the event", for errors
	spare  []string // room for values: one allocation for many fields
}

func (s *setter) add(name, value string) error {
	if !isToken(name) {
		return aloft.Errorf(aloft.Failed, "%s has a header whose name is empty or has characters that names may not have", s.whose)
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return aloft.Errorf(aloft.Failed, "%s has control characters in header %.64q", s.whose, name)
		}
	}
	key := http.CanonicalHeaderKey(name)
	if hopByHop(key) {
		return nil
	}
	value = textproto.TrimString(value)
	if s.header[key] != nil || len(s.spare) == 0 {
		s.header[key] = append(s.header[key], value)
		return nil
	}
	s.spare[0] = value
	s.header[key], s.spare = s.spare[:1:1], s.spare[1:]
	return nil
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2: a method or the name of a field.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
