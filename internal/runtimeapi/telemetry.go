package runtimeapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Telemetry is what a session needs to tell extensions of its calls: the Telemetry API, and the Logs API before it.
type Telemetry struct {
	Function, Version string
	// Dial connects to a port of the loopback of the instance's own network, once the instance runs.
	Dial func(ctx context.Context, port int) (net.Conn, error)
}

// telemetry is who wants to be told.
type telemetry struct {
	Telemetry

	began time.Time

	mu   sync.Mutex
	subs map[string]*subscriber // by the identifier of the extension
}

// Offer lets extensions subscribe to telemetry. It is called before the runtime starts, if at all.
func (s *Session) Offer(t Telemetry) {
	s.telemetry.Store(&telemetry{Telemetry: t, began: time.Now(), subs: map[string]*subscriber{}})
}

// Tell hands a record to those who subscribed to its type, such as "function" or "platform.report", at best effort: what a
// subscriber does not take in time is dropped. The record is made only if somebody wants it.
func (s *Session) Tell(kind string, at time.Time, record func() any) {
	if t := s.telemetry.Load(); t != nil {
		t.tell(kind, at, record)
	}
}

func (t *telemetry) tell(kind string, at time.Time, record func() any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var text []byte
	for _, sub := range t.subs {
		if !sub.wants(kind) {
			continue
		}
		if text == nil {
			text = encode(kind, at, record())
		}
		sub.add(text)
	}
}

func encode(kind string, at time.Time, record any) []byte {
	text, err := json.Marshal(map[string]any{"time": at.UTC().Format("2006-01-02T15:04:05.000Z"), "type": kind, "record": record})
	if err != nil { // records are text and numbers
		return nil
	}
	return text
}

// The types of records, and those that are of the platform.
const (
	platformType  = "platform"
	functionType  = "function"
	extensionType = "extension"
)

// subscription is what an extension asks for.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html
type subscription struct {
	SchemaVersion string   `json:"schemaVersion"`
	Types         []string `json:"types"`
	Buffering     struct {
		MaxItems  int `json:"maxItems"`
		MaxBytes  int `json:"maxBytes"`
		TimeoutMS int `json:"timeoutMs"`
	} `json:"buffering"`
	Destination struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
	} `json:"destination"`
}

// subscribe takes a subscription. One of the same extension before it ends.
func (s *Session) subscribe(r *request, body io.Reader) answer {
	t := s.telemetry.Load()
	if t == nil { // the instance has no network of its own: the server does not connect to ports that others may have
		return answer{status: 202, body: []byte(`{"errorType":"Telemetry.NotSupported","errorMessage":"Telemetry API is not supported"}` + "\n")}
	}
	e := s.known(r)
	if e == nil {
		return badExtension()
	}
	text, err := payload(r, body)
	var in subscription
	if err == nil {
		err = json.Unmarshal(text, &in)
	}
	var sub *subscriber
	if err == nil {
		sub, err = newSubscriber(&in, t.Dial)
	}
	if err != nil {
		return problem(400, "ValidationError", err.Error())
	}
	sub.old = r.path == logsVersion
	if !s.deliver(r.headers.extensionID, sub) {
		return problem(403, "Shutdown", "the instance is being ended")
	}
	t.introduce(sub, e.name)
	return answer{status: 200, body: []byte(`"OK"`)}
}

// deliver has a subscriber served until the session ends, and reports false if it has ended.
func (s *Session) deliver(id string, sub *subscriber) bool {
	t := s.telemetry.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.subs[id]; before != nil {
		before.cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	sub.cancel = cancel
	t.subs[id] = sub
	s.conns.Go(func() { sub.run(ctx) })
	return true
}

// end ends all deliveries. What was not sent is lost with its reader.
func (t *telemetry) end() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sub := range t.subs {
		sub.cancel()
	}
}

// introduce tells a new subscriber of what was before it.
func (t *telemetry) introduce(sub *subscriber, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(sub.types, platformType) {
		return
	}
	if !sub.old {
		sub.add(encode("platform.initStart", t.began, map[string]any{
			"initializationType": "on-demand", "phase": "init", "functionName": t.Function, "functionVersion": t.Version,
		}))
	}
	kind := map[bool]string{true: "platform.logsSubscription", false: "platform.telemetrySubscription"}[sub.old]
	sub.add(encode(kind, time.Now(), map[string]any{"name": name, "state": "Subscribed", "types": sub.types}))
}

// tellStart tells that a call is handed to the runtime.
func (s *Session) tellStart(call *Call) {
	s.Tell("platform.start", time.Now(), func() any {
		return map[string]any{
			"requestId": call.ID, "version": s.telemetry.Load().Version,
			"tracing": map[string]string{"type": "X-Amzn-Trace-Id", "value": call.TraceID},
		}
	})
}

// tellDone tells that the runtime is through with calls. The caller holds s.mu.
func (s *Session) tellDone(done []*flight) {
	now := time.Now()
	for _, f := range done {
		if f.told {
			continue
		}
		f.told = true
		s.Tell("platform.runtimeDone", now, func() any {
			status := "success"
			if f.failed {
				status = "error"
			}
			return map[string]any{
				"requestId": f.ID, "status": status,
				"metrics": map[string]float64{"durationMs": float64(now.Sub(f.handed).Microseconds()) / 1000},
			}
		})
	}
}

// destination is the port that records go to.
func destination(in *subscription) (port int, path string, err error) {
	u, err := url.Parse(in.Destination.URI)
	switch {
	case in.Destination.Protocol != "HTTP":
		return 0, "", fmt.Errorf("destination.protocol: HTTP is served, %q is not", in.Destination.Protocol)
	case err != nil || u.Scheme != "http" || u.Hostname() != "sandbox.localdomain" && u.Hostname() != "sandbox":
		return 0, "", fmt.Errorf("destination.URI: write http://sandbox.localdomain:PORT, not %q", in.Destination.URI)
	}
	port, err = strconv.Atoi(u.Port())
	if err != nil || port < 1 || port > 65535 {
		return 0, "", fmt.Errorf("destination.URI: %q has no port", in.Destination.URI)
	}
	return port, u.RequestURI(), nil
}
