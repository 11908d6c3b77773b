package hostile_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aloft-run/aloft/internal/aloftest"
)

// insistent is an app that listens on 3000 whatever it is told, and says on request whether it reaches an address.
const insistent = `#!/usr/bin/env node
const http = require('http'), net = require('net')
http.createServer((req, res) => {
  const to = req.url.slice(1)
  if (!to) return res.end('%s')
  const cut = to.lastIndexOf(':')
  const s = net.connect({ host: to.slice(0, cut), port: +to.slice(cut + 1), timeout: 3000 })
  s.on('connect', () => { res.end('reached'); s.destroy() })
  s.on('timeout', () => { res.end('timeout'); s.destroy() })
  s.on('error', e => res.end(e.code))
}).listen(3000, '0.0.0.0')
`

// TestManyOnOnePort: apps that all insist on one port run at once and answer, and none reaches another, the gateway, or
// anything else of this machine.
func TestManyOnOnePort(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: only then routes of the machine lead to other tenants, to be tried; internal/engine/netstack tries the rest")
	}
	n := manyApps
	w := aloftest.New(t)
	w.Serve(t)
	base := t.TempDir()
	slots := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("app-%d", i)
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "server"), fmt.Appendf(nil, insistent, name), 0o755); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if _, errs, err := w.Run(dir, "up", "production"); err != nil {
				t.Errorf("%s: %v\n%s", name, err, errs)
			}
		})
	}
	wg.Wait()
	for i := range n {
		name := fmt.Sprintf("app-%d", i)
		if _, body := w.Get(t, "http://"+name+".localhost"); body != name {
			t.Errorf("%s answers %q", name, body)
		}
	}
	own := "http://app-0.localhost/"
	if _, body := w.Get(t, own+"127.0.0.1:3000"); body != "reached" {
		t.Errorf("an app does not reach itself, the test proves nothing: %q", body)
	}
	targets := []string{w.Addr, "169.254.169.254:80", "10.0.0.1:80"}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(w.Addr)
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			targets = append(targets, net.JoinHostPort(ip.IP.String(), port))
		}
	}
	for _, host := range tenants(t) {
		targets = append(targets, host+":3000")
	}
	if len(targets) < 4 {
		t.Error("no other tenant was found: the test proves nothing")
	}
	reached := 0
	for _, to := range targets {
		if _, body := w.Get(t, own+to); body == "reached" {
			reached++
			if reached > 1 || !strings.HasPrefix(to, "198.19.") { // one of them is the app itself
				t.Errorf("an app reaches %s", to)
			}
		}
	}
}

// tenants are the addresses of sandboxes on this machine, by its routes.
func tenants(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/net/route")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		var a, b, c, d byte
		if len(fields) > 7 && fields[7] == "FFFFFFFF" {
			if _, err := fmt.Sscanf(fields[1], "%02X%02X%02X%02X", &d, &c, &b, &a); err == nil && a == 198 {
				all = append(all, fmt.Sprintf("%d.%d.%d.%d", a, b, c, d))
			}
		}
	}
	return all[:min(len(all), 12)]
}
