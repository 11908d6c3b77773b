// Package handover is the conversation of a server with the one that takes its place, over a socket that the second
// inherits: what is passed on, in which order, and how descriptors travel. It does nothing by itself.
//
//	old → new  hello    what there is; with it listeners and the lock of the home directory
//	new → old  ready    everything runs beside what runs in old; or failed, with the reason
//	old → new  go       old writes neither state nor logs any more: from here on both are new's
//	new → old  serving  new takes connections
//	old → new  log…     lines of what old still runs
//	old → new  freed…   a stage that only one server can run: old's instances are gone
//	old → new  packets  old has ended HTTP/3
//	old → new  bye      old is done; the end of the connection without it is a death
//
// If either side dies before go the other has lost nothing: old goes on, new ends. After go new goes on.
package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/aloft-run/aloft"
)

// Protocol is the version of the conversation.
const Protocol = 1

// The kinds of messages.
const (
	Hello   = "hello"
	Ready   = "ready"
	Failed  = "failed"
	Go      = "go"
	Serving = "serving"
	Log     = "log"
	Freed   = "freed"
	Packets = "packets"
	Bye     = "bye"
)

// Message is one of either side.
type Message struct {
	Kind    string          `json:"kind"`
	Version string          `json:"version,omitempty"` // of ready
	Error   string          `json:"error,omitempty"`   // of failed
	Hello   *Greeting       `json:"hello,omitempty"`
	Stage   *aloft.StageRef `json:"stage,omitempty"` // of log and freed
	Line    *aloft.LogLine  `json:"line,omitempty"`  // of log
	Files   int             `json:"files,omitempty"` // descriptors that came with it
}

// Greeting is what a server says of itself to the next.
type Greeting struct {
	Protocol int              `json:"protocol"`
	Version  string           `json:"version"`
	Second   bool             `json:"second,omitempty"`  // it has the second names of the home; the next takes the first
	Parent   bool             `json:"parent,omitempty"`  // it stays when it is done, for who watches it; its death is the next one's end
	Limit    time.Duration    `json:"limit"`             // for the next to become ready
	Files    []string         `json:"files"`             // names of the descriptors, in their order
	Serving  []aloft.StageRef `json:"serving,omitempty"` // stages that answer requests now
	Alone    []aloft.StageRef `json:"alone,omitempty"`   // those of them that only one server can run

	Sources map[string]time.Time `json:"sources,omitempty"` // until when each event source has done what was due; none runs any more
}

// Conn is one side. Send and Receive may be used at the same time, Send by several goroutines.
type Conn struct {
	socket *net.UnixConn
	decode *json.Decoder
	files  []*os.File // came, and belong to no message yet

	send sync.Mutex
}

// Pair makes both sides: ours, and the file that the next server inherits.
func Pair() (*Conn, *os.File, error) {
	syscall.ForkLock.RLock() // no child may get them by chance
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket to the next server: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "handover")
	ours, err := Open(fds[0])
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// Open is the side of the server that inherited the descriptor fd. Programs that it starts do not.
func Open(fd int) (*Conn, error) {
	syscall.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "handover")
	defer func() { _ = file.Close() }()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("open the socket to the other server: %w", err)
	}
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("descriptor %d leads to no server", fd), conn.Close())
	}
	c := &Conn{socket: socket}
	c.decode = json.NewDecoder(reader{c})
	return c, nil
}

// Close ends the conversation.
func (c *Conn) Close() error {
	for _, f := range c.files {
		_ = f.Close()
	}
	return c.socket.Close()
}

// SetDeadline bounds Receive; the zero time does not. After one that has passed nothing is received any more.
func (c *Conn) SetDeadline(t time.Time) error { return c.socket.SetReadDeadline(t) }

// Send sends a message with descriptors, which stay open here.
func (c *Conn) Send(m Message, files ...syscall.Conn) error {
	c.send.Lock()
	defer c.send.Unlock()
	m.Files = len(files)
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	rights, done, err := rightsTo(files)
	defer done()
	if err != nil {
		return fmt.Errorf("pass %s on: %w", m.Kind, err)
	}
	n, _, err := c.socket.WriteMsgUnix(text, rights, nil)
	if err == nil && n < len(text) {
		_, err = c.socket.Write(text[n:])
	}
	if err != nil {
		return fmt.Errorf("talk to the other server: %w", err)
	}
	return nil
}

// Receive waits for a message. The files that came with it are the caller's. It returns io.EOF when the other is gone.
func (c *Conn) Receive() (m Message, files []*os.File, err error) {
	if err := c.decode.Decode(&m); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
			err = io.EOF
		}
		return m, nil, err
	}
	if m.Files > len(c.files) {
		return m, nil, fmt.Errorf("%d descriptors came with %s, not %d", len(c.files), m.Kind, m.Files)
	}
	files, c.files = c.files[:m.Files:m.Files], c.files[m.Files:]
	return m, files, nil
}
