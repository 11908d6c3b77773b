package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/route"
	"github.com/aloft-run/aloft/internal/upstream"
)

// whim is an app whose answer is made from the request's X-Seed: status, fields, framing, body, trailer.
func whim(w http.ResponseWriter, r *http.Request) {
	var seed uint64
	fmt.Sscan(r.Header.Get("X-Seed"), &seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h := w.Header()
	for range rnd.IntN(5) {
		h.Add([]string{"X-A", "X-B", "Set-Cookie", "Vary", "Cache-Control"}[rnd.IntN(5)], strings.Repeat("v", rnd.IntN(50)))
	}
	if rnd.IntN(2) == 0 {
		h["Date"] = []string{"Fri, 20 Nov 2026 00:00:00 GMT"}
	}
	status := []int{200, 200, 200, 201, 204, 301, 304, 400, 404, 418, 500, 503}[rnd.IntN(12)]
	out := bytes.Repeat([]byte{byte('a' + rnd.IntN(26))}, []int{0, 1, 100, 5000, 70_000, 300_000}[rnd.IntN(6)])
	switch rnd.IntN(3) {
	case 0:
		h.Set("Content-Length", fmt.Sprint(len(out)))
	case 1:
		h.Set("Trailer", "X-T")
		defer h.Set("X-T", "end")
	}
	h.Set("X-Saw", fmt.Sprintf("%s %s %d %x", r.Method, r.RequestURI, len(body), r.Header["X-Multi"]))
	w.WriteHeader(status)
	for len(out) > 0 {
		n := min(len(out), 1+rnd.IntN(40_000))
		w.Write(out[:n])
		out = out[n:]
		if rnd.IntN(3) == 0 {
			http.NewResponseController(w).Flush()
		}
	}
}

// TestDifferential sends the same random requests through httputil.ReverseProxy and through us and compares what comes back.
func TestDifferential(t *testing.T) {
	b := app(t, whim)
	backendURL := backendOf(t, whim)
	theirs := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
		pr.SetURL(backendURL)
		pr.Out.Host = pr.In.Host
	}})
	t.Cleanup(theirs.Close)
	for seed := range 400 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 2))
		method := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}[rnd.IntN(7)]
		path := "/" + strings.Repeat("a/%2f", rnd.IntN(3)) + []string{"", "?q=1", "?a=%20b", "?"}[rnd.IntN(4)]
		body := bytes.Repeat([]byte("b"), []int{0, 0, 10, 9000, 200_000}[rnd.IntN(5)])
		chunked := rnd.IntN(2) == 0
		var got [2]string
		for i, base := range []string{b.server.URL, theirs.URL} {
			got[i] = fetch(t, base, method, path, body, chunked, seed)
		}
		for try := 0; strings.HasSuffix(got[1], io.ErrUnexpectedEOF.Error()) && try < 5; try++ {
			got[1] = fetch(t, theirs.URL, method, path, body, chunked, seed) // httputil cuts an answer now and then under load
		}
		if got[0] != got[1] {
			t.Fatalf("seed %d %s %s (%d bytes, chunked %v)\nours:   %.300s\ntheirs: %.300s", seed, method, path, len(body), chunked, got[0], got[1])
		}
	}
}

func backendOf(t *testing.T, h http.HandlerFunc) *url.URL {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func fetch(t *testing.T, base, method, path string, body []byte, chunked bool, seed int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(body) == 0 {
		req.Body = http.NoBody
	} else if chunked {
		req.ContentLength = -1
	}
	req.Host = host
	req.Header.Set("X-Seed", fmt.Sprint(seed))
	req.Header["X-Multi"] = []string{"1", "2"}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	for _, k := range []string{"X-Request-Id", "Date", "Content-Length"} {
		delete(res.Header, k)
	}
	var fields []string
	for k, v := range res.Header {
		fields = append(fields, fmt.Sprintf("%s=%q", k, v))
	}
	slices.Sort(fields)
	return fmt.Sprintf("%d %v %v %d %.20s %v", res.StatusCode, fields, res.Trailer, len(data), data, err)
}

// TestManyClients: every client gets the answer to its own request, over few connections, on HTTP/1.1 and HTTP/2.
func TestManyClients(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			b := app(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, "%s:%d", r.URL.Query().Get("id"), len(body))
			})
			client := http.DefaultClient
			base := b.server.URL
			if proto == "HTTP/2.0" {
				s := httptest.NewUnstartedServer(proxy.New(proxy.Config{Table: b.table}))
				s.EnableHTTP2 = true
				s.StartTLS()
				t.Cleanup(s.Close)
				client, base = s.Client(), s.URL
			}
			var wg sync.WaitGroup
			for i := range 32 {
				wg.Go(func() {
					for j := range 30 {
						size := []int{0, 10, 10_000, 100_000}[j%4]
						req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/?id=%d-%d", base, i, j), bytes.NewReader(make([]byte, size)))
						req.Host = host
						res, err := client.Do(req)
						if err != nil {
							t.Error(err)
							return
						}
						body, _ := io.ReadAll(res.Body)
						res.Body.Close()
						if want := fmt.Sprintf("%d-%d:%d", i, j, size); string(body) != want || res.Proto != proto {
							t.Errorf("%s %q, want %q", res.Proto, body, want)
						}
					}
				})
			}
			wg.Wait()
			if n := b.dials.get(); n > 64 {
				t.Errorf("%d connections to the app for 32 clients", n)
			}
			waitIdle(t, b)
		})
	}
}

// TestSwap: requests keep being answered while the route moves from instance to instance and the old ones are drained.
func TestSwap(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	addr := backendOf(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); io.WriteString(w, "ok") }).Host
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, body := b.do(t, b.request("POST", "/", strings.NewReader("x")))
				if res.StatusCode != http.StatusOK || body != "ok" {
					t.Errorf("%d %q", res.StatusCode, body)
					return
				}
			}
		})
	}
	old := b.up
	for i := range 100 {
		up := upstream.New(fmt.Sprint(i), dialer(addr))
		r := *b.table.Lookup(host)
		r.Backend = backend{up}
		b.table.Put(&r)
		select {
		case <-old.Drain():
		case <-time.After(5 * time.Second):
			t.Fatal("not drained")
		}
		old.Cut()
		old = up
	}
	close(stop)
	wg.Wait()
	old.Cut()
}

// TestNoLeak: after many requests, good and bad, no goroutine stays.
func TestNoLeak(t *testing.T) {
	addr := script(t, func(c net.Conn, r *bufio.Reader) {
		for n := 0; ; n++ {
			switch readHead(r) {
			case "":
				return
			}
			switch n % 3 {
			case 0:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			case 1:
				io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
			default:
				return
			}
		}
	})
	var table route.Table
	up := upstream.New("web.1", dialer(addr))
	table.Put(&route.Route{Stage: aloft.StageRef{App: "a", Stage: "b"}, Hosts: []string{host}, Backend: backend{up}})
	h := proxy.New(proxy.Config{Table: &table})
	before := runtime.NumGoroutine()
	for i := range 300 {
		r := httptest.NewRequest([]string{"GET", "POST"}[i%2], "/", strings.NewReader(strings.Repeat("x", i*100)))
		r.Host = host
		func() {
			defer func() { recover() }()
			h.ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
	up.Drain()
	up.Cut()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
	if up.InFlight() != 0 { // the handler has returned: no need to wait
		t.Errorf("%d in flight", up.InFlight())
	}
}
