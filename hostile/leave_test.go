package hostile_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/porttest"
)

// oneSlot is an app that takes one request at a time: who comes meanwhile waits.
const oneSlot = "functions:\n  web: {concurrency: 1}\n"

// departure is a way to leave in the middle of a request.
type departure struct {
	method, path string
	body         func() io.Reader // nil for none
	deaf         bool             // the app does not notice: it looks neither at its client nor at the body
}

func departures() map[string]departure {
	return map[string]departure{
		"waits for an answer": {method: http.MethodGet, path: "/hold"},
		"reads":               {method: http.MethodGet, path: "/pour"},
		"sends":               {method: http.MethodPost, path: "/swallow", body: func() io.Reader { return endless{} }},
		"sends what the app does not read": {
			method: http.MethodPost, path: "/hold", body: func() io.Reader { return io.LimitReader(endless{}, 3<<20) }, deaf: true,
		},
		"sends now and then": {method: http.MethodPost, path: "/swallow", body: func() io.Reader { return endless{pause: time.Millisecond} }},
	}
}

// request is what the client asks for before it leaves.
func (d departure) request(ctx context.Context, base string) (*http.Request, error) {
	var body io.Reader
	if d.body != nil {
		body = d.body()
	}
	request, err := http.NewRequestWithContext(ctx, d.method, base+d.path, body)
	if err == nil {
		request.Host = "shop.localhost"
	}
	return request, err
}

// endless is a body without an end: as fast as it is taken, or a byte at a time.
type endless struct{ pause time.Duration }

func (e endless) Read(p []byte) (int, error) {
	if e.pause > 0 {
		<-time.After(e.pause)
		return copy(p, "x"), nil
	}
	return len(p), nil
}

// visitor is an HTTP client over one protocol, with connections of its own.
func visitor(t *testing.T, major int) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{ServerName: "shop.localhost", InsecureSkipVerify: true}, Protocols: new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(major == 1)
	transport.Protocols.SetHTTP2(major == 2)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// leave asks and leaves as soon as the app has the request. It returns when that was.
func (s *shop) leave(t *testing.T, client *http.Client, d departure, base string) time.Time {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begun, ended := make(chan bool, 1), make(chan error, 1)
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error {
		begun <- true
		return nil
	}})
	request, err := d.request(traced, base)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		res, err := client.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		ended <- err
	}()
	select {
	case <-begun:
	case err := <-ended:
		t.Fatalf("the request ended before the app had it: %v\n%s", err, s.Log())
	}
	if d.deaf { // until the body fills all that lies between
		<-time.After(300 * time.Millisecond)
	}
	at := time.Now()
	cancel()
	<-ended
	return at
}

// left asks the app when the last request that it held has ended.
func (s *shop) left(ctx context.Context, client *http.Client) (time.Time, error) {
	request, err := s.Request(ctx, http.MethodGet, url+"/left", "")
	if err != nil {
		return time.Time{}, err
	}
	res, err := client.Do(request)
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", res.Status, text)
	}
	if err != nil {
		return time.Time{}, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return time.Unix(0, n), err
}

// TestClientLeaves: when a client goes, its request ends in the app, and who waits for its place gets it.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	s := newShop(t, oneSlot)
	s.HTTPS = porttest.Address(t)
	s.Serve(t)
	s.Up(t, s.dir)
	next := visitor(t, 1)
	for name, d := range departures() {
		for major, base := range map[int]string{1: "http://" + s.Addr, 2: "https://" + s.HTTPS} {
			client := visitor(t, major)
			t.Run(fmt.Sprintf("%s over HTTP %d", name, major), func(t *testing.T) {
				var heard, served []time.Duration
				for range scaled(50, 3) {
					at := s.leave(t, client, d, base)
					end, err := s.left(t.Context(), next)
					if err != nil {
						t.Fatalf("who comes after a client that left: %v", err)
					}
					served = append(served, time.Since(at))
					if d.deaf {
						continue
					}
					aloftest.Eventually(t, 10*time.Second, func() error {
						if !end.Before(at) {
							return nil
						}
						end, err = s.left(t.Context(), next)
						return fmt.Errorf("the app has not noticed that its client left: %w", err)
					})
					heard = append(heard, end.Sub(at))
				}
				judgeDeparture(t, "the next one has its answer", served)
				if !d.deaf {
					judgeDeparture(t, "the app knows", heard)
				}
			})
		}
	}
}

// judgeDeparture says how long it took, and fails a full run in which it took too long for more than one in twenty: what a
// fast upload has in the buffers of the way comes before its end.
func judgeDeparture(t *testing.T, what string, times []time.Duration) {
	t.Helper()
	slices.Sort(times)
	at := func(percent int) time.Duration { return times[(len(times)-1)*percent/100].Round(time.Millisecond) }
	t.Logf("%s: %s after %v (median), %v (95 %%), %v (worst of %d)", t.Name(), what, at(50), at(95), at(100), len(times))
	if full() && at(95) > 100*time.Millisecond {
		t.Error("MISSED: the goal is 100 ms")
	}
}

// inattentive is a gateway that does not look whether clients are still there.
const inattentive = "inattentive"

// TestClientLeavesUnnoticed is the control: without a look at the client, its request keeps the place.
func TestClientLeavesUnnoticed(t *testing.T) {
	t.Parallel()
	s := newShop(t, oneSlot)
	s.Variant = inattentive
	s.Serve(t)
	s.Up(t, s.dir)
	s.leave(t, visitor(t, 1), departures()["waits for an answer"], "http://"+s.Addr)
	defer s.Kill() // it would wait for the request that it still has
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := s.left(ctx, visitor(t, 1)); err == nil {
		t.Error("the next one was served: the test of clients that leave would pass with any server")
	}
}
