package pid1

import (
	"syscall"
	"unsafe"
)

// maxMessage is more than the arguments and the environment of a command may have.
const maxMessage = 8 << 20

// wireError is an error of this package, which has no fmt.
type wireError string

func (e wireError) Error() string { return string(e) }

// Pack writes words, each behind its length.
func Pack(words []string) []byte {
	size := 0
	for _, w := range words {
		size += 4 + len(w)
	}
	b := make([]byte, 0, size)
	for _, w := range words {
		b = appendLength(b, len(w))
		b = append(b, w...)
	}
	return b
}

// Unpack reads what Pack wrote.
func Unpack(b []byte) ([]string, error) {
	var words []string
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, wireError("a message is cut off")
		}
		n := length(b)
		if n < 0 || n > len(b)-4 {
			return nil, wireError("a message is cut off")
		}
		words = append(words, string(b[4:4+n]))
		b = b[4+n:]
	}
	return words, nil
}

// Frame returns the message that carries words.
func Frame(words []string) []byte {
	body := Pack(words)
	return append(appendLength(make([]byte, 0, 4+len(body)), len(body)), body...)
}

// FrameSize returns the size of a message from its first four bytes.
func FrameSize(b []byte) int { return length(b) }

func appendLength(b []byte, n int) []byte {
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}

func length(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 | int(b[3])<<24 }

// send writes a message.
func send(fd int, words []string) error {
	b := Frame(words)
	for len(b) > 0 {
		n, err := syscall.Write(fd, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// receive reads a message and the descriptors that came with it.
func receive(fd int) ([]string, []int, error) {
	var files []int
	head, err := fill(fd, make([]byte, 4), &files)
	if err != nil {
		return nil, files, err
	}
	size := length(head)
	if size < 0 || size > maxMessage {
		return nil, files, wireError("a message is too long")
	}
	body, err := fill(fd, make([]byte, size), &files)
	if err != nil {
		return nil, files, err
	}
	words, err := Unpack(body)
	return words, files, err
}

func fill(fd int, b []byte, files *[]int) ([]byte, error) {
	control := make([]byte, syscall.CmsgSpace(4*MaxFiles))
	for at := 0; at < len(b); {
		n, oob, _, _, err := syscall.Recvmsg(fd, b[at:], control, syscall.MSG_CMSG_CLOEXEC)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		*files = append(*files, rights(control[:oob])...)
		if n == 0 {
			return nil, wireError("the other side is gone")
		}
		at += n
	}
	return b, nil
}

// MaxFiles is how many descriptors a message may carry.
const MaxFiles = 64

func rights(control []byte) []int {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	var files []int
	for i := range messages {
		fds, err := syscall.ParseUnixRights(&messages[i])
		if err == nil {
			files = append(files, fds...)
		}
	}
	return files
}

// number writes n in decimals.
func number(n int) string {
	if n < 0 {
		return "-" + number(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return number(n/10) + string(rune('0'+n%10))
}

// integer reads decimals; what is none is 0.
func integer(s string) int {
	n, sign := 0, 1
	for i, c := range []byte(s) {
		switch {
		case c == '-' && i == 0:
			sign = -1
		case c < '0' || c > '9':
			return 0
		default:
			n = 10*n + int(c-'0')
		}
	}
	return sign * n
}

// pointer is where b begins, for system calls.
func pointer[T any](b *T) uintptr { return uintptr(unsafe.Pointer(b)) }
