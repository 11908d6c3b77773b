package shim

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// apiAnswer is the head of an answer.
type apiAnswer struct {
	invocation

	status  int
	length  int64 // -1: until the connection ends
	chunked bool
	last    bool // the connection ends with it
}

func (c *client) readHead() (*apiAnswer, error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	a := &apiAnswer{length: -1}
	if a.status, err = strconv.Atoi(code); err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return nil, fmt.Errorf("the Runtime API answers %q", line)
	}
	a.last = version == "HTTP/1.0"
	for {
		if line, err = c.line(); err != nil {
			return nil, err
		}
		if line == "" {
			return a, nil
		}
		name, value, _ := strings.Cut(line, ":")
		a.set(name, strings.TrimSpace(value))
	}
}

func (a *apiAnswer) set(name, value string) {
	switch strings.ToLower(name) {
	case "lambda-runtime-aws-request-id":
		a.id = value
	case "lambda-runtime-deadline-ms":
		a.deadlineText = value
		if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
			a.deadline = time.UnixMilli(ms)
		}
	case "lambda-runtime-invoked-function-arn":
		a.arn = value
	case "lambda-runtime-trace-id":
		a.trace = value
	case "lambda-runtime-client-context":
		a.clientContext = value
	case "lambda-runtime-cognito-identity":
		a.cognitoIdentity = value
	case "lambda-runtime-aws-tenant-id":
		a.tenant = value
	case "content-length":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
			a.length = n
		}
	case "transfer-encoding":
		a.chunked = strings.EqualFold(value, "chunked")
	case "connection":
		a.last = a.last || strings.EqualFold(value, "close")
	}
}

// line reads one line of a head.
func (c *client) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	if err == nil {
		return string(bytes.TrimRight(line, "\r\n")), nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return "", err
	}
	long := bytes.Clone(line) // a client context of some kilobytes
	for errors.Is(err, bufio.ErrBufferFull) && len(long) < maxHead {
		line, err = c.r.ReadSlice('\n')
		long = append(long, line...)
	}
	return string(bytes.TrimRight(long, "\r\n")), err
}

// body reads an answer's body into the client's buffer.
func (c *client) body(a *apiAnswer) (body []byte, err error) {
	if a.last {
		defer c.close()
	}
	switch {
	case a.chunked:
		body, err = c.chunks()
	case a.length >= 0:
		c.buf = sized(c.buf, int(a.length))
		_, err = io.ReadFull(c.r, c.buf)
		body = c.buf
	default:
		defer c.close()
		c.buf, err = appendAll(c.buf[:0], c.r, maxEvent)
		body = c.buf
	}
	return body, err
}

func (c *client) chunks() ([]byte, error) {
	c.buf = c.buf[:0]
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return nil, fmt.Errorf("a chunk's size is %q", line)
		}
		if n == 0 {
			break
		}
		start := len(c.buf)
		c.buf = append(c.buf, make([]byte, n)...)
		if _, err := io.ReadFull(c.r, c.buf[start:]); err != nil {
			return nil, err
		}
		if _, err := c.line(); err != nil {
			return nil, err
		}
	}
	for {
		if line, err := c.line(); err != nil || line == "" {
			return c.buf, err
		}
	}
}

// sized returns a buffer of n bytes, b itself if that is large enough.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/8)
	}
	return b[:n]
}
