package shim

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aloft-run/aloft/internal/edge"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// errTooLong is for responses that do not fit into a reply.
var errTooLong = fmt.Errorf("the response is longer than the %d bytes (6 MB) that a buffered reply may have, base64 included: stream it (a function URL or REST API with streaming), or send a link to the file", maxEvent)

// reply is the answer to a request under way: collected and sent in one, or streamed.
type reply struct {
	w       *worker
	inv     *invocation
	event   *lambdahttp.Event
	streams bool

	status int // 0: not begun
	header http.Header
	out    *stream // of a streamed reply that has begun
	bytes  int64   // of the body
}

// begin takes status and header.
func (r *reply) begin(ctx context.Context, status int, header http.Header) error {
	r.status, r.header = status, header
	if !r.streams || r.w.isError(status) {
		r.streams = false
		return nil
	}
	if r.fills() && header.Get("Content-Length") == "0" {
		header.Del("Content-Length")
	}
	prelude, err := lambdahttp.EncodePrelude(status, header)
	if err != nil {
		return err
	}
	if r.out, err = r.w.api.stream(ctx, r.inv.id, lambdahttp.IntegrationType); err != nil {
		return err
	}
	_, err = r.out.Write(prelude)
	return err
}

// fills reports whether a streamed reply without a body gets one, a newline: function URLs keep clients waiting for the first byte
// of an answer that may have a body, and end it only with the function's time.
// https://github.com/aws/aws-lambda-web-adapter/issues/499, https://github.com/aws/aws-lambda-go/issues/596
func (r *reply) fills() bool {
	return r.event.Format == lambdahttp.FunctionURL && r.event.Method != http.MethodHead && r.header.Get("Content-Encoding") == "" &&
		r.status != http.StatusNoContent && r.status != http.StatusResetContent && r.status != http.StatusNotModified
}

// Write takes a part of the body.
func (r *reply) Write(p []byte) (int, error) {
	r.bytes += int64(len(p))
	if r.out != nil {
		return r.out.Write(p)
	}
	if len(r.w.body)+len(p) > maxEvent {
		return 0, errTooLong
	}
	r.w.body = append(r.w.body, p...)
	return len(p), nil
}

// finish sends what is not sent yet. A reply that broke off, for a reason, ends with that.
func (r *reply) finish(ctx context.Context, broken error) error {
	if r.out != nil {
		if broken != nil {
			f := failed(kindHTTP, "the response broke off: %v", broken)
			return r.out.end(&f)
		}
		if r.bytes == 0 && r.fills() {
			if _, err := r.out.Write([]byte("\n")); err != nil {
				return err
			}
		}
		return r.out.end(nil)
	}
	if r.w.isError(r.status) {
		f := failed(kindHTTP, "%s %s was answered with status %d %s: %s", r.event.Method, r.event.URL.Path, r.status, http.StatusText(r.status), beginning(r.w.body))
		if broken != nil {
			f.message += fmt.Sprintf(" (the response broke off: %v)", broken)
		}
		return r.w.api.fail(ctx, r.inv.id, f)
	}
	if broken == nil {
		payload, err := lambdahttp.EncodeReply(r.event.Format, r.status, r.header, r.w.body)
		switch {
		case err != nil:
			broken = err
		case len(payload) > maxEvent:
			broken = errTooLong
		default:
			return r.w.api.respond(ctx, r.inv.id, payload)
		}
	}
	return r.refuse(ctx, http.StatusBadGateway, broken.Error())
}

// refuse answers with an error of the platform's own. Why goes into the log; the client is told only what errors of such a kind
// mean.
func (r *reply) refuse(ctx context.Context, status int, why string) error {
	if why != "" {
		r.w.say("request %s: %s %s is answered %d: %s", r.inv.id, r.event.Method, r.event.URL.Path, status, why)
	}
	text := edge.Explain(status)
	if why == errTooLong.Error() {
		text = "the response is too large"
	}
	page, contentType := edge.Page(r.event.Header.Get("Accept"), status, text, r.inv.id)
	header := http.Header{"Content-Type": {contentType}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}}
	if status == http.StatusMethodNotAllowed {
		header["Allow"] = []string{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
	}
	if r.event.Method == http.MethodHead {
		page = ""
	}
	r.w.body, r.bytes = append(r.w.body[:0], page...), int64(len(page))
	if r.streams {
		if err := r.begin(ctx, status, header); err != nil && r.out == nil {
			return err
		}
		if r.out != nil {
			_, err := r.out.Write(r.w.body)
			return errors.Join(err, r.out.end(nil))
		}
	}
	r.status, r.header = status, header
	payload, err := lambdahttp.EncodeReply(r.event.Format, status, header, r.w.body)
	if err != nil {
		return err
	}
	return r.w.api.respond(ctx, r.inv.id, payload)
}

// writer is a reply as handlers of net/http write to it.
type writer struct {
	*reply

	ctx     context.Context //nolint:containedctx // for the one call of ServeHTTP that it is made for
	fields  http.Header
	problem error
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.fields }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.problem = w.begin(w.ctx, status, w.fields)
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.problem != nil {
		return 0, w.problem
	}
	n, err := w.reply.Write(p)
	w.problem = err
	return n, err
}
