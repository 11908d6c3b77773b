package http1

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
)

// verdict is what parse makes of bytes.
type verdict int

const (
	partial verdict = iota // a request begins, and is fine so far
	whole                  // it is there
	strange                // it is not for this server
)

// parse reads a request's head into r and returns its size. What it takes net/http's server takes as well, and makes the same of it.
func parse(p []byte, r *http.Request) (size int, _ verdict) {
	end := bytes.Index(p, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, begins(p)
	}
	size = end + 4
	text := string(p[:end+2])
	line, rest, _ := strings.Cut(text, "\r\n")
	*r = http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}
	if !requestLine(line, r) || !fields(rest, r) || r.Host == "" {
		return 0, strange
	}
	return size, whole
}

// begins looks at the whole lines of a head that is not whole, so that what is wrong is not waited for.
func begins(p []byte) verdict {
	last := bytes.LastIndexByte(p, '\n')
	if last < 0 {
		return partial
	}
	if last == 0 || p[last-1] != '\r' {
		return strange
	}
	line, rest, _ := strings.Cut(string(p[:last+1]), "\r\n")
	if r := new(http.Request); !requestLine(line, r) || !fields(rest, r) {
		return strange
	}
	return partial
}

func requestLine(line string, r *http.Request) bool {
	method, rest, _ := strings.Cut(line, " ")
	target, proto, _ := strings.Cut(rest, " ")
	if proto != "HTTP/1.1" {
		return false
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	r.Method, r.RequestURI = method, target
	r.URL = parseTarget(target)
	return r.URL != nil
}

// parseTarget returns nil for what is not in origin form.
func parseTarget(target string) *url.URL {
	if target == "" || target[0] != '/' {
		return nil
	}
	path := len(target)
	for i := range len(target) {
		c := target[i]
		switch {
		case c <= ' ' || c >= 0x7f || c == '#':
			return nil
		case c == '?' && path == len(target):
			path = i
		case path == len(target) && !plain(c):
			u, err := url.ParseRequestURI(target)
			if err != nil {
				return nil
			}
			return u
		}
	}
	if path == len(target) {
		return &url.URL{Path: target}
	}
	return &url.URL{Path: target[:path], RawQuery: target[path+1:], ForceQuery: path == len(target)-1}
}

// plain reports whether a byte of a path stands for itself.
func plain(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '/', '-', '.', '_', '~':
		return true
	}
	return false
}

// fields reads lines into r and reports whether all are fine.
func fields(lines string, r *http.Request) bool {
	n := strings.Count(lines, "\r\n")
	r.Header = make(http.Header, n)
	values := make([]string, 0, n)
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\r\n")
		colon := strings.IndexByte(line, ':')
		if colon <= 0 || !isToken(line[:colon]) {
			return false
		}
		key, value := http.CanonicalHeaderKey(line[:colon]), strings.Trim(line[colon+1:], " \t")
		if !isValue(value) {
			return false
		}
		old, again := r.Header[key]
		keep, ok := note(key, value, again, r)
		switch {
		case !ok:
			return false
		case !keep:
		case again:
			r.Header[key] = append(old, value)
		default:
			values = append(values, value)
			r.Header[key] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	if pragma := r.Header["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"} // as net/http does
	}
	return true
}

// note takes from a field what it says of the request, and reports whether it stays a field, and whether it is fine.
func note(key, value string, again bool, r *http.Request) (keep, ok bool) {
	switch key {
	case "Host":
		ok = r.Host == "" && isHost(value)
		r.Host = value
		return false, ok
	case "Content-Length":
		n, isSize := parseSize(value)
		r.ContentLength = n
		return true, isSize && !again
	case "Connection":
		r.Close = strings.EqualFold(value, "close")
		return true, !again && (r.Close || strings.EqualFold(value, "keep-alive"))
	case "Transfer-Encoding", "Upgrade", "Expect", "Trailer":
		return false, false
	}
	return true, true
}

// parseSize reads the length of a body.
func parseSize(text string) (n int64, ok bool) {
	const most = 18 // digits, which an int64 holds
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(text[i]-'0')
	}
	return n, text != "" && len(text) <= most
}

// isHost reports whether it is a host, with or without a port, of which nobody can think otherwise.
func isHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return s != ""
}

func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isToken reports whether s, which is not empty, is a field's name.
func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case strings.IndexByte("!#$%&'*+.^`|~", c) >= 0:
		default:
			return false
		}
	}
	return true
}
