package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/proxy"
)

// TestUnread: an app that does not read a request's body holds its client for the stall time only, unless it has begun to
// answer; one that reads slowly gets all of it.
func TestUnread(t *testing.T) {
	const size = 64 << 20
	for path, want := range map[string]string{"/never": "504 0", "/slowly": "200 67108864", "/answers": "200 1"} {
		release := make(chan bool)
		b := app(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/never":
				<-release
			case "/slowly":
				n := 0
				for {
					got, err := r.Body.Read(make([]byte, 8<<20))
					if n += got; err != nil {
						break
					}
					if n%(16<<20) < got { // a pause each 16 MB
						time.Sleep(60 * time.Millisecond)
					}
				}
				w.Header().Set("X-Got", fmt.Sprint(n))
			case "/answers":
				_ = http.NewResponseController(w).EnableFullDuplex()
				w.Header().Set("X-Got", "1")
				w.(http.Flusher).Flush()
				time.Sleep(1200 * time.Millisecond)
				io.WriteString(w, "end")
			}
		}, func(b *bench) { b.limits = proxy.Limits{Stall: 500 * time.Millisecond, HangUp: 20 * time.Millisecond} })
		c, r := b.dial(t)
		go func() { // fails once it was answered
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", path, host, size)
			for range size >> 20 {
				if _, err := c.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}()
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		body, err := io.ReadAll(res.Body)
		if path == "/answers" && string(body) != "end" {
			t.Errorf("%s: the answer was cut: %q, %v", path, body, err)
		}
		got := res.Header.Get("X-Got")
		if got == "" {
			got = "0"
		}
		if got = fmt.Sprint(res.StatusCode, " ", got); got != want {
			t.Errorf("%s: %s, want %s\n%s", path, got, want, body)
		}
		close(release)
		c.Close()
		waitIdle(t, b)
	}
}
