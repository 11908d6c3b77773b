package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// fallback takes what is marked, and answers with what it sees of both requests.
type fallback struct{}

func (fallback) Takes(r *http.Request) bool { return r.Header.Get("Authorization") != "" }

func (fallback) Serve(w http.ResponseWriter, r, clean *http.Request) {
	body, _ := io.ReadAll(clean.Body)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, "%s|%s|%s|%s|%s", r.RequestURI, r.Header.Get("X-Forwarded-For"), clean.Header.Get("X-Forwarded-For"), clean.Header.Get("Proxy"), body)
}

// TestFallback checks that it answers hosts that lead nowhere, and those alone.
func TestFallback(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "app ", r.Header.Get("Authorization")) }, func(b *bench) { b.fallback = fallback{} })
	ask := func(host, authorization string) (int, string) {
		r := b.request("POST", "/a%3Ab?c=%24d", strings.NewReader("body"))
		r.Host = host
		r.Header.Set("X-Forwarded-For", "1.2.3.4")
		r.Header.Set("Proxy", "evil")
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		response, text := b.do(t, r)
		return response.StatusCode, text
	}
	for _, host := range []string{"127.0.0.1:7070", "localhost", "[::1]:7070", "aws.localhost"} {
		if status, text := ask(host, "AWS4"); status != http.StatusAccepted || text != "/a%3Ab?c=%24d|1.2.3.4|127.0.0.1||body" {
			t.Errorf("%s: %d %s", host, status, text)
		}
		if status, _ := ask(host, ""); status != http.StatusNotFound {
			t.Errorf("%s, not marked: %d", host, status)
		}
	}
	for _, name := range []string{host, strings.ToUpper(host), host + ".:80"} {
		if status, text := ask(name, "AWS4"); status != http.StatusOK || text != "app AWS4" {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}
