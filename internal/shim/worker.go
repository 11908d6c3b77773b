package shim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aloft-run/aloft/internal/edge"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

const (
	margin     = 200 * time.Millisecond // before the function's deadline in which the answer must be out
	noticeTime = 50 * time.Millisecond  // in which a server's end is noticed
	redialTime = 10 * time.Millisecond  // between attempts to connect to a server that has just ended
)

// worker takes one invocation after the other.
type worker struct {
	*settings

	api   *client
	child *child  // nil if files are all there is
	files []files // longest prefix first
	say   func(format string, args ...any)
	log   func(line []byte) // of requests; nil: none

	flights *sync.RWMutex // read-locked while an invocation is under way

	body []byte // of replies, reused
	head []byte // of requests, reused
	link link   // to the server

	began time.Time // of the invocation
	asked *process  // that the invocation went to; nil if to none
	hangs *process  // that did not answer it in its time; nil: none
}

// errLost ends the shim, so that Lambda makes another environment.
var errLost = errors.New("the server does not start any more: this environment ends, for another")

// loop works until the Runtime API has no more work or the server is lost, and returns why.
func (w *worker) loop(ctx context.Context) error {
	defer w.api.close()
	defer w.link.close()
	for {
		inv, err := w.api.next(ctx)
		if err != nil {
			return err
		}
		if err := w.handle(ctx, inv); err != nil {
			if ctx.Err() != nil {
				return err
			}
			w.say("request %s: the answer was not taken: %v", inv.id, err)
		}
		if w.hangs != nil {
			w.child.miss(w.hangs)
			w.hangs = nil
		}
		if w.child != nil && w.child.lost.Load() {
			return errLost
		}
	}
}

// handle answers an invocation. It returns an error if the Runtime API did not take the answer.
func (w *worker) handle(ctx context.Context, inv *invocation) error {
	w.flights.RLock()
	defer w.flights.RUnlock()
	began := time.Now()
	w.began = began
	if w.child != nil {
		w.child.clock.begin()
		defer w.child.clock.end()
	}
	w.body = w.body[:0]
	if cap(w.body) > 2*maxEvent {
		w.body = nil
	}
	ctx, cancel := w.bounded(ctx, inv)
	defer cancel()
	e, err := lambdahttp.DecodeEvent(inv.payload)
	switch {
	case errors.Is(err, lambdahttp.ErrNotHTTP):
		return w.event(ctx, inv, began)
	case err != nil:
		return w.api.fail(ctx, inv.id, failed("Runtime.InvalidEvent", "%v", err))
	}
	r := &reply{w: w, inv: inv, event: e}
	r.streams = w.Stream && (e.Format == lambdahttp.FunctionURL || e.Format == lambdahttp.APIGatewayV1) // the others cannot
	err = w.answer(ctx, r)
	w.logRequest(logged{
		Type: "request", Method: e.Method, Path: e.URL.Path, Status: r.status, Bytes: r.bytes, ID: inv.id, Trace: traceOf(e, inv),
	}, began)
	return err
}

// bounded returns a context that ends shortly before the function's time is up.
func (w *worker) bounded(ctx context.Context, inv *invocation) (context.Context, context.CancelFunc) {
	if inv.deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	left := time.Until(inv.deadline)
	return context.WithTimeout(ctx, left-min(margin, left/10))
}

// answer answers a request.
func (w *worker) answer(ctx context.Context, r *reply) error {
	target := w.target(r.event)
	api := context.WithoutCancel(ctx) // what is late is to be sent all the same
	switch {
	case r.event.Method == http.MethodTrace || r.event.Method == http.MethodConnect:
		return r.refuse(api, http.StatusMethodNotAllowed, "")
	case edge.Hides(w.hidden(), target):
		return r.refuse(api, http.StatusNotFound, "")
	}
	if f := w.filesFor(r.event); f != nil {
		return f.serve(api, r)
	}
	if w.child == nil {
		return r.refuse(api, http.StatusNotFound, "")
	}
	w.head = w.appendRequest(w.head[:0], r.event, target, r.inv)
	x := &exchange{link: &w.link, method: r.event.Method, head: w.head, body: r.event.Body}
	response, err := w.forward(ctx, x)
	whole := false
	defer func() { w.release(x, whole) }()
	if err != nil {
		return w.unanswered(ctx, r, err)
	}
	if err := r.begin(api, response.status, response.header); err != nil {
		if r.out != nil {
			return err
		}
		return r.finish(api, err)
	}
	broken := w.copyBody(r, response)
	w.link.rest() // whoever has the reply may freeze us
	whole = broken == nil
	if broken != nil && r.out == nil { // a stream that its time cuts off has begun
		w.overdue(ctx)
	}
	if ctx.Err() != nil && r.out == nil && broken != nil && !w.isError(r.status) {
		return r.refuse(api, http.StatusGatewayTimeout, "the response was not complete when the function's time was nearly up")
	}
	return r.finish(api, broken)
}

// unanswered answers a request that the server did not answer. One that ended over it is given a moment to be seen to, so that the
// next request waits for its successor.
func (w *worker) unanswered(ctx context.Context, r *reply, why error) error {
	status, text := statusOf(ctx, why), why.Error()
	if status == http.StatusGatewayTimeout {
		w.overdue(ctx)
		text = "it took longer than the function's timeout"
	} else {
		w.child.notice(ctx, noticeTime)
	}
	return r.refuse(context.WithoutCancel(ctx), status, text)
}

// overdue notes, if the invocation's time is up, that the server did not answer it: once that is told, the server is seen to. One
// that was not ready for half of that time is not blamed, for its successor would have as little.
func (w *worker) overdue(ctx context.Context) {
	end, _ := ctx.Deadline()
	if p := w.asked; p != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(p.ready) >= end.Sub(w.began)/2 {
		w.hangs = p
	}
}

// release ends an exchange, whose response was read whole or not, and keeps its buffer for the next.
func (w *worker) release(x *exchange, whole bool) {
	x.close(whole)
	if whole {
		w.asked.answered()
	}
	if cap(x.head) <= maxHead {
		w.head = x.head
	}
}

func (w *worker) hidden() string {
	if w.passThrough != "" {
		return w.passThrough
	}
	return w.EventPath
}

// forward sends a request to the server once it takes requests. As long as there is no connection, nothing was sent, and it is
// tried again.
func (w *worker) forward(ctx context.Context, x *exchange) (*answer, error) {
	for {
		addr, server, err := w.child.address(ctx)
		if w.asked = server; err != nil {
			return nil, err
		}
		response, err := x.do(ctx, addr)
		if err == nil || x.began || ctx.Err() != nil {
			return response, err
		}
		select {
		case <-time.After(redialTime):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// copyBody reads the response's body into the reply.
func (w *worker) copyBody(r *reply, response *answer) error {
	if r.out == nil {
		if n := response.length; n > 0 && n <= maxEvent {
			w.body = sized(w.body, int(n)+1)[:0] // one more, so that the end is seen without growth
		}
		body, err := appendAll(w.body, response.body, maxEvent)
		w.body, r.bytes = body, int64(len(body))
		if len(body) > maxEvent {
			return errTooLong
		}
		return unlessHead(r.event.Method, err)
	}
	if cap(w.body) < 32<<10 {
		w.body = make([]byte, 32<<10)
	}
	buf := w.body[:cap(w.body)]
	for {
		n, err := response.body.Read(buf)
		if n > 0 {
			if _, err := r.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unlessHead(r.event.Method, err)
		}
	}
}

func unlessHead(method string, err error) error {
	if method == http.MethodHead {
		return nil
	}
	return err
}

// statusOf is what a request is answered that the server did not answer.
func statusOf(ctx context.Context, err error) int {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// beginning is what fits into a message of an answer.
func beginning(body []byte) string {
	const most = 256
	return strings.ToValidUTF8(strings.TrimSpace(string(body[:min(len(body), most)])), "")
}
