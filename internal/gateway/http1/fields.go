package http1

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// writeHead makes the head of the fields h, for a body that begins with first.
func (w *response) writeHead(h http.Header, first []byte) {
	w.headed = true
	draining := w.c.server.draining.Load()
	b := appendStatus(w.c.out.AvailableBuffer(), w.status)
	var plan plan
	plan.body(w, h, first)
	if h.Get("Connection") == "close" || draining {
		w.last = true
	}
	if w.asked != nil && !w.last && !w.duplex {
		w.last = !w.asked.skip()
	}
	if w.last && w.status != http.StatusSwitchingProtocols && (draining || !says(h["Connection"], "close")) {
		plan.ends = true
	}
	b = plan.appendFields(b, h)
	b = plan.appendOwn(b, h)
	_, _ = w.c.out.Write(append(b, "\r\n"...)) // the buffer keeps the error
}

// plan is how a head differs from the handler's fields.
type plan struct {
	dropLength, dropCoding, dropType bool
	length                           int64 // said by us, if sized
	sized, chunked, ends             bool
	kind                             string // found out, "" if not
}

// body decides what the head says of the body, by the rules of net/http's server.
func (p *plan) body(w *response, h http.Header, first []byte) {
	allowed := w.allowed()
	coding := h.Get("Transfer-Encoding")
	_, said := h["Content-Length"]
	if w.over && allowed && coding == "" && !said && !hasTrailer(h) && (!w.head || len(first) > 0) {
		w.length = int64(len(first))
		p.length, p.sized = w.length, true
	}
	switch _, typed := h["Content-Type"]; {
	case !allowed:
		p.dropLength, p.dropCoding, p.dropType = true, true, w.status == http.StatusNotModified
		return
	case !typed && coding == "" && len(first) > 0 && h.Get("Content-Encoding") == "":
		p.kind = http.DetectContentType(first)
	}
	sized := w.length >= 0
	if sized && coding != "" && coding != "identity" {
		p.dropLength, sized = true, false
	}
	switch {
	case w.head || sized:
		p.dropCoding = true
	case coding == "identity":
		p.dropCoding, w.last = true, true
	default:
		w.chunked, p.chunked = true, true
		p.dropCoding = coding == "chunked"
		p.dropLength = true
	}
}

// appendFields writes the handler's fields in the order of their names.
func (p *plan) appendFields(b []byte, h http.Header) []byte {
	var room [32]string
	keys := room[:0]
	for key := range h {
		if !p.drops(key) && key != "" && isToken(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		for _, value := range h[key] {
			b = append(b, key...)
			b = append(b, ": "...)
			b = appendValue(b, value)
			b = append(b, "\r\n"...)
		}
	}
	return b
}

func (p *plan) drops(key string) bool {
	switch key {
	case "Content-Length":
		return p.dropLength
	case "Transfer-Encoding":
		return p.dropCoding
	case "Content-Type":
		return p.dropType
	case "Connection":
		return p.ends
	}
	return strings.HasPrefix(key, http.TrailerPrefix)
}

// appendOwn writes what the server adds.
func (p *plan) appendOwn(b []byte, h http.Header) []byte {
	if _, ok := h["Date"]; !ok {
		b = append(b, "Date: "...)
		b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
		b = append(b, "\r\n"...)
	}
	if p.sized {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, p.length, 10)
		b = append(b, "\r\n"...)
	}
	if p.kind != "" {
		b = append(b, "Content-Type: "...)
		b = append(b, p.kind...)
		b = append(b, "\r\n"...)
	}
	if p.ends {
		b = append(b, "Connection: close\r\n"...)
	}
	if p.chunked {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	return b
}

func appendStatus(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	if text := http.StatusText(status); text != "" {
		b = append(b, ' ')
		b = append(b, text...)
	} else {
		b = append(b, " status code "...)
		b = strconv.AppendInt(b, int64(status), 10)
	}
	return append(b, "\r\n"...)
}

// appendValue writes a value on one line.
func appendValue(b []byte, value string) []byte {
	from := len(b)
	value = strings.Trim(value, " \t\r\n")
	b = append(b, value...)
	for i := from; i < len(b); i++ {
		if b[i] == '\r' || b[i] == '\n' {
			b[i] = ' '
		}
	}
	return b
}

// endChunks ends a chunked body, with the trailer that the handler has set by now.
func (w *response) endChunks() {
	out := w.c.out
	_, _ = out.WriteString("0\r\n") // the buffer keeps the error
	trailer := http.Header{}
	for key, values := range w.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			trailer[name] = values
		}
	}
	for _, list := range w.sent["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			switch name {
			case "", "Transfer-Encoding", "Content-Length", "Trailer": // no trailer may have them
			default:
				trailer[name] = append(trailer[name], w.header[name]...)
			}
		}
	}
	_ = trailer.Write(out)
	_, _ = out.WriteString("\r\n")
}

func hasTrailer(h http.Header) bool {
	if len(h["Trailer"]) > 0 {
		return true
	}
	for key := range h {
		if strings.HasPrefix(key, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// says reports whether the first of a field's values has a token.
func says(values []string, token string) bool {
	if len(values) == 0 {
		return false
	}
	for part := range strings.FieldsFuncSeq(values[0], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if strings.EqualFold(part, token) {
			return true
		}
	}
	return false
}
