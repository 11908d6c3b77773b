package namespace

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/aloft-run/aloft/internal/engine/pid1"
)

// link is our end of a socket to the first process of a sandbox.
type link struct{ *net.UnixConn }

func newLink() (ours *link, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket to the sandbox: %w", err)
	}
	file := os.NewFile(uintptr(fds[0]), "sandbox")
	defer file.Close()
	theirs = os.NewFile(uintptr(fds[1]), "engine")
	conn, err := net.FileConn(file)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, fmt.Errorf("make a socket to the sandbox: %w", err)
	}
	unixConn, _ := conn.(*net.UnixConn)
	return &link{unixConn}, theirs, nil
}

// send sends steps and closes the files that the script opened for them.
func (l *link) send(s *script) error {
	defer s.close()
	if s.err != nil {
		return s.err
	}
	return l.write(pid1.PackSteps(s.steps), s.files)
}

func (l *link) write(words []string, files []*os.File) error {
	message := pid1.Frame(words)
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	n, _, err := l.WriteMsgUnix(message, rights, nil)
	if err == nil && n < len(message) {
		_, err = l.Write(message[n:])
	}
	if err != nil {
		return fmt.Errorf("talk to the sandbox: %w", err)
	}
	return nil
}

// read returns a message and the descriptor that came with it, -1 if none did.
func (l *link) read() (words []string, fd int, err error) {
	head := make([]byte, 4)
	control := make([]byte, unix.CmsgSpace(4))
	fd = -1
	n, oob, _, _, err := l.ReadMsgUnix(head, control)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return nil, -1, fmt.Errorf("listen to the sandbox: %w", err)
	}
	if messages, parseErr := unix.ParseSocketControlMessage(control[:oob]); parseErr == nil && len(messages) > 0 {
		if fds, rightsErr := unix.ParseUnixRights(&messages[0]); rightsErr == nil && len(fds) > 0 {
			fd = fds[0]
			unix.CloseOnExec(fd)
		}
	}
	_, err = io.ReadFull(l, head[n:])
	body := make([]byte, max(0, pid1.FrameSize(head)))
	if err == nil {
		_, err = io.ReadFull(l, body)
	}
	if err == nil {
		words, err = pid1.Unpack(body)
	}
	if err != nil {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
		return nil, -1, fmt.Errorf("listen to the sandbox: %w", err)
	}
	return words, fd, nil
}

// expect reads an answer that should begin with a word; another one is a *pid1Failure.
func (l *link) expect(word string) error {
	words, fd, err := l.read()
	if fd >= 0 {
		_ = unix.Close(fd)
	}
	if err != nil {
		return err
	}
	return failureIn(words, word)
}

func failureIn(words []string, word string) error {
	if len(words) > 0 && words[0] == word {
		return nil
	}
	return &pid1Failure{reason: strings.Join(words[min(1, len(words)):], " ")}
}

// pid1Failure is what the first process says when it cannot do something.
type pid1Failure struct{ reason string }

func (f *pid1Failure) Error() string { return f.reason }

var errGone = errors.New("the sandbox is gone")
