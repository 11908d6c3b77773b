package shim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft/internal/edge"
	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// traceHeader has the trace of X-Ray.
const traceHeader = "X-Amzn-Trace-Id"

// maxContext is how long a request context may be to be passed on: servers refuse requests with longer fields, and claims of an
// authorizer can be that.
const maxContext = 4 << 10

// target is what a request asks for, in origin form.
func (s *settings) target(e *lambdahttp.Event) string {
	path := e.URL.EscapedPath()
	if base := strings.TrimSuffix(s.BasePath, "/"); base != "" {
		if rest, ok := strings.CutPrefix(path, base); ok && (rest == "" || rest[0] == '/') {
			path = rest
		}
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if e.URL.RawQuery != "" {
		path += "?" + e.URL.RawQuery
	}
	return path
}

// appendRequest writes the head of the request that an event stands for, as this project's gateway writes those of clients:
// what only the platform may say is dropped and said anew.
func (s *settings) appendRequest(b []byte, e *lambdahttp.Event, target string, inv *invocation) []byte {
	host := e.Host
	if host == "" {
		host = "localhost"
	}
	b = appendHead(b, e.Method, target, host)
	for name, values := range e.Header {
		if !s.forwards(name) {
			continue
		}
		for _, v := range values {
			b = appendField(b, name, v)
		}
	}
	if s.authorization != "" {
		for _, v := range e.Header[s.authorization] {
			b = appendField(b, "Authorization", v)
		}
	}
	b = appendField(b, "X-Forwarded-For", e.SourceIP)
	b = appendField(b, "X-Real-Ip", e.SourceIP)
	b = appendField(b, "X-Forwarded-Host", host)
	b = appendField(b, "X-Forwarded-Proto", proto(e))
	b = appendField(b, "X-Request-Id", inv.id)
	if trace := traceOf(e, inv); trace != "" {
		b = appendField(b, traceHeader, trace)
	}
	if len(e.Context) <= maxContext {
		b = appendField(b, "X-Amzn-Request-Context", string(e.Context))
	}
	b = appendField(b, "X-Amzn-Lambda-Context", s.lambdaContext(inv))
	if inv.tenant != "" {
		b = appendField(b, "X-Amz-Tenant-Id", inv.tenant)
	}
	if len(e.Body) > 0 || e.Method == http.MethodPost || e.Method == http.MethodPut || e.Method == http.MethodPatch {
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, int64(len(e.Body)), 10), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// forwards reports whether a field of the client's request goes to the server.
func (s *settings) forwards(name string) bool {
	if edge.HopByHop(name) || edge.Ours(name) || name == traceHeader || name == "Authorization" && s.authorization != "" {
		return false
	}
	return !strings.ContainsAny(name, "_.") || !edge.Alias(name)
}

// proto is how the client came: load balancers say it, and what else there is takes HTTPS only.
func proto(e *lambdahttp.Event) string {
	if e.Format != lambdahttp.ALB && e.Format != lambdahttp.ALBMulti {
		return "https"
	}
	if said := e.Header["X-Forwarded-Proto"]; len(said) > 0 && slices.Contains([]string{"http", "https"}, said[len(said)-1]) {
		return said[len(said)-1]
	}
	return "http"
}

// traceOf is the trace of an invocation, which continues the client's.
func traceOf(e *lambdahttp.Event, inv *invocation) string {
	if inv.trace != "" || e == nil {
		return inv.trace
	}
	return e.Header.Get(traceHeader)
}

// lambdaContext is what Lambda Web Adapter tells servers of an invocation.
func (s *settings) lambdaContext(inv *invocation) string {
	deadline, _ := strconv.ParseInt(inv.deadlineText, 10, 64)
	context := struct {
		ID       string          `json:"request_id"`
		Deadline int64           `json:"deadline"`
		ARN      string          `json:"invoked_function_arn"`
		Trace    string          `json:"xray_trace_id,omitempty"`
		Client   json.RawMessage `json:"client_context"`
		Identity json.RawMessage `json:"identity"`
		Tenant   string          `json:"tenant_id,omitempty"`
	}{inv.id, deadline, inv.arn, inv.trace, orNull(inv.clientContext), orNull(inv.cognitoIdentity), inv.tenant}
	text, err := json.Marshal(context)
	if err != nil {
		return "{}"
	}
	return string(text)
}

func orNull(text string) json.RawMessage {
	if !json.Valid([]byte(text)) {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

// appendEvent writes the head of the POST that takes an event to the server.
func (s *settings) appendEvent(b []byte, path, source string, inv *invocation) []byte {
	host := s.Host
	if host == "" {
		host = "localhost"
	}
	b = appendHead(b, http.MethodPost, path, host)
	b = appendField(b, "Content-Type", "application/json")
	b = appendField(b, "User-Agent", "aloft")
	b = appendField(b, "X-Aloft-Event-Source", source)
	b = appendField(b, "X-Request-Id", inv.id)
	if inv.trace != "" {
		b = appendField(b, traceHeader, inv.trace)
	}
	b = appendField(b, "X-Amzn-Lambda-Context", s.lambdaContext(inv))
	b = append(b, "Content-Length: "...)
	return append(strconv.AppendInt(b, int64(len(inv.payload)), 10), "\r\n\r\n"...)
}

// eventPath is where an event of a source is posted to.
func (s *settings) eventPath(source string) string {
	if s.passThrough != "" {
		return s.passThrough
	}
	base := s.EventPath
	if base == "" {
		base = "/events"
	}
	if source == "" {
		return base
	}
	return base + "/" + url.PathEscape(source)
}
