package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/quic-go/quic-go/http3"

	"github.com/aloft-run/aloft/internal/gateway"
)

// TestTLS: certificates of our own authority for hosts of the table only, HTTP/1.1 and HTTP/2 and HTTP/3, and nothing
// written outside the directory.
func TestTLS(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	var log strings.Builder
	g, config := begin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/socket" {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				_ = c.Write(context.Background(), websocket.MessageText, []byte("over TLS"))
				_ = c.Close(websocket.StatusNormalClosure, "")
			}
			return
		}
		fmt.Fprintf(w, "%s %s", r.Header.Get("X-Forwarded-Proto"), r.Host)
	}, func(c *gateway.Config) {
		c.HTTP, c.HTTPS = "", "127.0.0.1:0"
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	pool := rootOf(t, config.Dir)
	for _, tt := range []struct {
		sni  string
		good bool
	}{{host, true}, {strings.ToUpper(host), true}, {"other.localhost", false}, {"example.com", false}, {"", false}, {"sub." + host, false}} {
		c, err := tls.Dial("tcp", g.HTTPSAddr(), &tls.Config{ServerName: tt.sni, RootCAs: pool, InsecureSkipVerify: tt.sni == ""})
		if (err == nil) != tt.good {
			t.Errorf("SNI %q: %v", tt.sni, err)
		}
		if err == nil {
			c.Close()
		}
	}
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"} {
		res, body := overTLS(t, g, pool, proto)
		if res.Proto != proto || body != "https "+host || len(res.Header.Get("X-Request-Id")) != 32 {
			t.Errorf("%s: %s %q %v", proto, res.Proto, body, res.Header)
		}
		if proto != "HTTP/3.0" && !strings.Contains(res.Header.Get("Alt-Svc"), "h3=") {
			t.Errorf("%s: Alt-Svc %q", proto, res.Header.Get("Alt-Svc"))
		}
	}
	c, err := tls.Dial("tcp", g.HTTPSAddr(), &tls.Config{ServerName: host, RootCAs: pool, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")
	if all, _ := io.ReadAll(c); !strings.HasPrefix(string(all), "HTTP/1.1 400 ") {
		t.Errorf("CL and TE over TLS: %.80q", all)
	}
	ws, _, err := websocket.Dial(t.Context(), "https://"+g.HTTPSAddr()+"/socket", &websocket.DialOptions{
		Host: host, HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: host}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, text, err := ws.Read(t.Context()); err != nil || string(text) != "over TLS" {
		t.Errorf("WebSocket: %q %v", text, err)
	}
	if got := raw(t, g.HTTPSAddr(), "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("plain HTTP to the TLS port: %q", got)
	}
	filepath.WalkDir(home, func(path string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			t.Errorf("written outside the directory: %s", path)
		}
		return nil
	})
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("log:\n%s", log.String())
	}
}

// rootOf reads our authority's root certificate.
func rootOf(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(dir, "pki/authorities/local/root.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	return pool
}

func overTLS(t *testing.T, g *gateway.Gateway, pool *x509.CertPool, proto string) (*http.Response, string) {
	t.Helper()
	config := &tls.Config{RootCAs: pool, ServerName: host}
	var rt http.RoundTripper
	if proto == "HTTP/3.0" {
		h3 := &http3.Transport{TLSClientConfig: config}
		defer h3.Close()
		rt = h3
	} else {
		tr := &http.Transport{TLSClientConfig: config, Protocols: new(http.Protocols)}
		tr.Protocols.SetHTTP1(proto == "HTTP/1.1")
		tr.Protocols.SetHTTP2(proto == "HTTP/2.0")
		defer tr.CloseIdleConnections()
		rt = tr
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+g.HTTPSAddr()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	res, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s: %v", proto, err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res, string(body)
}
