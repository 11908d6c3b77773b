package awsapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// of returns the signature that a request should have, whose body has a digest.
func (s *signature) of(r *http.Request, secret, digest string) string {
	canonical := strings.Join([]string{
		r.Method, s.path(r), canonicalQuery(r.URL.RawQuery), s.canonicalHeaders(r), strings.Join(s.headers, ";"), digest,
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	scope := strings.Join([]string{s.date, s.region, s.service, terminator}, "/")
	text := strings.Join([]string{algorithm, s.at.Format(timeFormat), scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// path is the path as it was sent, percent-encoded once more; for S3 as it was sent.
func (s *signature) path(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // the absolute form, or none
		path = r.URL.EscapedPath()
	}
	if path == "" {
		path = "/"
	}
	if s.service == s3 {
		return path
	}
	return strings.ReplaceAll(encode(path), "%2F", "/")
}

const s3 = "s3"

// canonicalQuery is the query without the signature itself: sorted, and encoded anew.
func canonicalQuery(raw string) string {
	var parts []string
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if part == "" || name == querySignature {
			continue
		}
		parts = append(parts, encode(decode(name))+"="+encode(decode(value)))
	}
	slices.SortFunc(parts, func(a, b string) int { // by name, then by value: "=" sorts before none of what names hold
		aName, aValue, _ := strings.Cut(a, "=")
		bName, bValue, _ := strings.Cut(b, "=")
		if aName != bName {
			return strings.Compare(aName, bName)
		}
		return strings.Compare(aValue, bValue)
	})
	return strings.Join(parts, "&")
}

// decode takes percent-encoding away; what is none stays as it is.
func decode(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// encode percent-encodes all but the unreserved characters of RFC 3986.
func encode(text string) string {
	const hexDigits = "0123456789ABCDEF"
	b := make([]byte, 0, len(text)+16)
	for i := range len(text) {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return string(b)
}

func (s *signature) canonicalHeaders(r *http.Request) string {
	var b strings.Builder
	for _, name := range s.headers {
		b.WriteString(name)
		b.WriteByte(':')
		values := r.Header[http.CanonicalHeaderKey(name)]
		switch {
		case name == "host", name == authority:
			values = []string{r.Host}
		case name == "content-length" && len(values) == 0 && r.ContentLength >= 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.Fields(v), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
