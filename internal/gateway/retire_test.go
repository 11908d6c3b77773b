package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway"
)

// twin is a listener of the same socket, as another process gets it.
func twin(t *testing.T, l *net.TCPListener) *net.TCPListener {
	t.Helper()
	if l == nil {
		return nil
	}
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	again, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	return again.(*net.TCPListener)
}

// TestTheNextGatewayTakesOver: a gateway that retires answers what comes on connections that it has and says that they end;
// connections made meanwhile wait for the next gateway. No request is lost, over TLS neither.
func TestTheNextGatewayTakesOver(t *testing.T) {
	asked, slow := make(chan struct{}), make(chan struct{})
	g, config := begin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-slow
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.Method, len(body))
	}, func(c *gateway.Config) { c.HTTPS = "127.0.0.1:0" })
	old := g.Listeners()
	next := gateway.Listeners{HTTP: twin(t, old.HTTP), HTTPS: twin(t, old.HTTPS)}
	const post = "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 3\r\n\r\nabc"
	dial := func(secure bool) (net.Conn, *bufio.Reader) {
		t.Helper()
		c, err := net.Dial("tcp", g.HTTPAddr())
		if secure {
			c, err = tls.Dial("tcp", g.HTTPSAddr(), &tls.Config{ServerName: host, RootCAs: rootOf(t, config.Dir), NextProtos: []string{"http/1.1"}})
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		return c, bufio.NewReader(c)
	}
	answer := func(r *bufio.Reader, last bool) {
		t.Helper()
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || !strings.HasSuffix(string(body), "POST 3") || res.Close != last {
			t.Errorf("%q, %v, the last: %v, want %v", body, err, res.Close, last)
		}
	}
	var kept [3]net.Conn
	var readers [3]*bufio.Reader
	for i := range kept {
		kept[i], readers[i] = dial(i == 1)
		io.WriteString(kept[i], post)
		answer(readers[i], false)
	}
	io.WriteString(kept[2], strings.Replace(post, " / ", " /slow ", 1))
	<-asked
	retired := make(chan struct{})
	go func() { g.StopPackets(t.Context()); g.Retire(t.Context()); close(retired) }()
	for deadline := time.Now().Add(10 * time.Second); !gateway.Retiring(g); {
		if time.Now().After(deadline) {
			t.Fatal("it does not retire")
		}
	}
	waiting, reader := dial(false) // nobody takes it yet
	io.WriteString(waiting, post)
	for i := range 2 {
		io.WriteString(kept[i], post)
		answer(readers[i], true)
	}
	close(slow)
	answer(readers[2], false) // it was asked before
	io.WriteString(kept[2], post)
	answer(readers[2], true)
	<-retired
	if err := g.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	config.Inherited, config.Standby = &next, true
	g2, err := gateway.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer g2.Close(context.Background())
	if g2.HTTPAddr() != g.HTTPAddr() || g2.HTTPSAddr() != g.HTTPSAddr() {
		t.Errorf("%s and %s", g2.HTTPAddr(), g2.HTTPSAddr())
	}
	if err := g2.Take(); err != nil {
		t.Fatal(err)
	}
	if err := g2.TakePackets(); err != nil {
		t.Error(err)
	}
	answer(reader, false)
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"} {
		if res, body := overTLS(t, g2, rootOf(t, config.Dir), proto); res.Proto != proto || body != "GET 0" {
			t.Errorf("%s: %s %q", proto, res.Proto, body)
		}
	}
}

// TestHTTP2Retires: a client of HTTP/2 is told to make another connection, and loses nothing.
func TestHTTP2Retires(t *testing.T) {
	g, config := begin(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") },
		func(c *gateway.Config) { c.HTTPS = "127.0.0.1:0" })
	var dials atomic.Int32
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	client := &http.Client{Transport: &http.Transport{
		Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: rootOf(t, config.Dir), ServerName: host},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	get := func() {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+g.HTTPSAddr()+"/", strings.NewReader("x"))
		req.Host = host
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "ok" || res.ProtoMajor != 2 {
			t.Errorf("%s %q, %v", res.Proto, body, err)
		}
	}
	get()
	retired := make(chan struct{})
	go func() { g.Retire(t.Context()); close(retired) }()
	for !gateway.Retiring(g) {
	}
	get()
	<-retired
	if dials.Load() != 1 {
		t.Errorf("%d connections", dials.Load())
	}
}

// TestHandedOver: a connection goes on with net/http when it brings what is not usual, and counts as one all the time.
func TestHandedOver(t *testing.T) {
	g, _ := begin(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.Method, len(body))
	})
	const (
		get    = "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n"
		chunks = "POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	)
	c := dial(t, g.HTTPAddr())
	r := bufio.NewReader(c)
	answer := func(want string, last bool) {
		t.Helper()
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != want || res.Close != last {
			t.Errorf("%q, %v, the last: %v", body, err, res.Close)
		}
	}
	io.WriteString(c, get+get+chunks+get)
	for _, want := range []string{"GET 0", "GET 0", "POST 3", "GET 0"} {
		answer(want, false)
	}
	if n := g.Guests(); n != 1 || gateway.Open(g) != 1 {
		t.Errorf("%d guests, %d connections", n, gateway.Open(g))
	}
	waiting(t, g, 1)
	retired := make(chan struct{})
	go func() { g.Retire(t.Context()); close(retired) }()
	for !gateway.Retiring(g) {
	}
	io.WriteString(c, get)
	answer("GET 0", true)
	<-retired
	if n := gateway.Open(g); n != 0 {
		t.Errorf("%d connections are open", n)
	}
}
