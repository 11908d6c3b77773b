// Package conformancetest is one suite for all platforms: a web server, as it is, must see the same requests and events, and clients
// the same answers, wherever it runs. The caller deploys the app of package app and says how to reach it.
package conformancetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Platform is where the app runs.
type Platform struct {
	URL  string // where requests go
	Host string // the Host that they name

	// Deliver sees to it that messages of the queue jobs reach the app, again those at which it fails.
	Deliver func(ctx context.Context, messages ...string) error

	Trace string // X-Amzn-Trace-Id that the app is told, whatever the client says; "": the client's

	Decodes    bool // paths: "%2F" reaches the app as "/", as through HTTP APIs
	OneValue   bool // of repeated fields and keys, the last, as through load balancers by default
	Streams    bool // responses as they come
	Fills      bool // empty responses with a newline, as through function URLs that stream: AWS holds empty ones back
	MaxReply   int  // bytes of the longest response; 0: no bound
	MaxRequest int  // bytes of the longest request; 0: no bound
}

// Write puts the app into a directory: the program, data.txt and an aloft.yml.
func Write(t *testing.T, dir string) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(dir, "server"), ".")
	cmd.Dir = filepath.Join(filepath.Dir(file), "app")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the app: %v\n%s", err, out)
	}
	for name, text := range map[string]string{"data.txt": "data beside the program", "Procfile": "web: ./server\n", "aloft.yml": manifest} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const manifest = `name: same
functions:
  web:
    events: queue:jobs?batch=10
    timeout: 3s
resources:
  jobs: {type: queue, visibility: 1s}
aws: {endpoint: function-url}
`

// Run runs the suite.
func Run(t *testing.T, p Platform) {
	t.Helper()
	s := &suite{Platform: p, client: &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	defer s.client.CloseIdleConnections()
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"methods", s.methods},
		{"paths", s.paths},
		{"queries", s.queries},
		{"fields", s.fields},
		{"spoofing", s.spoofing},
		{"cookies", s.cookies},
		{"statuses", s.statuses},
		{"binary", s.binary},
		{"large", s.large},
		{"stream", s.stream},
		{"environment", s.environment},
		{"broken", s.broken},
		{"timeout", s.timeout},
		{"crash", s.crash},
		{"events", s.events},
	} {
		t.Run(c.name, c.run)
	}
}

type suite struct {
	Platform

	client *http.Client
}

// answer is a response, read.
type answer struct {
	*http.Response

	body []byte
}

// request is what the app was asked; the app's Request.
type request struct {
	Method, Path, Query, Host string
	Header                    http.Header
	Length                    int
	SHA256                    string
}

// try sends a request; header are names and values.
func (s *suite) try(t *testing.T, method, target string, body []byte, header ...string) (*answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	for i := 0; i < len(header); i += 2 {
		r.Header[http.CanonicalHeaderKey(header[i])] = append(r.Header[http.CanonicalHeaderKey(header[i])], header[i+1])
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	return &answer{response, read}, err
}

func (s *suite) do(t *testing.T, method, target string, body []byte, header ...string) *answer {
	t.Helper()
	a, err := s.try(t, method, target, body, header...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

// echo returns what the app was asked.
func (s *suite) echo(t *testing.T, method, target string, body []byte, header ...string) request {
	t.Helper()
	a := s.do(t, method, target, body, header...)
	var seen request
	if err := json.Unmarshal(a.body, &seen); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%s %s is answered %s %.200q", method, target, a.Status, a.body)
	}
	return seen
}

// eventually waits until ask says so.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ask(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not happen that %s", what)
		}
	}
}

// values joins what a field has, as one value, in which spaces after commas may come and go on the way.
func values(h http.Header, name string) string {
	return strings.ReplaceAll(strings.Join(h.Values(name), ","), ", ", ",")
}
