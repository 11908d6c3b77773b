package process

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aloft-run/aloft/internal/engine/procfs"
	"github.com/aloft-run/aloft/internal/engine/sockdiag"
)

// forget is how long a socket is taken for another's after a look: a process that was just starting may not have been
// recognisable.
const forget = 300 * time.Millisecond

// Listeners lists all listening sockets of the machine, which is cheap, and looks into processes, which is not, only
// when one is there that was not seen before.
func (s *sandbox) Listeners() ([]net.Addr, error) {
	all, err := sockdiag.Listening()
	if err != nil {
		return nil, err
	}
	s.listenMu.Lock()
	defer s.listenMu.Unlock()
	if now := time.Now(); now.Sub(s.seenAt) > forget {
		clear(s.seen)
		s.seenAt = now
	}
	for _, l := range all {
		if _, ok := s.seen[l.Inode]; !ok {
			s.recognise(all)
			break
		}
	}
	var ours []net.Addr
	for _, l := range all {
		if s.seen[l.Inode] {
			ours = append(ours, s.absolute(l.Addr))
		}
	}
	return ours, nil
}

// recognise finds out whose the sockets are.
func (s *sandbox) recognise(all []sockdiag.Listener) {
	for _, l := range all {
		s.seen[l.Inode] = false
	}
	for _, p := range s.living() {
		for _, inode := range p.Sockets() {
			if _, listens := s.seen[inode]; listens {
				s.seen[inode] = true
			}
		}
	}
}

// absolute resolves a Unix socket that was bound by a relative path.
func (s *sandbox) absolute(addr net.Addr) net.Addr {
	u, ok := addr.(*net.UnixAddr)
	if !ok || filepath.IsAbs(u.Name) || strings.HasPrefix(u.Name, "@") {
		return addr
	}
	dir, err := os.Readlink("/proc/" + strconv.Itoa(s.pid) + "/cwd")
	if err != nil {
		return addr
	}
	return &net.UnixAddr{Net: u.Net, Name: filepath.Join(dir, u.Name)}
}

// Datagrams implements engine.DatagramLister. It reads /proc/net, which is slow, and is for error messages.
func (s *sandbox) Datagrams() ([]net.Addr, error) {
	ours := map[uint32]bool{}
	for _, p := range s.living() {
		for _, inode := range p.Sockets() {
			ours[inode] = true
		}
	}
	var found []net.Addr
	for _, file := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // no such family here
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 10 {
				continue
			}
			_, port, _ := strings.Cut(fields[1], ":")
			number, err := strconv.ParseUint(port, 16, 16)
			inode, err2 := strconv.ParseUint(fields[9], 10, 32)
			if err == nil && err2 == nil && ours[uint32(inode)] {
				found = append(found, &net.UDPAddr{Port: int(number)})
			}
		}
	}
	return found, nil
}

// Holder implements engine.PortHolder.
func (*Engine) Holder(port int) (pid int, name string, ok bool) {
	all, err := sockdiag.Listening()
	if err != nil {
		return 0, "", false
	}
	inodes := map[uint32]bool{}
	for _, l := range all {
		if tcp, isTCP := l.Addr.(*net.TCPAddr); isTCP && tcp.Port == port {
			inodes[l.Inode] = true
		}
	}
	if len(inodes) == 0 {
		return 0, "", false
	}
	for _, p := range procfs.All() {
		for _, inode := range p.Sockets() {
			if inodes[inode] {
				comm, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/comm")
				return p.PID, strings.TrimSpace(string(comm)), true
			}
		}
	}
	return 0, "", false
}
