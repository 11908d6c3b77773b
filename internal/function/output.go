package function

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxLine   = 256 << 10 // bytes; longer lines are split
	tailLines = 20        // kept for error messages
	tailLine  = 2 << 10   // bytes kept of each of them
)

// output cuts what an instance prints into lines.
type output struct {
	stdout, stderr *lines

	mu   sync.Mutex
	tail []string // the last lines of both streams
}

func newOutput(emit func(stream, text string, at time.Time)) *output {
	o := &output{}
	keep := func(stream string) *lines {
		return &lines{emit: func(text string, at time.Time) {
			o.remember(text)
			emit(stream, text, at)
		}}
	}
	o.stdout, o.stderr = keep("stdout"), keep("stderr")
	return o
}

func (o *output) remember(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.tail) == tailLines {
		o.tail = slices.Delete(o.tail, 0, 1)
	}
	o.tail = append(o.tail, strings.Clone(text[:min(len(text), tailLine)]))
}

// last returns the last lines, newest last.
func (o *output) last() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tail)
}

// flush emits what is left without a newline.
func (o *output) flush() {
	o.stdout.flush()
	o.stderr.flush()
}

// lines is an io.Writer that emits each line without its end.
type lines struct {
	emit func(text string, at time.Time)
	mu   sync.Mutex
	part []byte // a line without its end so far
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, now := len(p), time.Now()
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		if len(l.part) > 0 {
			l.add(p[:end], now)
			l.send(l.part, now)
			l.part = l.part[:0]
		} else {
			l.long(p[:end], now)
		}
		p = p[end+1:]
	}
	l.add(p, now)
	return n, nil
}

// add keeps the start of a line, or emits it where it grows too long.
func (l *lines) add(p []byte, now time.Time) {
	for len(l.part)+len(p) > maxLine {
		fits := maxLine - len(l.part)
		l.send(append(l.part, p[:fits]...), now)
		l.part, p = l.part[:0], p[fits:]
	}
	l.part = append(l.part, p...)
}

// long emits a whole line, in pieces if need be.
func (l *lines) long(p []byte, now time.Time) {
	for len(p) > maxLine {
		l.send(p[:maxLine], now)
		p = p[maxLine:]
	}
	l.send(p, now)
}

func (l *lines) send(p []byte, now time.Time) {
	l.emit(string(bytes.TrimSuffix(p, []byte("\r"))), now)
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.part) > 0 {
		l.send(l.part, time.Now())
		l.part = nil
	}
}
