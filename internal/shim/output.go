package shim

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

const (
	tailBytes = 4 << 10
	tailLines = 20
)

// output is one of the shim's own output streams, shared by the server's lines and the shim's.
type output struct {
	mu   sync.Mutex
	w    io.Writer
	open bool // what was written last ended within a line
	tail *tail
}

// Write passes on what the server writes.
func (o *output) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = p[len(p)-1] != '\n'
	o.tail.add(p)
	return o.w.Write(p)
}

// line writes a line of the shim's own.
func (o *output) line(text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open {
		text = append([]byte{'\n'}, text...)
	}
	o.open = false
	_, _ = o.w.Write(append(text, '\n')) // nobody is left to tell
}

// tail keeps the last lines that the server wrote.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) add(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p = p[max(0, len(p)-tailBytes):]
	if over := len(t.data) + len(p) - tailBytes; over > 0 {
		t.data = t.data[:copy(t.data, t.data[min(over, len(t.data)):])]
	}
	t.data = append(t.data, p...)
}

// reset forgets what an earlier process wrote.
func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = t.data[:0]
}

// String returns the lines, without what may be half of one.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	data := t.data
	if len(data) == tailBytes {
		data = data[bytes.IndexByte(data, '\n')+1:]
	}
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(data), "")), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
