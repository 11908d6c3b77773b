package proxy_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// TestEvents: what the app flushes reaches the client while the app waits.
func TestEvents(t *testing.T) {
	for name, head := range map[string]string{
		"chunked":      "Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n",
		"until close":  "Content-Type: text/event-stream\r\n\r\n",
		"known length": "Content-Length: 12\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := make(chan string)
			addr := script(t, func(c net.Conn, r *bufio.Reader) {
				readHead(r)
				io.WriteString(c, "HTTP/1.1 200 OK\r\n"+head)
				for text := range next {
					if name == "chunked" {
						text = fmt.Sprintf("%x\r\n%s\r\n", len(text), text)
					}
					io.WriteString(c, text)
				}
				if name == "chunked" {
					io.WriteString(c, "0\r\n\r\n")
				}
			})
			b := start(t, addr)
			res, err := http.DefaultTransport.RoundTrip(b.request("GET", "/", nil)) // the head comes before any event
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			buf := make([]byte, 6)
			for _, text := range []string{"data1\n", "data2\n"} {
				next <- text
				if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != text {
					t.Fatalf("%q %v", buf, err)
				}
			}
			close(next)
			if n, err := res.Body.Read(buf); n != 0 || err != io.EOF {
				t.Errorf("at the end: %d %v", n, err)
			}
		})
	}
}

// TestLarge streams 100 MB both ways and looks at the memory meanwhile.
func TestLarge(t *testing.T) {
	const size = 100 << 20
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			sum := sha256.New()
			n, err := io.Copy(sum, r.Body)
			fmt.Fprintf(w, "%d %v %x", n, err, sum.Sum(nil))
			return
		}
		if r.URL.Path == "/sized" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		io.Copy(w, io.LimitReader(pattern{}, size))
	})
	sum := sha256.New()
	io.Copy(sum, io.LimitReader(pattern{}, size))
	want := fmt.Sprintf("%x", sum.Sum(nil))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, path := range []string{"/sized", "/chunked"} {
		res, err := http.DefaultTransport.RoundTrip(b.request("GET", path, nil))
		if err != nil {
			t.Fatal(err)
		}
		got := sha256.New()
		n, err := io.Copy(got, res.Body)
		res.Body.Close()
		if n != size || err != nil || fmt.Sprintf("%x", got.Sum(nil)) != want {
			t.Errorf("%s: %d bytes, %v", path, n, err)
		}
		req := b.request("POST", path, io.LimitReader(pattern{}, size))
		req.ContentLength = -1
		if path == "/sized" {
			req.ContentLength = size
		}
		if _, body := b.do(t, req); body != fmt.Sprintf("%d <nil> %s", size, want) {
			t.Errorf("POST %s: %s", path, body)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 20<<20 {
		t.Errorf("400 MB allocated %d MB", grown>>20)
	}
}

type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i * 7)
	}
	return len(p), nil
}

func TestTrailers(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", body, r.Trailer.Get("X-Up"))
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "43")
	})
	req := b.request("POST", "/", io.MultiReader(strings.NewReader("body")))
	req.ContentLength = -1
	req.Trailer = http.Header{"X-Up": {"7"}, "X-Forwarded-For": {"6.6.6.6"}}
	res, body := b.do(t, req)
	if body != "body 7" || res.Trailer.Get("X-Sum") != "42" || res.Trailer.Get("X-Late") != "43" {
		t.Errorf("%q, trailer %v", body, res.Trailer)
	}
}

func TestEarlyHints(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("X-Final", "1")
		io.WriteString(w, "ok")
	})
	var hints []string
	req := b.request("GET", "/", nil)
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprintf("%d %s %v", code, h.Get("Link"), h.Get("X-Request-Id") != ""))
			return nil
		},
	}))
	res, body := b.do(t, req)
	if len(hints) != 1 || hints[0] != "103 </a.css>; rel=preload true" {
		t.Errorf("hints %q", hints)
	}
	if body != "ok" || res.Header.Get("Link") != "" || res.Header.Get("X-Final") != "1" || res.Header.Get("X-Request-Id") == "" {
		t.Errorf("%q %v", body, res.Header)
	}
	if got := b.raw(t, "GET / HTTP/1.0\r\nHost: "+host+"\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 200 ") {
		t.Errorf("an HTTP/1.0 client got %.80q", got)
	}
}

func TestNoBody(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Length", "5")
			w.Write([]byte("hello"))
		}
	})
	c, r := b.dial(t)
	for _, tt := range []struct{ method, path, status string }{
		{"HEAD", "/", "200"}, {"GET", "/204", "204"}, {"HEAD", "/204", "204"}, {"GET", "/304", "304"}, {"POST", "/204", "204"}, {"GET", "/", "200"},
	} {
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", tt.method, tt.path, host)
		head := readHead(r)
		if !strings.HasPrefix(head, "HTTP/1.1 "+tt.status) {
			t.Fatalf("%s %s: %q", tt.method, tt.path, head)
		}
		if tt.method == "HEAD" && tt.path == "/" && !strings.Contains(head, "Content-Length: 5\r\n") {
			t.Errorf("HEAD lost the length: %q", head)
		}
	}
	if rest, _ := r.Peek(5); string(rest) != "hello" {
		t.Errorf("body %q", rest)
	}
	if n := b.dials.get(); n != 1 {
		t.Errorf("%d connections to the app", n)
	}
}

// TestEarlyAnswer: the app answers before it has the body. The client gets the answer at once and whole.
func TestEarlyAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"sized":   "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig",
		"chunked": "HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbig\r\n0\r\n\r\n",
	} {
		for _, framing := range []string{"Content-Length: 10000000", "Transfer-Encoding: chunked", "Content-Length: 100000"} {
			t.Run(name+" "+framing, func(t *testing.T) {
				t.Parallel()
				b := start(t, says(t, text))
				c, r := b.dial(t)
				fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", host, framing)
				io.WriteString(c, "5\r\nhello\r\n")
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if res.StatusCode != http.StatusRequestEntityTooLarge || string(body) != "big" || err != nil || !res.Close {
					t.Errorf("%d %q %v close %v", res.StatusCode, body, err, res.Close)
				}
				io.WriteString(c, "GET /smuggled HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
				if rest, _ := io.ReadAll(r); len(rest) > 0 {
					t.Errorf("the rest of the body was answered: %q", rest)
				}
				waitIdle(t, b)
			})
		}
	}
}

// TestDuplex: an app that echoes while it reads.
func TestDuplex(t *testing.T) {
	b := app(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			http.NewResponseController(w).Flush()
			if err != nil {
				return
			}
		}
	})
	pr, pw := io.Pipe()
	req := b.request("POST", "/", pr)
	req.ContentLength = -1
	go io.WriteString(pw, "one")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 3)
	for _, text := range []string{"one", "two"} {
		if text != "one" {
			io.WriteString(pw, text)
		}
		if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != text {
			t.Fatalf("%q %v", buf, err)
		}
	}
	pw.Close()
	if rest, err := io.ReadAll(res.Body); len(rest) > 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

func TestExpect(t *testing.T) {
	for name, tt := range map[string]struct {
		app  func(c net.Conn, r *bufio.Reader)
		want []string // heads in order
	}{
		"accepts": {func(c net.Conn, r *bufio.Reader) {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			r.Discard(4)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}, []string{"HTTP/1.1 100 ", "HTTP/1.1 200 "}},
		"refuses": {func(c net.Conn, _ *bufio.Reader) {
			io.WriteString(c, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
		}, []string{"HTTP/1.1 417 "}},
		"knows nothing of it": {func(c net.Conn, r *bufio.Reader) {
			r.Discard(4)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}, []string{"HTTP/1.1 100 ", "HTTP/1.1 200 "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var heads atomic.Int32
			addr := script(t, func(c net.Conn, r *bufio.Reader) {
				if strings.Contains(readHead(r), "Expect: 100-continue\r\n") {
					heads.Add(1)
				}
				tt.app(c, r)
			})
			b := start(t, addr, func(b *bench) { b.limits = proxy.Limits{Continue: 50 * time.Millisecond} })
			c, r := b.dial(t)
			fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", host)
			for i, want := range tt.want {
				if head := readHead(r); !strings.HasPrefix(head, want) {
					t.Errorf("head %d: %q", i, head)
				}
				if strings.Contains(want, "100") {
					io.WriteString(c, "body")
				}
			}
			if heads.Load() != 1 {
				t.Errorf("%d heads with Expect", heads.Load())
			}
			waitIdle(t, b)
		})
	}
}
