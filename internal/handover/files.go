package handover

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// maxFiles bounds the descriptors of one message.
const maxFiles = 16

// rightsTo packs copies of descriptors; done closes them once they are sent. The way by os.File.Fd would make the sockets
// block, here too.
func rightsTo(files []syscall.Conn) (rights []byte, done func(), err error) {
	var copies []int
	done = func() {
		for _, fd := range copies {
			_ = syscall.Close(fd)
		}
	}
	for _, f := range files {
		raw, err := f.SyscallConn()
		if err != nil {
			return nil, done, err
		}
		var dupErr error
		err = raw.Control(func(fd uintptr) {
			syscall.ForkLock.RLock()
			defer syscall.ForkLock.RUnlock()
			var twin int
			if twin, dupErr = syscall.Dup(int(fd)); dupErr == nil {
				syscall.CloseOnExec(twin)
				copies = append(copies, twin)
			}
		})
		if err == nil {
			err = dupErr
		}
		if err != nil {
			return nil, done, err
		}
	}
	if len(copies) > 0 {
		rights = syscall.UnixRights(copies...)
	}
	return rights, done, nil
}

// reader reads from the socket of a Conn and keeps the descriptors that come.
type reader struct{ *Conn }

func (r reader) Read(p []byte) (int, error) {
	control := make([]byte, syscall.CmsgSpace(4*maxFiles))
	n, oob, _, _, err := r.socket.ReadMsgUnix(p, control)
	if oob > 0 {
		messages, parseErr := syscall.ParseSocketControlMessage(control[:oob])
		if parseErr != nil {
			return n, fmt.Errorf("read descriptors: %w", parseErr)
		}
		for _, m := range messages {
			fds, _ := syscall.ParseUnixRights(&m) // other messages are none of ours
			for _, fd := range fds {
				syscall.CloseOnExec(fd)
				r.files = append(r.files, os.NewFile(uintptr(fd), "inherited"))
			}
		}
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(0, n), err
}

// TCP makes a listener of a descriptor that came, which is closed.
func TCP(f *os.File) (*net.TCPListener, error) {
	l, err := listener(f)
	if err != nil {
		return nil, err
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		_ = l.Close()
		return nil, fmt.Errorf("an inherited listener is %s, not TCP", l.Addr().Network())
	}
	return tcp, nil
}

// Unix makes a listener of a descriptor that came, which is closed.
func Unix(f *os.File) (*net.UnixListener, error) {
	l, err := listener(f)
	if err != nil {
		return nil, err
	}
	local, ok := l.(*net.UnixListener)
	if !ok {
		_ = l.Close()
		return nil, fmt.Errorf("an inherited listener is %s, not a Unix socket", l.Addr().Network())
	}
	return local, nil
}

func listener(f *os.File) (net.Listener, error) {
	defer func() { _ = f.Close() }()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("use an inherited listener: %w", err)
	}
	return l, nil
}
