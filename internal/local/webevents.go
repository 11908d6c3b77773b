package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/runtimeapi"
	"github.com/aloft-run/aloft/internal/upstream"
)

// webTimeout is how long a web function may work on an event if it has no timeout: as long as Lambda lets any function.
const webTimeout = 15 * time.Minute

// maxEventHead bounds the response head of an answer to an event, in bytes.
const maxEventHead = 64 << 10

// webEvent is an event for a web function: a POST.
type webEvent struct {
	input   aloft.InvokeInput
	gate    *function.Gate
	release int
	host    string
	at      string // URL path
	limit   time.Duration
}

// webEvent returns nil unless an input is an event of a source for a web function.
func (p *Platform) webEvent(input aloft.InvokeInput) *webEvent {
	if input.Source == "" {
		return nil
	}
	s := p.known(input.Stage)
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.release.Tuned()
	i := slices.IndexFunc(all, func(f aloft.Function) bool { return f.Name == input.Function && f.EventsAt() != "" })
	if i < 0 {
		return nil
	}
	e := &webEvent{input: input, gate: s.gate, release: s.release.Version, at: all[i].EventsAt() + "/" + url.PathEscape(input.Source)}
	e.limit = all[i].Timeout.Or(webTimeout)
	e.host = p.Hosts(s.info.Clone())[0]
	return e
}

// invoke posts the event to an instance. Its answer with a status from 200 to 299 is the function's; any other is an error of
// the function.
func (e *webEvent) invoke(ctx context.Context) (aloft.Invoked, error) {
	up, err := e.gate.Acquire(ctx)
	if err != nil {
		return aloft.Invoked{}, takesNone(e.input.Function, err)
	}
	defer up.End()
	began := time.Now()
	// As with handlers the function is not told who waits: the call goes on when ctx ends.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.limit)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-up.Cutting():
			cancel()
		case <-stop:
		}
	}()
	invoked := aloft.Invoked{RequestID: e.input.RequestID, Release: e.release}
	status, body, err := e.post(ctx, up)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		up.TimedOut(began)
		invoked.FunctionError, invoked.Payload = failure(function.TimedOut, "POST %s was not answered within %s", e.at, e.limit)
	case err != nil:
		invoked.FunctionError, invoked.Payload = failure("HTTPError", "POST %s was not answered: %v", e.at, err)
	case status < 200 || status > 299:
		up.Answered()
		invoked.FunctionError, invoked.Payload = failure("HTTPError", "POST %s was answered with status %d %s: %s", e.at, status, http.StatusText(status), beginning(body))
	case json.Valid(body):
		up.Answered()
		invoked.Payload = body
	default: // acknowledged in words
		up.Answered()
		invoked.Payload = []byte("null")
	}
	invoked.Elapsed = time.Since(began)
	return invoked, nil
}

// post sends the event on a connection of its own.
func (e *webEvent) post(ctx context.Context, up *upstream.Upstream) (status int, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.host+e.at, bytes.NewReader(e.input.Payload))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "aloft")
	r.Header.Set("X-Aloft-Event-Source", e.input.Source)
	r.Header.Set("X-Request-Id", e.input.RequestID)
	r.Header.Set(lineage.Header, lineage.Step(e.input.Trace, e.input.Stage, e.input.Function))
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return up.Dial(ctx) },
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxEventHead,
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, runtimeapi.MaxPayload+1))
	if err == nil && len(body) > runtimeapi.MaxPayload {
		err = fmt.Errorf("the answer is longer than %d bytes", runtimeapi.MaxPayload)
	}
	return response.StatusCode, body, err
}

// failure is an error of a function as runtimes tell it.
func failure(kind, format string, args ...any) (string, []byte) {
	text, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": fmt.Sprintf(format, args...)})
	if err != nil {
		text = nil // texts can be written
	}
	return kind, text
}

// beginning is what fits into a message of an answer.
func beginning(body []byte) string {
	const most = 256
	return strings.ToValidUTF8(strings.TrimSpace(string(body[:min(len(body), most)])), "")
}
