package runtimeapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
)

const (
	maxHead    = 64 << 10 // bytes of a request's line and headers
	bufferSize = 8 << 10
)

// request is a request of which the body is not read yet.
type request struct {
	method, path string
	length       int64 // of the body; -1 if it comes in chunks
	expects      bool  // waits to be told that the body is wanted
	last         bool  // the connection ends with it
	headers      headers
	over         func() // called when its connection is closed; may be nil
}

// headers are those that matter, by lower-case name.
type headers struct {
	errorType, errorBody, responseMode, contentType string
	extensionName, extensionID, extensionFailure    string
}

// at returns where a header goes, nil for one that does not matter.
func (h *headers) at(name []byte) *string {
	switch string(name) {
	case "lambda-runtime-function-error-type":
		return &h.errorType
	case "lambda-runtime-function-error-body":
		return &h.errorBody
	case "lambda-runtime-function-response-mode":
		return &h.responseMode
	case "content-type":
		return &h.contentType
	case "lambda-extension-name":
		return &h.extensionName
	case "lambda-extension-identifier":
		return &h.extensionID
	case "lambda-extension-function-error-type":
		return &h.extensionFailure
	}
	return nil
}

// conn is a connection of a runtime or an extension.
type conn struct {
	session *Session
	net     net.Conn
	in      *bufio.Reader
	out     []byte // answers that are not sent yet
}

// serve answers the requests of a connection one after another.
func (s *Session) serve(c net.Conn) {
	k := &conn{session: s, net: c, in: bufio.NewReaderSize(c, bufferSize)}
	defer func() {
		_ = k.flush() // who is gone does not read it
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
		_ = c.Close()
	}()
	for {
		r, err := k.read()
		if err != nil {
			if errors.Is(err, errMalformed) {
				_ = k.answer(problem(400, "MalformedRequest", err.Error()))
			}
			return
		}
		if r.expects {
			k.out = append(k.out, "HTTP/1.1 100 Continue\r\n\r\n"...)
		}
		if r.length != 0 && k.flush() != nil { // a body may be waited for
			return
		}
		body := k.body(r)
		a := s.route(r, body)
		if r.over != nil {
			defer r.over()
		}
		if _, err := io.Copy(io.Discard, body); err != nil { // the next request comes after it
			return
		}
		if err := k.answer(a); err != nil || r.last {
			return
		}
	}
}

var errMalformed = errors.New("malformed request")

// read reads a request up to its body.
func (k *conn) read() (*request, error) {
	r := &request{}
	left := maxHead
	line, err := k.line(&left)
	if err != nil {
		return nil, err
	}
	method, rest, ok := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return nil, fmt.Errorf("%w: no request line", errMalformed)
	}
	path, _, _ := strings.Cut(string(target), "?")
	r.method, r.path, r.last = string(method), path, string(version) == "HTTP/1.0"
	for {
		line, err := k.line(&left)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			return r, nil
		}
		if err := r.header(line); err != nil {
			return nil, err
		}
	}
}

// header takes one header in.
func (r *request) header(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return fmt.Errorf("%w: a header without a colon", errMalformed)
	}
	name, value = bytes.ToLower(name), bytes.TrimSpace(value)
	switch string(name) {
	case "content-length":
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil {
			return fmt.Errorf("%w: content-length", errMalformed)
		}
		if r.length == 0 {
			r.length = int64(n)
		}
	case "transfer-encoding":
		if !strings.EqualFold(string(value), "chunked") {
			return fmt.Errorf("%w: transfer-encoding", errMalformed)
		}
		r.length = -1
	case "expect":
		r.expects = strings.EqualFold(string(value), "100-continue")
	case "connection":
		r.last = r.last || strings.EqualFold(string(value), "close")
	default:
		if at := r.headers.at(name); at != nil {
			*at = string(value)
		}
	}
	return nil
}

// line reads a line without its end. It is valid until the next read.
func (k *conn) line(left *int) ([]byte, error) {
	line, err := k.in.ReadSlice('\n')
	if *left -= len(line); *left < 0 || errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: too long a head", errMalformed)
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// body is what follows a request, and nothing beyond.
func (k *conn) body(r *request) io.Reader {
	if r.length < 0 {
		return &chunks{k: k, r: r, in: httputil.NewChunkedReader(k.in)}
	}
	return io.LimitReader(k.in, r.length)
}

// chunks is a body in chunks, with the headers that follow it.
type chunks struct {
	k     *conn
	r     *request
	in    io.Reader
	ended bool
}

// Read implements io.Reader. With its end the trailing headers are read.
func (c *chunks) Read(b []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	n, err := c.in.Read(b)
	if err != io.EOF {
		return n, err
	}
	c.ended = true
	left := maxHead
	for {
		line, err := c.k.line(&left)
		if err != nil {
			return n, err
		}
		if len(line) == 0 {
			return n, io.EOF
		}
		if err := c.r.header(line); err != nil {
			return n, err
		}
	}
}

// answer is what a request gets.
type answer struct {
	status int
	head   string // headers, each with its end
	body   []byte
}

// answer sends an answer. A runtime that has sent its next request already, as ours do that send a reply and ask for work at
// once, gets both answers together: one write and one wake-up less for each invocation.
func (k *conn) answer(a answer) error {
	out := append(k.out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(a.status), 10)
	out = append(out, ' ')
	out = append(out, reason(a.status)...)
	out = append(out, "\r\nContent-Type: application/json\r\n"...)
	out = append(out, a.head...)
	out = append(out, "Content-Length: "...)
	out = strconv.AppendInt(out, int64(len(a.body)), 10)
	out = append(out, "\r\n\r\n"...)
	if len(a.body) > bufferSize {
		k.out = out[:0]
		_, err := (&net.Buffers{out, a.body}).WriteTo(k.net)
		return err
	}
	k.out = append(out, a.body...)
	if k.asked() && len(k.out) <= bufferSize {
		return nil
	}
	return k.flush()
}

// asked reports whether the head of another request has come as a whole.
func (k *conn) asked() bool {
	n := k.in.Buffered()
	if n == 0 {
		return false
	}
	b, _ := k.in.Peek(n) // which is there
	return bytes.Contains(b, []byte("\r\n\r\n"))
}

// flush sends the answers that are not sent yet.
func (k *conn) flush() error {
	if len(k.out) == 0 {
		return nil
	}
	_, err := k.net.Write(k.out)
	k.out = k.out[:0]
	return err
}

func reason(status int) string {
	switch status {
	case 200:
		return "OK"
	case 202:
		return "Accepted"
	case 400:
		return "Bad Request"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 413:
		return "Request Entity Too Large"
	}
	return "Error"
}
