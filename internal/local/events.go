package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/function"
	"github.com/aloft-run/aloft/internal/lambdahttp"
	"github.com/aloft-run/aloft/internal/lineage"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/runtimeapi"
)

var _ route.Events = (*events)(nil)

// events answers requests by events for handler functions.
type events struct{ mux *http.ServeMux }

// Takes implements route.Events.
func (e *events) Takes(r *http.Request) (function string, ok bool) {
	handler, pattern := e.mux.Handler(r)
	if h, ours := handler.(*eventHandler); ours {
		function = h.function.Name
	}
	return function, pattern != ""
}

// ServeHTTP implements route.Events.
func (e *events) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.mux.ServeHTTP(w, r) }

// events leads requests to the handler functions of a stage's release; nil if it has none. The caller holds s.mu.
func (p *Platform) events(s *stage, release aloft.Release) route.Events {
	var all *events
	for _, f := range release.Tuned() {
		if f.Kind != aloft.Handler {
			continue
		}
		if all == nil {
			all = &events{http.NewServeMux()}
		}
		h := eventHandler{platform: p, stage: s, release: release.Version, function: f, gate: s.handlerGate(f.Name)}
		for _, pattern := range f.Patterns() { // which do not contradict each other: that was looked at before the release
			at := h
			at.pattern = pattern
			all.mux.Handle(pattern, &at)
		}
	}
	if all == nil {
		return nil
	}
	return all
}

// eventHandler answers requests of one route.
type eventHandler struct {
	platform *Platform
	stage    *stage
	release  int
	function aloft.Function
	pattern  string
	gate     *function.Gate
	url      *FunctionURL // nil for routes
}

// Bodies of requests are events as a whole. Those up to smallBody count for nothing; of larger ones allBodies may be in memory.
const (
	smallBody = 64 << 10
	allBodies = 256 << 20
	roomTime  = 10 * time.Second // for there to be room
)

// room waits until there is room for the request's body. It returns false if there is none for a while.
func (h *eventHandler) room(r *http.Request) (leave func(), ok bool) {
	size := r.ContentLength
	if size < 0 || size > lambdahttp.MaxPayload {
		size = lambdahttp.MaxPayload
	}
	if size <= smallBody {
		return func() {}, true
	}
	ctx, cancel := context.WithTimeout(r.Context(), roomTime)
	defer cancel()
	if err := h.platform.bodies.Acquire(ctx, size); err != nil {
		return nil, false
	}
	return func() { h.platform.bodies.Release(size) }, true
}

// ServeHTTP makes an event of the request and a response of the answer.
func (h *eventHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := aloft.NewID()
	w.Header().Set("X-Amzn-Requestid", id)
	leave, ok := h.room(r)
	if !ok {
		answer(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	defer leave()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, lambdahttp.MaxPayload))
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		answer(w, status, http.StatusText(status))
		return
	}
	format, err := lambdahttp.ParseFormat(h.function.Format)
	var event []byte
	if err == nil {
		event, err = lambdahttp.Encode(format, r, body, h.meta(id, r))
	}
	if err != nil {
		h.say("request %s: %v", id, err)
		answer(w, http.StatusBadRequest, "the request cannot be made an event")
		return
	}
	h.invoke(w, r, format, newCall(h.stage.ref.NameOf(h.function), id, lineage.Step("", h.stage.ref, h.function.Name), event))
}

// meta is what the event says besides the request.
func (h *eventHandler) meta(id string, r *http.Request) *lambdahttp.Meta {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	m := &lambdahttp.Meta{RequestID: id, SourceIP: client, Time: time.Now(), AccountID: homeAccount, RouteKey: "$default", Resource: "/{proxy+}"}
	if h.url != nil {
		h.url.fill(m)
	}
	if method, path, ok := strings.Cut(h.pattern, " "); ok && len(h.function.Routes) > 0 {
		m.RouteKey, m.Resource = method+" "+path, path
	}
	for _, name := range wildcards(h.pattern) {
		if m.PathParameters == nil {
			m.PathParameters = map[string]string{}
		}
		m.PathParameters[name] = r.PathValue(name)
	}
	return m
}

// wildcards are the names in a pattern: id and rest in "GET /items/{id}/{rest...}".
func wildcards(pattern string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(pattern, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return names
		}
		if name = strings.TrimSuffix(name, "..."); name != "$" {
			names = append(names, name)
		}
		pattern = after
	}
}

// target finds where a request goes.
func (h *eventHandler) target(ctx context.Context) (target, error) {
	if h.url != nil {
		return h.platform.target(ctx, h.stage.ref, h.function.Name, h.url.Qualifier)
	}
	return h.platform.reserve(ctx, h.stage.ref, h.function.Name, func() (target, error) {
		return h.platform.share(ctx, h.stage, h.function.Name, target{h.gate, h.release, func() {}})
	})
}

func (h *eventHandler) invoke(w http.ResponseWriter, r *http.Request, format lambdahttp.Format, call *runtimeapi.Call) {
	to, err := h.target(r.Context())
	if err != nil {
		h.refuse(w, call.ID, err)
		return
	}
	defer to.leave()
	watch := function.NewWatch(false)
	reply, err := to.gate.Watch(r.Context(), call, watch)
	if err == nil {
		h.record(r.Context(), call, reply, watch.Release())
	}
	if u, ok := errors.AsType[*route.Unavailable](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int((u.RetryAfter+time.Second-1)/time.Second))))
		answer(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	switch {
	case err != nil: // the client left
		answer(w, http.StatusServiceUnavailable, "Service Unavailable")
	case reply.Failure != nil && reply.Failure.Type == function.TimedOut:
		answer(w, http.StatusGatewayTimeout, "Endpoint request timed out")
	case reply.Failure != nil:
		answer(w, http.StatusBadGateway, "Internal Server Error")
	case reply.Stream != nil:
		h.stream(w, r, reply)
	default:
		decoded, err := lambdahttp.DecodeReply(format, r.Method, reply.Payload)
		if err != nil {
			h.say("request %s: %v", call.ID, err)
			answer(w, http.StatusBadGateway, "Internal Server Error")
			return
		}
		h.head(w, decoded.Header)
		send(w, decoded)
	}
}

// refuse answers a request that is not brought to the function. Function URLs say so if it has enough to do, API Gateway does not.
func (h *eventHandler) refuse(w http.ResponseWriter, id string, err error) {
	if _, throttled := errors.AsType[*aloft.Throttled](err); throttled {
		w.Header().Set("Retry-After", "1")
		if h.url != nil {
			answer(w, http.StatusTooManyRequests, "Rate Exceeded.")
			return
		}
	} else {
		h.say("request %s: %v", id, err)
	}
	answer(w, http.StatusServiceUnavailable, "Service Unavailable")
}

// record keeps the event if that is wanted; a streamed reply it does not keep.
func (h *eventHandler) record(ctx context.Context, call *runtimeapi.Call, reply *runtimeapi.Reply, release int) {
	r := aloft.Recording{Function: h.function.Name, Release: release, Event: call.Payload, Reply: reply.Payload}
	if reply.Failure != nil {
		r.Reply, r.FunctionError = reply.Failure.Payload, kindOf(reply.Failure)
	}
	h.platform.keep(ctx, h.stage.ref, r)
}

// say writes a line about the function to the stage's log.
func (h *eventHandler) say(format string, args ...any) {
	h.platform.Logs.Append(h.stage.ref, aloft.LogLine{Time: time.Now(), Release: h.release, Function: h.function.Name, Stream: "aloft", Text: fmt.Sprintf(format, args...)})
}

// newCall is a call of a function, by its name as Lambda has it, with the trace that it has then.
func newCall(name, id, trace string, event []byte) *runtimeapi.Call {
	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", homeRegion, homeAccount, name)
	return &runtimeapi.Call{ID: id, Payload: event, TraceID: trace, ARN: arn}
}
