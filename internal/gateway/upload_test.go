package gateway_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/gateway"
	"github.com/aloft-run/aloft/internal/gateway/proxy"
	"github.com/aloft-run/aloft/internal/route"
)

// uploads is an app that gets bodies: all at once, with pauses, not at all, or after it has answered.
func uploads(release chan bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/never":
			<-release
			return
		case "/early":
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "no")
			return
		case "/duplex":
			_ = http.NewResponseController(w).EnableFullDuplex()
			w.Header().Set("X-Early", "1")
			w.(http.Flusher).Flush()
		}
		sum, n := sha256.New(), int64(0)
		for {
			got, err := io.CopyN(sum, r.Body, 1<<20)
			if n += got; err != nil {
				fmt.Fprintf(w, "%d %x", n, sum.Sum(nil))
				if !errors.Is(err, io.EOF) {
					fmt.Fprint(w, " ", err)
				}
				return
			}
			if r.URL.Path == "/slowly" && n%(4<<20) == 0 {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
}

// post sends a body of random bytes in pieces and returns what the app is to say of it.
func post(c io.Writer, path string, size, piece int) string {
	random := rand.NewChaCha8([32]byte{byte(size), byte(piece)})
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", path, host, size)
	sum := sha256.New()
	for left := size; left > 0; {
		b := make([]byte, min(left, piece))
		_, _ = random.Read(b)
		sum.Write(b)
		left -= len(b)
		if _, err := c.Write(b); err != nil { // the answer says why
			break
		}
	}
	return fmt.Sprintf("%d %x", size, sum.Sum(nil))
}

// TestUploads: bodies of all sizes arrive as they were sent, on one connection after another, whoever is slow.
func TestUploads(t *testing.T) {
	g, _ := begin(t, uploads(nil), func(c *gateway.Config) { c.Limits.Proxy = proxy.Limits{HangUp: 20 * time.Millisecond} })
	c := dial(t, g.HTTPAddr())
	r := bufio.NewReader(c)
	for _, path := range []string{"/", "/slowly", "/duplex"} {
		for _, size := range []int{1, 5000, 8 << 10, 60_000, 1<<20 + 1, 20 << 20} {
			for _, piece := range []int{1000, 1 << 20} {
				if piece == 1000 && size > 2<<20 {
					continue
				}
				if path == "/duplex" { // after an answer that came before its request a connection ends
					c = dial(t, g.HTTPAddr())
					r = bufio.NewReader(c)
				}
				sent := make(chan string, 1)
				go func() { sent <- post(c, path, size, piece) }()
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatalf("%s %d/%d: %v", path, size, piece, err)
				}
				got, err := io.ReadAll(res.Body)
				if want := <-sent; string(got) != want || err != nil {
					t.Fatalf("%s %d/%d: %q, %v; want %q", path, size, piece, got, err, want)
				}
			}
		}
	}
}

// TestUploadsCut: a body that nobody reads, or that does not come, ends its request, and nothing else.
func TestUploadsCut(t *testing.T) {
	const size = 30 << 20
	release, lines := make(chan bool), make(chan string, 9)
	g, _ := begin(t, uploads(release), func(c *gateway.Config) {
		c.Limits.Proxy = proxy.Limits{HangUp: 20 * time.Millisecond, Stall: 2 * time.Second}
		c.Access = func(_ aloft.StageRef, line aloft.LogLine) { lines <- line.Text }
	})
	defer close(release)
	for _, c := range []struct {
		path string
		sent int // bytes, before the client waits
		want string
	}{{"/never", size, "504"}, {"/early", size, "200"}, {"/", size / 2, "408"}} {
		conn := dial(t, g.HTTPAddr())
		go func() {
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", c.path, host, size)
			_, _ = io.CopyN(conn, zeros{}, int64(c.sent)) // fails once it was answered
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		body, err := io.ReadAll(res.Body)
		if !strings.HasPrefix(res.Status, c.want) || err != nil {
			t.Errorf("%s: %s, %q, %v; want %s", c.path, res.Status, body, err, c.want)
		}
		conn.Close()
		<-lines
	}
	conn := dial(t, g.HTTPAddr())
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", host, size)
	_, _ = io.CopyN(conn, zeros{}, size/2)
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
	if line := <-lines; !strings.HasPrefix(line, "POST / 499 ") {
		t.Errorf("of a client that left the log says %q", line)
	}
}

// events is what gets bodies within the gateway's process.
type events struct{ got chan error }

func (events) Takes(*http.Request) (string, bool) { return "create", true }

func (e events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	fmt.Fprint(w, n)
	e.got <- err
}

// TestEventBodies: the body of a request that becomes an event arrives, and a client that does not send it is not waited for.
func TestEventBodies(t *testing.T) {
	e := events{make(chan error, 1)}
	g, _ := begin(t, nil, func(c *gateway.Config) {
		c.Limits.Proxy = proxy.Limits{Stall: time.Second}
		c.Table.Put(&route.Route{Stage: aloft.StageRef{App: "app", Stage: "production"}, Hosts: []string{host}, Events: e})
	})
	for _, sent := range []int{5, 3 << 20} {
		c := dial(t, g.HTTPAddr())
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", host, 3<<20)
		go func() { _, _ = io.CopyN(c, zeros{}, int64(sent)) }()
		select {
		case err := <-e.got:
			if whole := sent == 3<<20; whole != (err == nil) {
				t.Errorf("of %d bytes: %v", sent, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the body is still waited for")
		}
		if res, err := http.ReadResponse(bufio.NewReader(c), nil); sent == 3<<20 && (err != nil || res.StatusCode != http.StatusOK) {
			t.Error(res, err)
		}
	}
}

// TestLingers: a client that still sends when its request was answered has time to read the answer.
func TestLingers(t *testing.T) {
	g, _ := begin(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 3000)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	c := dial(t, g.HTTPAddr())
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 2000000\r\n\r\n", host)
	_, _ = c.Write(make([]byte, 3000))
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatal(res, err)
	}
	for range 20 { // a reset would fail the second at the latest
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatalf("the connection was reset: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
