// Package resolver passes DNS queries of sandboxes on to the name servers of the machine, which sandboxes cannot reach.
package resolver

import (
	"bufio"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	queryTime  = 5 * time.Second  // for an answer; then the client asks again
	streamTime = 10 * time.Second // for a query by TCP
	maxQueries = 64               // of one sandbox at once; more are dropped, as networks do
	maxMessage = 4096             // bytes by UDP; what is longer comes by TCP
)

// Relay answers on two sockets. Close ends it.
type Relay struct {
	packets net.PacketConn
	streams net.Listener
	servers *Servers
	slots   chan struct{}
	wg      sync.WaitGroup
}

// Serve passes on what comes to packets and streams, which it closes at the end.
func Serve(packets net.PacketConn, streams net.Listener, servers *Servers) *Relay {
	r := &Relay{packets: packets, streams: streams, servers: servers, slots: make(chan struct{}, maxQueries)}
	r.wg.Go(r.servePackets)
	r.wg.Go(r.serveStreams)
	return r
}

// Close ends the relay. Queries under way end by themselves.
func (r *Relay) Close() {
	_ = r.packets.Close()
	_ = r.streams.Close()
	r.wg.Wait()
}

func (r *Relay) servePackets() {
	b := make([]byte, maxMessage)
	for {
		n, from, err := r.packets.ReadFrom(b)
		if err != nil {
			return
		}
		query := append([]byte(nil), b[:n]...)
		r.begin(func() {
			if answer := r.ask(query); answer != nil {
				_, _ = r.packets.WriteTo(answer, from)
			}
		})
	}
}

// begin does something in the background, unless too much is being done.
func (r *Relay) begin(do func()) bool {
	select {
	case r.slots <- struct{}{}:
		go func() { defer func() { <-r.slots }(); do() }()
		return true
	default:
		return false
	}
}

// ask asks one server after another.
func (r *Relay) ask(query []byte) []byte {
	for _, server := range r.servers.List() {
		conn, err := net.DialTimeout("udp", server, queryTime) //nolint:noctx // bounded
		if err != nil {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(queryTime))
		answer := make([]byte, maxMessage)
		_, err = conn.Write(query)
		n := 0
		if err == nil {
			n, err = conn.Read(answer)
		}
		_ = conn.Close()
		if err == nil {
			return answer[:n]
		}
	}
	return nil
}

func (r *Relay) serveStreams() {
	for {
		client, err := r.streams.Accept()
		if err != nil {
			return
		}
		if !r.begin(func() { r.stream(client) }) {
			_ = client.Close()
		}
	}
}

func (r *Relay) stream(client net.Conn) {
	defer client.Close()
	for _, address := range r.servers.List() {
		server, err := net.DialTimeout("tcp", address, queryTime) //nolint:noctx // bounded
		if err != nil {
			continue
		}
		deadline := time.Now().Add(streamTime)
		_, _ = client.SetDeadline(deadline), server.SetDeadline(deadline)
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		_, _ = io.Copy(client, server)
		_ = server.Close()
		return
	}
}

// Servers are the machine's name servers, as a file such as /etc/resolv.conf lists them now.
type Servers struct {
	Path string

	mu       sync.Mutex
	readAt   time.Time // modification time of what was read
	lookedAt time.Time
	list     []string
}

// lookPause is how long a list is taken for the present one.
const lookPause = 5 * time.Second

// List returns the servers as "host:53".
func (s *Servers) List() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.lookedAt) < lookPause {
		return s.list
	}
	s.lookedAt = time.Now()
	info, err := os.Stat(s.Path)
	if err != nil || info.ModTime().Equal(s.readAt) {
		return s.list
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return s.list
	}
	defer f.Close()
	s.readAt, s.list = info.ModTime(), nil
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) >= 2 && fields[0] == "nameserver" {
			s.list = append(s.list, net.JoinHostPort(fields[1], "53"))
		}
	}
	return s.list
}
