package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// The log of a server in the background: so many bytes to a file, and so many full files beside it.
const (
	serverLogSize = 10 << 20
	serverLogKept = 3
)

// rotatingLog is a file that is moved aside when it is full: path, path.1, path.2 …, the oldest goes. Two processes may
// write to one path at a time, as two servers do while one takes the place of the other.
type rotatingLog struct {
	path string
	size int64
	kept int
	std  bool // standard output and error follow: what the runtime says of a crash goes there

	mu   sync.Mutex
	file *os.File
}

func openRotatingLog(l *rotatingLog) (io.WriteCloser, error) {
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *rotatingLog) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	if l.std {
		for fd := 1; fd <= 2; fd++ {
			err = errors.Join(err, unix.Dup2(int(f.Fd()), fd))
		}
	}
	l.file = f
	return err
}

// Write appends p as a whole, to a file that has room for it. If the files cannot be moved it goes where it went before.
func (l *rotatingLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	moved, full := l.look(len(p))
	if full {
		_ = l.rotate(len(p))
	} else if moved {
		_ = l.open()
	}
	if l.file != old {
		_ = old.Close()
	}
	return l.file.Write(p)
}

// Close closes the file.
func (l *rotatingLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// look says whether the file has been moved by somebody else, or has no room for n bytes more.
func (l *rotatingLog) look(n int) (moved, full bool) {
	ours, err := l.file.Stat()
	if err != nil {
		return false, false
	}
	there, err := os.Stat(l.path)
	if err != nil || !os.SameFile(ours, there) {
		return true, false
	}
	return false, ours.Size() > 0 && ours.Size()+int64(n) > l.size
}

// rotate moves the files, unless another process has done so in the meantime.
func (l *rotatingLog) rotate(n int) error {
	if err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	old := l.file
	defer func() { _ = syscall.Flock(int(old.Fd()), syscall.LOCK_UN) }() // another process may have inherited it
	if moved, _ := l.look(n); !moved {
		for i := l.kept - 1; i > 0; i-- {
			_ = os.Rename(l.numbered(i), l.numbered(i+1)) // those that are there
		}
		if err := os.Rename(l.path, l.numbered(1)); err != nil {
			return err
		}
	}
	return l.open()
}

func (l *rotatingLog) numbered(i int) string { return fmt.Sprintf("%s.%d", l.path, i) }

// logToFile makes a server in the background write its own log, to its last word, so that it can keep it small.
func (p *program) logToFile(home string) error {
	log, err := openRotatingLog(&rotatingLog{path: serverLog(home), size: serverLogSize, kept: serverLogKept, std: true})
	if err == nil {
		p.err = log
	}
	return err
}
