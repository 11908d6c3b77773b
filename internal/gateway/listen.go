package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/aloft-run/aloft"
)

// listen binds a TCP address, nil if it is "". It does so itself because Caddy would set SO_REUSEPORT: two servers on one
// port, each with half of the connections.
func listen(ctx context.Context, addr string) (*net.TCPListener, error) {
	if addr == "" {
		return nil, nil //nolint:nilnil // no address, no listener
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, aloft.Errorf(aloft.Conflict, "the address %s is taken%s", addr, holder(addr)).
			WithHint("stop it, or choose another address")
	case errors.Is(err, syscall.EACCES):
		return nil, aloft.Errorf(aloft.Invalid, "listening on %s is not allowed: %w", addr, err).
			WithHint("ports below 1024 need privileges; choose a higher one")
	case err != nil:
		return nil, aloft.Errorf(aloft.Invalid, "listen on %s: %w", addr, err).WithHint("an address looks like 127.0.0.1:7070")
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("listen on %s: not TCP", addr)
	}
	return tcp, nil
}

// holder says who listens on the port of addr, as far as /proc tells: " by node (pid 123)" or "".
func holder(addr string) string {
	_, text, err := net.SplitHostPort(addr)
	port, perr := strconv.Atoi(text)
	if err != nil || perr != nil {
		return ""
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, _ := os.ReadFile(table)
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+f[9]+"]"] = true
			}
		}
	}
	if len(sockets) == 0 {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && sockets[target] {
			dir := filepath.Dir(filepath.Dir(link))
			name, _ := os.ReadFile(filepath.Join(dir, "comm"))
			return fmt.Sprintf(" by %s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(dir))
		}
	}
	return ""
}
