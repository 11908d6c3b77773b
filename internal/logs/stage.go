package logs

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aloft-run/aloft"
)

// maxWait is how long an Append waits for the disk, once, before lines are dropped.
const maxWait = 250 * time.Millisecond

const (
	blockBytes = 64 << 10  // a block goes to the file at this size, if not before
	maxPending = 4 << 20   // bytes of a stage that wait for the disk, before lines are dropped
	maxTotal   = 64 << 20  // of all stages
	kickBytes  = 512 << 10 // waiting bytes that wake the flusher early
)

// stage is the log of one stage. Its newest lines are in the encoder, older ones in pending blocks, the rest in segments.
type stage struct {
	store *Store
	dir   string

	mu       sync.Mutex
	segments []*segment // oldest first
	pending  []block    // encoded, waiting for the flusher
	waiting  int        // their bytes
	enc      encoder
	next     uint64        // number of the next line
	loaded   bool          // the files were looked at
	dirty    bool          // the flusher knows
	ended    bool          // deleted or closed
	stalled  bool          // an Append waited in vain; the next ones do not wait
	failure  error         // of the last write; nil when it worked
	reason   error         // of the last write that failed
	dropped  uint64        // lines since the last write that worked
	wake     chan struct{} // closed at the next line; nil if no follower waits
	space    chan struct{} // closed when pending shrinks; nil if no Append waits

	io   sync.Mutex // serialises flushes; taken before mu
	file file       // of the last segment; nil while closed
}

// block is an encoded block with its header.
type block struct {
	header
	data []byte
}

func (st *stage) append(line *aloft.LogLine) {
	st.mu.Lock()
	if err := st.load(); err != nil {
		st.dropped++
		st.reason = err
		st.mu.Unlock()
		return
	}
	if st.full() && !st.waitForSpace() {
		st.dropped++
		st.mu.Unlock()
		return
	}
	kick := st.add(line)
	st.mu.Unlock()
	if kick {
		st.store.work.flush(st)
	}
}

// add encodes a line; the caller holds mu. It reports whether the flusher must be told.
func (st *stage) add(line *aloft.LogLine) (kick bool) {
	if st.enc.count == 0 {
		st.enc.reset(*st.store.buffers.Get().(*[]byte))
	}
	st.enc.add(line)
	st.next++
	if len(st.enc.buf) >= blockBytes || len(st.enc.sources) == maxSources {
		st.cut()
		if st.waiting >= kickBytes {
			st.store.work.hurry()
		}
	}
	if st.wake != nil {
		close(st.wake)
		st.wake = nil
	}
	kick = !st.dirty
	st.dirty = true
	return kick
}

// cut moves the block being encoded to the pending ones; the caller holds mu.
func (st *stage) cut() {
	if st.enc.count == 0 {
		return
	}
	b := st.encoded(st.enc.buf)
	st.pending = append(st.pending, b)
	st.waiting += len(b.data)
	st.store.buffered.Add(int64(len(b.data)))
	st.enc = encoder{sources: st.enc.sources}
}

// encoded completes the header of what is being encoded, in buf.
func (st *stage) encoded(buf []byte) block {
	h := header{count: st.enc.count, first: st.next - uint64(st.enc.count), maxTime: st.enc.maxTime, size: len(buf) - headerSize}
	h.seal(buf)
	return block{header: h, data: buf}
}

func (st *stage) full() bool {
	return st.waiting >= maxPending || st.store.buffered.Load() >= maxTotal
}

// waitForSpace gives the disk a moment. It reports whether there is space; mu is held before and after, not between.
func (st *stage) waitForSpace() bool {
	if st.failure != nil || st.stalled {
		return false
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	for st.full() && st.failure == nil && !st.ended {
		if st.waiting == 0 { // the others have it all
			return false
		}
		if st.space == nil {
			st.space = make(chan struct{})
		}
		space := st.space
		st.mu.Unlock()
		st.store.work.hurry()
		select {
		case <-space:
			st.mu.Lock()
		case <-timer.C:
			st.mu.Lock()
			st.stalled = true
			return !st.full()
		}
	}
	return !st.full() && !st.ended
}

// written takes the first n pending blocks off, which are in the segment now; err is why the others are not.
func (st *stage) written(n int, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, b := range st.pending[:n] {
		st.waiting -= len(b.data)
		st.store.buffered.Add(-int64(len(b.data)))
		if data := b.data; cap(data) <= 2*blockBytes {
			st.store.buffers.Put(&data)
		}
	}
	st.pending = append([]block(nil), st.pending[n:]...)
	st.failure, st.stalled = err, false
	kick := false
	if err != nil {
		st.reason = err
		kick, st.dirty = !st.dirty, true
	} else if st.dropped > 0 {
		text := fmt.Sprintf("%d lines dropped: %v", st.dropped, cmp.Or(st.reason, errSlow))
		st.dropped = 0
		kick = st.add(&aloft.LogLine{Time: time.Now(), Stream: "aloft", Text: text})
	}
	if kick {
		st.store.work.flush(st)
	}
	if st.space != nil {
		close(st.space)
		st.space = nil
	}
}

var errSlow = errors.New("the disk is too slow")

// end drops what is buffered and makes everyone go. It returns the lines that were in no file.
func (st *stage) end() (lost uint64) {
	st.io.Lock()
	defer st.io.Unlock()
	st.closeFile()
	st.mu.Lock()
	defer st.mu.Unlock()
	lost = st.dropped + uint64(st.enc.count)
	for _, b := range st.pending {
		lost += uint64(b.count)
	}
	st.store.buffered.Add(-int64(st.waiting))
	st.ended, st.pending, st.waiting, st.enc = true, nil, 0, encoder{}
	for _, c := range []*chan struct{}{&st.wake, &st.space} {
		if *c != nil {
			close(*c)
			*c = nil
		}
	}
	return lost
}
