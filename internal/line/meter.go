package line

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// sayEvery is how often a Meter says at most what it has dropped.
const sayEvery = time.Second

// Meter passes on as much output as a token bucket has tokens, a byte each, drops the rest without looking at it, and says
// how many lines that were. It is safe for concurrent use, as is a bucket shared by several.
type Meter struct {
	to     *Writer
	bucket *rate.Limiter
	say    func(text string, at time.Time)

	mu      sync.Mutex
	midway  bool // in a line of which a part was dropped: what is left of it goes too
	dropped int  // lines since the last word about it
	saidAt  time.Time
}

var _ io.Writer = (*Meter)(nil)

// NewMeter returns a Meter before a Writer. It calls say with what it has to say of dropped lines.
func NewMeter(to *Writer, bucket *rate.Limiter, say func(text string, at time.Time)) *Meter {
	return &Meter{to: to, bucket: bucket, say: say}
}

// Write never fails.
func (m *Meter) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, now := len(b), time.Now()
	if !m.bucket.AllowN(now, n) {
		m.drop(b, now)
		return n, nil
	}
	if m.midway {
		_, rest, ended := bytes.Cut(b, []byte("\n"))
		if !ended {
			return n, nil
		}
		b, m.midway = rest, false
		m.dropped++
	}
	m.tell(now)
	_, _ = m.to.Write(b) // it never fails
	return n, nil
}

// drop counts what it leaves out. A line of which a part was passed on already ends there.
func (m *Meter) drop(b []byte, now time.Time) {
	if !m.midway {
		m.to.Flush()
	}
	m.dropped += bytes.Count(b, []byte("\n"))
	m.midway = b[len(b)-1] != '\n'
	if m.saidAt.IsZero() {
		m.saidAt = now // the flood has a moment before its first word
	}
	if now.Sub(m.saidAt) >= sayEvery {
		m.tell(now)
	}
}

// tell says what was dropped since it did so last.
func (m *Meter) tell(now time.Time) {
	if m.dropped == 0 {
		return
	}
	unit := "lines"
	if m.dropped == 1 {
		unit = "line"
	}
	m.say(fmt.Sprintf("%d %s dropped: the output is faster than %d KB a second", m.dropped, unit, int(m.bucket.Limit())>>10), now)
	m.dropped, m.saidAt = 0, now
}

// Flush says what was dropped and emits what there is of a line that has no end. It is for the end of the output.
func (m *Meter) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.midway {
		m.midway = false
		m.dropped++
	}
	m.tell(time.Now())
	m.to.Flush()
}
