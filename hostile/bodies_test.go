package hostile_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// impatient is a gateway that waits a second where others wait a minute.
const impatient = "impatient"

// endlessBody is a request with a body that does not end, or whose answer does not, and how it is to end nevertheless.
type endlessBody struct {
	head   string        // of the request
	pause  time.Duration // between the bytes that are sent; none are if it is 0
	flood  bool          // as much is sent as is taken
	status string        // of the answer; "" if the connection is to be cut
}

func endlessBodies() map[string]endlessBody {
	const chunked = " HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
	return map[string]endlessBody{
		"a body that drips":                     {head: "POST /swallow" + chunked, pause: 50 * time.Millisecond, status: "408"},
		"a body that stops":                     {head: "POST /swallow" + chunked, status: "408"},
		"a body that the app does not read":     {head: "POST /hold" + chunked, flood: true, status: "504"},
		"a response that the client reads not":  {head: "GET /pour HTTP/1.1\r\nHost: shop.localhost\r\n\r\n"},
		"a length that is promised and not met": {head: "POST /swallow HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 100000\r\n\r\n", status: "408"},
	}
}

// send says what there is to say, until the connection is closed.
func (b endlessBody) send(conn net.Conn) {
	text := "1\r\nx\r\n"
	if b.flood {
		text = "10000\r\n" + strings.Repeat("x", 1<<16) + "\r\n"
	}
	for b.flood || b.pause > 0 {
		if _, err := io.WriteString(conn, text); err != nil {
			return
		}
		<-time.After(b.pause)
	}
}

// run makes the request and returns the status of its answer, "" if it was cut.
func (b endlessBody) run(t *testing.T, addr string, patience time.Duration) (status string, err error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, b.head)
	go b.send(conn)
	r := bufio.NewReader(conn)
	if b.status == "" { // of the answer nothing is read until it is cut
		if !awaitCut(conn, patience) {
			err = os.ErrDeadlineExceeded
		}
		return "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	for {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return "", err
		}
		if res.StatusCode >= 200 {
			return res.Status, nil
		}
	}
}

// awaitCut waits until the other side has reset a connection from which nothing is read.
func awaitCut(conn net.Conn, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if _, err := io.WriteString(conn, "x"); err != nil {
			return true
		}
		<-time.After(10 * time.Millisecond)
	}
	return false
}

// TestEndlessBodies: bodies that drip, stop or are not taken end within the time that the gateway waits for progress, and
// the place in the app is free again.
func TestEndlessBodies(t *testing.T) {
	t.Parallel()
	s := newShop(t, oneSlot)
	s.Variant = impatient
	s.Serve(t)
	s.Up(t, s.dir)
	for name, b := range endlessBodies() {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			status, err := b.run(t, s.Addr, time.Minute)
			if err != nil || !strings.HasPrefix(status, b.status) {
				t.Errorf("it ended with %q, %v; want %q", status, err, b.status)
			}
			t.Logf("%s: ended after %v: %s", name, time.Since(begun).Round(time.Millisecond), status)
			if _, err := s.left(t.Context(), visitor(t, 1)); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

// TestEndlessBodiesUnbounded is the control: a gateway that waits for ever holds them all.
func TestEndlessBodiesUnbounded(t *testing.T) {
	t.Parallel()
	s := newShop(t, "")
	s.Variant = unbounded
	s.Serve(t)
	s.Up(t, s.dir)
	defer s.Kill() // it would wait for what it holds
	var wg sync.WaitGroup
	for name, b := range endlessBodies() {
		wg.Go(func() {
			if status, err := b.run(t, s.Addr, 5*time.Second); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s ended with %q, %v: the test of endless bodies would pass with any server", name, status, err)
			}
		})
	}
	wg.Wait()
}

// TestEndlessStreams: bodies that never end and do flow, in both directions, cost the server no memory, and others are
// served meanwhile. When their clients go, all is over.
func TestEndlessStreams(t *testing.T) {
	t.Parallel()
	attacked, control := arena(t, aloftest.Standard)
	before := attacked.memory(t, "VmRSS")
	clients := startGood(t, attacked, control)
	ctx, cancel := context.WithTimeout(t.Context(), scaled(20*time.Second, 6*time.Second))
	defer cancel()
	var wg sync.WaitGroup
	var read atomic.Int64
	for _, major := range []int{1, 2} {
		base := map[int]string{1: "http://" + attacked.Addr, 2: "https://" + attacked.HTTPS}[major]
		for _, d := range []departure{departures()["sends"], departures()["reads"]} {
			client := visitor(t, major)
			for range 2 {
				wg.Go(func() { read.Add(attacked.stream(ctx, client, d, base)) })
			}
		}
	}
	wg.Wait()
	grown := attacked.memory(t, "VmHWM") - before
	f := clients.end(t)
	t.Logf("8 endless streams, %d MB read: the server grew by %d MB\n%v", read.Load()>>20, grown>>20, f)
	report(t, "failed requests of good clients", clients.failures)
	if grown > floodMemory || read.Load() < grown {
		t.Errorf("the server grew by %d MB for %d MB", grown>>20, read.Load()>>20)
	}
	attacked.idle(t)
}

// stream asks for something without an end and takes part in it until ctx ends. It returns how many bytes it read.
func (s *shop) stream(ctx context.Context, client *http.Client, d departure, base string) int64 {
	request, err := d.request(ctx, base)
	if err != nil {
		return 0
	}
	res, err := client.Do(request)
	if err != nil {
		return 0
	}
	n, _ := io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return n
}
