// Package line cuts what programs print into lines and keeps the last ones for error messages. It knows neither who prints
// nor who reads.
package line

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// Max is the length in bytes at which a line is split.
const Max = 256 << 10

// Writer emits each line without its end, "\n" or "\r\n". It is safe for concurrent use.
type Writer struct {
	emit func(text string, at time.Time)

	mu   sync.Mutex
	part []byte // a line without its end so far
}

var _ io.Writer = (*Writer)(nil)

// NewWriter returns a Writer that calls emit, one call at a time, with each line and the time at which it was complete.
func NewWriter(emit func(text string, at time.Time)) *Writer { return &Writer{emit: emit} }

// Write never fails.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, now := len(p), time.Now()
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		if len(w.part) > 0 {
			w.add(p[:end], now)
			w.send(w.part, now)
			w.part = w.part[:0]
		} else {
			w.long(p[:end], now)
		}
		p = p[end+1:]
	}
	w.add(p, now)
	return n, nil
}

// Flush emits what there is of a line that has no end. It is for the end of the output.
func (w *Writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.part) > 0 {
		w.send(w.part, time.Now())
		w.part = nil
	}
}

// add keeps the start of a line, or emits it where it grows too long.
func (w *Writer) add(p []byte, now time.Time) {
	for len(w.part)+len(p) > Max {
		fits := Max - len(w.part)
		w.send(append(w.part, p[:fits]...), now)
		w.part, p = w.part[:0], p[fits:]
	}
	w.part = append(w.part, p...)
}

// long emits a whole line, in pieces if need be.
func (w *Writer) long(p []byte, now time.Time) {
	for len(p) > Max {
		w.send(p[:Max], now)
		p = p[Max:]
	}
	w.send(p, now)
}

func (w *Writer) send(p []byte, now time.Time) {
	w.emit(string(bytes.TrimSuffix(p, []byte("\r"))), now)
}
