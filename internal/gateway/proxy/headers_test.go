package proxy_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/route"
)

// echo answers with the request as the app saw it, one field per line, sorted.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s\n", r.Method, r.RequestURI, r.Host)
	for _, k := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[k] {
			fmt.Fprintf(w, "%s: %s\n", k, v)
		}
	}
}

// TestIdentity is HARDENING.md B3 36-39 and 44: a client cannot pose as somebody else or take from the app what we tell it.
func TestIdentity(t *testing.T) {
	b := app(t, echo)
	spoofs := []string{
		"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP",
		"Forwarded", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "X-Client-IP", "X-Cluster-Client-IP",
		"X-Original-URL", "X-Rewrite-URL", "Proxy", "Lambda-Runtime-Aws-Request-Id", "Lambda-Runtime-Deadline-Ms",
		"Remote-User", "X_Forwarded_For", "X.Forwarded.For", "x_real_ip", "Remote_User", "Remote.User", "True_Client_IP",
		"X-Request-Id", "X_Request_Id", "Content_Length", "Transfer_Encoding",
	}
	var head strings.Builder
	for _, name := range spoofs {
		fmt.Fprintf(&head, "%s: spoofed\r\n", name)
	}
	got := b.raw(t, "GET / HTTP/1.1\r\nHost: "+host+"\r\nmy_own.header: kept\r\n"+
		"Connection: close, X-Forwarded-For, X-Real-Ip, X-Request-Id, X-Secret\r\nX-Secret: dropped\r\n"+head.String()+"\r\n")
	if strings.Contains(strings.ToLower(got), "spoofed") || strings.Contains(got, "dropped") {
		t.Errorf("a field of the client went through:\n%s", got)
	}
	for _, want := range []string{
		"X-Forwarded-For: 127.0.0.1\n", "X-Real-Ip: 127.0.0.1\n", "X-Forwarded-Proto: http\n", "X-Forwarded-Host: " + host + "\n",
		"X-Request-Id: ", "My_own.header: kept\n",
	} {
		if !strings.Contains(got, want) && !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

// TestHopByHop is HARDENING.md B3 43: what concerns one connection stays on it, and only WebSocket may take one over.
func TestHopByHop(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "X-Internal")
		w.Header().Set("X-Internal", "1")
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.Header().Set("X-Kept", "1")
		echo(w, r)
	})
	got := b.raw(t, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"+
		"Keep-Alive: 5\r\nProxy-Authorization: Basic eA==\r\nTE: trailers, gzip\r\n\r\n")
	for _, gone := range []string{"h2c", "Settings", "Keep-Alive", "Proxy-Auth", "gzip", "X-Internal"} {
		if strings.Contains(got, gone) {
			t.Errorf("%q went through:\n%s", gone, got)
		}
	}
	if !strings.Contains(got, "Te: trailers") || !strings.Contains(got, "X-Kept: 1") {
		t.Errorf("something is missing:\n%s", got)
	}
}

func TestHosts(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "host "+r.Host) })
	for h, want := range map[string]int{
		host: 200, "APP.Localhost": 200, host + ":7070": 200, host + ".": 200, host + ".:80": 200,
		"other.localhost": 404, "localhost": 404, "[::1]:80": 404, "app.localhost:80x": 400, "": 400, "a b": 400,
	} {
		got := b.raw(t, "GET / HTTP/1.1\r\nConnection: close\r\nHost: "+h+"\r\n\r\n")
		if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", want)) {
			t.Errorf("host %q: want %d, got %.60q", h, want, got)
		}
		if want == 200 && !strings.HasSuffix(got, "host "+h) {
			t.Errorf("the app did not see host %q: %q", h, got)
		}
	}
}

func TestMethods(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Method) })
	for method, want := range map[string]int{
		"CONNECT": 405, "TRACE": 405, "OPTIONS": 200, "PROPFIND": 200, "PURGE": 200, "DELETE": 200,
	} {
		target := "/"
		if method == "CONNECT" {
			target = host + ":80"
		}
		got := b.raw(t, method+" "+target+" HTTP/1.1\r\nConnection: close\r\nHost: "+host+"\r\n\r\n")
		if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", want)) {
			t.Errorf("%s: want %d, got %.60q", method, want, got)
		}
	}
}

// TestHTTP2Bytes makes requests that only HTTP/2 can carry: bytes that would change the meaning of an HTTP/1.1 head.
func TestHTTP2Bytes(t *testing.T) {
	b := app(t, echo)
	h := proxy.New(proxy.Config{Table: b.table})
	for _, tt := range []struct {
		method, host, uri string
		want              int
		line              string
	}{
		{"GET /admin HTTP/1.1", host, "/", 400, ""},
		{"GET", host + " evil", "/", 400, ""},
		{"GET", host + ":80\tx", "/", 400, ""},
		{"GET", host, "/a b?c d", 200, "GET /a%20b?c%20d " + host},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Method, r.Host, r.RequestURI, r.Proto, r.ProtoMajor, r.ProtoMinor = tt.method, tt.host, tt.uri, "HTTP/2.0", 2, 0
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		line, _, _ := strings.Cut(rec.Body.String(), "\n")
		if rec.Code != tt.want || tt.line != "" && line != tt.line {
			t.Errorf("%q %q %q: %d %q, want %d %q", tt.method, tt.host, tt.uri, rec.Code, line, tt.want, tt.line)
		}
	}
}

func TestErrorPages(t *testing.T) {
	b := start(t, says(t, ""))
	for accept, want := range map[string]string{
		"":                                 "text/plain; charset=utf-8",
		"*/*":                              "text/plain; charset=utf-8",
		"text/html,application/json;q=0.9": "text/html; charset=utf-8",
		"application/json, text/html":      "application/json",
		"application/problem+json":         "application/json",
	} {
		req := b.request("GET", "/", nil)
		req.Header.Set("Accept", accept)
		res, body := b.do(t, req)
		id := res.Header.Get("X-Request-Id")
		if res.StatusCode != http.StatusBadGateway || res.Header.Get("Content-Type") != want || len(id) != 32 || !strings.Contains(body, id) {
			t.Errorf("Accept %q: %d %v %q", accept, res.StatusCode, res.Header, body)
		}
	}
}

// files has every path but those that end in "none".
type files struct{ http.Handler }

func (files) Has(path string) bool { return !strings.HasSuffix(path, "none") }

func TestStatic(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "app") })
	r := *b.table.Lookup(host)
	r.Prefix = "/static/"
	r.Static = files{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "file") })}
	b.table.Put(&r)
	for path, want := range map[string]string{"/static/a": "file", "/static": "file", "/statics": "app", "/": "app", "/static/../x": "file", "/static/none": "app"} {
		if _, got := b.do(t, b.request("GET", path, nil)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if res, got := b.do(t, b.request("POST", "/static/a", strings.NewReader("x"))); got != "app" {
		t.Errorf("POST of a file's path: %d %q", res.StatusCode, got)
	}
	none := route.Route{Stage: r.Stage, Hosts: r.Hosts, Static: r.Static, Prefix: "/only"}
	b.table.Put(&none)
	if res, _ := b.do(t, b.request("GET", "/", nil)); res.StatusCode != http.StatusNotFound {
		t.Errorf("beside the files: %d", res.StatusCode)
	}
}
