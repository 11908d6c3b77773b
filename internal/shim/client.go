package shim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	runtimePath = "/2018-06-01/runtime/"
	nextPath    = runtimePath + "invocation/next"
	maxHead     = 1 << 20 // bytes of a response head, of the Runtime API and of the server
)

// errShutdown is what the Runtime API says when there is no more work.
var errShutdown = errors.New("the environment is being shut down")

// invocation is what the Runtime API hands out.
type invocation struct {
	id, arn, trace, tenant         string
	clientContext, cognitoIdentity string
	deadline                       time.Time
	payload                        []byte // valid until the next invocation
	deadlineText                   string
}

// client speaks to the Runtime API over one kept connection, as one requester: the API's host is not frozen with us, and the
// connection outlives the freeze. It is not safe for concurrent use.
type client struct {
	host string // of AWS_LAMBDA_RUNTIME_API
	conn net.Conn
	r    *bufio.Reader
	buf  []byte // of payloads, reused
	head []byte // of requests, reused
}

func newClient(host string) *client {
	return &client{host: host, r: bufio.NewReaderSize(nil, 16<<10)}
}

// close ends the connection.
func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// connect opens the connection if there is none. The context's end closes it, until the connection is given up.
func (c *client) connect(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.host)
	if err != nil {
		return fmt.Errorf("connect to the Runtime API: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	c.conn = conn
	c.r.Reset(conn)
	return nil
}

// next waits for an invocation. It returns errShutdown when there will be none.
func (c *client) next(ctx context.Context) (*invocation, error) {
	request := "GET " + nextPath + " HTTP/1.1\r\nHost: " + c.host + "\r\n\r\n"
	answer, err := c.ask(ctx, []byte(request), nil)
	if err != nil {
		return nil, err
	}
	body, err := c.body(answer)
	switch {
	case err != nil:
		c.close()
		return nil, fmt.Errorf("read the invocation: %w", err)
	case answer.status == http.StatusForbidden || answer.status == http.StatusGone:
		return nil, errShutdown
	case answer.status != http.StatusOK:
		return nil, fmt.Errorf("the Runtime API answered %d: %.200s", answer.status, body)
	}
	answer.invocation.payload = body
	return &answer.invocation, nil
}

// respond sends a reply.
func (c *client) respond(ctx context.Context, id string, payload []byte) error {
	return c.post(ctx, "invocation/"+id+"/response", "application/json", "", payload)
}

// fail sends an error of the function.
func (c *client) fail(ctx context.Context, id string, f failure) error {
	return c.post(ctx, "invocation/"+id+"/error", "application/json", f.kind, f.payload())
}

// failInit says that the function cannot start.
func (c *client) failInit(ctx context.Context, f failure) error {
	return c.post(ctx, "init/error", "application/json", f.kind, f.payload())
}

func (c *client) post(ctx context.Context, what, contentType, errorType string, payload []byte) error {
	h := append(c.head[:0], "POST "+runtimePath+what+" HTTP/1.1\r\nHost: "+c.host+"\r\nContent-Type: "+contentType+"\r\nContent-Length: "...)
	h = append(strconv.AppendInt(h, int64(len(payload)), 10), "\r\n"...)
	if errorType != "" {
		h = append(h, "Lambda-Runtime-Function-Error-Type: "+errorType+"\r\n"...)
	}
	c.head = append(h, "\r\n"...)
	answer, err := c.ask(ctx, c.head, payload)
	if err != nil {
		return err
	}
	return c.done(answer, what)
}

// done reads the answer to what was posted.
func (c *client) done(answer *apiAnswer, what string) error {
	body, err := c.body(answer)
	if err != nil {
		c.close()
		return fmt.Errorf("read the Runtime API's answer: %w", err)
	}
	if answer.status/100 != 2 {
		return fmt.Errorf("the Runtime API answered %d to %s: %.200s", answer.status, what, body)
	}
	return nil
}

// ask sends a request and reads the head of the answer. If a kept connection turns out to be closed, it is sent once more on
// another: the API takes each answer once.
func (c *client) ask(ctx context.Context, head, body []byte) (*apiAnswer, error) {
	kept := c.conn != nil
	for {
		if err := c.connect(ctx); err != nil {
			return nil, err
		}
		err := c.send(head, body)
		var answer *apiAnswer
		if err == nil {
			if answer, err = c.readHead(); err == nil {
				return answer, nil
			}
		}
		c.close()
		if !kept || ctx.Err() != nil {
			return nil, fmt.Errorf("ask the Runtime API: %w", err)
		}
		kept = false
	}
}

func (c *client) send(head, body []byte) error {
	const together = 16 << 10 // small bodies go with the head, in one segment
	if len(body) <= together {
		_, err := c.conn.Write(append(head, body...))
		return err
	}
	both := net.Buffers{head, body}
	_, err := both.WriteTo(c.conn)
	return err
}

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

// stream begins a streamed response.
func (c *client) stream(ctx context.Context, id, contentType string) (*stream, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	s := &stream{c: c}
	_, err := c.conn.Write([]byte("POST " + runtimePath + "invocation/" + id + "/response HTTP/1.1\r\nHost: " + c.host +
		"\r\nContent-Type: " + contentType + "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n" +
		"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"))
	return s, err
}

// stream is a streamed response under way.
type stream struct{ c *client }

// Write sends a chunk.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := s.c
	c.head = append(strconv.AppendInt(c.head[:0], int64(len(p)), 16), "\r\n"...)
	chunk := net.Buffers{c.head, p, []byte("\r\n")}
	if _, err := chunk.WriteTo(c.conn); err != nil {
		return 0, err
	}
	return len(p), nil
}

// end ends the response, with an error if f is not nil.
func (s *stream) end(f *failure) error {
	text := "0\r\n"
	if f != nil {
		text += "Lambda-Runtime-Function-Error-Type: " + f.kind + "\r\nLambda-Runtime-Function-Error-Body: " +
			base64.StdEncoding.EncodeToString(f.payload()) + "\r\n"
	}
	if _, err := s.c.conn.Write([]byte(text + "\r\n")); err != nil {
		s.c.close()
		return fmt.Errorf("end the stream: %w", err)
	}
	answer, err := s.c.readHead()
	if err != nil {
		s.c.close()
		return fmt.Errorf("end the stream: %w", err)
	}
	return s.c.done(answer, "a streamed response")
}
