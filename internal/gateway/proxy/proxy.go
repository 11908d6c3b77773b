package proxy

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/aloft-run/aloft/internal/edge"
)

// proxy carries the request to the instance and its answer back.
func (e *exchange) proxy() {
	upgrade := wantsWebSocket(e.r)
	e.appendRequest(upgrade)
	if !e.expects() {
		if err := e.body.begin(e); err != nil {
			e.noBody(err)
			return
		}
	}
	res, err := e.roundTrip(false)
	if err != nil && e.repeatable(err) {
		e.conn.Discard()
		res, err = e.roundTrip(true)
	}
	for range dialAgain {
		if !errors.Is(err, errNotConnected) {
			break
		}
		if !e.reacquire() {
			return
		}
		res, err = e.roundTrip(false)
	}
	if err != nil {
		e.badGateway(err)
		return
	}
	if res.status == http.StatusSwitchingProtocols {
		e.switchProtocols(res, upgrade)
		return
	}
	e.respond(res)
}

// roundTrip sends the request and reads the head of the answer.
func (e *exchange) roundTrip(fresh bool) (response, error) {
	var err error
	if err = e.connect(fresh); err != nil {
		return response{}, err
	}
	deadline := time.Time{}
	if t := e.route.Timeout; t > 0 {
		deadline = e.start.Add(t)
		_ = e.conn.SetDeadline(deadline)
	}
	e.watch.begin(e)
	n, err := e.conn.Write(e.head)
	if !deadline.IsZero() {
		_ = e.conn.SetWriteDeadline(time.Time{}) // the sender has its own
	}
	if err != nil {
		if n == 0 && !e.body.started {
			return response{}, errors.Join(errNothingSent, err)
		}
		// The app may have answered early and closed: what it said is worth more than that we could not say all.
		return e.readResponse(errors.Join(errNoResponse, err))
	}
	if e.expects() && !e.body.started {
		return e.awaitContinue(deadline)
	}
	e.body.stream(e)
	return e.readResponse(nil)
}

// errNothingSent says that not a byte of the request left this machine.
var errNothingSent = errors.New("the app closed the connection before the request")

// repeatable reports whether the request may be sent once more on a new connection. A kept connection can be closed by the
// app in the moment a request is written to it; RFC 9112 section 9.3.1 lets us repeat then what is idempotent (RFC 9110
// section 9.2.2), and never anything else unless no byte of it was sent. Nothing of the body may be gone either.
func (e *exchange) repeatable(err error) bool {
	if e.conn == nil || !e.conn.Reused || e.body.started || e.watch.fired() {
		return false
	}
	if errors.Is(err, errNothingSent) {
		return true
	}
	switch e.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
	default:
		return false
	}
	return errors.Is(err, errNoResponse) && e.r.ContentLength == 0 && !isTimeout(err) && !e.cutting()
}

// connect takes a kept connection or makes a new one. A client that closed its side right after the request may still
// read: what it gets does not depend on its context.
func (e *exchange) connect(fresh bool) error {
	if !fresh {
		if e.conn = e.up.Kept(); e.conn != nil {
			return nil
		}
	}
	e.conn = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.r.Context()), e.h.limits.Dial)
	defer cancel()
	conn, err := e.up.Fresh(ctx)
	if err != nil {
		return errors.Join(errNotConnected, err)
	}
	e.conn = conn
	return nil
}

// errNotConnected says that the instance does not accept connections: nothing was sent.
var errNotConnected = errors.New("no connection to the app")

const (
	dialAgain = 3
	dialPause = 20 * time.Millisecond
)

// reacquire asks for an instance again after one did not accept: it may just have crashed, which its backend learns in a
// moment and then waits for the next one. It reports false if the request is answered.
func (e *exchange) reacquire() bool {
	pause := time.NewTimer(dialPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-e.r.Context().Done():
	}
	e.up.End()
	e.up = nil
	up, err := e.acquire(e.r.Context())
	if err != nil {
		e.unavailable(err)
		return false
	}
	e.up = up
	return true
}

// noBody answers a client that did not deliver the body it promised.
func (e *exchange) noBody(err error) {
	e.closeAfter()
	_ = http.NewResponseController(e.w).SetReadDeadline(time.Now().Add(earlyGrace)) // the server looks for the rest
	switch {
	case isTimeout(err):
		e.fail(http.StatusRequestTimeout, "the request's body did not come")
	case e.r.ProtoMajor == 1 && !errors.Is(err, errLeft) && malformed(err):
		e.fail(http.StatusBadRequest, "the request's body is malformed")
	default:
		e.fail(statusClientClosed, "")
	}
}

// readResponse reads heads until one is final. Interim ones go to the client.
func (e *exchange) readResponse(before error) (response, error) {
	for range e.h.limits.Interim {
		res, err := e.readOne()
		if err != nil {
			return res, errors.Join(err, before)
		}
		switch {
		case res.status >= 200 || res.status == http.StatusSwitchingProtocols:
			if e.route.Timeout > 0 {
				_ = e.conn.SetReadDeadline(time.Time{})
				e.up.Answered()
			}
			return res, nil
		case res.status > 101:
			e.interim(res)
		case e.expects() && !e.body.started: // 100: now the client may send it
			e.body.all(e)
		}
	}
	return response{}, errMalformed
}

func (e *exchange) readOne() (response, error) {
	var err error
	if e.raw, err = readHead(e.conn.Reader, e.raw[:0], e.h.limits.ResponseHead); err != nil {
		return response{}, err
	}
	var res response
	res, e.fields, err = parseResponse(string(e.raw), e.fields[:0])
	return res, err
}

// interim forwards a 1xx response (103 Early Hints).
func (e *exchange) interim(res response) {
	if !e.r.ProtoAtLeast(1, 1) {
		return
	}
	h := e.w.Header()
	before := maps.Clone(h)
	for _, f := range e.fields {
		if !edge.HopByHop(f.key) {
			h.Add(f.key, f.value)
		}
	}
	e.w.WriteHeader(res.status)
	clear(h)
	maps.Copy(h, before)
}

// awaitContinue lets the app decide whether it wants the body. An app that does not know Expect gets it after a while.
func (e *exchange) awaitContinue(deadline time.Time) (response, error) {
	wait := time.Now().Add(e.h.limits.Continue)
	if !deadline.IsZero() && deadline.Before(wait) {
		wait = deadline
	}
	_ = e.conn.SetReadDeadline(wait)
	_, err := e.conn.Reader.Peek(1)
	_ = e.conn.SetReadDeadline(deadline)
	if isTimeout(err) {
		e.body.all(e)
	}
	return e.readResponse(nil)
}

// badGateway answers for an app that gave no answer, and ends a request whose client is gone.
func (e *exchange) badGateway(err error) {
	switch {
	case e.body.client.Load():
		e.noBody(e.body.cause)
	case e.body.unread.Load():
		e.fail(http.StatusGatewayTimeout, "the app did not read the request's body")
	case e.watch.fired():
		e.fail(statusClientClosed, "")
	case e.cutting():
		e.fail(http.StatusServiceUnavailable, "the app was replaced before it answered")
	case isTimeout(err) && e.route.Timeout > 0:
		if time.Since(e.given) >= e.route.Timeout/2 { // it may have waited for its turn most of the time
			e.up.TimedOut(e.given)
		}
		e.fail(http.StatusGatewayTimeout, "")
	case errors.Is(err, errTooLarge), errors.Is(err, errMalformed) && !errors.Is(err, io.EOF):
		e.fail(http.StatusBadGateway, "the app answered something that is not HTTP or too large")
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		e.fail(http.StatusBadGateway, "the app does not accept connections")
	default:
		e.fail(http.StatusBadGateway, "the app closed the connection without an answer")
	}
}

func (e *exchange) cutting() bool {
	select {
	case <-e.up.Cutting():
		return true
	default:
		return false
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
