package http1_test

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aloft-run/aloft/internal/gateway/http1"
)

// pair is a Server with net/http behind it for what is theirs, and net/http alone, with the same handler.
type pair struct {
	ours, alone string // addresses
	server      *http1.Server
	behind      *http.Server
	active      atomic.Int32 // requests that the Server has served
	door        *door
}

// door is the listener of the server behind.
type door struct {
	net.Listener
	server *http1.Server
	theirs chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (d *door) run() {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return
		}
		go func() {
			if unread, theirs, _ := d.server.Serve(c); theirs {
				select {
				case d.theirs <- &readBefore{c, unread}:
				case <-d.closed:
					c.Close()
				}
			}
		}()
	}
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case c := <-d.theirs:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Listener.Close()
}

type readBefore struct {
	net.Conn
	unread []byte
}

func (c *readBefore) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

const headTime, idleTime = 2 * time.Second, 3 * time.Second

func start(t *testing.T, h http.HandlerFunc) *pair {
	t.Helper()
	p := new(pair)
	listen := func() net.Listener {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return ln
	}
	server := func() *http.Server {
		s := &http.Server{
			Handler: h, ReadHeaderTimeout: headTime, IdleTimeout: idleTime, MaxHeaderBytes: 32 << 10, DisableGeneralOptionsHandler: true,
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	var err error
	p.server, err = http1.New(http1.Config{Handler: h, HeadTime: headTime, IdleTime: idleTime, State: func(_ net.Conn, s http.ConnState) {
		if s == http.StateActive {
			p.active.Add(1)
		}
	}})
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("net/http serves alone on this system")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.server.Close)
	ln, alone := listen(), listen()
	p.ours, p.alone = ln.Addr().String(), alone.Addr().String()
	p.door = &door{Listener: ln, server: p.server, theirs: make(chan net.Conn), closed: make(chan struct{})}
	go p.door.run()
	p.behind = server()
	go p.behind.Serve(p.door)
	go server().Serve(alone)
	return p
}
