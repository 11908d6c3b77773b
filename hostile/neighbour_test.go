package hostile_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// noisy is an app that is asked to misbehave. What it does goes on until it is ended.
const noisy = `#!/usr/bin/env python3
import http.server, os, threading, time
def fork():
    while True:
        try: os.fork()
        except OSError: time.sleep(0.001)
def memory():
    held = []
    while True: held.append(bytearray(8 << 20))
def spin():
    for _ in range(7):
        if os.fork() == 0: break
    while True: pass
def print_much():
    block = b"0123456789abcdef" * 4095 + b"0123456789abcde\n"
    while True: os.write(1, block)
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = self.path[1:]
        if kind == "slow": time.sleep(0.05)
        elif kind: threading.Thread(target={"fork": fork, "memory": memory, "spin": spin, "print": print_much}[kind], daemon=True).start()
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), App).serve_forever()
`

const noisyURL = "http://noisy.localhost"

// latency asks an app at a steady pace for a while and returns how long half of the requests and 99 of 100 take at most.
func (s *shop) latency(t *testing.T, address string, length time.Duration) (p50, p99 time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var all []time.Duration
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	end := time.Now().Add(length)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for time.Now().Before(end) {
				began := time.Now()
				if err := s.fetch(t.Context(), client, address); err != nil {
					t.Errorf("the neighbour is not served: %v", err)
					return
				}
				mu.Lock()
				all = append(all, time.Since(began))
				mu.Unlock()
				<-tick.C
			}
		})
	}
	wg.Wait()
	if len(all) < 20 {
		t.Fatalf("only %d requests: the test shows nothing", len(all))
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

func (s *shop) fetch(ctx context.Context, client *http.Client, address string) error {
	request, err := s.Request(ctx, http.MethodGet, address, "")
	if err != nil {
		return err
	}
	res, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers %s", res.Status)
	}
	return err
}

// TestNoisyNeighbour (G18): an app that forks without end, takes memory, spins, prints a gigabyte a second, or has a hundred
// thousand requests queue up, is bounded, and the one beside it hardly notices.
func TestNoisyNeighbour(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: only then the kernel bounds memory, processes and processor time")
	}
	s := newShop(t, "")
	s.Serve(t)
	s.edit(t, "victim")
	s.Up(t, s.dir)
	length := scaled(15*time.Second, time.Second)
	for _, kind := range []string{"fork", "memory", "spin", "print", "queue"} {
		s.deployNoisy(t)
		_, alone := s.latency(t, url+"/", length)
		before := s.memory(t, "VmRSS")
		stop := s.attack(t, kind)
		p50, p99 := s.latency(t, url+"/", length)
		grown := s.memory(t, "VmRSS") - before
		processes := s.processes(t)
		stop()
		t.Logf("%s: the neighbour's p99 is %v (p50 %v), alone %v: %.1f times; the server grew by %d MB; %d processes",
			kind, p99.Round(10*time.Microsecond), p50.Round(10*time.Microsecond), alone.Round(10*time.Microsecond), float64(p99)/float64(alone), grown>>20, processes)
		if full() && (p99 > 2*alone && p99 > alone+2*time.Millisecond || grown > 200<<20) {
			t.Errorf("%s: the goal is twice as long and 200 MB at most", kind)
		}
		if processes > 700 {
			t.Errorf("%s: %d processes of one app", kind, processes)
		}
		s.Must(t, nil, s.dir, "destroy", "--app", "noisy", "--yes", "--json")
		if left := s.processes(t); left > 0 {
			t.Errorf("%s: %d processes are left of a destroyed app", kind, left)
		}
	}
}

// TestNoiseIsSeen is the control: the app that spins is itself slower to answer.
func TestNoiseIsSeen(t *testing.T) {
	s := newShop(t, "")
	s.Serve(t)
	s.deployNoisy(t)
	_, alone := s.latency(t, noisyURL+"/", time.Second)
	defer s.attack(t, "spin")()
	if _, p99 := s.latency(t, noisyURL+"/", 2*time.Second); p99 < 2*alone {
		t.Errorf("its p99 is %v when it spins, %v when it does not", p99, alone)
	}
}

func (s *shop) deployNoisy(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	manifest := "name: noisy\nfunctions: {web: {memory: 128, concurrency: 4}}\nenv: {NOISY_TEST: \"1\"}\n"
	for name, text := range map[string]string{"aloft.yml": manifest, "server": noisy} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.Up(t, dir)
}

// attack makes the noisy app misbehave. Stop ends what this process does for it.
func (s *shop) attack(t *testing.T, kind string) (stop func()) {
	t.Helper()
	if kind != "queue" {
		err := s.fetch(t.Context(), http.DefaultClient, noisyURL+"/"+kind)
		if err != nil && !strings.Contains(err.Error(), "502") { // it may do itself harm before it answers
			t.Fatal(err)
		}
		return func() {}
	}
	ctx, cancel := context.WithCancel(t.Context())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}}
	var wg sync.WaitGroup
	var asked atomic.Int64
	for range scaled(1500, 200) { // more than may wait
		wg.Go(func() {
			for ctx.Err() == nil && asked.Add(1) <= 100_000 {
				if err := s.fetch(ctx, client, noisyURL+"/slow"); err != nil { // it was refused, and is told to come again later
					select {
					case <-time.After(time.Second/2 + rand.N(time.Second)): // not all in the same moment
					case <-ctx.Done():
					}
				}
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
		client.CloseIdleConnections()
		t.Logf("queue: %d requests", asked.Load())
	}
}

// processes counts those of the noisy app.
func (s *shop) processes(t *testing.T) int {
	t.Helper()
	return len(marked(t, "NOISY_TEST=1"))
}
