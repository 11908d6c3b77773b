package shim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
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
	host   string // of AWS_LAMBDA_RUNTIME_API
	blocks bool   // its connection
	before func() // an answer is sent; nil: nothing
	conn   net.Conn
	r      *bufio.Reader
	buf    []byte // of payloads, reused
	head   []byte // of requests, reused
	whole  []byte // requests, reused
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
	conn, err := dial(ctx, place(c.host), c.blocks)
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
	if c.before != nil {
		c.before()
	}
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

func (c *client) send(head, body []byte) (err error) {
	c.whole, err = writeBoth(c.conn, c.whole, head, body)
	return err
}
