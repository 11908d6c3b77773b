package shim

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/lambdahttp"
)

// TestOneRequest: no text that reaches a request's head makes two lines of one.
func TestOneRequest(t *testing.T) {
	const evil = "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nHost: b\x00\x7f"
	s := &settings{Spec: Spec{Host: evil}}
	inv := &invocation{id: evil, arn: evil, trace: evil, tenant: evil, clientContext: evil, payload: []byte("{}")}
	e, err := lambdahttp.DecodeEvent([]byte(`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET","sourceIp":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	e.Host, e.SourceIP, e.Context, e.Header = evil, evil, []byte(evil), http.Header{"X-Some": {evil}}
	for name, head := range map[string][]byte{
		"request": s.appendRequest(nil, e, "/"+evil, inv), "event": append(s.appendEvent(nil, "/"+evil, evil, inv), inv.payload...),
	} {
		lines := bytes.Count(head, []byte("\n"))
		for line := range strings.Lines(string(head)) {
			if strings.HasPrefix(line, "X-Evil") || strings.HasPrefix(line, "GET /evil") {
				t.Errorf("%s: a line is %q", name, line)
			}
		}
		if cr := bytes.Count(head, []byte("\r")); cr != lines || bytes.Count(head, []byte("\r\n\r\n")) != 1 {
			t.Errorf("%s: %d carriage returns, %d lines: %q", name, cr, lines, head)
		}
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.appendRequest(nil, e, "/", inv))))
	if err != nil || r.Header.Get("X-Evil") != "" || r.Host != strings.NewReplacer("\r", "", "\n", "", "\x00", "", "\x7f", "").Replace(evil) {
		t.Errorf("the request is %+v, %v", r, err)
	}
}
