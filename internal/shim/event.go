package shim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// event answers an event that is no request: the server's answer with a status from 200 to 299 is the function's, any other is
// an error of the function. So it is on this project's local platform.
func (w *worker) event(ctx context.Context, inv *invocation, began time.Time) error {
	source := w.source(inv.payload)
	path := w.eventPath(source)
	api := context.WithoutCancel(ctx)
	status, body, err := w.post(ctx, inv, path, source)
	w.logRequest(logged{
		Type: "event", Method: http.MethodPost, Path: path, Source: source, Status: status, Bytes: int64(len(body)), ID: inv.id, Trace: inv.trace,
	}, began)
	switch {
	case err == nil || w.child == nil:
	case ctx.Err() == nil:
		w.child.notice(ctx, noticeTime)
	default:
		w.overdue(ctx)
	}
	var f failure
	switch {
	case err != nil && statusOf(ctx, err) == http.StatusGatewayTimeout:
		f = failed(kindTimeout, "POST %s was not answered in time: %v", path, err)
	case err != nil:
		f = failed(kindHTTP, "POST %s was not answered: %v", path, err)
	case status < 200 || status > 299:
		f = failed(kindHTTP, "POST %s was answered with status %d %s: %s", path, status, http.StatusText(status), beginning(body))
	case json.Valid(body):
		return w.api.respond(api, inv.id, body)
	default: // acknowledged in words
		return w.api.respond(api, inv.id, []byte("null"))
	}
	w.say("request %s: %s", inv.id, f.message)
	return w.api.fail(api, inv.id, f)
}

func (w *worker) post(ctx context.Context, inv *invocation, path, source string) (status int, body []byte, err error) {
	if w.child == nil {
		return 0, nil, errors.New("there is no server, only files")
	}
	w.head = w.appendEvent(w.head[:0], path, source, inv)
	x := &exchange{link: &w.link, method: http.MethodPost, head: w.head, body: inv.payload}
	whole := false
	defer func() { w.release(x, whole) }()
	response, err := w.forward(ctx, x)
	if err != nil {
		return 0, nil, err
	}
	w.body, err = appendAll(w.body, response.body, maxEvent)
	w.link.rest()
	whole = err == nil && len(w.body) <= maxEvent
	if err == nil && len(w.body) > maxEvent {
		err = fmt.Errorf("the answer is longer than %d bytes", maxEvent)
	}
	return response.status, w.body, err
}
