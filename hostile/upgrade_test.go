package hostile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/aloftest"
	"github.com/aloft-run/aloft/internal/porttest"
)

// buildAloft builds the aloft command as two versions.
func buildAloft(t *testing.T) (one, two string) {
	t.Helper()
	aloftest.NeedTool(t, "go")
	dir := t.TempDir()
	for _, version := range []string{"one", "two"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, version),
			"-ldflags", "-X github.com/aloft-run/aloft/internal/cli.version="+version, "../cmd/aloft")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build aloft: %v\n%s", err, out)
		}
	}
	return filepath.Join(dir, "one"), filepath.Join(dir, "two")
}

// installed is a shop whose aloft command is a program of its own.
func installed(t *testing.T, program, manifest string) *shop {
	t.Helper()
	s := newShop(t, manifest)
	s.Program = filepath.Join(t.TempDir(), "aloft")
	copyProgram(t, program, s.Program)
	return s
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// background ends the server in the background at the end of the test.
func (s *shop) background(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { s.Must(t, nil, s.dir, "stop", "--server") })
}

// paced is load of a given rate over kept connections.
type paced struct {
	*traffic

	url     string
	slowest atomic.Int64 // nanoseconds
}

// startPaced sends GET and POST, rate a second in all.
func startPaced(t *testing.T, s *shop, rate int) *paced {
	t.Helper()
	return startPacedWith(t, s, rate, url, &http.Transport{MaxIdleConnsPerHost: pacedClients})
}

const pacedClients = 32

func startPacedWith(t *testing.T, s *shop, rate int, url string, transport http.RoundTripper) *paced {
	t.Helper()
	const clients = pacedClients
	ctx, stop := context.WithCancel(t.Context())
	p := &paced{url: url, traffic: &traffic{shop: s, stop: stop, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}}
	for i := range clients {
		p.wg.Go(func() {
			pace := time.Second * clients / time.Duration(rate)
			select {
			case <-time.After(pace * time.Duration(i) / clients): // or all would ask at once
			case <-ctx.Done():
			}
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for n := i; ctx.Err() == nil; n++ {
				p.one(n)
				<-tick.C
			}
		})
	}
	return p
}

func (p *paced) one(n int) {
	method, body := http.MethodGet, ""
	if n%2 == 0 {
		method, body = http.MethodPost, strings.Repeat("x", 1+n%5000)
	}
	request, err := p.shop.Request(context.Background(), method, p.url+"/", body)
	if err != nil {
		p.fail("make request: %v", err)
		return
	}
	began := time.Now()
	res, err := p.client.Do(request)
	p.requests.Add(1)
	if err != nil {
		p.fail("%s: %v", method, err)
		return
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK || method == http.MethodPost && !strings.HasSuffix(string(text), fmt.Sprintf(" %d\n", len(body))) {
		p.fail("%s: %s %.200q %v", method, res.Status, text, err)
	}
	for took := int64(time.Since(began)); ; {
		if old := p.slowest.Load(); took <= old || p.slowest.CompareAndSwap(old, took) {
			return
		}
	}
}

// upgraded is what upgrade prints with --json.
type upgraded struct {
	Version string `json:"version"`
	Server  struct {
		PID    int `json:"pid"`
		Before struct {
			PID     int    `json:"pid"`
			Version string `json:"version"`
		} `json:"before"`
	} `json:"server"`
}

// TestUpgrade is G28: the aloft program is replaced under load by another, again and again, and no request fails.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	one, two := buildAloft(t)
	for _, c := range []struct {
		name     string
		manifest string
		env      string
		watched  bool
	}{
		{name: "in the background"},
		{name: "watched", watched: true},
		{name: "separate processes", env: "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := installed(t, one, c.manifest)
			if c.env != "" {
				s.Env = append(s.Env, "ALOFT_ISOLATION="+c.env)
			}
			if c.watched {
				s.Serve(t)
			} else {
				s.background(t)
			}
			s.Up(t, s.dir)
			s.upgradeAgain(t, []string{two, one})
			if c.watched { // the process that stands for the server is killed: the server ends as well
				s.Kill()
				aloftest.Eventually(t, time.Minute, func() error {
					if left := s.servers(t); len(left) > 0 {
						return fmt.Errorf("servers %v", left)
					}
					return nil
				})
			}
		})
	}
	t.Run("an app with a port of its own", func(t *testing.T) { upgradeAlone(t, one, two) })
	t.Run("commands meanwhile", func(t *testing.T) { upgradeMeanwhile(t, one, two) })
	t.Run("programs that are none", func(t *testing.T) { upgradeBroken(t, one, two) })
	t.Run("HTTPS", func(t *testing.T) { upgradeTLS(t, one, two) })
	t.Run("told to systemd", func(t *testing.T) { upgradeTold(t, one, two) })
	t.Run("killed", func(t *testing.T) { upgradeKilled(t, one, two, "4") })
	t.Run("killed, separate processes", func(t *testing.T) { upgradeKilled(t, one, two, "1") })
	t.Run("control", func(t *testing.T) { upgradeControl(t, one) })
}

// upgradeAgain upgrades under load.
func (s *shop) upgradeAgain(t *testing.T, programs []string) {
	t.Helper()
	rounds, rate := 3, 200
	if full() {
		rounds, rate = 10, 1200 // of which a busy machine takes 1,000
	}
	followed := s.follow(t)
	load := startPaced(t, s, rate)
	began := time.Now()
	var longest time.Duration
	pid := 0
	for i := range rounds {
		var u upgraded
		before := time.Now()
		s.Must(t, &u, s.dir, "upgrade", "--self", programs[i%len(programs)], "--yes", "--json")
		longest = max(longest, time.Since(before))
		if u.Version != filepath.Base(programs[i%len(programs)]) || u.Server.PID == u.Server.Before.PID || pid != 0 && u.Server.Before.PID != pid {
			t.Errorf("upgrade %d says %+v", i, u)
		}
		pid = u.Server.PID
		if i == 0 { // what was released is served, and releases go on
			s.edit(t, "after")
			s.Up(t, s.dir)
		}
	}
	s.settle(t)
	took := time.Since(began)
	load.end()
	t.Logf("%d upgrades in %v (the longest %v) under %.0f requests/s (%d requests, the slowest %v): %d failed",
		rounds, took.Round(time.Millisecond), longest.Round(time.Millisecond), float64(load.requests.Load())/took.Seconds(),
		load.requests.Load(), time.Duration(load.slowest.Load()).Round(time.Millisecond), len(load.failures))
	report(t, "failed requests", load.failures)
	s.accounted(t, int(load.requests.Load()))
	aloftest.Eventually(t, 10*time.Second, func() error {
		if n := int64(strings.Count(followed.String(), `"stream":"access"`)); n != load.requests.Load() {
			return fmt.Errorf("logs --follow printed %d requests of %d", n, load.requests.Load())
		}
		return nil
	})
	if _, body := s.Get(t, url); body != "after \n" {
		t.Errorf("it serves %q", body)
	}
}

// follow follows the log until the end of the test, and returns what it prints.
func (s *shop) follow(t *testing.T) fmt.Stringer {
	t.Helper()
	out := &aloftest.Output{}
	cmd := s.Command(context.Background(), s.dir, "logs", "production", "--follow", "--json")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	aloftest.Eventually(t, 10*time.Second, func() error {
		if !strings.Contains(out.String(), "ready on") {
			return fmt.Errorf("it prints %q", out.String())
		}
		return nil
	})
	return out
}

// accounted checks that each request has one line in the log, whichever server wrote it.
func (s *shop) accounted(t *testing.T, requests int) {
	t.Helper()
	aloftest.Eventually(t, 10*time.Second, func() error { // the last lines are on their way
		var lines []aloft.LogLine
		s.Must(t, &lines, s.dir, "logs", "production", "-n", "0", "--json")
		seen := map[string]int{}
		for _, line := range lines {
			if line.Stream == "access" {
				seen[line.RequestID]++
			}
		}
		for id, n := range seen {
			if n > 1 {
				t.Fatalf("request %s has %d lines", id, n)
			}
		}
		if len(seen) != requests {
			return fmt.Errorf("%d requests have lines in the log, not %d", len(seen), requests)
		}
		return nil
	})
}

// settle waits until the server that was replaced last has ended: its trees are gone.
func (s *shop) settle(t *testing.T) {
	t.Helper()
	aloftest.Eventually(t, time.Minute, func() error {
		trees, err := filepath.Glob(filepath.Join(s.Home, "local*"))
		if err != nil || len(trees) != 1 {
			return fmt.Errorf("there are %q, %w", trees, err)
		}
		return nil
	})
}

// upgradeControl: a server that is killed and started again under the same load is seen as failing.
func upgradeControl(t *testing.T, one string) {
	t.Helper()
	s := installed(t, one, "")
	s.Serve(t)
	s.Up(t, s.dir)
	load := startPaced(t, s, 200)
	aloftest.Eventually(t, 10*time.Second, func() error {
		if load.requests.Load() < 100 {
			return fmt.Errorf("%d requests", load.requests.Load())
		}
		return nil
	})
	s.Kill()
	s.Serve(t)
	load.end()
	if len(load.failures) == 0 {
		t.Error("no failure was seen")
	}
	t.Logf("killed and started again: %d of %d requests failed", len(load.failures), load.requests.Load())
}

// upgradeAlone: an app that only one server can run is replaced while its requests wait.
func upgradeAlone(t *testing.T, one, two string) {
	t.Helper()
	s := installed(t, one, "")
	s.Env = append(s.Env, "ALOFT_ISOLATION=1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	port := porttest.Free(t)
	s.write(t, "server", fmt.Sprintf("#!/bin/sh\nPORT=%s exec %q hostile-app alone\n", port, self))
	s.background(t)
	s.Up(t, s.dir)
	load := startPaced(t, s, 100)
	for _, program := range []string{two, one} {
		s.Must(t, nil, s.dir, "upgrade", "--self", program, "--yes", "--json")
		s.settle(t)
	}
	load.end()
	t.Logf("an app with a port of its own: %d of %d requests failed, the slowest took %v", len(load.failures), load.requests.Load(),
		time.Duration(load.slowest.Load()).Round(time.Millisecond))
	report(t, "failed requests", load.failures)
}

// upgradeMeanwhile: commands that are given while the server is replaced wait and succeed; none is lost.
func upgradeMeanwhile(t *testing.T, one, two string) {
	t.Helper()
	s := installed(t, one, "")
	s.background(t)
	s.Up(t, s.dir)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failures []string
	acked := 1
	for _, args := range [][]string{{"config", "set", "--stage", "production", "--json"}, {"releases", "--stage", "production", "--json"}} {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				all := args
				if args[0] == "config" {
					all = append(slices.Clip(args), fmt.Sprintf("COLOUR=%d", n))
				}
				out, errs, err := s.Run(s.dir, all...)
				mu.Lock()
				if err != nil {
					failures = append(failures, fmt.Sprintf("%v: %v %s%s", all, err, out, errs))
				} else if args[0] == "config" {
					var d aloftest.Deployment
					if err := json.Unmarshal([]byte(out), &d); err == nil && d.Release > 0 {
						acked = d.Release
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range 3 {
		s.Must(t, nil, s.dir, "upgrade", "--self", []string{two, one}[i%2], "--yes")
	}
	stop()
	wg.Wait()
	report(t, "failed commands", failures)
	var all []release
	s.Must(t, &all, s.dir, "releases", "--stage", "production", "--json", "--limit", "1000")
	if len(all) != acked || !all[0].Current || acked < 3 {
		t.Errorf("%d releases, %d were acknowledged", len(all), acked)
	}
	t.Logf("%d config changes during 3 upgrades", acked-1)
}
