package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// SocketName is the API's socket in the home directory.
const SocketName = "aloft.sock"

// maxSocketPath is what fits sun_path everywhere, without its final zero byte.
const maxSocketPath = 103

// Listen makes the home directory if needed (mode 0700) and listens on the socket in it (mode 0600), replacing one that a
// dead server left: the caller holds the home's lock.
func Listen(home string) (*Socket, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("make the home directory: %w", err)
	}
	path := filepath.Join(home, SocketName)
	listener, err := listenPrivately(path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return &Socket{UnixListener: listener, path: path}, nil
}

// Adopt is Listen with the socket of a server whose place this one takes.
func Adopt(home string, listener *net.UnixListener) *Socket {
	listener.SetUnlinkOnClose(false)
	return &Socket{UnixListener: listener, path: filepath.Join(home, SocketName)}
}

// listenPrivately makes the socket in a closed directory and moves it to path when it is protected: a home directory that
// its owner opened to others must not give them a moment to connect.
func listenPrivately(path string) (*net.UnixListener, error) {
	dir := path + ".new"
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	made := filepath.Join(dir, SocketName)
	short, release, err := shortPath(made)
	if err != nil {
		return nil, err
	}
	defer release()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // it would remove by the path it was made at
	err = os.Chmod(made, 0o600)
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// Dial connects to a socket made by Listen. The path may be longer than the system allows for sockets.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	short, release, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer release()
	var dialer net.Dialer
	return dialer.DialContext(ctx, "unix", short)
}

// Socket is where the API listens.
type Socket struct {
	*net.UnixListener

	path string

	mu     sync.Mutex
	paused chan struct{} // closed when it goes on; nil unless it is paused
	left   bool
}

// Pause lets connections wait in the kernel, for this server or another that has the socket too.
func (s *Socket) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused == nil {
		s.paused = make(chan struct{})
		_ = s.SetDeadline(time.Unix(1, 0)) // ends an Accept that waits
	}
}

// Resume takes connections again.
func (s *Socket) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused != nil {
		_ = s.SetDeadline(time.Time{})
		close(s.paused)
		s.paused = nil
	}
}

// Leave leaves the socket to another server: Close does not remove it.
func (s *Socket) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

// Accept waits for a connection.
func (s *Socket) Accept() (net.Conn, error) {
	for {
		conn, err := s.UnixListener.Accept()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return conn, err
		}
		s.mu.Lock()
		paused := s.paused
		s.mu.Unlock()
		if paused != nil {
			<-paused
		}
	}
}

// Close stops listening and removes the socket.
func (s *Socket) Close() error {
	err := s.UnixListener.Close()
	s.Resume() // an Accept that waits sees the end
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return err
	}
	removed := os.Remove(s.path)
	if errors.Is(removed, os.ErrNotExist) {
		removed = nil
	}
	return errors.Join(err, removed)
}

// shortPath returns a name for path that fits a socket address, valid until release is called.
func shortPath(path string) (short string, release func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	link := "/proc/self/fd/" + strconv.FormatUint(uint64(dir.Fd()), 10)
	if _, err := os.Stat(link); err == nil {
		return filepath.Join(link, filepath.Base(path)), func() { _ = dir.Close() }, nil
	}
	_ = dir.Close()
	return shortLink(path)
}

// shortLink is shortPath for systems without /proc.
func shortLink(path string) (short string, release func(), err error) {
	tmp, err := os.MkdirTemp("", "aloft")
	if err != nil {
		return "", nil, err
	}
	release = func() { _ = os.RemoveAll(tmp) }
	if err := os.Symlink(filepath.Dir(path), filepath.Join(tmp, "h")); err != nil {
		release()
		return "", nil, err
	}
	return filepath.Join(tmp, "h", filepath.Base(path)), release, nil
}
