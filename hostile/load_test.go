package hostile_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// traffic is load on the app that counts what went wrong.
type traffic struct {
	shop   *shop
	client *http.Client
	stop   context.CancelFunc
	wg     sync.WaitGroup

	requests atomic.Int64
	mu       sync.Mutex
	failures []string
	cut      []string // streams that ended before the traffic did
}

func (tr *traffic) fail(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.failures = append(tr.failures, fmt.Sprintf(format, args...))
}

// startTraffic sends keep-alive GET and POST from several clients and holds streams open, until end is called.
func startTraffic(t *testing.T, s *shop, streams int) *traffic {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	tr := &traffic{shop: s, stop: stop, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second,
	}}
	var open sync.WaitGroup
	for range streams {
		open.Add(2)
		tr.wg.Go(func() { tr.events(ctx, open.Done) })
		tr.wg.Go(func() { tr.socket(ctx, open.Done) })
	}
	open.Wait()
	for i := range 8 {
		tr.wg.Go(func() { tr.hammer(ctx, i) })
	}
	return tr
}

func (tr *traffic) end() {
	tr.stop()
	tr.wg.Wait()
	tr.client.CloseIdleConnections()
}

// hammer sends one request after another; every one must be answered by a whole version of the app.
func (tr *traffic) hammer(ctx context.Context, worker int) {
	for n := 0; ctx.Err() == nil; n++ {
		method, path, body := http.MethodGet, "/", ""
		switch {
		case n%100 == worker:
			path = "/slow"
		case n%4 == 0:
			method, body = http.MethodPost, strings.Repeat("x", 1+n%5000)
		}
		// Requests are not tied to ctx: one that is under way when the traffic ends must still succeed.
		request, err := tr.shop.Request(context.WithoutCancel(ctx), method, url+path, body)
		if err != nil {
			tr.fail("make request: %v", err)
			return
		}
		res, err := tr.client.Do(request)
		tr.requests.Add(1)
		if err != nil {
			tr.fail("%s %s: %v", method, path, err)
			continue
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		switch {
		case err != nil:
			tr.fail("%s %s: read body: %v", method, path, err)
		case res.StatusCode != http.StatusOK:
			tr.fail("%s %s: %s %.200s", method, path, res.Status, text)
		case method == http.MethodPost && !strings.HasSuffix(string(text), fmt.Sprintf(" %d\n", len(body))):
			tr.fail("POST of %d bytes answered %q", len(body), text)
		}
	}
}

// events reads an event stream until the traffic ends.
func (tr *traffic) events(ctx context.Context, opened func()) {
	request, err := tr.shop.Request(ctx, http.MethodGet, url+"/events", "")
	if err != nil {
		tr.fail("make request: %v", err)
		opened()
		return
	}
	res, err := tr.client.Transport.RoundTrip(request)
	opened()
	if err != nil {
		tr.fail("open event stream: %v", err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
	}
	if ctx.Err() == nil {
		tr.cutOff("event stream: %v", lines.Err())
	}
}

// socket sends and receives on a WebSocket until the traffic ends.
func (tr *traffic) socket(ctx context.Context, opened func()) {
	conn, _, err := websocket.Dial(ctx, "ws://"+tr.shop.Addr+"/socket", &websocket.DialOptions{Host: "shop.localhost"})
	opened()
	if err != nil {
		tr.fail("open WebSocket: %v", err)
		return
	}
	defer func() { _ = conn.CloseNow() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		err := conn.Write(ctx, websocket.MessageText, []byte("ping"))
		if err == nil {
			_, _, err = conn.Read(ctx)
		}
		if err != nil && ctx.Err() == nil {
			tr.cutOff("WebSocket: %v (close status %d)", err, websocket.CloseStatus(err))
			return
		}
		<-tick.C
	}
}

func (tr *traffic) cutOff(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.cut = append(tr.cut, fmt.Sprintf(format, args...))
}

// TestLoad is the product's promise about switches (G1, G2): under load, deploys, rollbacks and config changes, of the app and
// of another one, fail no request and cut no stream before its drain time is over.
func TestLoad(t *testing.T) {
	t.Parallel()
	s := newShop(t, "drain: 10m\n")
	s.Serve(t)
	s.Up(t, s.dir)
	neighbour := t.TempDir()
	streams := scaled(200, 40)
	tr := startTraffic(t, s, streams/2)
	began := time.Now()
	deploys, rollbacks, configs := scaled(200, 50), scaled(50, 20), 10
	if testing.Short() {
		deploys, rollbacks, configs = 10, 4, 2
	}
	for i := range deploys {
		if i%5 == 0 {
			s.neighbour(t, neighbour, i)
		}
		s.edit(t, fmt.Sprintf("deploy-%d", i))
		s.Up(t, s.dir)
		if i < rollbacks {
			s.Must(t, nil, s.dir, "rollback", "--stage", "production", "--json")
		}
		if i < configs {
			s.Must(t, nil, s.dir, "config", "set", fmt.Sprintf("COLOUR=%d", i), "--stage", "production", "--json")
		}
	}
	took := time.Since(began)
	tr.end()
	t.Logf("%d deploys, %d of another app, %d rollbacks, %d config changes in %v under %.0f requests/s (%d requests) and %d streams: %d failed, %d streams cut",
		deploys, (deploys+4)/5, rollbacks, configs, took.Round(time.Millisecond), float64(tr.requests.Load())/took.Seconds(),
		tr.requests.Load(), streams, len(tr.failures), len(tr.cut))
	report(t, "failed requests", tr.failures)
	report(t, "streams cut", tr.cut)
	if tr.requests.Load() < 1000 {
		t.Errorf("only %d requests: the load does not show anything", tr.requests.Load())
	}
}

// neighbour deploys another app, whose source is in dir.
func (s *shop) neighbour(t *testing.T, dir string, version int) {
	t.Helper()
	for name, text := range map[string]string{"aloft.yml": "name: neighbour\n", "index.html": fmt.Sprint(version)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.Up(t, dir)
}

// TestLoadSeesFailures is the control: a server that is killed under the same load must be seen as failing.
func TestLoadSeesFailures(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Serve(t)
	s.Up(t, s.dir)
	tr := startTraffic(t, s, 2)
	aloftest.Eventually(t, 10*time.Second, func() error {
		if tr.requests.Load() < 100 {
			return fmt.Errorf("%d requests", tr.requests.Load())
		}
		return nil
	})
	s.Kill()
	aloftest.Eventually(t, 10*time.Second, func() error {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		if len(tr.failures) == 0 || len(tr.cut) == 0 {
			return fmt.Errorf("%d failures and %d cut streams seen", len(tr.failures), len(tr.cut))
		}
		return nil
	})
	tr.end()
}

func report(t *testing.T, what string, list []string) {
	t.Helper()
	if len(list) > 0 {
		t.Errorf("%d %s, such as:\n%s", len(list), what, strings.Join(list[:min(5, len(list))], "\n"))
	}
}
