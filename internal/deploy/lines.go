package deploy

import (
	"bytes"
	"strings"
	"sync"
)

const (
	maxLine = 256 << 10 // a longer line is split
	tailLen = 20        // lines kept for an error
)

// lines is a Writer that emits whole lines and remembers the last ones. It is safe for concurrent use.
type lines struct {
	emit func(text string)

	mu      sync.Mutex
	partial []byte
	last    []string
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		l.partial = append(l.partial, p[:i]...)
		l.line()
		p = p[i+1:]
	}
	l.partial = append(l.partial, p...)
	if len(l.partial) > maxLine {
		l.line()
	}
	return n, nil
}

// flush emits a last line that has no newline.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.line()
	}
}

func (l *lines) line() {
	text := strings.TrimSuffix(string(l.partial), "\r")
	l.partial = l.partial[:0]
	if len(l.last) == tailLen {
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, text)
	l.emit(text)
}

// tail returns the last lines.
func (l *lines) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "\n")
}
