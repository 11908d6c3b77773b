package shim

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	defaultBoot = time.Minute
	eagerTime   = 2 * time.Second       // in which a server is expected to be ready
	eagerPause  = time.Millisecond      // between connections to PORT meanwhile
	latePause   = 10 * time.Millisecond // and later
	searchEvery = 4                     // connections to PORT before it is looked what the server listens on
	healthPause = 100 * time.Millisecond
	healthTime  = 5 * time.Second
	dialTime    = time.Second
)

// ready waits until the server takes requests and returns where; nil with the reason if it does not within its boot time. It
// returns nil and no reason if the server or ctx ended first.
func (c *child) ready(ctx context.Context, group int, before map[uint32]bool, ended <-chan struct{}) (net.Addr, error) {
	began, beganWorking := time.Now(), c.clock.now()
	boot := c.BootTimeout.Or(defaultBoot)
	health := ""
	wait := time.NewTimer(0)
	defer wait.Stop()
	for look := 0; ; look++ {
		select {
		case <-wait.C:
		case <-ended:
			return nil, nil //nolint:nilnil // no reason of its own
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // no reason of its own
		}
		if addr := c.accepts(group, before, look); addr != nil {
			if health = c.passes(ctx, addr); health == "" {
				return addr, nil
			}
		}
		if c.clock.now()-beganWorking > boot {
			return nil, c.silent(boot, health, opened(group, before))
		}
		pause := eagerPause
		if time.Since(began) > eagerTime {
			pause = latePause
		}
		if health != "" {
			pause = healthPause
		}
		wait.Reset(pause)
	}
}

// accepts returns where the server takes connections: on PORT, or else, looked for now and then, on what it listens on first.
func (c *child) accepts(group int, before map[uint32]bool, look int) net.Addr {
	assigned := c.assigned()
	if connects(assigned) {
		return assigned
	}
	if look%searchEvery != searchEvery-1 {
		return nil
	}
	var check net.Addr // is for requests only if there is no other
	for _, addr := range opened(group, before) {
		for _, a := range reachable(addr) {
			switch tcp, ok := a.(*net.TCPAddr); {
			case ok && tcp.Port == c.readyPort && c.readyPort != c.port:
				check = a
			case connects(a):
				return a
			}
		}
	}
	if check != nil && c.settings.port == 0 && connects(check) {
		return check
	}
	return nil
}

// assigned is the address of PORT.
func (c *child) assigned() net.Addr { return local(c.port) }

func local(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// reachable are the addresses to try for a listening socket.
func reachable(addr net.Addr) []net.Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return []net.Addr{addr}
	}
	return []net.Addr{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}, &net.TCPAddr{IP: net.IPv6loopback, Port: tcp.Port}}
}

func connects(addr net.Addr) bool {
	conn, err := net.DialTimeout(addr.Network(), addr.String(), dialTime) //nolint:noctx // on this machine
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// passes returns "" if the health check passes or there is none, and otherwise what came of it.
func (c *child) passes(ctx context.Context, addr net.Addr) string {
	if c.readyPort != 0 {
		if addr = local(c.readyPort); !connects(addr) {
			return fmt.Sprintf("port %d takes no connections", c.readyPort)
		}
	}
	if c.HealthPath == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	x := &exchange{link: &link{}, method: http.MethodGet}
	x.head = appendHead(nil, http.MethodGet, c.HealthPath, "localhost")
	x.head = append(appendField(appendField(x.head, "User-Agent", "aloft-health"), "Connection", "close"), "\r\n"...)
	answer, err := x.do(ctx, addr)
	defer x.close(false)
	if err != nil {
		return fmt.Sprintf("GET %s: %v", c.HealthPath, err)
	}
	_, _ = io.CopyN(io.Discard, answer.body, 64<<10)
	if !among(c.healthy, answer.status) {
		return fmt.Sprintf("GET %s answers %d", c.HealthPath, answer.status)
	}
	return ""
}

// silent says why a server that runs is not ready after its boot time.
func (c *child) silent(boot time.Duration, health string, addrs []net.Addr) error {
	if health != "" {
		return failed(kindInit, "%s was not healthy within %s: %s%s", c.Command[0], boot, health, c.lastLines())
	}
	names := []string{"nothing"}
	if len(addrs) > 0 {
		names = names[:0]
		for _, a := range addrs {
			names = append(names, a.String()+" (does not accept)")
		}
	}
	return failed(kindInit, "%s did not take connections within %s: it listens on %s; let it listen on $PORT (%d was given), any TCP port or a Unix socket%s",
		c.Command[0], boot, strings.Join(names, ", "), c.port, c.lastLines())
}
