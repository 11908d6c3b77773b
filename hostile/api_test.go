package hostile_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/api"
)

// TestAPIGarbage feeds the API what no client of ours sends, over the real socket. Each is refused in the API's words, and
// the server neither grows nor changes anything.
func TestAPIGarbage(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Serve(t)
	s.Up(t, s.dir)
	before := s.memory(t, "VmRSS")
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return api.Dial(ctx, filepath.Join(s.Home, api.SocketName))
		},
	}}
	defer client.CloseIdleConnections()
	const stage = "/v1/apps/shop/stages/production"
	for name, c := range map[string]struct {
		method, path string
		body         io.Reader
	}{
		"cut off":      {"PATCH", stage + "/config", strings.NewReader(`{"set":{"A":"canary"`)},
		"wrong type":   {"PATCH", stage + "/config", strings.NewReader(`{"set":["canary"]}`)},
		"deep":         {"POST", stage + "/deploys", strings.NewReader(strings.Repeat("[", 3<<20))},
		"deep objects": {"PATCH", stage + "/config", strings.NewReader(strings.Repeat(`{"set":`, 400<<10))},
		"huge":         {"PATCH", stage + "/config", io.LimitReader(zeros{}, 1<<30)},
		"huge number":  {"POST", stage + "/rollbacks", strings.NewReader(`{"version":1e999}`)},
		"not UTF-8":    {"PATCH", stage + "/config", strings.NewReader("{\"set\":{\"A\xff\":\"\xff\"}}")},
		"null":         {"POST", stage + "/deploys", strings.NewReader("null")},
		"no directory": {"POST", stage + "/deploys", strings.NewReader(`{"dir":"etc"}`)},
		"a path":       {"GET", "/v1/apps/..%2f..%2fetc/stages/production/releases", http.NoBody},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, "http://aloft"+c.path, c.body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		res, err := client.Do(request)
		if err != nil {
			// A server may close the connection on someone who goes on sending.
			if name != "huge" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		_ = res.Body.Close()
		refused := res.StatusCode >= 400 && res.StatusCode < 500 || bytes.Contains(text, []byte(`"type":"error"`))
		if err != nil || !refused || len(text) > 1000 || bytes.Contains(text, []byte("canary")) {
			t.Errorf("%s: %s with %d bytes, %v: %.300s", name, res.Status, len(text), err, text)
		}
	}
	if grown := s.memory(t, "VmHWM") - before; grown > 150<<20 {
		t.Errorf("the server grew by %d MB", grown>>20)
	}
	out, errs, err := s.Run(s.dir, "releases", "--stage", "production")
	if err != nil || strings.Contains(out, "v2") || strings.Contains(s.Log(), "panic") {
		t.Errorf("afterwards: %v\n%s%s\n%s", err, out, errs, s.Log())
	}
	if info, err := os.Stat(filepath.Join(s.Home, api.SocketName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	if info, err := os.Stat(s.Home); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the home is %v, %v", info, err)
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
