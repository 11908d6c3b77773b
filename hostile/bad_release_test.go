package hostile_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// badApp is a server that answers "bad" to everything, and to its health check with a status.
const badApp = `#!/usr/bin/env python3
import http.server, os, threading, time
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(%d if self.path == "/health" else 200)
        self.end_headers()
        self.wfile.write(b"bad")
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), App)
%s
server.serve_forever()
`

// badRelease is a way in which a release is no good.
type badRelease struct {
	name, server string
	manifest     string // of its aloft.yml, besides the health check
}

func badReleases() []badRelease {
	return []badRelease{
		{name: "exits with an error", server: "#!/bin/sh\necho no such table >&2\nexit 3\n"},
		{name: "exits without one", server: "#!/bin/sh\nexit 0\n"},
		{name: "is killed", server: "#!/bin/sh\nkill -9 $$\n"},
		{name: "never listens", server: "#!/bin/sh\nsleep 1000\n"},
		{name: "is not healthy", server: fmt.Sprintf(badApp, http.StatusInternalServerError, "")},
		{name: "listens and exits", server: fmt.Sprintf(badApp, http.StatusOK, "threading.Timer(0.05, lambda: os._exit(0)).start()")},
		{name: "wants too much memory", server: "#!/bin/sh\nexec python3 -c 'b = bytearray(300 << 20); import time; time.sleep(1000)'\n", manifest: "functions: {web: {memory: 64}}\n"},
		{name: "has no interpreter", server: "#!/no/such/interpreter\n"},
		{name: "fails its predeploy hook", server: fmt.Sprintf(badApp, http.StatusOK, ""), manifest: "hooks: {predeploy: exit 1}\n"},
	}
}

// watch asks the app again and again and counts who answers.
type watch struct {
	stop             chan struct{}
	wg               sync.WaitGroup
	good, bad, other atomic.Int64
	mu               sync.Mutex
	said             string // the last answer that was neither
}

func startWatch(t *testing.T, s *shop) *watch {
	t.Helper()
	w := &watch{stop: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: 30 * time.Second}
	for range 4 {
		w.wg.Go(func() {
			for {
				select {
				case <-w.stop:
					return
				default:
					w.ask(t, s, client)
				}
			}
		})
	}
	return w
}

func (w *watch) ask(t *testing.T, s *shop, client *http.Client) {
	t.Helper()
	request, err := s.Request(t.Context(), http.MethodGet, url+"/", "")
	if err != nil {
		t.Error(err)
		return
	}
	text := ""
	res, err := client.Do(request)
	if err == nil {
		b, readErr := io.ReadAll(res.Body)
		_ = res.Body.Close()
		text, err = string(b), readErr
	}
	switch {
	case err == nil && strings.HasPrefix(text, "good"):
		w.good.Add(1)
	case text == "bad":
		w.bad.Add(1)
	default:
		w.other.Add(1)
		w.mu.Lock()
		w.said = fmt.Sprintf("%q, %v", text, err)
		w.mu.Unlock()
	}
}

func (w *watch) end() {
	close(w.stop)
	w.wg.Wait()
}

// TestBadReleasesGetNoTraffic (G3): a release that fails, in whatever way, is never asked anything but whether it is well, and
// the one before serves all the while.
func TestBadReleasesGetNoTraffic(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root: a bound of memory is enforced by the kernel there")
	}
	s := newShop(t, "")
	s.Serve(t)
	s.edit(t, "good")
	s.Up(t, s.dir)
	w := startWatch(t, s)
	kinds := badReleases()
	for i := range scaled(100, len(kinds)) {
		kind := kinds[i%len(kinds)]
		s.write(t, "aloft.yml", fmt.Sprintf("name: shop\nhealth: {path: /health, timeout: 1s}\nenv: {TRY: \"%d\"}\n%s", i, kind.manifest))
		s.write(t, "server", kind.server)
		if out, errs, err := s.Run(s.dir, "up", "production"); err == nil {
			t.Errorf("a release that %s was accepted:\n%s%s", kind.name, out, errs)
		}
	}
	w.end()
	t.Logf("%d requests were answered by the good release, %d by bad ones, %d by none", w.good.Load(), w.bad.Load(), w.other.Load())
	if w.bad.Load()+w.other.Load() > 0 || w.good.Load() < 100 {
		t.Errorf("the last answer that was not the good one's: %s", w.said)
	}
}

// TestBadReleasesAreSeen is the control: one that passes for good is seen to answer.
func TestBadReleasesAreSeen(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Serve(t)
	s.edit(t, "good")
	s.Up(t, s.dir)
	w := startWatch(t, s)
	s.write(t, "server", fmt.Sprintf(badApp, http.StatusOK, ""))
	s.Up(t, s.dir)
	w.ask(t, s, http.DefaultClient)
	w.end()
	if w.bad.Load() == 0 {
		t.Error("the harness does not see what a bad release answers")
	}
}
