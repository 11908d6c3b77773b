package runtimeapi

import (
	"encoding/json"
	"io"
	"strings"
)

const (
	runtimeVersion   = "/2018-06-01"
	extensionVersion = "/2020-01-01/extension"
	logsVersion      = "/2020-08-15/logs"
	telemetryVersion = "/2022-07-01/telemetry"
)

// accepted is the answer to what was taken.
func accepted() answer { return answer{status: 202, body: []byte(`{"status":"OK"}` + "\n")} }

// problem is an error in AWS's shape.
func problem(status int, kind, message string) answer {
	body, err := json.Marshal(map[string]string{"errorMessage": message, "errorType": kind})
	if err != nil { // text always can be written
		body = []byte("{}")
	}
	return answer{status: status, body: body}
}

// route does what a request asks for.
func (s *Session) route(r *request, body io.Reader) answer {
	if rest, ok := strings.CutPrefix(r.path, runtimeVersion); ok {
		return s.runtime(r, rest, body)
	}
	if rest, ok := strings.CutPrefix(r.path, extensionVersion); ok {
		return s.extension(r, rest, body)
	}
	switch r.method + " " + r.path {
	case "PUT " + logsVersion, "PUT " + telemetryVersion:
		return s.subscribe(r, body)
	}
	return unknown(r)
}

func unknown(r *request) answer {
	return problem(404, "NotFound", "there is no "+r.method+" "+r.path)
}

// runtime does what a runtime asks for.
func (s *Session) runtime(r *request, path string, body io.Reader) answer {
	switch {
	case r.method == "GET" && path == "/runtime/invocation/next":
		return s.next()
	case r.method == "POST" && path == "/runtime/init/error":
		return s.initError(r, body)
	case r.method == "GET" && path == "/ping":
		return answer{status: 200, body: []byte(`"pong"`)}
	case r.method == "GET" && path == "/runtime/restore/next": // there are no snapshots: everything is new already
		return answer{status: 200}
	}
	id, what, ok := strings.Cut(strings.TrimPrefix(path, "/runtime/invocation/"), "/")
	switch {
	case !ok || !strings.HasPrefix(path, "/runtime/invocation/"):
	case r.method == "POST" && what == "response":
		return s.response(r, id, body)
	case r.method == "POST" && what == "error":
		return s.callError(r, id, body)
	}
	return unknown(r)
}
